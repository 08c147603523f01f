//! Extraction of surfaces, on the CPU or the GPU: the same triangles in the same order.

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::mesh::TriangleMesh;
use crate::domain::surface;
use crate::domain::volume::Volume;
use crate::gpu::context::{Context, ContextError};
use crate::ops::backend::Backend;
use crate::task::{Cancelled, Progress};

/// Why there is no surface.
#[derive(Debug, thiserror::Error)]
pub enum SurfaceError {
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The GPU was asked for and is not there.
    #[error("the surface cannot be computed on the GPU: {0}")]
    Device(#[from] ContextError),
}

/// Extracts the surface of a volume at an iso value (in values of the volume, e.g. HU). `at_hand` is the window's device.
///
/// # Errors
/// When cancelled, or when [`Backend::Gpu`] is asked for and no device can be had.
pub fn extract_iso(
    volume: &Volume,
    iso_value: f64,
    backend: Backend,
    at_hand: Option<&Context>,
    progress: &Progress,
) -> Result<TriangleMesh, SurfaceError> {
    backend.device(at_hand)?;
    Ok(surface::extract_volume(volume, iso_value, progress)?)
}

/// Extracts the surface of a segment's mask.
///
/// # Errors
/// When cancelled.
pub fn extract_segment(mask: &Mask, grid: &Grid, progress: &Progress) -> Result<TriangleMesh, SurfaceError> {
    Ok(surface::extract_mask(mask, grid, progress)?)
}
