//! `maquette movie`: a volume that turns once about the patient's long axis, as an animated PNG or GIF, or a DICOM Secondary Capture.

use std::io::Write;
use std::path::PathBuf;

use super::look::LookArgs;
use crate::domain::render_reference::Shortcuts;
use crate::domain::volume_scene::VolumeScene;
use crate::io::animation::{AnimationKind, write_animation};
use crate::ops::render::{PictureRecord, VolumePainter, is_dicom_name, record_texts, save_capture};
use crate::task::Progress;

/// What to draw, how, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    look: LookArgs,
    /// The file to write: .png or .gif, animated, or .dcm for a multi-frame DICOM Secondary Capture
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Pictures of one turn
    #[arg(long, default_value_t = 36, value_parser = clap::value_parser!(u32).range(2..=720))]
    pub frames: u32,
    /// How long a turn takes
    #[arg(long, value_name = "SECONDS", default_value_t = 6.0)]
    pub seconds: f64,
}

/// Draws the turn.
///
/// # Errors
/// As `render`; also when the name of the file is that of no animation.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let is_dicom = is_dicom_name(&args.out);
    if !is_dicom {
        AnimationKind::of(&args.out)?;
    }
    if !(0.1..=600.0).contains(&args.seconds) {
        anyhow::bail!("a turn must take 0.1 to 600 seconds");
    }
    let progress = Progress::new();
    let look = args.look.settle(&progress)?;
    let mut painter = VolumePainter::new(&look.volume, look.backend, None, &progress)?;
    let pictures = (0..args.frames).map(|n| {
        let turn = f64::from(n) / f64::from(args.frames) * std::f64::consts::TAU;
        let scene = VolumeScene { camera: look.scene.camera.turned_about_long_axis(turn), ..look.scene };
        let image = painter.draw(&look.transfer, &scene, Shortcuts::default(), &progress, |image| image())?;
        Ok(args.look.finish(&image, &scene.camera, &look.transfer.name))
    });
    let pictures = pictures.collect::<anyhow::Result<Vec<_>>>()?;
    let record = PictureRecord::new(&look.volume, &look.transfer, &look.scene, painter.label());
    if is_dicom {
        let frame_time_ms = args.seconds * 1000.0 / f64::from(args.frames);
        save_capture(&args.out, &pictures, &record, frame_time_ms, &look.source)?;
        return said(args, look.scene.size_px, out);
    }
    let texts = record_texts(&record);
    let texts: Vec<(&str, &str)> = texts.iter().map(|(keyword, text)| (*keyword, text.as_str())).collect();
    let hundredths = (args.seconds * 100.0 / f64::from(args.frames)).round().clamp(2.0, 6000.0) as u16;
    write_animation(&args.out, &pictures, hundredths, &texts)?;
    said(args, look.scene.size_px, out)
}

fn said(args: &Args, [width, height]: [u32; 2], out: &mut dyn Write) -> anyhow::Result<()> {
    Ok(writeln!(out, "{}: {} pictures of {width} x {height} pixels", args.out.display(), args.frames)?)
}
