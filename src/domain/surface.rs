//! The surface of an iso value or of a mask: brick-bitmask flying edges.
//!
//! In: a `Volume` and an iso value, or a `Mask` on a `Grid`. Out: an indexed `TriangleMesh`, positions in patient space
//! (mm), triangles facing outwards, also on left-handed grids.
//!
//! A voxel is inside when its value is greater than the iso value; the iso value is moved to the middle between two sample
//! values, so no vertex lies on a voxel centre. The grid is padded by one virtual outside voxel, so the mesh is always
//! closed; at the border it is capped on the outer face of the voxels. Each vertex has one owner, each edge two triangles,
//! each vertex one fan of triangles.
//!
//! Source: Schroeder, Maynard, Geveci, "Flying Edges", LDAV 2015, on a 1-bit mask of the padded volume.
//! Not here: smoothing (`domain::mesh`), choice of CPU or GPU (`ops::surface`).

#![allow(clippy::inline_always, reason = "a kernel is compiled for several instruction sets, with all that it calls")]

mod field;
mod placement;
mod plain;
pub mod tables;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::mesh::TriangleMesh;
use crate::domain::volume::Volume;
use crate::task::{Cancelled, Progress};

use field::{IsoLevel, MaskField, ScalarField};
use placement::Placement;

/// Extracts the surface at `iso_value` (in values of the volume, e.g. HU): inside is where the value is greater.
///
/// # Errors
/// When the work was cancelled.
pub fn extract_volume(volume: &Volume, iso_value: f64, progress: &Progress) -> Result<TriangleMesh, Cancelled> {
    progress.phase("Extracting surface");
    let field = ScalarField::new(volume, IsoLevel::of(volume, iso_value));
    plain::extract(&field, &Placement::new(volume.grid()), progress)
}

/// Extracts the surface of a mask; vertices lie in the middle between voxels, normals are smooth.
///
/// # Errors
/// When the work was cancelled.
///
/// # Panics
/// When the mask is not of the grid's size.
pub fn extract_mask(mask: &Mask, grid: &Grid, progress: &Progress) -> Result<TriangleMesh, Cancelled> {
    progress.phase("Extracting surface");
    plain::extract(&MaskField::new(mask, grid), &Placement::new(grid), progress)
}
