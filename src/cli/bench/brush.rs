//! Brush dabs in 512 x 512 x 300 voxels, radius 32 voxels: mask and undo record, upload to the device, touched surface.
//!
//! A stroke is a chain of dabs a quarter of a radius apart that wanders through the whole grid, adding and erasing in turn, over
//! a mask with a curved surface. Each part is timed by itself; `brush/dab` is mask, undo record and upload of one dab.

use std::time::Instant;

use glam::DVec3;

use super::{Args, Row, cpu_time_ms, peak_rss_mb, percentile};
use crate::domain::grid::Grid;
use crate::domain::mask::limits::EditLimits;
use crate::domain::mask::stamp::{Brush, BrushShape, Edit, stroke_delta};
use crate::domain::mask::threshold::{ValueRange, threshold};
use crate::domain::mask::{Mask, MaskDelta};
use crate::domain::phantom::{Shape, shape_mask};
use crate::domain::surface::chunk::LiveSurface;
use crate::ops::open::open;
use crate::ops::segment_display::SegmentDisplay;
use crate::task::Progress;

/// Radius of the brush in voxels.
const RADIUS_VOXELS: f64 = 32.0;
/// Dabs of a run of the benchmark, times the runs asked for.
const DABS_PER_RUN: u32 = 60;

/// Wall and CPU time of each dab, ms.
struct Times {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Times {
    const NONE: Self = Self { wall: Vec::new(), cpu: Vec::new() };

    fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (cpu_before, begin) = (cpu_time_ms(), Instant::now());
        let result = work();
        self.wall.push(begin.elapsed().as_secs_f64() * 1e3);
        self.cpu.push(cpu_time_ms() - cpu_before);
        result
    }

    fn row(&mut self, case: &str, backend: &str, mut produced: serde_json::Value) -> Row {
        produced["p99_ms"] = percentile(&mut self.wall, 0.99).into();
        produced["max_ms"] = percentile(&mut self.wall, 1.0).into();
        Row {
            case: case.to_owned(),
            backend: backend.to_owned(),
            n: self.wall.len() as u32,
            wall_ms: percentile(&mut self.wall, 0.5),
            cpu_ms: percentile(&mut self.cpu, 0.5),
            peak_rss_mb: peak_rss_mb(),
            produced,
        }
    }

    /// Sums of the same dab in several parts.
    fn sum(parts: &[&Self]) -> Self {
        let add = |pick: fn(&Self) -> &Vec<f64>| {
            let count = parts.first().map_or(0, |part| pick(part).len());
            (0..count).map(|dab| parts.iter().map(|part| pick(part)[dab]).sum()).collect()
        };
        Self { wall: add(|times| &times.wall), cpu: add(|times| &times.cpu) }
    }
}

/// Measures dabs.
///
/// # Errors
/// When the input cannot be read, or the GPU was asked for and there is none.
pub fn run(args: &Args, print: &mut dyn FnMut(Row) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let (grid, mut mask) = subject(args)?;
    let mut display = match args.backend.as_str() {
        "cpu" => None,
        "gpu" => Some(SegmentDisplay::headless(&grid)?),
        _ => SegmentDisplay::headless(&grid).ok(),
    };
    if let Some(display) = &mut display {
        display.show(&mask);
    }
    let brush = Brush { shape: BrushShape::Sphere, radius_mm: RADIUS_VOXELS * grid.spacing_mm().min_element() };
    let mut surface = LiveSurface::new();
    surface.update(&mask, &grid, &[]);
    let [mut edit_times, mut upload_times, mut surface_times] = [const { Times::NONE }; 3];
    let (mut undo, mut bricks, mut uploaded, mut chunks) = (MaskDelta::default(), 0, 0, 0);
    let path = path(&grid, args.runs * DABS_PER_RUN + 1);
    for (dab, ends) in path.windows(2).enumerate() {
        let edit = if dab / 20 % 2 == 0 { Edit::Add } else { Edit::Erase };
        let dirty = edit_times.measure(|| {
            let delta = stroke_delta(&mask, &grid, ends, brush, edit, &EditLimits::NONE);
            let dirty: Vec<u32> = delta.bricks.iter().map(|(index, _)| *index).collect();
            undo.absorb_later_inverse(mask.apply(delta));
            dirty
        });
        bricks += dirty.len();
        if let Some(display) = &mut display {
            uploaded += upload_times.measure(|| display.show(&mask));
        }
        chunks += surface_times.measure(|| surface.update(&mask, &grid, &dirty).len());
    }
    let made =
        serde_json::json!({ "bricks": bricks, "undo_kib": undo.memory_bytes() / 1024, "voxels": mask.voxel_count() });
    print(edit_times.row("brush/mask+undo", "cpu", made.clone()))?;
    if let Some(display) = &display {
        let name = display.device_name();
        print(upload_times.row("brush/upload", name, serde_json::json!({ "bricks": uploaded })))?;
        print(Times::sum(&[&edit_times, &upload_times]).row("brush/dab", name, made))?;
    }
    print(surface_times.row("brush/surface", "cpu", serde_json::json!({ "chunks": chunks })))
}

/// The grid and a mask to paint on: a ball that fills most of the grid, or what the input holds of bone.
fn subject(args: &Args) -> anyhow::Result<(Grid, Mask)> {
    let progress = Progress::new();
    if let Some(path) = &args.input {
        let volume = open(path, None, &progress, &|_| {})?.volume;
        let mask = threshold(&volume, ValueRange::new(226.0, 3071.0), &progress)?;
        return Ok((*volume.grid(), mask));
    }
    let grid = Grid::axis_aligned([512, 512, 300], DVec3::splat(0.7), DVec3::ZERO)?;
    let ball = Shape::Sphere { center_in_patient: grid.center_in_patient(), radius_mm: 95.0 };
    Ok((grid, shape_mask(&ball, &grid)))
}

/// Points a quarter of a radius apart along a curve that fills the grid.
fn path(grid: &Grid, count: u32) -> Vec<DVec3> {
    let dims = DVec3::from(grid.dims().map(f64::from));
    let mut points = Vec::new();
    let mut angle = 0.0_f64;
    for _ in 0..count {
        let at = DVec3::new(0.5 + 0.4 * angle.cos(), 0.5 + 0.4 * (1.3 * angle).sin(), 0.5 + 0.35 * (0.7 * angle).sin());
        points.push(grid.patient_from_voxel().transform_point3(at * dims));
        let speed = DVec3::new(0.4 * angle.sin(), 0.52 * (1.3 * angle).cos(), 0.245 * (0.7 * angle).cos()) * dims;
        angle += RADIUS_VOXELS / 4.0 / speed.length().max(20.0);
    }
    points
}
