//! Extraction of surfaces, on the CPU or the GPU: the same triangles in the same order.

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::mesh::TriangleMesh;
use crate::domain::surface;
use crate::domain::volume::Volume;
use crate::gpu::context::{Context, ContextError, LimitsRequest};
use crate::gpu::surface::{SurfaceDeviceError, SurfaceExtractor};
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
    /// The GPU is there, but it cannot do it.
    #[error(transparent)]
    Refused(#[from] SurfaceDeviceError),
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
    let Some(context) = backend.device(at_hand)? else {
        return Ok(surface::extract_volume(volume, iso_value, progress)?);
    };
    match on_device(&context, volume, iso_value, progress) {
        // What a device cannot do the CPU does, unless the device was asked for by name.
        Err(SurfaceError::Refused(_)) if backend == Backend::Auto => {
            Ok(surface::extract_volume(volume, iso_value, progress)?)
        }
        done => done,
    }
}

fn on_device(
    context: &Context,
    volume: &Volume,
    iso_value: f64,
    progress: &Progress,
) -> Result<TriangleMesh, SurfaceError> {
    progress.phase("Extracting surface");
    let mut extractor = SurfaceExtractor::new(context, volume)?;
    progress.step(1, 3)?;
    extractor.compute(volume, iso_value)?;
    progress.step(2, 3)?;
    let mesh = extractor.read_back()?;
    progress.step(3, 3)?;
    Ok(mesh)
}

/// Extracts the surface of a segment's mask.
///
/// # Errors
/// When cancelled.
pub fn extract_segment(mask: &Mask, grid: &Grid, progress: &Progress) -> Result<TriangleMesh, SurfaceError> {
    Ok(surface::extract_mask(mask, grid, progress)?)
}

/// A volume that is on the graphics device, for one surface after another: what the bench measures without the upload.
#[derive(Debug)]
pub struct DeviceSurface<'a> {
    volume: &'a Volume,
    extractor: SurfaceExtractor,
}

impl<'a> DeviceSurface<'a> {
    /// Uploads a volume, also to a software driver.
    ///
    /// # Errors
    /// When there is no device or the volume is too large for it.
    pub fn new(volume: &'a Volume) -> Result<Self, SurfaceError> {
        let context = Context::headless(LimitsRequest::Adapter)?;
        Ok(Self { volume, extractor: SurfaceExtractor::new(&context, volume)? })
    }

    /// Name of the device.
    pub fn label(&self) -> String {
        self.extractor.label()
    }

    /// Computes a surface on the device and leaves it there; returns the numbers of vertices and triangles.
    ///
    /// # Errors
    /// When the surface is too large for the device.
    pub fn compute(&mut self, iso_value: f64) -> Result<(usize, usize), SurfaceError> {
        Ok(self.extractor.compute(self.volume, iso_value)?)
    }

    /// The last surface.
    ///
    /// # Errors
    /// When the device was lost.
    pub fn read_back(&self) -> Result<TriangleMesh, SurfaceError> {
        Ok(self.extractor.read_back()?)
    }
}
