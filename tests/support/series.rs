//! Small DICOM series with known contents, written by our own writer and then bent into the shape a test wants.

use std::path::{Path, PathBuf};

use dicom_object::{FileMetaTableBuilder, InMemDicomObject, open_file};
use glam::{DAffine3, DMat3, DVec3};
use maquette::domain::grid::Grid;
use maquette::domain::series_info::SeriesInfo;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::io::dicom::write_series;
use maquette::task::Progress;

/// Size of the volumes: three different numbers, so that mixed-up axes cannot pass.
pub(crate) const DIMS: [u32; 3] = [11, 8, 6];
/// Spacing, mm: three different numbers too.
pub(crate) const SPACING_MM: [f64; 3] = [0.7, 0.9, 2.5];

/// An affine with these directions of i and j; slices step along the normal, leaning by `lean_mm` along j.
pub(crate) fn affine(row: DVec3, column: DVec3, lean_mm: f64) -> DAffine3 {
    let normal = row.cross(column);
    let axes = DMat3::from_cols(row * SPACING_MM[0], column * SPACING_MM[1], normal * SPACING_MM[2] + column * lean_mm);
    DAffine3 { matrix3: axes, translation: DVec3::new(-31.5, 12.25, 407.0) }
}

/// A head-first supine axial affine.
pub(crate) fn axial() -> DAffine3 {
    affine(DVec3::X, DVec3::Y, 0.0)
}

/// A volume in which every voxel has a value of its own, in HU.
pub(crate) fn volume(patient_from_voxel: DAffine3) -> Volume {
    let grid = Grid::new(DIMS, patient_from_voxel).expect("valid grid");
    let samples = (0..grid.voxel_count()).map(|n| ((n * 37) % 3000) as i16 - 1000).collect();
    Volume::new(grid, samples, Rescale { slope: 1.0, intercept: -24.0 }, Quantity::Hounsfield)
}

/// Writes a volume as a series into a new folder.
pub(crate) fn written(volume: &Volume) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let info = SeriesInfo {
        patient_name: "TEST Person".to_owned(),
        patient_id: "T1".to_owned(),
        series_description: "Test".to_owned(),
        modality: "CT".to_owned(),
        ..SeriesInfo::default()
    };
    let files = write_series(folder.path(), volume, &info, &Progress::new()).expect("written");
    (folder, files)
}

/// Changes a file's data set in place.
pub(crate) fn edit(path: &Path, change: impl FnOnce(&mut InMemDicomObject)) {
    let object = open_file(path).expect("readable");
    let meta = object.meta().clone();
    let mut data = object.into_inner();
    change(&mut data);
    data.with_exact_meta(meta).write_to_file(path).expect("written");
}

/// Writes a file again in another transfer syntax.
pub(crate) fn rewrite_as(path: &Path, transfer_syntax: &str) {
    let object = open_file(path).expect("readable").into_inner();
    let meta = FileMetaTableBuilder::new().transfer_syntax(transfer_syntax);
    object.with_meta(meta).expect("complete").write_to_file(path).expect("written");
}

/// Two patients in three folders: `a/1` and `a/2` of one, `b` of the other.
pub(crate) fn tree_of_studies() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a folder");
    let studies = [
        ("a/1", "ADAMS Ann", "A1", "20240105"),
        ("a/2", "ADAMS Ann", "A1", "20230911"),
        ("b", "BAKER Bob", "B2", "20250301"),
    ];
    for (n, (folder, name, id, date)) in studies.into_iter().enumerate() {
        let info = SeriesInfo {
            patient_name: name.to_owned(),
            patient_id: id.to_owned(),
            study_date: date.to_owned(),
            study_description: format!("Study {n}"),
            series_description: format!("Series {n}"),
            modality: "CT".to_owned(),
            ..SeriesInfo::default()
        };
        // Another place in the patient, so that the series have names of their own.
        let affine = DAffine3 { translation: DVec3::new(0.0, 0.0, 300.0 * n as f64), ..axial() };
        write_series(&place.path().join(folder), &volume(affine), &info, &Progress::new()).expect("written");
    }
    place
}
