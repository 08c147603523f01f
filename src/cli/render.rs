//! `maquette render`: a picture of a volume as a PNG file.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use crate::domain::picture::Picture;
use crate::domain::transfer::{TransferFunction, default_for, fitted_to, preset, presets};
use crate::domain::volume::Volume;
use crate::domain::volume_scene::VolumeScene;
use crate::ops::backend::Backend;
use crate::ops::open::open_with;
use crate::ops::render::{self, PictureRecord, ViewChoice};
use crate::task::Progress;

use super::import_choices::ImportChoices;

/// What to draw, how, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder, DICOM file, NIfTI or NRRD
    pub path: PathBuf,
    /// Transfer function; a list of names when it is not known; bone for CT when left out
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// Width and height in pixels
    #[arg(long, value_name = "WxH", default_value = "1024x768", value_parser = parse_size)]
    pub size: [u32; 2],
    /// anterior, posterior, left, right, superior, inferior, or C-arm angles such as lao30/cran20
    #[arg(long, default_value = "anterior")]
    pub view: ViewChoice,
    /// The PNG file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Distance between samples in voxels
    #[arg(long, value_name = "VOXELS", default_value_t = 1.0)]
    pub step: f64,
    /// Number of the series, counted from 0 as `info` lists them
    #[arg(long)]
    pub series: Option<usize>,
    /// Where slices are missing or leaning
    #[command(flatten)]
    pub choices: ImportChoices,
    /// Where to draw
    #[arg(long, default_value = "auto", value_parser = Backend::NAMES)]
    pub backend: String,
    /// No letters and no background: for comparing pictures
    #[arg(long)]
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
    let backend: Backend = args.backend.parse().map_err(anyhow::Error::msg)?;
    if !(0.1..=10.0).contains(&args.step) {
        bail!("a step of {} voxels is not possible: 0.1 to 10", args.step);
    }
    let progress = Progress::new();
    let loaded = open_with(&args.path, args.series, args.choices.options(), &progress, &|_| ())
        .with_context(|| format!("{} cannot be drawn", args.path.display()))?;
    let volume = Arc::new(loaded.volume);
    let transfer = transfer_of(args, &volume)?;
    let aspect = f64::from(args.size[0]) / f64::from(args.size[1]);
    let camera = render::framing_camera(&volume, &transfer, args.view, aspect);
    let scene = VolumeScene { camera, size_px: args.size, step_voxels: args.step, clip_box: None };
    let (image, drawn_by) = render::volume_image(&volume, &transfer, &scene, backend, None, &progress)?;
    let picture = if args.plain {
        Picture::over_gradient(&image, [[0; 3]; 2])
    } else {
        render::labelled(&image, &camera, &transfer.name)
    };
    let record = PictureRecord::new(&volume, &transfer, &scene, drawn_by);
    render::save_picture(&args.out, &picture, &record)?;
    if args.json {
        let mut line = serde_json::to_value(&record)?;
        line["out"] = args.out.display().to_string().into();
        writeln!(out, "{line}")?;
    } else {
        let [width, height] = args.size;
        let PictureRecord { preset, backend, .. } = &record;
        writeln!(out, "{}: {width} x {height} pixels, {preset}, drawn by {backend}", args.out.display())?;
    }
    Ok(())
}

fn transfer_of(args: &Args, volume: &Volume) -> anyhow::Result<TransferFunction> {
    let Some(name) = &args.preset else { return Ok(default_for(volume)) };
    let Some(found) = preset(name) else {
        let names: Vec<&str> = presets().iter().map(|preset| preset.name.as_str()).collect();
        bail!("there is no preset '{name}'; there are {}", names.join(", "));
    };
    Ok(fitted_to(found, volume))
}

fn parse_size(text: &str) -> Result<[u32; 2], String> {
    let sides: Option<Vec<u32>> = text.split(['x', 'X']).map(|side| side.trim().parse().ok()).collect();
    match sides.as_deref() {
        Some(&[width, height]) if (16..=8192).contains(&width) && (16..=8192).contains(&height) => Ok([width, height]),
        _ => Err(format!("'{text}' is no size: two numbers from 16 to 8192, e.g. 1024x768")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_two_sensible_numbers() {
        assert_eq!(parse_size("1024x768"), Ok([1024, 768]));
        for wrong in ["", "1024", "0x0", "99999x10", "10x10x10", "-5x20", "axb"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
