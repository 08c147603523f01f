//! Bench case `slice`: double-oblique slices of 512 x 512 pixels, thin and as a slab of 5 mm.

use std::sync::Arc;

use glam::DVec3;
use serde_json::json;

use crate::domain::phantom::thorax;
use crate::domain::slice::{Interpolation, Slab, SlabMode, SliceFrame, SliceStyle};
use crate::domain::volume::Volume;
use crate::domain::window::Window;
use crate::ops::backend::Backend;
use crate::ops::open::open;
use crate::ops::slice::SlicePainter;
use crate::task::Progress;

use super::{Args, Row, measure};

/// Side of the picture.
const SIDE_PX: u32 = 512;

/// Measures on `--input`, else on the 512 x 512 x 300 phantom.
///
/// # Errors
/// When the data cannot be read or the backend is not there.
pub fn run(args: &Args, emit: &mut dyn FnMut(Row) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let progress = Progress::new();
    let volume: Arc<Volume> = Arc::new(match &args.input {
        Some(path) => open(path, None, &progress, &|_| ())?.volume,
        None => thorax::volume(&thorax::grid(thorax::BENCH_DIMS)?, &progress)?,
    });
    let backend: Backend = args.backend.parse().map_err(anyhow::Error::msg)?;
    let mut painter = SlicePainter::new(&volume, backend, None, &progress)?;
    let label = painter.label();
    let right_in_patient = DVec3::new(0.9, 0.3, 0.2).normalize();
    let down_in_patient = right_in_patient.cross(DVec3::new(-0.2, 0.9, -0.4)).normalize();
    let (lower, upper) = volume.grid().bounds_in_patient();
    let frame = SliceFrame {
        center_in_patient: volume.grid().center_in_patient(),
        right_in_patient,
        down_in_patient,
        mm_per_px: (upper - lower).min_element() / f64::from(SIDE_PX),
        size_px: [SIDE_PX; 2],
    };
    let thin = SliceStyle::new(Window::new(400.0, 40.0));
    let slab = |mode| SliceStyle { slab: Some(Slab { thickness_mm: 5.0, mode }), ..thin };
    let cases = [
        ("linear", thin),
        ("nearest", SliceStyle { interpolation: Interpolation::Nearest, ..thin }),
        ("cubic", SliceStyle { interpolation: Interpolation::Cubic, ..thin }),
        ("slab 5 mm maximum", slab(SlabMode::Maximum)),
        ("slab 5 mm mean", slab(SlabMode::Mean)),
    ];
    for (name, style) in cases {
        // The first picture compiles the shader.
        let shown = painter.draw(&frame, &style);
        let mean = shown.rgba.iter().map(|rgba| f64::from(rgba[0])).sum::<f64>() / shown.rgba.len() as f64;
        let ((), timing) = measure(args.runs, || painter.draw_only(&frame, &style));
        emit(timing.row(format!("slice/{name}"), &*label, json!({"mean": (mean * 100.0).round() / 100.0})))?;
    }
    Ok(())
}
