//! Whole-mask operations on bone: threshold, connected parts, holes, closing, distance, statistics.
//!
//! `tests/peers/segment.py` runs the same with SimpleITK on the same image and compares results and times.

use super::{Args, Row, measure};
use crate::domain::mask::components::{Components, Connectivity};
use crate::domain::mask::distance::{has_right_angles, signed_distances_mm};
use crate::domain::mask::holes::{HoleScope, fill_holes};
use crate::domain::mask::morphology::closed;
use crate::domain::mask::threshold::{ValueRange, threshold};
use crate::domain::measure::segment_statistics;
use crate::domain::phantom::thorax;
use crate::domain::volume::Volume;
use crate::ops::open::open;
use crate::task::Progress;

/// The bone threshold that everybody knows (InVesalius).
const BONE: ValueRange = ValueRange { lower: 226.0, upper: 3071.0 };

/// Measures the operations.
///
/// # Errors
/// When the input cannot be read.
pub fn run(args: &Args, print: &mut dyn FnMut(Row) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let progress = Progress::new();
    let volume = subject(args, &progress)?;
    let (grid, runs) = (volume.grid(), args.runs);
    // The first threshold is made before the volume has cells, as after an import that did not need them.
    let (mask, timing) = measure(runs, || threshold(&volume, BONE, &progress));
    let mask = mask?;
    print(timing.row("segment/threshold", "cpu", serde_json::json!({ "voxels": mask.voxel_count() })))?;
    let (parts, timing) = measure(runs, || Components::of(&mask, Connectivity::Faces, &progress));
    let parts = parts?;
    let largest = parts.voxel_counts().first().copied().unwrap_or(0);
    print(timing.row("segment/parts", "cpu", serde_json::json!({ "parts": parts.count(), "largest": largest })))?;
    let (filled, timing) = measure(runs, || fill_holes(&mask, HoleScope::Volume, &progress));
    print(timing.row("segment/fill-holes", "cpu", serde_json::json!({ "voxels": filled?.voxel_count() })))?;
    let radius_mm = 3.5 * grid.spacing_mm().min_element();
    let (gapless, timing) = measure(runs, || closed(&mask, grid, radius_mm, &progress));
    let made = serde_json::json!({ "voxels": gapless?.voxel_count(), "radius_mm": radius_mm });
    print(timing.row("segment/close", "cpu", made))?;
    if has_right_angles(grid) {
        let (distances, timing) = measure(runs, || signed_distances_mm(&mask, grid, &progress));
        let sum: f64 = distances?.iter().map(|&distance| f64::from(distance.abs())).sum();
        print(timing.row("segment/distance", "cpu", serde_json::json!({ "sum_mm": sum })))?;
    }
    let (statistics, timing) = measure(runs, || segment_statistics(&mask, &volume));
    print(timing.row("segment/statistics", "cpu", serde_json::to_value(statistics)?))
}

fn subject(args: &Args, progress: &Progress) -> anyhow::Result<Volume> {
    if let Some(path) = &args.input {
        return Ok(open(path, None, progress, &|_| {})?.volume);
    }
    Ok(thorax::volume(&thorax::grid([512, 512, 300])?, progress)?)
}
