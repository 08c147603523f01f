//! Missing slices, unreadable slices and tilted gantries: what is refused, and what the user's choice makes of it.

use std::path::Path;

use dicom_core::VR;
use dicom_dictionary_std::tags;
use glam::DVec3;
use maquette::ops::open::{
    Gaps, ImportError, ImportOptions, LoadedVolume, SeriesEntry, Severity, load, open, open_with, replan, scan,
    scan_with,
};
use maquette::task::Progress;

use crate::support::series::{DIMS, affine, axial, edit, volume, written};

const FILL: ImportOptions = ImportOptions { gaps: Gaps::Fill, straighten: false };
const SPLIT: ImportOptions = ImportOptions { gaps: Gaps::Split, straighten: false };
const UPRIGHT: ImportOptions = ImportOptions { gaps: Gaps::Stop, straighten: true };

fn read(folder: &Path, options: ImportOptions) -> Result<LoadedVolume, ImportError> {
    open_with(folder, None, options, &Progress::new(), &|_| {})
}

fn says(loaded: &LoadedVolume, severity: Severity, words: &[&str]) -> bool {
    let fits = |text: &str| words.iter().all(|word| text.contains(word));
    loaded.report.lines.iter().any(|line| line.severity == severity && fits(&line.text))
}

fn slice_len() -> usize {
    DIMS[0] as usize * DIMS[1] as usize
}

/// Cuts the end of a file off.
fn cut(file: &Path) {
    let bytes = std::fs::read(file).expect("readable");
    std::fs::write(file, &bytes[..bytes.len() - 40]).expect("written");
}

fn name(file: &Path) -> &str {
    file.file_name().and_then(|name| name.to_str()).expect("a name")
}

#[test]
fn a_missing_slice_is_filled_in_only_when_asked_and_said() {
    let before = volume(axial());
    let (folder, files) = written(&before);
    std::fs::remove_file(&files[3]).expect("removed");
    let found = scan(folder.path(), &Progress::new()).expect("a scan");
    assert!(!found.entries[0].is_loadable() && found.entries[0].can_be_mended());

    let loaded = read(folder.path(), FILL).expect("filled");
    assert!(loaded.volume.grid().same_space(before.grid()));
    let slice = |k: usize| &before.samples()[k * slice_len()..(k + 1) * slice_len()];
    for (k, found) in loaded.volume.samples().chunks(slice_len()).enumerate() {
        if k == 3 {
            let mean = |(a, b): (&i16, &i16)| f64::midpoint(f64::from(*a), f64::from(*b));
            let means: Vec<f64> = slice(2).iter().zip(slice(4)).map(mean).collect();
            assert!(found.iter().zip(means).all(|(&f, mean)| (f64::from(f) - mean).abs() <= 0.5));
        } else {
            assert_eq!(found, slice(k), "slice {k} is as it was");
        }
    }
    assert!(says(&loaded, Severity::Warning, &["1 of 6 slices are made up", "slice 4"]), "{:?}", loaded.report);

    // The same from the refused entry, and found again by a case through its name.
    let mended = replan(&found.entries[0], FILL);
    assert_eq!(mended[0].part, "missing slices filled in");
    assert_eq!(ImportOptions::marked_in(&format!("2.25.1 {}", mended[0].part)), FILL);
    let again = load(&mended[0], &Progress::new(), &|_| {}).expect("filled");
    assert_eq!(again.content_hash(), loaded.content_hash());
}

#[test]
fn a_series_with_a_hole_can_be_split_there() {
    let before = volume(axial());
    let (folder, files) = written(&before);
    std::fs::remove_file(&files[3]).expect("removed");
    let found = scan_with(folder.path(), SPLIT, &Progress::new()).expect("a scan");
    let mut slices: Vec<usize> = found.entries.iter().map(SeriesEntry::slice_count).collect();
    slices.sort_unstable();
    assert_eq!(slices, [2, 3]);
    for entry in &found.entries {
        let part = load(entry, &Progress::new(), &|_| {}).expect("readable").volume;
        let [ni, nj, nk] = part.grid().dims();
        for (i, j, k) in [(0, 0, 0), (ni - 1, nj - 1, nk - 1)] {
            let point = part.grid().patient_from_voxel().transform_point3(DVec3::new(i.into(), j.into(), k.into()));
            assert_eq!(before.value_at_patient(point), Some(part.value(i, j, k)));
        }
    }
}

#[test]
fn uneven_slices_are_brought_to_even_places_when_asked() {
    let (folder, files) = written(&volume(axial()));
    edit(&files[3], |object| {
        let at = object.element(tags::IMAGE_POSITION_PATIENT).expect("there").to_multi_float64().expect("numbers");
        object.put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, format!("{}\\{}\\{}", at[0], at[1], at[2] + 0.6));
    });
    assert!(read(folder.path(), ImportOptions::default()).is_err());
    let loaded = read(folder.path(), FILL).expect("filled");
    assert_eq!(loaded.volume.grid().dims(), DIMS);
    assert!(says(&loaded, Severity::Warning, &["1 of 6 slices are made up"]), "{:?}", loaded.report);
    // Slice 3 should be at 7.5 mm, between 5.0 and 8.1 mm.
    let before = volume(axial());
    let expected = |n: usize| {
        let at = |k: usize| f64::from(before.samples()[k * slice_len() + n]);
        at(2) + (at(3) - at(2)) * (2.5 / 3.1)
    };
    for n in 0..slice_len() {
        assert!((f64::from(loaded.volume.samples()[3 * slice_len() + n]) - expected(n)).abs() <= 0.5 + 1e-6);
    }
}

#[test]
fn a_slice_that_is_cut_short_counts_as_missing_and_is_named() {
    // In the middle: a hole. Refused with the file and its reason, unless it is to be filled in.
    let before = volume(axial());
    let (folder, files) = written(&before);
    cut(&files[2]);
    let refusal = read(folder.path(), ImportOptions::default()).expect_err("a hole").to_string();
    for words in ["slices are missing", name(&files[2]), "cut short"] {
        assert!(refusal.contains(words), "{refusal:?} does not say {words:?}");
    }
    let loaded = read(folder.path(), FILL).expect("filled");
    assert!(loaded.volume.grid().same_space(before.grid()));
    assert!(says(&loaded, Severity::Warning, &["made up", "slice 3"]), "{:?}", loaded.report);

    // At an end: the volume is shorter, right where it is, and says so.
    let (folder, files) = written(&before);
    cut(&files[5]);
    let loaded = read(folder.path(), ImportOptions::default()).expect("the good slices");
    assert_eq!(loaded.volume.samples(), &before.samples()[..5 * slice_len()]);
    assert!(
        says(&loaded, Severity::Warning, &["missing at an end", name(&files[5]), "cut short"]),
        "{:?}",
        loaded.report
    );

    // In the header: the file has no place, so the hole is a hole and the file is named by the scan.
    let (folder, files) = written(&before);
    let bytes = std::fs::read(&files[2]).expect("readable");
    std::fs::write(&files[2], &bytes[..700]).expect("written");
    assert!(read(folder.path(), ImportOptions::default()).is_err());
    let found = scan(folder.path(), &Progress::new()).expect("a scan");
    assert_eq!(found.left_out.len(), 1);
    assert!(found.left_out[0].0.ends_with(name(&files[2])) && found.left_out[0].1.contains("cut short"));
}

#[test]
fn every_second_slice_cut_short_is_no_thinner_stack() {
    let (folder, files) = written(&volume(axial()));
    for n in [1, 3] {
        cut(&files[n]);
    }
    std::fs::remove_file(&files[5]).expect("removed");
    // What is left is evenly spaced, but it is not the series.
    let refusal = read(folder.path(), ImportOptions::default()).expect_err("holes").to_string();
    assert!(refusal.contains("slices are missing") && refusal.contains(name(&files[1])), "{refusal}");
}

#[test]
fn all_slices_cut_short_are_refused() {
    let (folder, files) = written(&volume(axial()));
    for file in &files {
        cut(file);
    }
    let refusal = read(folder.path(), FILL).expect_err("nothing to read").to_string();
    assert!(refusal.contains("cut short") && refusal.contains("5 more"), "{refusal}");
}

#[test]
fn slices_that_are_too_far_apart_are_not_made_up() {
    let (folder, files) = written(&volume(axial()));
    edit(&files[5], |object| drop(object.put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, "-31.5\\12.25\\900")));
    let refusal = read(folder.path(), FILL).expect_err("too many would be made up").to_string();
    assert!(refusal.contains("cannot be filled in"), "{refusal}");
}

#[test]
fn a_tilted_gantry_is_brought_upright_only_when_asked() {
    let leaning = volume(affine(DVec3::X, DVec3::Y, 0.45)); // half a row a slice
    let (folder, _) = written(&leaning);
    let found = scan(folder.path(), &Progress::new()).expect("a scan");
    assert!(found.entries[0].is_leaning());
    let as_it_is = open(folder.path(), None, &Progress::new(), &|_| {}).expect("readable");
    assert!(as_it_is.volume.grid().same_space(leaning.grid()));

    let loaded = read(folder.path(), UPRIGHT).expect("upright");
    let grid = loaded.volume.grid();
    let axes = grid.patient_from_voxel().matrix3;
    assert!(axes.z_axis.normalize().distance(DVec3::Z) < 1e-9, "{axes:?}");
    assert_eq!(grid.dims(), [DIMS[0], DIMS[1] + 3, DIMS[2]]);
    assert!(says(&loaded, Severity::Warning, &["brought upright"]));
    // Every second slice moved by whole rows: its voxels are found bit for bit where they were.
    for (i, j, k) in [(0, 0, 0), (3, 4, 2), (10, 7, 4)] {
        let point = leaning.grid().patient_from_voxel().transform_point3(DVec3::new(i.into(), j.into(), k.into()));
        assert_eq!(loaded.volume.value_at_patient(point), Some(leaning.value(i, j, k)));
    }
    // The others lie halfway between two rows.
    let point = leaning.grid().patient_from_voxel().transform_point3(DVec3::new(5.0, 3.5, 1.0));
    let mean = f64::midpoint(leaning.value(5, 3, 1), leaning.value(5, 4, 1));
    let found = loaded.volume.value_at_patient(point).expect("inside");
    assert!((found - mean).abs() <= 0.5, "{found} is not {mean}");
}
