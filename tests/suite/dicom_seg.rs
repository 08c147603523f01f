//! DICOM segmentations: what we write comes back, voxel by voxel, in every kind and geometry; bad ones are refused.

use std::path::Path;

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use glam::{DAffine3, DVec3};
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::segmentation::{Code, SegmentInfo, SegmentState, Side};
use maquette::io::dicom_seg::{self, SegKind, SourceImages};
use maquette::io::provenance::replaced_uid;
use maquette::ops::convert::read_segments;
use maquette::ops::open::{SeriesKind, open, scan};
use maquette::task::Progress;

use crate::support::series::{DIMS, affine, axial, edit, volume, written};

fn segment(name: &str, color: [u8; 3], code: Option<Code>) -> SegmentInfo {
    SegmentInfo {
        name: name.to_owned(),
        side: code.as_ref().map(|_| Side::Right),
        code,
        color,
        visible: true,
        opacity: 0.25,
        outline: maquette::domain::segmentation::USUAL_OUTLINE,
        locked: false,
        state: SegmentState::default(),
        made_by: vec!["Threshold 300...3071 HU".to_owned()],
    }
}

fn aorta() -> Code {
    Code { scheme: "SCT".to_owned(), value: "15825003".to_owned(), meaning: "Aorta".to_owned() }
}

/// Two segments; the second has slices without a voxel between those with some.
fn segments() -> Vec<(SegmentInfo, Mask)> {
    vec![
        (segment("Aorta", [224, 97, 76], Some(aorta())), Mask::from_fn(DIMS, |i, j, _| i < 5 && (i + j) % 3 != 0)),
        (segment("Knochen \u{e4}", [1, 2, 253], None), Mask::from_fn(DIMS, |i, j, k| i > 6 && j > 1 && k % 3 == 1)),
    ]
}

fn write(path: &Path, grid: &Grid, segments: &[(SegmentInfo, Mask)], source: &SourceImages, kind: SegKind) -> String {
    let segments: Vec<(&SegmentInfo, &Mask)> = segments.iter().map(|(info, mask)| (info, mask)).collect();
    match dicom_seg::write(path, grid, &segments, source, kind, &Progress::new()) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_kind_comes_back_in_every_geometry() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.dcm");
    let oblique = affine(DVec3::new(0.8, 0.6, 0.0), DVec3::new(-0.36, 0.48, -0.8), 0.0);
    let tilted = affine(DVec3::X, DVec3::Y, 0.8);
    let left_handed = axial() * DAffine3::from_scale(DVec3::new(1.0, 1.0, -1.0));
    for place in [axial(), oblique, tilted, left_handed] {
        let grid = Grid::new(DIMS, place).expect("valid");
        for kind in [SegKind::Binary, SegKind::Fractional, SegKind::LabelMap] {
            assert_eq!(write(&path, &grid, &segments(), &SourceImages::default(), kind), "");
            let read = read_segments(&path, &Progress::new()).expect("readable");
            let found = read.on_grid(&grid).expect("the same place");
            assert_eq!(found.len(), 2);
            for ((before, mask), (after, found)) in segments().iter().zip(&found) {
                assert_eq!((&after.name, &after.code, after.color), (&before.name, &before.code, before.color));
                assert_eq!(after.side, before.side, "left and right");
                assert_eq!(found, mask, "{kind:?} {}", before.name);
            }
            let says_soft = read.report.lines.iter().any(|line| line.text.contains("soft borders"));
            assert_eq!(says_soft, kind == SegKind::Fractional);
        }
    }
}

#[test]
fn overlaps_stay_where_there_is_room_and_are_refused_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.dcm");
    let grid = Grid::new(DIMS, axial()).expect("valid");
    let mut all = segments();
    all.push((segment("Over", [9, 9, 9], None), Mask::from_fn(DIMS, |i, _, _| i == 4)));
    assert_eq!(write(&path, &grid, &all, &SourceImages::default(), SegKind::Binary), "");
    let read = read_segments(&path, &Progress::new()).expect("readable");
    let found = read.on_grid(&grid).expect("the same place");
    assert!(found.iter().zip(&all).all(|(a, b)| a.1 == b.1));
    let before = std::fs::read(&path).expect("there");
    let said = write(&path, &grid, &all, &SourceImages::default(), SegKind::LabelMap);
    assert!(said.contains("Aorta and Over overlap"), "{said}");
    assert_eq!(std::fs::read(&path).expect("there"), before, "the older file is as it was");
    let nothing = vec![(segment("Nothing", [0; 3], None), Mask::empty(DIMS))];
    assert!(write(&path, &grid, &nothing, &SourceImages::default(), SegKind::Binary).contains("no voxels"));
    let skewed = axial() * DAffine3::from_mat3(glam::DMat3::from_cols(DVec3::X, DVec3::new(0.3, 1.0, 0.0), DVec3::Z));
    let skewed = Grid::new(DIMS, skewed).expect("valid");
    let said = write(&path, &skewed, &segments(), &SourceImages::default(), SegKind::Binary);
    assert!(said.contains("right angles"), "{said}");
}

#[test]
fn a_segmentation_names_its_images_and_nobody() {
    let images = volume(axial());
    let (folder, files) = written(&images);
    let loaded = open(folder.path(), None, &Progress::new(), &|_| {}).expect("readable");
    let source = SourceImages::of(&loaded.info, &loaded.source.files, DIMS[2] as usize);
    assert_eq!(source.images.len(), files.len());
    let path = folder.path().join("seg.dcm");
    for is_clean in [false, true] {
        let source = if is_clean { source.deidentified() } else { source.clone() };
        assert_eq!(write(&path, images.grid(), &segments(), &source, SegKind::Binary), "");
        let read = dicom_seg::read(&path, &Progress::new()).expect("readable");
        let series = if is_clean { replaced_uid(&loaded.info.series_uid) } else { loaded.info.series_uid.clone() };
        assert_eq!(read.referenced_series_uid.as_ref(), Some(&series));
        let bytes = std::fs::read(&path).expect("there");
        let names_the_patient = bytes.windows(4).any(|part| part == b"TEST");
        assert_eq!(names_the_patient, !is_clean);
    }
    // A folder with images and their segmentation opens as the images.
    let found = scan(folder.path(), &Progress::new()).expect("a scan");
    assert_eq!(
        found.entries.iter().map(|entry| entry.kind).collect::<Vec<_>>(),
        [SeriesKind::Dicom, SeriesKind::Segmentation]
    );
    assert!(found.entries[0].is_loadable() && !found.entries[1].is_loadable());
}

#[test]
fn damaged_segmentations_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.dcm");
    let grid = Grid::new(DIMS, axial()).expect("valid");
    type Damage = fn(&mut InMemDicomObject);
    let table: [(&str, Damage); 8] = [
        ("does not say how large", |object| {
            object.remove_element(tags::ROWS);
        }),
        ("describes only", |object| drop(object.put_str(tags::NUMBER_OF_FRAMES, VR::IS, "4000"))),
        ("not possible", |object| drop(object.put_str(tags::NUMBER_OF_FRAMES, VR::IS, "2000000000"))),
        ("where its frames lie", |object| {
            object.remove_element(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
        }),
        ("how its frames lie", |object| {
            object.remove_element(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
        }),
        ("has no pixels", |object| {
            object.remove_element(tags::PIXEL_DATA);
        }),
        ("of type \"\"", |object| {
            object.remove_element(tags::SEGMENTATION_TYPE);
        }),
        ("is not a DICOM segmentation", |object| {
            drop(object.put_str(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.2"));
        }),
    ];
    for (words, damage) in table {
        assert_eq!(write(&path, &grid, &segments(), &SourceImages::default(), SegKind::Binary), "");
        edit(&path, damage);
        let error = dicom_seg::read(&path, &Progress::new()).expect_err(words).to_string();
        let is_said = error.contains(words) || (words.starts_with("where") && error.contains("describes only"));
        assert!(is_said && error.contains("a.dcm"), "{error:?} does not say {words:?}");
    }
    assert_eq!(write(&path, &grid, &segments(), &SourceImages::default(), SegKind::Binary), "");
    let whole = std::fs::read(&path).expect("there");
    for end in (0..whole.len()).step_by(97) {
        std::fs::write(&path, &whole[..end]).expect("written");
        assert!(dicom_seg::read(&path, &Progress::new()).is_err(), "cut at {end}");
    }
}
