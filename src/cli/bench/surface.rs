//! Bench case `surface`: the surface of an iso value, cold, with cells known, and on the graphics device.

use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use crate::domain::mesh::TriangleMesh;
use crate::domain::phantom::thorax;
use crate::domain::surface::cache::SurfaceCache;
use crate::domain::surface::extract_volume;
use crate::domain::volume::Volume;
use crate::ops::backend::Backend;
use crate::ops::open::open;
use crate::ops::surface::DeviceSurface;
use crate::task::Progress;

use super::{Args, Row, measure};

/// Bone on CT, HU, where the bench is given no value.
const BONE_HU: f64 = 300.0;

/// Measures on `--input`, else on the phantom at bone level.
///
/// # Errors
/// When the data cannot be read or the backend asked for is not there.
pub fn run(args: &Args, emit: &mut dyn FnMut(Row) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let progress = Progress::new();
    let volume = volume(args.input.as_deref(), &progress)?;
    let iso = args.iso.unwrap_or(BONE_HU);
    let backend: Backend = args.backend.parse().map_err(anyhow::Error::msg)?;
    if backend != Backend::Gpu {
        let (mesh, timing) = measure(args.runs, || extract_volume(&volume, iso, &progress));
        emit(timing.row("surface/cold", "cpu", produced(&mesh?, iso)))?;
        let (_, timing) = measure(1, || volume.cells().ranges.len());
        emit(timing.row("surface/min-max cells", "cpu", json!({"cells": volume.cells().ranges.len()})))?;
        let mut cache = SurfaceCache::new();
        cache.prepare(&volume);
        // Another value in between, as a slider does it, outside the clock.
        cache.extract(&volume, iso + 10.0, &progress)?;
        let (_, timing) =
            measure(args.runs, || cache.extract(&volume, iso, &progress).map(|mesh| mesh.triangles.len()));
        emit(timing.row("surface/cells known", "cpu", produced(cache.extract(&volume, iso, &progress)?, iso)))?;
    }
    if backend != Backend::Cpu {
        let asked = backend == Backend::Gpu;
        let mut stage = match DeviceSurface::new(&volume) {
            Ok(stage) => stage,
            Err(_) if !asked => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        stage.compute(iso)?;
        let (counts, timing) = measure(args.runs, || stage.compute(iso));
        counts?;
        let label = stage.label();
        emit(timing.row("surface/no upload, no readback", label, produced(&stage.read_back()?, iso)))?;
    }
    Ok(())
}

fn volume(input: Option<&Path>, progress: &Progress) -> anyhow::Result<Volume> {
    match input {
        Some(path) => Ok(open(path, None, progress, &|_| {})?.volume),
        None => thorax::volume(&thorax::grid(thorax::BENCH_DIMS)?, progress).context("the phantom was not made"),
    }
}

/// Counts, and a checksum of the triangles: the same on every backend.
fn produced(mesh: &TriangleMesh, iso: f64) -> serde_json::Value {
    let mut hasher = blake3::Hasher::new();
    mesh.triangles.iter().flatten().for_each(|vertex| _ = hasher.update(&vertex.to_le_bytes()));
    json!({
        "iso": iso, "vertices": mesh.positions_in_patient.len(), "triangles": mesh.triangles.len(),
        "checksum": &hasher.finalize().to_hex()[..16],
    })
}
