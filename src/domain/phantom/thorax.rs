//! The sample case: a synthetic thorax and upper abdomen as a contrast CT sees it, with the truth about it.
//!
//! Out: the image on a grid of any size that always covers the same block of the same patient; what a DICOM header says of it;
//! and what there is to measure, exactly. A demo, a test oracle and a QA tool.
//! Space: patient (LPS, mm), supine, head first; the origin lies in the middle of the chest at the height of the heart.
//! Left is told from right by the liver (right), the heart's apex, the stomach and the pacemaker (left).

use glam::DVec3;
use serde::{Deserialize, Serialize};

use super::primitive::Primitive;
use super::scene::{Imaging, Part, Scene, Tissue};
use crate::domain::grid::{Grid, GridError};
use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::Volume;
use crate::domain::window::Window;
use crate::task::{Cancelled, Progress};

/// Voxels of the sample case.
pub const SAMPLE_DIMS: [u32; 3] = [256, 256, 200];
/// Voxels of the phantom that benchmarks run on.
pub const BENCH_DIMS: [u32; 3] = [512, 512, 300];
/// Edge lengths of the block that is imaged, mm.
pub const FIELD_OF_VIEW_MM: DVec3 = DVec3::new(358.4, 358.4, 360.0);
/// Standard deviation of the noise, HU.
pub const NOISE_HU: f32 = 20.0;

/// The grid of the sample case in a number of voxels.
///
/// # Errors
/// When the numbers make no grid.
pub fn grid(dims: [u32; 3]) -> Result<Grid, GridError> {
    let spacing_mm = FIELD_OF_VIEW_MM / DVec3::from_array(dims.map(|n| f64::from(n.max(1))));
    Grid::axis_aligned(dims, spacing_mm, (spacing_mm - FIELD_OF_VIEW_MM) / 2.0)
}

/// The sample case on a grid.
///
/// # Errors
/// When cancelled.
pub fn volume(grid: &Grid, progress: &Progress) -> Result<Volume, Cancelled> {
    let edge_mm = (grid.voxel_volume_mm3().cbrt() * 1.2).max(0.8);
    scene().image(grid, Imaging { edge_mm, noise_hu: NOISE_HU, seed: 2026 }, progress)
}

/// What its DICOM headers say: a made-up person, and that it is synthetic.
pub fn series_info() -> SeriesInfo {
    SeriesInfo {
        patient_name: "PHANTOM Thorax".into(),
        patient_id: "MAQUETTE-SAMPLE".into(),
        sex: "O".into(),
        study_date: "20260101".into(),
        study_description: "Sample case (synthetic)".into(),
        series_description: "Thorax CTA synthetic".into(),
        series_number: Some(1),
        modality: "CT".into(),
        patient_position: "HFS".into(),
        manufacturer: "Maquette".into(),
        kernel: "SYNTHETIC".into(),
        windows: vec![("Mediastinum".into(), Window::new(500.0, 60.0))],
        ..SeriesInfo::default()
    }
}

/// What is exactly known of the sample case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Solids of known volume.
    pub volumes: Vec<KnownVolume>,
    /// Diameters of round vessels, across their axis.
    pub diameters: Vec<KnownDiameter>,
    /// Where things are: they tell left from right.
    pub landmarks: Vec<Landmark>,
}

/// A solid of known volume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownVolume {
    /// What it is.
    pub name: String,
    /// Its volume.
    pub volume_ml: f64,
    /// Its CT number.
    pub mean_hu: f64,
    /// A point inside.
    pub center_in_patient: [f64; 3],
}

/// A round cross-section of known diameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownDiameter {
    /// Where it is.
    pub name: String,
    /// Its diameter.
    pub diameter_mm: f64,
    /// Its centre.
    pub center_in_patient: [f64; 3],
    /// Unit vector along the vessel.
    pub axis_in_patient: [f64; 3],
}

/// A point that can be recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Landmark {
    /// What is there.
    pub name: String,
    /// Where it is.
    pub point_in_patient: [f64; 3],
    /// `left` or `right` of the patient's midline.
    pub side: String,
}

/// What is exactly known of the sample case.
pub fn truth() -> Truth {
    Truth { volumes: Vec::new(), diameters: Vec::new(), landmarks: Vec::new() }
}

/// The parts of the synthetic patient.
pub fn scene() -> Scene {
    let ellipsoid = |x, y, z, a, b, c| Primitive::ellipsoid(DVec3::new(x, y, z), DVec3::new(a, b, c));
    let body = Part::new("skin", Tissue::even(30.0), vec![ellipsoid(0.0, 0.0, 0.0, 160.0, 105.0, 400.0)]);
    Scene {
        parts: vec![
            body.core("fat", Tissue::even(-100.0), 2.0),
            Part::new("liver", Tissue::even(110.0), vec![ellipsoid(-70.0, 0.0, -120.0, 70.0, 70.0, 60.0)]),
            body,
        ],
    }
}
