//! Where the importer puts series in the patient, and which it refuses to put anywhere.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use glam::DVec3;
use maquette::domain::volume::Volume;
use maquette::ops::open::{ImportError, LoadedVolume, SeriesEntry, Severity, open, scan};
use maquette::task::Progress;
use std::path::{Path, PathBuf};

use crate::support::series::{DIMS, affine, axial, edit, volume, written};

fn read(folder: &Path) -> Result<LoadedVolume, ImportError> {
    open(folder, None, &Progress::new(), &|_| {})
}

/// Every voxel of `expected` has the same value at the same patient point in `found`.
fn assert_same_in_patient(expected: &Volume, found: &Volume) {
    let [ni, nj, nk] = expected.grid().dims();
    for (i, j, k) in (0..nk).flat_map(|k| (0..nj).flat_map(move |j| (0..ni).map(move |i| (i, j, k)))) {
        let voxel = DVec3::new(i.into(), j.into(), k.into());
        let point = expected.grid().patient_from_voxel().transform_point3(voxel);
        assert_eq!(found.value_at_patient(point), Some(expected.value(i, j, k)), "voxel {voxel} at {point}");
    }
    assert_eq!(expected.samples().len(), found.samples().len());
}

/// Gives the files other names and reversed instance numbers, so that only positions can order them.
fn shuffle(files: &[PathBuf]) {
    for (n, file) in files.iter().enumerate() {
        edit(file, |object| {
            object.put_str(tags::INSTANCE_NUMBER, VR::IS, (files.len() - n).to_string());
        });
        let name = format!("{:02x}.dcm", (n * 37 + 11) % 256);
        std::fs::rename(file, file.with_file_name(name)).expect("renamed");
    }
}

#[test]
fn every_orientation_comes_back_to_the_same_place() {
    let oblique = DVec3::new(0.8, 0.6, 0.0);
    let orientations = [
        ("HFS axial", DVec3::X, DVec3::Y, 0.0),
        ("HFP axial", -DVec3::X, -DVec3::Y, 0.0),
        ("FFS axial", -DVec3::X, DVec3::Y, 0.0),
        ("FFP axial", DVec3::X, -DVec3::Y, 0.0),
        ("coronal", DVec3::X, -DVec3::Z, 0.0),
        ("sagittal", DVec3::Y, -DVec3::Z, 0.0),
        ("oblique", oblique, DVec3::new(-0.36, 0.48, -0.8), 0.0),
        ("tilted gantry", DVec3::X, DVec3::Y, 0.7),
        ("tilted the other way, prone", -DVec3::X, -DVec3::Y, -0.9),
    ];
    for (name, row, column, lean_mm) in orientations {
        let before = volume(affine(row, column, lean_mm));
        let (folder, files) = written(&before);
        shuffle(&files);
        let after = read(folder.path()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(after.volume.grid().same_space(before.grid()), "{name}");
        assert_same_in_patient(&before, &after.volume);
        let says_tilted = after.report.lines.iter().any(|line| line.text.contains("tilted"));
        assert_eq!(says_tilted, lean_mm != 0.0, "{name}: {:?}", after.report);
    }
}

#[test]
fn a_left_handed_volume_is_not_mirrored() {
    let mut left_handed = axial();
    left_handed.matrix3.z_axis = -left_handed.matrix3.z_axis;
    let before = volume(left_handed);
    assert!(before.grid().is_left_handed());
    let (folder, _) = written(&before);
    let after = read(folder.path()).expect("readable");
    assert!(!after.volume.grid().is_left_handed(), "slices are put in order along the normal");
    assert_same_in_patient(&before, &after.volume);
}

#[test]
fn pixel_spacing_is_rows_then_columns() {
    let (folder, files) = written(&volume(axial()));
    let spacing = dicom_object::open_file(&files[0]).expect("readable");
    let spacing = spacing.element(tags::PIXEL_SPACING).expect("there").to_multi_float64().expect("numbers");
    assert_eq!(spacing, [0.9, 0.7], "between rows, then between columns");
    let after = read(folder.path()).expect("readable");
    assert_eq!(after.volume.grid().spacing_mm(), DVec3::new(0.7, 0.9, 2.5));
}

fn move_slice(file: &Path, by_mm: DVec3) {
    edit(file, |object| {
        let at = object.element(tags::IMAGE_POSITION_PATIENT).expect("there").to_multi_float64().expect("numbers");
        let at = DVec3::new(at[0], at[1], at[2]) + by_mm;
        object.put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, format!("{}\\{}\\{}", at.x, at.y, at.z));
    });
}

fn remove(file: &Path, tag: Tag) {
    edit(file, |object| {
        object.remove_element(tag);
    });
}

/// What is done to a good series, and what the refusal must say. `{n}` stands for the name of slice n's file.
type Bending = (&'static str, fn(&[PathBuf]), &'static [&'static str]);

const REFUSED: &[Bending] = &[
    (
        "missing slice",
        |files| std::fs::remove_file(&files[3]).expect("removed"),
        &["slices are missing", "{2}", "{4}", "5.00 mm", "2.50 mm"],
    ),
    ("uneven", |files| move_slice(&files[3], DVec3::Z * 0.6), &["not evenly spaced", "{3}", "0.60 mm"]),
    ("shifted sideways", |files| move_slice(&files[2], DVec3::X * 1.5), &["not evenly spaced", "{2}"]),
    ("no position", |files| remove(&files[2], tags::IMAGE_POSITION_PATIENT), &["Image Position", "{2}"]),
    (
        "no orientation at all",
        |files| files.iter().for_each(|file| remove(file, tags::IMAGE_ORIENTATION_PATIENT)),
        &["Image Orientation"],
    ),
    (
        "no pixel spacing",
        |files| files.iter().for_each(|file| remove(file, tags::PIXEL_SPACING)),
        &["Pixel Spacing", "where it lies"],
    ),
    (
        "zero pixel spacing",
        |files| {
            for file in files {
                edit(file, |object| drop(object.put_str(tags::PIXEL_SPACING, VR::DS, "0\\0")));
            }
        },
        &["pixel spacing of 0 x 0"],
    ),
    (
        "skewed directions",
        |files| {
            for file in files {
                edit(file, |object| drop(object.put_str(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\1\\0\\0")));
            }
        },
        &["right angles"],
    ),
    (
        "another image at the same place",
        |files| {
            let twin = files[2].with_file_name("twin.dcm");
            std::fs::copy(&files[2], &twin).expect("copied");
            edit(&twin, |object| {
                object.put_str(tags::SOP_INSTANCE_UID, VR::UI, "2.25.99");
                let mut bytes =
                    object.element(tags::PIXEL_DATA).expect("there").to_bytes().expect("bytes").into_owned();
                bytes[0] ^= 1;
                object.put(dicom_core::DataElement::new(
                    tags::PIXEL_DATA,
                    VR::OW,
                    dicom_core::PrimitiveValue::from(bytes),
                ));
            });
        },
        &["different images at the same place", "twin.dcm"],
    ),
    (
        "one slice without thickness",
        |files| {
            files[1..].iter().for_each(|file| std::fs::remove_file(file).expect("removed"));
            remove(&files[0], tags::SLICE_THICKNESS);
            remove(&files[0], tags::SPACING_BETWEEN_SLICES);
        },
        &["single image", "how thick", "{0}"],
    ),
];

/// The path of file n for `{n}`, else the word itself.
fn named(word: &str, files: &[PathBuf]) -> String {
    let number = word.strip_prefix('{').and_then(|word| word.strip_suffix('}'));
    number.map_or(word.to_owned(), |n| files[n.parse::<usize>().expect("a number")].to_string_lossy().into_owned())
}

#[test]
fn series_without_a_sure_place_are_refused_with_the_reason() {
    for (name, bend, words) in REFUSED {
        let (folder, files) = written(&volume(axial()));
        bend(&files);
        let scan = scan(folder.path(), &Progress::new()).expect("a scan");
        let words: Vec<String> = words.iter().map(|word| named(word, &files)).collect();
        let says_all = |refusal: &String| words.iter().all(|word| refusal.contains(word));
        let entry = scan.entries.iter().find(|entry| entry.refusal.as_ref().is_some_and(says_all));
        let refusals: Vec<_> = scan.entries.iter().map(|entry| entry.refusal.as_deref()).collect();
        let entry = entry.unwrap_or_else(|| panic!("{name}: {refusals:?} do not say {words:?}"));
        assert!(scan.entries.iter().all(|entry| !entry.is_loadable()), "{name}: a part was accepted");
        let refusal = entry.refusal.clone().unwrap_or_default();
        let error = maquette::ops::open::load(entry, &Progress::new(), &|_| {}).expect_err("refused");
        assert_eq!(error.to_string(), refusal, "{name}");
    }
}

/// What is done, the severity that is reported, and a word of it.
type Repair = (&'static str, fn(&[PathBuf]), Severity, &'static str);

const REPAIRED: &[Repair] = &[
    ("jitter", |files| move_slice(&files[3], DVec3::Z * 0.05), Severity::Warning, "not quite evenly spaced"),
    (
        "the same file twice",
        |files| {
            std::fs::copy(&files[2], files[2].with_file_name("again.dcm")).expect("copied");
        },
        Severity::Repaired,
        "1 file with an image that is there already",
    ),
    (
        "the same pixels under another name",
        |files| {
            let twin = files[2].with_file_name("twin.dcm");
            std::fs::copy(&files[2], &twin).expect("copied");
            edit(&twin, |object| drop(object.put_str(tags::SOP_INSTANCE_UID, VR::UI, "2.25.99")));
        },
        Severity::Repaired,
        "repeating an image at the same place",
    ),
    (
        "gaps between thin slices",
        |files| {
            for file in files {
                edit(file, |object| drop(object.put_str(tags::SLICE_THICKNESS, VR::DS, "1")));
            }
        },
        Severity::Warning,
        "gaps between the slices",
    ),
];

#[test]
fn what_can_be_put_right_is_and_is_said() {
    for (name, bend, severity, words) in REPAIRED {
        let (folder, files) = written(&volume(axial()));
        bend(&files);
        let loaded = read(folder.path()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(loaded.volume.grid().dims(), DIMS, "{name}");
        let said = loaded.report.lines.iter().any(|line| line.severity == *severity && line.text.contains(words));
        assert!(said, "{name}: {:?}", loaded.report);
    }
}

#[test]
fn one_slice_with_thickness_is_a_volume_of_one_slice() {
    let (folder, files) = written(&volume(axial()));
    files[1..].iter().for_each(|file| std::fs::remove_file(file).expect("removed"));
    let loaded = read(folder.path()).expect("readable");
    assert_eq!(loaded.volume.grid().dims(), [DIMS[0], DIMS[1], 1]);
    assert_eq!(loaded.volume.grid().spacing_mm().z, 2.5);
}

#[test]
fn phases_of_one_series_become_separate_complete_volumes() {
    let (folder, files) = written(&volume(axial()));
    for (n, file) in files.iter().enumerate() {
        let twin = file.with_file_name(format!("late-{n}.dcm"));
        std::fs::copy(file, &twin).expect("copied");
        edit(file, |object| drop(object.put_str(tags::TRIGGER_TIME, VR::DS, "100")));
        edit(&twin, |object| {
            object.put_str(tags::TRIGGER_TIME, VR::DS, "500");
            object.put_str(tags::SOP_INSTANCE_UID, VR::UI, format!("2.25.{}", 900 + n));
        });
    }
    let scan = scan(folder.path(), &Progress::new()).expect("a scan");
    let mut parts: Vec<(&str, [u32; 3])> = scan.entries.iter().map(|e| (e.part.as_str(), e.dims())).collect();
    parts.sort_unstable();
    assert_eq!(parts, [("trigger time 100", DIMS), ("trigger time 500", DIMS)]);
}

#[test]
fn a_localizer_and_a_second_orientation_do_not_spoil_the_series() {
    let (folder, files) = written(&volume(axial()));
    let scout = files[0].with_file_name("a-scout.dcm");
    std::fs::copy(&files[0], &scout).expect("copied");
    edit(&scout, |object| {
        object.put_str(tags::SOP_INSTANCE_UID, VR::UI, "2.25.77");
        object.put_str(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\LOCALIZER");
        object.put_str(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "0\\1\\0\\0\\0\\-1");
    });
    let scan = scan(folder.path(), &Progress::new()).expect("a scan");
    let found: Vec<usize> = scan.entries.iter().map(SeriesEntry::slice_count).collect();
    assert_eq!(found, [DIMS[2] as usize, 1], "the stack first");
}

#[test]
fn the_middle_slice_comes_first_and_cancel_stops() {
    let (folder, _) = written(&volume(axial()));
    let scan = scan(folder.path(), &Progress::new()).expect("a scan");
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = Progress::new();
    let loaded = maquette::ops::open::load(&scan.entries[0], &progress, &|slice| {
        seen.lock().expect("not poisoned").push((slice.k, slice.samples.len()));
    });
    let volume = loaded.expect("readable").volume;
    let slice_len = volume.samples().len() / DIMS[2] as usize;
    assert_eq!(seen.lock().expect("not poisoned")[0], (DIMS[2] / 2, slice_len));

    let progress = Progress::new();
    let result = maquette::ops::open::load(&scan.entries[0], &progress, &|_| progress.cancel());
    assert!(matches!(result, Err(ImportError::Cancelled(_))));
}

#[test]
fn thumbnails_keep_proportions() {
    let (folder, _) = written(&volume(axial()));
    let scan = scan(folder.path(), &Progress::new()).expect("a scan");
    let picture = maquette::ops::open::thumbnail(&scan.entries[0], 64).expect("a picture");
    // 11 x 0.7 mm wide, 8 x 0.9 mm high.
    assert_eq!((picture.width, picture.height), (64, 60));
    assert_eq!(picture.pixels.len(), 64 * 60);
    assert!(picture.pixels.iter().any(|&pixel| pixel > 128) && picture.pixels.iter().any(|&pixel| pixel < 100));
}
