//! The sample case: a synthetic thorax and upper abdomen as a contrast CT sees it, with the truth about it.
//!
//! Out: the image on a grid of any size that always covers the same block of the same patient; what a DICOM header says of it;
//! and what there is to measure, exactly. A demo, a test oracle and a QA tool.
//! Space: patient (LPS, mm), supine, head first; the origin lies in the middle of the chest at the height of the heart.
//! Left is told from right by the liver (right), the heart's apex, the stomach and the pacemaker (left).

mod heart;
mod organs;
mod path;
mod skeleton;
mod tissue;
mod trunk;

use std::f64::consts::PI;

use glam::DVec3;
use serde::{Deserialize, Serialize};

use super::scene::{Imaging, Scene};
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

/// What is exactly known of the sample case. Volumes of the aorta are those of its lumen without branches, down to the lower
/// edge of the image.
pub fn truth() -> Truth {
    let ball = |radius_mm: f64| 4.0 / 3.0 * PI * radius_mm.powi(3) / 1000.0;
    let ellipsoid = |radii: DVec3| 4.0 / 3.0 * PI * radii.element_product() / 1000.0;
    let volume = |name: &str, volume_ml: f64, mean_hu: f64, center: DVec3| KnownVolume {
        name: name.into(),
        volume_ml,
        mean_hu,
        center_in_patient: center.to_array(),
    };
    let axis = path::rods(heart::AORTA);
    let bottom = -FIELD_OF_VIEW_MM.z / 2.0;
    let lumen = |lower: f64, upper: f64| -> f64 {
        let inside = |rod: &&super::primitive::Rod| {
            let z = f64::midpoint(rod.from.z, rod.to.z);
            z > lower && z < upper && rod.from.y > 10.0
        };
        axis.iter().filter(inside).map(frustum_ml).sum()
    };
    let whole: f64 = axis.iter().filter(|rod| rod.to.z > bottom).map(frustum_ml).sum();
    let diameter = |name: &str, knot: usize| {
        let [x, y, z, radius_mm] = heart::AORTA[knot];
        let center = DVec3::new(x, y, z);
        let nearest = axis.iter().min_by(|a, b| a.from.distance(center).total_cmp(&b.from.distance(center)));
        let along = nearest.map_or(DVec3::Z, |rod| (rod.to - rod.from).normalize());
        KnownDiameter {
            name: name.into(),
            diameter_mm: 2.0 * radius_mm,
            center_in_patient: center.to_array(),
            axis_in_patient: along.to_array(),
        }
    };
    let landmark = |name: &str, point: DVec3| Landmark {
        name: name.into(),
        point_in_patient: point.to_array(),
        side: if point.x > 0.0 { "left" } else { "right" }.into(),
    };
    Truth {
        volumes: vec![
            volume("Lung nodule, right upper lobe", ball(organs::NODULE.1), 40.0, organs::NODULE.0),
            volume("Liver cyst", ball(organs::CYST.1), 5.0, organs::CYST.0),
            volume("Gall bladder", ellipsoid(organs::GALL_BLADDER.1), 12.0, organs::GALL_BLADDER.0),
            volume("Spleen", ellipsoid(organs::SPLEEN.1), 112.0, organs::SPLEEN.0),
            volume("Aorta, lumen", whole, 340.0, DVec3::new(29.0, 48.0, 20.0)),
            volume("Aneurysm, lumen from z -94 to -6 mm", lumen(-94.0, -6.0), 340.0, DVec3::new(31.0, 33.0, -52.0)),
        ],
        diameters: vec![
            diameter("Sinus of Valsalva", 1),
            diameter("Sinotubular junction", 2),
            diameter("Ascending aorta", 3),
            diameter("Aortic arch", 6),
            diameter("Descending aorta", 10),
            diameter("Aneurysm, largest lumen", 13),
            diameter("Suprarenal aorta", 17),
        ],
        landmarks: vec![
            landmark("Pacemaker", heart::PACEMAKER),
            landmark("Apex of the heart", heart::APEX),
            landmark("Spleen", organs::SPLEEN.0),
            landmark("Liver cyst", organs::CYST.0),
            landmark("Lung nodule", organs::NODULE.0),
            landmark("Gall bladder", organs::GALL_BLADDER.0),
        ],
    }
}

/// Volume of the discs along a rod, ml.
fn frustum_ml(rod: &super::primitive::Rod) -> f64 {
    let (a, b) = (rod.from_radius_mm, rod.to_radius_mm);
    PI * rod.from.distance(rod.to) * (a * a + a * b + b * b) / 3.0 / 1000.0
}

/// The parts of the synthetic patient.
pub fn scene() -> Scene {
    let mut parts = trunk::layers();
    parts.extend(organs::chest());
    parts.extend(organs::abdomen());
    parts.extend(heart::heart_and_vessels());
    parts.extend(skeleton::bones());
    Scene { parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_truth_says_is_in_the_picture() {
        let scene = scene();
        let point = |p: [f64; 3]| DVec3::from_array(p);
        let truth = truth();
        for known in &truth.volumes {
            let owner = scene.owner(point(known.center_in_patient)).expect("tissue");
            assert!((owner.tissue.hu - known.mean_hu).abs() < 1.0, "{} is in {}", known.name, owner.name);
        }
        for known in &truth.diameters {
            let (center, axis) = (point(known.center_in_patient), point(known.axis_in_patient));
            let (u, v) = axis.any_orthonormal_pair();
            // Half way round at least is lumen just inside and no lumen just outside: branches and the heart join elsewhere.
            let lumen = |radius: f64, n: u32| {
                let angle = f64::from(n) / 24.0 * 2.0 * PI;
                let p = center + (u * angle.cos() + v * angle.sin()) * radius;
                scene.owner(p).is_some_and(|part| part.name == "aorta")
            };
            let radius = known.diameter_mm / 2.0;
            let inside = (0..24).filter(|&n| lumen(radius - 0.4, n)).count();
            let outside = (0..24).filter(|&n| !lumen(radius + 0.4, n)).count();
            assert!(inside >= 22 && outside >= 22, "{}: {inside} {outside}", known.name);
        }
        for landmark in &truth.landmarks {
            let is_left = landmark.point_in_patient[0] > 0.0;
            assert_eq!(is_left, landmark.side == "left", "{}", landmark.name);
            assert!(scene.owner(point(landmark.point_in_patient)).is_some(), "{}", landmark.name);
        }
    }

    #[test]
    fn any_size_shows_the_same_patient() {
        let metal = |dims: [u32; 3]| {
            let volume = volume(&grid(dims).expect("a grid"), &Progress::new()).expect("not cancelled");
            let at = |p: DVec3| volume.value_at_patient(p).expect("inside");
            assert!(at(heart::PACEMAKER) > 1000.0 && at(heart::PACEMAKER * DVec3::new(-1.0, 1.0, 1.0)) < 200.0);
            assert!(at(organs::CYST.0) < 80.0 && at(DVec3::new(29.0, 48.0, 20.0)) > 250.0);
            let left = at(DVec3::new(-60.0, 0.0, -90.0));
            assert!((50.0..200.0).contains(&left), "liver on the right: {left}");
        };
        metal([64, 64, 50]);
        metal([80, 72, 90]);
    }
}
