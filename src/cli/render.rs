//! `maquette render`: a picture of a volume as a PNG file or a DICOM Secondary Capture.

use std::io::Write;
use std::path::PathBuf;

use super::look::LookArgs;
use crate::domain::picture::Picture;
use crate::ops::render::{self, PictureRecord, is_dicom_name};
use crate::task::Progress;

/// What to draw, how, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    look: LookArgs,
    /// The file to write: a PNG, or .dcm for a DICOM Secondary Capture
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Only what rays saw, on black: for measuring against pictures of other programs, not for people
    #[arg(long, hide = true)]
    pub plain: bool,
    /// Print how the picture was made as JSON
    #[arg(long)]
    pub json: bool,
}

/// Draws the picture.
///
/// # Errors
/// When the images cannot be read, the preset is not known, the GPU was asked for and is not there, or the file cannot be
/// written.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let progress = Progress::new();
    let look = args.look.settle(&progress)?;
    let (image, drawn_by) =
        render::volume_image(&look.volume, &look.transfer, &look.scene, look.backend, None, &progress)?;
    let picture = if args.plain {
        Picture::over_gradient(&image, [[0; 3]; 2])
    } else {
        args.look.finish(&image, &look.scene.camera, &look.transfer.name)
    };
    let record = PictureRecord::new(&look.volume, &look.transfer, &look.scene, drawn_by);
    if is_dicom_name(&args.out) {
        render::save_capture(&args.out, &[picture], &record, 0.0, &look.source)?;
    } else {
        render::save_picture(&args.out, &picture, &record)?;
    }
    if args.json {
        let mut line = serde_json::to_value(&record)?;
        line["out"] = args.out.display().to_string().into();
        writeln!(out, "{line}")?;
    } else {
        let [width, height] = look.scene.size_px;
        let PictureRecord { preset, backend, .. } = &record;
        writeln!(out, "{}: {width} x {height} pixels, {preset}, drawn by {backend}", args.out.display())?;
    }
    Ok(())
}
