//! What to draw of a volume and how: the arguments that `render` and `movie` share.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::import_choices::ImportChoices;
use crate::domain::camera::{Camera, Projection};
use crate::domain::picture::Picture;
use crate::domain::projection::ramp_for;
use crate::domain::render_reference::RayImage;
use crate::domain::transfer::{Blend, TransferFunction, default_for, fitted_to, preset, presets};
use crate::domain::volume::Volume;
use crate::domain::volume_scene::{ClipPlanes, VolumeScene};
use crate::ops::backend::Backend;
use crate::ops::convert::SourceImages;
use crate::ops::open::open_with;
use crate::ops::picture_marks::{LEAST_SIDE_PX, Marks, marked};
use crate::ops::render::{ViewChoice, framing_camera};
use crate::task::Progress;

/// Ways of drawing by the words of the command line.
const MODES: [&str; 6] = ["composite", "mip", "minip", "average", "surface", "xray"];

/// What to draw, and how.
#[derive(Debug, clap::Args)]
pub struct LookArgs {
    /// Folder, DICOM file, NIfTI or NRRD
    pub path: PathBuf,
    /// Transfer function; a list of names when it is not known; bone for CT when left out
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// How the samples of a ray become one: that of the preset when left out
    #[arg(long, value_name = "MODE", value_parser = MODES)]
    pub mode: Option<String>,
    /// Value of the surface of `--mode surface`
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub iso: Option<f64>,
    /// Width and height in pixels
    #[arg(long, value_name = "WxH", default_value = "1024x768", value_parser = parse_size)]
    pub size: [u32; 2],
    /// anterior, posterior, left, right, superior, inferior, or C-arm angles such as lao30/cran20
    #[arg(long, default_value = "anterior")]
    pub view: ViewChoice,
    /// Parallel projection: sizes can be compared
    #[arg(long)]
    pub parallel: bool,
    /// Draw only a slab of this thickness, facing the eye, through the middle
    #[arg(long, value_name = "MM")]
    pub slab: Option<f64>,
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
    /// Nothing behind the picture
    #[arg(long)]
    pub transparent: bool,
    /// Leave out the line that names software and version
    #[arg(long)]
    pub no_footer: bool,
    /// Keep the patient's identity in a DICOM file: for the archive of the hospital itself
    #[arg(long)]
    pub identified: bool,
    /// Code of the case for that line; no name of a patient
    #[arg(long, value_name = "CODE")]
    pub case_code: Option<String>,
}

/// A volume and how it is looked at.
#[derive(Debug)]
pub struct Look {
    /// The volume.
    pub volume: Arc<Volume>,
    /// Its colours and opacities.
    pub transfer: TransferFunction,
    /// From where, how large, what is cut away.
    pub scene: VolumeScene,
    /// Where to draw.
    pub backend: Backend,
    /// The images that it was read from, without the patient unless that was asked for.
    pub source: SourceImages,
}

impl LookArgs {
    /// Reads the volume and settles what was left open.
    ///
    /// # Errors
    /// When the images cannot be read, or what was asked for is not known or not possible.
    pub fn settle(&self, progress: &Progress) -> anyhow::Result<Look> {
        let backend: Backend = self.backend.parse().map_err(anyhow::Error::msg)?;
        if !(0.1..=10.0).contains(&self.step) {
            bail!("a step of {} voxels is not possible: 0.1 to 10", self.step);
        }
        if self.slab.is_some_and(|mm| !(0.1..=10_000.0).contains(&mm)) {
            bail!("a slab must be 0.1 to 10000 mm thick");
        }
        let loaded = open_with(&self.path, self.series, self.choices.options(), progress, &|_| ())
            .with_context(|| format!("{} cannot be drawn", self.path.display()))?;
        let slices = loaded.volume.grid().dims()[2] as usize;
        let source = SourceImages::of(&loaded.info, &loaded.source.files, slices);
        let source = if self.identified { source } else { source.deidentified() };
        let volume = Arc::new(loaded.volume);
        let transfer = self.transfer(&volume)?;
        let aspect = f64::from(self.size[0]) / f64::from(self.size[1]);
        let mut camera = framing_camera(&volume, &transfer, self.view, aspect);
        if self.parallel {
            camera.projection = Projection::Orthographic { height_mm: camera.height_at_focus_mm() };
        }
        let clip_planes = self.slab.map_or_else(ClipPlanes::default, |mm| {
            ClipPlanes::slab(volume.grid().center_in_patient(), camera.direction_in_patient, mm)
        });
        let scene = VolumeScene { step_voxels: self.step, clip_planes, ..VolumeScene::new(camera, self.size) };
        Ok(Look { volume, transfer, scene, backend, source })
    }

    /// A picture for people of what rays saw.
    pub fn finish(&self, image: &RayImage, camera: &Camera, title: &str) -> Picture {
        let marks = Marks {
            transparent: self.transparent,
            footer: !self.no_footer,
            case_code: self.case_code.as_deref(),
            ..Marks::titled(title)
        };
        marked(image, camera, &marks)
    }

    fn transfer(&self, volume: &Volume) -> anyhow::Result<TransferFunction> {
        let blend = self.mode.as_deref().and_then(|mode| MODES.iter().position(|name| *name == mode));
        let blend = blend.map(|place| Blend::ALL[place]);
        let mut transfer = match (&self.preset, blend) {
            (Some(name), _) => match preset(name) {
                Some(found) => fitted_to(found, volume),
                None => {
                    let names: Vec<&str> = presets().iter().map(|preset| preset.name.as_str()).collect();
                    bail!("there is no preset '{name}'; there are {}", names.join(", "));
                }
            },
            (None, None | Some(Blend::Composite | Blend::Isosurface)) => default_for(volume),
            (None, Some(blend)) => ramp_for(blend, volume),
        };
        transfer.blend = blend.unwrap_or(transfer.blend);
        transfer.iso_value = self.iso.unwrap_or(transfer.iso_value);
        if transfer.blend == Blend::Isosurface && !transfer.iso_value.is_finite() {
            bail!("the value of a surface must be a number");
        }
        Ok(transfer)
    }
}

fn parse_size(text: &str) -> Result<[u32; 2], String> {
    let sides: Option<Vec<u32>> = text.split(['x', 'X']).map(|side| side.trim().parse().ok()).collect();
    let possible = LEAST_SIDE_PX..=8192;
    match sides.as_deref() {
        Some(&[width, height]) if possible.contains(&width) && possible.contains(&height) => Ok([width, height]),
        _ => Err(format!("'{text}' is no size: two numbers from {LEAST_SIDE_PX} to 8192, e.g. 1024x768")),
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
        assert_eq!(MODES.len(), Blend::ALL.len());
    }
}
