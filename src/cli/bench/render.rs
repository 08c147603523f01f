//! Bench case `render`: frames of a volume, shaded, one-voxel step; small frames as while dragging; brute force as yardstick.
//!
//! `tests/peers/render.py` draws the same scene (same view, size, step) with VTK and compares.

use std::sync::Arc;

use serde_json::json;

use crate::domain::phantom::thorax;
use crate::domain::picture::Picture;
use crate::domain::render_reference::{RayImage, Shortcuts};
use crate::domain::transfer::{TransferFunction, preset};
use crate::domain::volume::Volume;
use crate::domain::volume_scene::VolumeScene;
use crate::ops::backend::Backend;
use crate::ops::open::open;
use crate::ops::render::{ViewChoice, VolumePainter, framing_camera};
use crate::task::Progress;

use super::{Args, Row, measure};

/// The transfer functions that are timed.
const PRESETS: [&str; 2] = ["CT-Bone", "CT-Cardiac3"];
/// The view; the peer script asks for the same.
const VIEW: ViewChoice = ViewChoice::CArm { lao_deg: 30.0, cranial_deg: 20.0 };
/// The whole picture, and the sizes while dragging.
const SIZES: [[u32; 2]; 3] = [[800, 600], [400, 300], [200, 150]];

/// Measures on `--input`, else on the 512 x 512 x 300 phantom.
///
/// # Errors
/// When the data cannot be read or the backend is not there.
pub fn run(args: &Args, emit: &mut dyn FnMut(Row) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let progress = Progress::new();
    let volume = Arc::new(match &args.input {
        Some(path) => open(path, None, &progress, &|_| ())?.volume,
        None => thorax::volume(&thorax::grid(thorax::BENCH_DIMS)?, &progress)?,
    });
    let backend: Backend = args.backend.parse().map_err(anyhow::Error::msg)?;
    let (painter, timing) = measure(1, || VolumePainter::new(&volume, backend, None, &progress));
    let mut painter = painter?;
    let label = painter.label();
    emit(timing.row("render/load", &*label, json!({"voxels": volume.grid().voxel_count()})))?;
    for name in PRESETS {
        frames(args, &volume, &mut painter, name, emit)?;
    }
    Ok(())
}

fn frames(
    args: &Args,
    volume: &Arc<Volume>,
    painter: &mut VolumePainter,
    name: &str,
    emit: &mut dyn FnMut(Row) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (progress, label) = (Progress::new(), painter.label());
    let transfer = preset(name).ok_or_else(|| anyhow::anyhow!("there is no preset {name}"))?;
    let camera = framing_camera(volume, transfer, VIEW, f64::from(SIZES[0][0]) / f64::from(SIZES[0][1]));
    let scene = |size_px| VolumeScene::new(camera, size_px);
    let picture = |image: &RayImage| Picture::over_gradient(image, [[0; 3]; 2]);
    // The first frame compiles the shader and makes the tables.
    let quick = Shortcuts::default();
    let image = painter.draw(transfer, &scene(SIZES[0]), quick, &progress, |image| image())?;
    for size_px in SIZES {
        let (drawn, timing) = measure(args.runs, || painter.draw(transfer, &scene(size_px), quick, &progress, |_| ()));
        drawn?;
        let [width, height] = size_px;
        let produced = json!({
            "images_a_second": (1e5 / timing.wall_ms.max(1e-3)).round() / 100.0,
            "covered": (covered(&image) * 1000.0).round() / 1000.0,
        });
        emit(timing.row(format!("render/{name} {width}x{height}"), &*label, produced))?;
    }
    for size_px in &SIZES[1..] {
        dragging(args, painter, transfer, &scene(*size_px), emit)?;
    }
    let draw_brute = || painter.draw(transfer, &scene(SIZES[0]), Shortcuts::NONE, &progress, |image| image());
    let (brute, timing) = measure(1, draw_brute);
    let psnr_db = picture(&image).psnr_db(&picture(&brute?));
    emit(timing.row(format!("render/{name} brute force"), &*label, json!({"psnr_db": (psnr_db * 10.0).round() / 10.0})))
}

/// Pictures while the camera turns a little between two.
fn dragging(
    args: &Args,
    painter: &mut VolumePainter,
    transfer: &TransferFunction,
    scene: &VolumeScene,
    emit: &mut dyn FnMut(Row) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let label = painter.label();
    let mut turned = *scene;
    let mut next = || {
        turned.camera = turned.camera.orbited(0.03, 0.0);
        painter.draw_moving(transfer, &turned)
    };
    // The first pictures learn what a pixel costs.
    let learned = (0..5).map(|_| next()).last().flatten();
    if learned.is_none() {
        return Ok(());
    }
    let (drawn, timing) = measure(args.runs.max(9), next);
    let [width, height] = scene.size_px;
    let produced = json!({
        "images_a_second": (1e5 / timing.wall_ms.max(1e-3)).round() / 100.0,
        "drawn_px": drawn.unwrap_or_default(),
    });
    emit(timing.row(format!("render/{} dragging {width}x{height}", transfer.name), label, produced))
}

/// Part of the picture that shows something.
fn covered(image: &RayImage) -> f64 {
    let shown = image.rgba.iter().filter(|rgba| rgba[3] > 0.01).count();
    shown as f64 / image.rgba.len().max(1) as f64
}
