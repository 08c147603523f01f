//! The list of the browser: patients, their studies, their series; searched and sorted.
//!
//! In: series in any order. Out: [`Patient`]s that hold indices of the series. Series without a patient (research files)
//! stand under one nameless patient, last.

use std::cmp::Ordering;
use std::sync::Arc;

use glam::DVec3;

use crate::domain::grid::Grid;
use crate::io::import::SeriesEntry;

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Patients by name, studies newest first.
    #[default]
    Name,
    /// The newest study first.
    Newest,
    /// The series with the most slices first, within patients that have them.
    Slices,
}

/// One person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patient {
    /// *Patient's Name*; empty where the files have none.
    pub name: String,
    /// *Patient ID*.
    pub id: String,
    /// *Patient's Birth Date*, YYYYMMDD.
    pub birth_date: String,
    /// *Patient's Sex*.
    pub sex: String,
    /// Studies.
    pub studies: Vec<Study>,
}

/// One examination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Study {
    /// *Study Instance UID*.
    pub uid: String,
    /// *Study Date*, YYYYMMDD.
    pub date: String,
    /// *Study Description*.
    pub description: String,
    /// Indices into the series that were given.
    pub series: Vec<usize>,
}

/// The tree of the series that have all words of `query` in their patient, study, series, modality, kernel or date.
pub fn tree(series: &[Arc<SeriesEntry>], query: &str, order: Order) -> Vec<Patient> {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let mut patients: Vec<Patient> = Vec::new();
    for (n, entry) in series.iter().enumerate().filter(|(_, entry)| fits(entry, &words)) {
        let info = &entry.info;
        let is_same = |patient: &Patient| {
            patient.id == info.patient_id && patient.name == info.patient_name && patient.birth_date == info.birth_date
        };
        let at = patients.iter().position(is_same).unwrap_or_else(|| {
            patients.push(Patient {
                name: info.patient_name.clone(),
                id: info.patient_id.clone(),
                birth_date: info.birth_date.clone(),
                sex: info.sex.clone(),
                studies: Vec::new(),
            });
            patients.len() - 1
        });
        let studies = &mut patients[at].studies;
        let at = studies.iter().position(|study| study.uid == info.study_uid).unwrap_or_else(|| {
            studies.push(Study {
                uid: info.study_uid.clone(),
                date: info.study_date.clone(),
                description: info.study_description.clone(),
                series: Vec::new(),
            });
            studies.len() - 1
        });
        studies[at].series.push(n);
    }
    for patient in &mut patients {
        for study in &mut patient.studies {
            study.series.sort_by(|&a, &b| series_order(&series[a], &series[b], order).then(a.cmp(&b)));
        }
        patient.studies.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.description.cmp(&b.description)));
    }
    let most = |patient: &Patient| {
        let all = patient.studies.iter().flat_map(|study| &study.series);
        all.map(|&n| series[n].slice_count()).max().unwrap_or(0)
    };
    patients.sort_by(|a, b| {
        let nameless = a.is_nameless().cmp(&b.is_nameless());
        let by_name = || a.name.to_lowercase().cmp(&b.name.to_lowercase()).then_with(|| a.id.cmp(&b.id));
        let first = match order {
            Order::Name => Ordering::Equal,
            Order::Newest => b.newest().cmp(a.newest()),
            Order::Slices => most(b).cmp(&most(a)),
        };
        nameless.then(first).then_with(by_name)
    });
    patients
}

impl Patient {
    /// Whether the files say nothing of a person.
    pub fn is_nameless(&self) -> bool {
        self.name.is_empty() && self.id.is_empty()
    }

    fn newest(&self) -> &str {
        self.studies.iter().map(|study| study.date.as_str()).max().unwrap_or_default()
    }
}

fn series_order(a: &SeriesEntry, b: &SeriesEntry, order: Order) -> Ordering {
    let by_number = || {
        let number = |entry: &SeriesEntry| entry.info.series_number.unwrap_or(i32::MAX);
        number(a).cmp(&number(b)).then_with(|| a.files.first().cmp(&b.files.first()))
    };
    match order {
        Order::Slices => b.slice_count().cmp(&a.slice_count()).then_with(by_number),
        Order::Name | Order::Newest => by_number(),
    }
}

fn fits(entry: &SeriesEntry, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let info = &entry.info;
    let texts = [
        &info.patient_name,
        &info.patient_id,
        &info.study_date,
        &info.study_description,
        &info.series_description,
        &info.modality,
        &info.kernel,
        &entry.part,
    ];
    let mut all = entry.title().to_lowercase();
    for text in texts {
        all.push('\n');
        all.push_str(&text.to_lowercase());
    }
    words.iter().all(|word| all.contains(word.as_str()))
}

/// How the slices of a grid lie: "axial", "sagittal", "coronal", with "oblique" in front where they lean by more than 10
/// degrees.
pub fn orientation(grid: &Grid) -> &'static str {
    let axes = grid.patient_from_voxel().matrix3;
    let normal = axes.x_axis.cross(axes.y_axis).normalize_or_zero().abs();
    let cosine = normal.max_element();
    let is_straight = cosine > 10_f64.to_radians().cos();
    match (normal == DVec3::ZERO, normal.max_position(), is_straight) {
        (true, ..) => "",
        (_, 0, true) => "sagittal",
        (_, 0, false) => "oblique sagittal",
        (_, 1, true) => "coronal",
        (_, 1, false) => "oblique coronal",
        (_, _, true) => "axial",
        _ => "oblique axial",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orientations_are_named_by_the_plane_of_the_slices() {
        let grid = |x: DVec3, y: DVec3| {
            let matrix3 = glam::DMat3::from_cols(x, y, x.cross(y));
            Grid::new([2, 2, 2], glam::DAffine3 { matrix3, translation: DVec3::ZERO }).expect("a grid")
        };
        assert_eq!(orientation(&grid(DVec3::X, DVec3::Y)), "axial");
        assert_eq!(orientation(&grid(DVec3::X, DVec3::NEG_Z)), "coronal");
        assert_eq!(orientation(&grid(DVec3::Y, DVec3::NEG_Z)), "sagittal");
        let leaning = DVec3::new(0.0, 30_f64.to_radians().cos(), 30_f64.to_radians().sin());
        assert_eq!(orientation(&grid(DVec3::X, leaning)), "oblique axial");
    }
}
