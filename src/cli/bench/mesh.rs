//! Bench case `mesh`: what is done with a surface once there is one: check, smooth, measure the deviation, cut with planes.

use anyhow::Context as _;
use serde_json::json;

use crate::domain::mesh::contour::ContourIndex;
use crate::domain::mesh::deviation::deviation_of_moved;
use crate::domain::mesh::smooth::{SmoothOptions, smooth_unmeasured};
use crate::domain::mesh::topology::topology;
use crate::domain::phantom::thorax;
use crate::domain::surface::extract_volume;
use crate::ops::open::open;
use crate::task::Progress;

use super::{Args, Row, measure};

/// Bone on CT, HU.
const BONE_HU: f64 = 300.0;

/// Measures on the surface of `--input` at 300 HU, else of the phantom.
///
/// # Errors
/// When the data cannot be read.
pub fn run(args: &Args, emit: &mut dyn FnMut(Row) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let progress = Progress::new();
    let volume = match &args.input {
        Some(path) => open(path, None, &progress, &|_| {})?.volume,
        None => thorax::volume(&thorax::grid(thorax::SAMPLE_DIMS)?, &progress).context("the phantom was not made")?,
    };
    let mesh = extract_volume(&volume, BONE_HU, &progress)?;
    drop(volume);
    let (found, timing) = measure(args.runs, || topology(&mesh));
    emit(timing.row("mesh/topology", "cpu", serde_json::to_value(found)?))?;
    let options = SmoothOptions::default();
    let (smoothed, timing) = measure(args.runs, || smooth_unmeasured(&mesh, &options, &progress));
    let (smoothed, unmoved) = smoothed?;
    let produced = json!({
        "triangles": smoothed.triangles.len(), "kept_parts": unmoved.kept_parts,
        "volume_mm3": smoothed.volume_mm3(), "area_mm2": smoothed.area_mm2(),
    });
    emit(timing.row("mesh/smooth 20", "cpu", produced))?;
    let (found, timing) = measure(args.runs, || deviation_of_moved(&smoothed, &mesh, &progress));
    emit(timing.row("mesh/deviation", "cpu", serde_json::to_value(found?)?))?;
    let (index, timing) = measure(args.runs, || ContourIndex::new(&mesh, glam::DVec3::Z));
    emit(timing.row("mesh/contour index", "cpu", json!({"triangles": mesh.triangles.len()})))?;
    let (lower, upper) = mesh.bounds_in_patient().context("the surface is empty")?;
    let middle = ((lower + upper) / 2.0).as_dvec3();
    let (lines, timing) = measure(args.runs, || index.cut(&mesh, middle));
    let points: usize = lines.iter().map(|line| line.points_in_patient.len()).sum();
    emit(timing.row("mesh/contour of a slice", "cpu", json!({"lines": lines.len(), "points": points})))
}
