//! Comparisons of the import with other programs.

use std::ffi::OsStr;

use crate::support::peers::run;

#[test]
fn simpleitk_sees_the_marker_at_the_same_patient_point() {
    run("orientation.py", &[OsStr::new(env!("CARGO_BIN_EXE_maquette"))]);
}

#[test]
fn simpleitk_and_nibabel_see_converted_voxels_at_the_same_place_with_the_same_value() {
    run("formats.py", &[OsStr::new(env!("CARGO_BIN_EXE_maquette"))]);
}

#[test]
fn highdicom_and_we_read_each_others_segmentations() {
    run("segmentation.py", &[OsStr::new(env!("CARGO_BIN_EXE_maquette"))]);
}

#[test]
fn pydicom_reads_our_pictures_and_models_and_they_name_nobody() {
    run("captures.py", &[OsStr::new(env!("CARGO_BIN_EXE_maquette"))]);
}
