//! Pictures of volumes: headless views, thumbnails of presets, and PNG files that say what they are.
//!
//! In: a volume, a transfer function, a scene. Out: a picture, or a file. De-identified: nothing of the patient goes in.
//! Not here: the window's own drawing (`gpu::render`).

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use glam::DVec3;
use serde::Serialize;

use crate::domain::camera::{Camera, Projection, StandardView};
use crate::domain::grid::GridError;
use crate::domain::occupancy::SkipCells;
use crate::domain::picture::{BACKGROUND, Picture};
use crate::domain::projection;
use crate::domain::reduced_volume::reduced;
use crate::domain::render_reference::{self, RayImage, Shortcuts};
use crate::domain::transfer::{Blend, TransferFunction};
use crate::domain::volume::Volume;
use crate::domain::volume_scene::{TransferTable, VolumeScene};
use crate::gpu::context::{Context, ContextError};
use crate::gpu::render::raymarch::VolumeRenderer;
use crate::gpu::residency::GpuMemory;
use crate::gpu::volume_texture::{ResidentVolume, VolumeTextureError};
use crate::io::dicom_seg::SourceImages;
use crate::io::png::{PngError, write_png};
use crate::io::provenance::{NOT_FOR_DIAGNOSTIC_USE, PROGRAM, Software, VERSION};
use crate::io::secondary_capture::{Capture, CaptureError, write_capture};
use crate::ops::backend::Backend;
use crate::task::{Cancelled, Progress};

/// Longest side of the copy that thumbnails are drawn from.
const THUMBNAIL_VOXELS: u32 = 128;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The GPU was asked for and is not there.
    #[error("the picture cannot be drawn on the GPU: {0}")]
    Device(#[from] ContextError),
    /// The GPU has no room.
    #[error(transparent)]
    Texture(#[from] VolumeTextureError),
    /// A thumbnail's copy of the volume could not be made.
    #[error(transparent)]
    Grid(#[from] GridError),
}

/// From where a picture is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ViewChoice {
    /// One of the six.
    Standard(StandardView),
    /// C-arm angles in degrees, LAO and cranial positive.
    CArm {
        /// LAO positive, RAO negative.
        lao_deg: f64,
        /// Cranial positive, caudal negative.
        cranial_deg: f64,
    },
}

impl FromStr for ViewChoice {
    type Err = String;

    /// `anterior` ... `inferior`, or angles such as `lao30/cran20`, `rao45`, `caud15`.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        let standard = match text.as_str() {
            "anterior" | "a" => Some(StandardView::Anterior),
            "posterior" | "p" => Some(StandardView::Posterior),
            "left" | "l" => Some(StandardView::Left),
            "right" | "r" => Some(StandardView::Right),
            "superior" | "s" => Some(StandardView::Superior),
            "inferior" | "i" => Some(StandardView::Inferior),
            _ => None,
        };
        standard.map_or_else(|| c_arm_of(&text), |view| Ok(Self::Standard(view)))
    }
}

fn c_arm_of(text: &str) -> Result<ViewChoice, String> {
    let wrong =
        || format!("'{text}' is no view: anterior, posterior, left, right, superior, inferior or e.g. lao30/cran20");
    let (mut lao_deg, mut cranial_deg) = (0.0, 0.0);
    for part in text.split('/') {
        let digits = part.find(|c: char| c.is_ascii_digit()).ok_or_else(wrong)?;
        let degrees: f64 = part[digits..].parse().map_err(|_| wrong())?;
        match &part[..digits] {
            "lao" if degrees <= 180.0 => lao_deg = degrees,
            "rao" if degrees <= 180.0 => lao_deg = -degrees,
            "cran" | "cra" if degrees <= 90.0 => cranial_deg = degrees,
            "caud" | "cau" if degrees <= 90.0 => cranial_deg = -degrees,
            _ => return Err(wrong()),
        }
    }
    Ok(ViewChoice::CArm { lao_deg, cranial_deg })
}

/// A camera that sees all that a transfer function shows of a volume, filling a view of this width over height.
pub fn framing_camera(volume: &Volume, transfer: &TransferFunction, view: ViewChoice, aspect: f64) -> Camera {
    let (lower, upper) = volume.grid().bounds_in_patient();
    let camera = match view {
        ViewChoice::Standard(view) => Camera::fitting(lower, upper, view),
        ViewChoice::CArm { lao_deg, cranial_deg } => Camera::fitting(lower, upper, StandardView::Anterior)
            .at_c_arm_angles(lao_deg.to_radians(), cranial_deg.to_radians()),
    };
    let (cells, grid) = (SkipCells::of(volume), volume.grid());
    let numbers = projection::Projection::of(transfer, volume);
    let shown = match transfer.blend {
        Blend::Isosurface => cells.corners_where(grid, |range| numbers.reaches(range)),
        // Half as dense as water: the body.
        Blend::XRay => {
            cells.corners_where(grid, |range| range.iter().any(|&n| numbers.attenuation(f32::from(n)) > 0.5))
        }
        // The darkest shows within what the rest of the body is; all of it is framed.
        Blend::MinimumIntensity | Blend::Average => None,
        Blend::Composite | Blend::MaximumIntensity => {
            cells.visible_corners(grid, &TransferTable::new(transfer, volume, 1.0))
        }
    };
    shown.map_or(camera, |corners| camera.framing(&corners, aspect))
}

/// Draws pictures of one volume, on a graphics device or on the CPU.
#[derive(Debug)]
pub struct VolumePainter {
    volume: Arc<Volume>,
    easel: Easel,
}

/// Where pictures are drawn.
#[derive(Debug)]
enum Easel {
    Gpu { context: Box<Context>, renderer: Box<VolumeRenderer> },
    Cpu { cells: SkipCells },
}

impl VolumePainter {
    /// Makes ready. [`Backend::Auto`] takes any graphics device that has room, a software driver too, because that is
    /// faster than the CPU twin.
    ///
    /// # Errors
    /// When cancelled, or when [`Backend::Gpu`] is asked for and the device or its memory is not there.
    pub fn new(
        volume: &Arc<Volume>,
        backend: Backend,
        at_hand: Option<&Context>,
        progress: &Progress,
    ) -> Result<Self, RenderError> {
        let context = match backend {
            Backend::Auto => Backend::Gpu.device(at_hand).ok().flatten(),
            asked => asked.device(at_hand)?,
        };
        let volume = Arc::clone(volume);
        if let Some(context) = context {
            match ResidentVolume::load(&context, &volume, &GpuMemory::for_device(&context), progress) {
                Ok(resident) => {
                    let mut renderer = Box::new(VolumeRenderer::new(&context));
                    renderer.set_volume(&resident);
                    return Ok(Self { volume, easel: Easel::Gpu { context: Box::new(context), renderer } });
                }
                Err(VolumeTextureError::Cancelled(cancelled)) => return Err(cancelled.into()),
                Err(error) if backend == Backend::Gpu => return Err(error.into()),
                // What does not fit there is drawn here.
                Err(_) => {}
            }
        }
        let cells = SkipCells::of(&volume);
        Ok(Self { volume, easel: Easel::Cpu { cells } })
    }

    /// Where pictures are drawn: `cpu`, or the name of the device.
    pub fn label(&self) -> String {
        match &self.easel {
            Easel::Gpu { context, .. } => context.label(),
            Easel::Cpu { .. } => "cpu".to_owned(),
        }
    }

    /// Draws a picture of the volume alone and hands it to `look`, which brings it to main memory where it wants to.
    ///
    /// # Errors
    /// When cancelled.
    pub fn draw<T>(
        &mut self,
        transfer: &TransferFunction,
        scene: &VolumeScene,
        shortcuts: Shortcuts,
        progress: &Progress,
        look: impl FnOnce(&dyn Fn() -> RayImage) -> T,
    ) -> Result<T, RenderError> {
        progress.check()?;
        match &mut self.easel {
            Easel::Gpu { context, renderer } => {
                renderer.set_transfer(transfer);
                renderer.set_shortcuts(shortcuts);
                let image = renderer.render(context, scene, None).expect("volume and transfer function are set");
                context.wait();
                Ok(look(&|| image.read_back(context)))
            }
            Easel::Cpu { cells } => {
                let image = render_reference::render(&self.volume, cells, transfer, scene, shortcuts, progress)?;
                Ok(look(&|| image.clone()))
            }
        }
    }
}

impl VolumePainter {
    /// Draws a picture as while dragging: as fine as the time of a frame allows. Returns its size; `None` on the CPU, which
    /// has no such pictures.
    pub fn draw_moving(&mut self, transfer: &TransferFunction, scene: &VolumeScene) -> Option<[u32; 2]> {
        let Easel::Gpu { context, renderer } = &mut self.easel else { return None };
        renderer.set_transfer(transfer);
        renderer.set_shortcuts(Shortcuts::default());
        let size_px = renderer.advance(context, scene, None, true)?.image.size_px();
        context.wait();
        Some(size_px)
    }
}

/// One picture of the volume alone, and where it was drawn; see [`VolumePainter`].
///
/// # Errors
/// As [`VolumePainter::new`] and [`VolumePainter::draw`].
pub fn volume_image(
    volume: &Arc<Volume>,
    transfer: &TransferFunction,
    scene: &VolumeScene,
    backend: Backend,
    at_hand: Option<&Context>,
    progress: &Progress,
) -> Result<(RayImage, String), RenderError> {
    let mut painter = VolumePainter::new(volume, backend, at_hand, progress)?;
    progress.phase("Drawing");
    let image = painter.draw(transfer, scene, Shortcuts::default(), progress, |image| image())?;
    Ok((image, painter.label()))
}

/// How a picture was made, for its file and for programs.
#[derive(Debug, Clone, Serialize)]
pub struct PictureRecord {
    /// Name of the transfer function.
    pub preset: String,
    /// How the samples of a ray became one colour.
    pub mode: Blend,
    /// Width and height.
    pub size_px: [u32; 2],
    /// Eye, LPS mm.
    pub eye_in_patient: DVec3,
    /// Point looked at, LPS mm.
    pub focus_in_patient: DVec3,
    /// Up on the screen.
    pub up_in_patient: DVec3,
    /// Vertical angle of view; zero in a parallel projection.
    pub view_angle_deg: f64,
    /// C-arm angles: LAO and cranial positive.
    pub c_arm_deg: (f64, f64),
    /// Distance between samples.
    pub step_mm: f64,
    /// Where it was drawn.
    pub backend: String,
}

impl PictureRecord {
    /// The record of a picture.
    pub fn new(volume: &Volume, transfer: &TransferFunction, scene: &VolumeScene, backend: String) -> Self {
        let camera = &scene.camera;
        let view_angle_deg = match camera.projection {
            Projection::Perspective { fov_y_rad } => fov_y_rad.to_degrees(),
            Projection::Orthographic { .. } => 0.0,
        };
        Self {
            preset: transfer.name.clone(),
            mode: transfer.blend,
            size_px: scene.size_px,
            eye_in_patient: camera.eye_in_patient(),
            focus_in_patient: camera.focus_in_patient,
            up_in_patient: camera.up_in_patient,
            view_angle_deg,
            c_arm_deg: camera.c_arm_angles_deg(),
            step_mm: scene.step_mm(volume.grid()),
            backend,
        }
    }
}

/// What a file says of a picture: keywords and texts.
pub fn record_texts(record: &PictureRecord) -> [(&'static str, String); 4] {
    [
        ("Software", format!("{PROGRAM} {VERSION}")),
        ("Disclaimer", NOT_FOR_DIAGNOSTIC_USE.to_owned()),
        ("Maquette:software", serde_json::to_string(&Software::default()).unwrap_or_default()),
        ("Maquette:parameters", serde_json::to_string(record).unwrap_or_default()),
    ]
}

/// Writes a picture with its record in the file's text.
///
/// # Errors
/// When the file cannot be written.
pub fn save_picture(path: &Path, picture: &Picture, record: &PictureRecord) -> Result<(), PngError> {
    let texts = record_texts(record);
    let texts: Vec<(&str, &str)> = texts.iter().map(|(keyword, text)| (*keyword, text.as_str())).collect();
    write_png(path, picture, &texts)
}

/// Writes pictures as a DICOM file that refers to the images they were made from.
///
/// # Errors
/// When they are too large for the format, or the file cannot be written.
pub fn save_capture(
    path: &Path,
    pictures: &[Picture],
    record: &PictureRecord,
    frame_time_ms: f64,
    source: &SourceImages,
) -> Result<(), CaptureError> {
    let parameters = serde_json::to_string(record).unwrap_or_default();
    let derivation = format!("Volume rendering by {PROGRAM} {VERSION}, {}: {parameters}", record.preset);
    write_capture(path, pictures, &Capture { derivation: &derivation, frame_time_ms, source })
}

/// Whether a name asks for a DICOM file.
pub fn is_dicom_name(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("dcm"))
}

/// Small pictures of a volume under several transfer functions, for buttons; handed on one by one, in order.
///
/// # Errors
/// When cancelled.
pub fn thumbnails(
    volume: &Volume,
    transfers: &[TransferFunction],
    size_px: [u32; 2],
    progress: &Progress,
    mut on_picture: impl FnMut(usize, Picture),
) -> Result<(), RenderError> {
    progress.phase("Drawing previews");
    let small = reduced(volume, THUMBNAIL_VOXELS)?;
    let cells = SkipCells::of(&small);
    let (lower, upper) = small.grid().bounds_in_patient();
    let corners = [lower, upper, lower.with_x(upper.x), upper.with_x(lower.x)];
    let aspect = f64::from(size_px[0].max(1)) / f64::from(size_px[1].max(1));
    let camera = Camera::fitting(lower, upper, StandardView::Anterior).orbited(-0.35, 0.2).framing(&corners, aspect);
    for (n, transfer) in transfers.iter().enumerate() {
        progress.step(n, transfers.len())?;
        let scene = VolumeScene::new(camera, size_px);
        let image = render_reference::render(&small, &cells, transfer, &scene, Shortcuts::default(), progress)?;
        on_picture(n, Picture::over_gradient(&image, BACKGROUND));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_named_or_given_by_angles() {
        assert_eq!("Left".parse(), Ok(ViewChoice::Standard(StandardView::Left)));
        assert_eq!("lao30/cran20".parse(), Ok(ViewChoice::CArm { lao_deg: 30.0, cranial_deg: 20.0 }));
        assert_eq!("CAUD15".parse(), Ok(ViewChoice::CArm { lao_deg: 0.0, cranial_deg: -15.0 }));
        assert_eq!("rao45.5".parse(), Ok(ViewChoice::CArm { lao_deg: -45.5, cranial_deg: 0.0 }));
        for wrong in ["", "front", "30", "lao", "lao999", "cran100", "lao30/", "laoNaN"] {
            assert!(wrong.parse::<ViewChoice>().is_err(), "{wrong}");
        }
    }
}
