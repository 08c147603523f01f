//! NIfTI, NRRD and segmentations: same place, same values, both ways.

use std::io::Write as _;
use std::path::Path;

use glam::{DAffine3, DVec3};
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::segmentation::{Code, SegmentInfo, SegmentState, Side};
use maquette::domain::series_info::SeriesInfo;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::io::nrrd::{read_segmentation, write_segmentation, write_volume};
use maquette::io::volume_file::VolumeFormat;
use maquette::ops::convert::{
    NiftiVersion, SegmentOptions, Target, read_segments, write_segments as write_any_segments,
    write_volume as write_any,
};
use maquette::ops::open::{LoadedVolume, SeriesKind, open, scan};
use maquette::task::Progress;

use crate::support::nifti::nifti_1;
use crate::support::real_ct::real_ct;
use crate::support::series::{DIMS, affine, axial, volume};

fn read(path: &Path) -> LoadedVolume {
    open(path, None, &Progress::new(), &|_| {}).unwrap_or_else(|error| panic!("{error}"))
}

fn oblique() -> DAffine3 {
    affine(DVec3::new(0.8, 0.6, 0.0), DVec3::new(-0.36, 0.48, -0.8), 0.3)
}

#[test]
fn nrrd_volumes_come_back_as_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.nrrd");
    let before = volume(oblique());
    write_volume(&path, &before, &Progress::new()).expect("written");
    let after = read(&path);
    assert!(after.volume.grid().same_space(before.grid()));
    assert_eq!(after.volume.value_range(), before.value_range());
    for n in [(0, 0, 0), (3, 2, 1), (10, 7, 5)] {
        assert_eq!(after.volume.value(n.0, n.1, n.2), before.value(n.0, n.1, n.2));
    }
    // A rescale that is no whole shift is kept beside the samples.
    let rescale = Rescale { slope: 0.25, intercept: 0.125 };
    let before = Volume::new(*before.grid(), before.samples().to_vec(), rescale, Quantity::Arbitrary);
    write_volume(&path, &before, &Progress::new()).expect("written");
    let after = read(&path).volume;
    assert_eq!((after.samples(), after.rescale()), (before.samples(), rescale));
}

/// NRRD text headers for 2 x 3 x 4 voxels with values 0 to 23 along a line.
fn nrrd(fields: &str, samples: &[u8]) -> Vec<u8> {
    let mut bytes = format!("NRRD0004\ndimension: 3\nsizes: 2 3 4\n{fields}\n\n").into_bytes();
    bytes.extend_from_slice(samples);
    bytes
}

#[test]
fn nrrd_spaces_types_and_encodings_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = "space directions: (2,0,0) (0,3,0) (0,0,4)\nspace origin: (10,20,30)\n";
    let bytes: Vec<u8> = (0..24).collect();
    let floats: Vec<u8> = (0..24).flat_map(|n| (n as f32 * 0.1).to_be_bytes()).collect();
    let shorts: Vec<u8> = (0..24_u16).flat_map(|n| (n + 60000).to_le_bytes()).collect();
    let text = (0..24).map(|n| n.to_string()).collect::<Vec<_>>().join(" \n");
    let cases: [(&str, String, &[u8], DVec3, f64); 6] = [
        ("lps", format!("type: uchar\nencoding: raw\nspace: LPS\n{place}"), &bytes, DVec3::ONE, 23.0),
        ("ras", format!("type: uchar\nencoding: raw\nspace: RAS\n{place}"), &bytes, DVec3::new(-1.0, -1.0, 1.0), 23.0),
        (
            "las",
            format!("type: uint8\nencoding: raw\nspace: left-anterior-superior\n{place}"),
            &bytes,
            DVec3::new(1.0, -1.0, 1.0),
            23.0,
        ),
        (
            "big endian float",
            format!("type: float\nendian: big\nencoding: raw\nspace: LPS\n{place}"),
            &floats,
            DVec3::ONE,
            2.3,
        ),
        (
            "unsigned short",
            format!("type: ushort\nendian: little\nencoding: raw\nspace: LPS\n{place}"),
            &shorts,
            DVec3::ONE,
            60023.0,
        ),
        ("text", format!("type: int\nencoding: text\nspace: LPS\n{place}"), text.as_bytes(), DVec3::ONE, 23.0),
    ];
    for (name, fields, samples, signs, highest) in cases {
        let path = folder.path().join("a.nrrd");
        std::fs::write(&path, nrrd(fields.trim_end(), samples)).expect("written");
        let loaded = read(&path);
        let grid = loaded.volume.grid();
        assert_eq!(grid.dims(), [2, 3, 4], "{name}");
        assert_eq!(grid.patient_from_voxel().translation, DVec3::new(10.0, 20.0, 30.0) * signs, "{name}");
        let far = grid.patient_from_voxel().transform_point3(DVec3::new(1.0, 2.0, 3.0));
        assert_eq!(far, DVec3::new(12.0, 26.0, 42.0) * signs, "{name}");
        assert!((loaded.volume.value(1, 2, 3) - highest).abs() < 1e-4, "{name}: {}", loaded.volume.value(1, 2, 3));
        assert_eq!(loaded.volume.quantity(), Quantity::Arbitrary, "{name}");
    }
}

#[test]
fn a_detached_header_finds_its_samples() {
    let folder = tempfile::tempdir().expect("a folder");
    let fields = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 3 4\nencoding: gzip\ndata file: samples.raw.gz\n";
    std::fs::write(folder.path().join("a.nhdr"), fields).expect("written");
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&(0..24).collect::<Vec<u8>>()).expect("packed");
    std::fs::write(folder.path().join("samples.raw.gz"), packer.finish().expect("packed")).expect("written");
    let loaded = read(folder.path());
    assert_eq!(loaded.volume.value_range(), (0.0, 23.0));
    let says = loaded.report.lines.iter().any(|line| line.text.contains("does not say which side"));
    assert!(says, "a file without a space is read with a warning: {:?}", loaded.report);
    assert_eq!(loaded.source.files.len(), 2);
}

#[test]
fn nifti_turns_from_ras_to_lps() {
    let folder = tempfile::tempdir().expect("a folder");
    // RAS: i to the right, j to the front, k up; so in LPS i runs to -x and j to -y.
    let srow = [[2.0, 0.0, 0.0, 10.0], [0.0, 3.0, 0.0, 20.0], [0.0, 0.0, 4.0, 30.0]];
    let samples: Vec<u8> = (0..24_i16).flat_map(i16::to_le_bytes).collect();
    for name in ["a.nii", "a.nii.gz"] {
        let path = folder.path().join(name);
        let bytes = nifti_1([2, 3, 4], 4, srow, &samples);
        if name.ends_with("gz") {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(&bytes).expect("packed");
            std::fs::write(&path, packer.finish().expect("packed")).expect("written");
        } else {
            std::fs::write(&path, bytes).expect("written");
        }
        let loaded = read(&path);
        let affine = loaded.volume.grid().patient_from_voxel();
        assert_eq!(affine.translation, DVec3::new(-10.0, -20.0, 30.0), "{name}");
        let far = affine.transform_point3(DVec3::new(1.0, 2.0, 3.0));
        assert_eq!(far, DVec3::new(-12.0, -26.0, 42.0), "{name}");
        assert_eq!(loaded.volume.value(1, 2, 3), 23.0, "{name}");
        assert!(loaded.report.is_empty(), "{name}: {:?}", loaded.report);
    }
}

#[test]
fn a_nifti_without_orientation_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.nii");
    let mut bytes = nifti_1([2, 3, 4], 2, [[0.0; 4]; 3], &[7; 24]);
    bytes[254..256].fill(0);
    std::fs::write(&path, bytes).expect("written");
    let loaded = read(&path);
    assert!(loaded.report.lines.iter().any(|line| line.text.contains("left and right may be exchanged")));
}

#[test]
fn floats_are_requantised_once_and_the_error_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.nii");
    let srow = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];
    let values: Vec<f32> = (0..24).map(|n| (n as f32).sin() * 7.0).collect();
    let samples: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(&path, nifti_1([2, 3, 4], 16, srow, &samples)).expect("written");
    let loaded = read(&path);
    let step = 14.0 / 65535.0;
    for (sample, value) in loaded.volume.samples().iter().zip(&values) {
        let found = loaded.volume.rescale().value(f64::from(*sample));
        assert!((found - f64::from(*value)).abs() <= step / 2.0 + 1e-9, "{found} is not {value}");
    }
    assert!(loaded.report.lines.iter().any(|line| line.text.contains("16 bits")), "{:?}", loaded.report);
}

fn info(name: &str, color: [u8; 3], state: SegmentState, code: Option<Code>) -> SegmentInfo {
    SegmentInfo {
        name: name.to_owned(),
        side: code.as_ref().map(|_| Side::Left),
        code,
        color,
        visible: true,
        opacity: 0.25,
        outline: maquette::domain::segmentation::USUAL_OUTLINE,
        locked: false,
        state,
        made_by: Vec::new(),
    }
}

#[test]
fn segmentations_come_back_with_names_colours_codes_and_overlaps() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.seg.nrrd");
    let grid = Grid::new(DIMS, oblique()).expect("valid");
    let kidney = Code { scheme: "SCT".to_owned(), value: "64033007".to_owned(), meaning: "Kidney".to_owned() };
    let written = [
        (info("Kidney", [185, 102, 83], SegmentState::Done, Some(kidney)), Mask::from_fn(DIMS, |i, _, _| i < 6)),
        (
            info("Tumour in it: a\\b", [255, 0, 1], SegmentState::InWork, None),
            Mask::from_fn(DIMS, |i, j, _| i < 3 && j > 2),
        ),
        (info("Stone", [1, 2, 3], SegmentState::ToDo, None), Mask::from_fn(DIMS, |i, _, k| i > 8 && k == 5)),
        (info("Nothing", [9, 9, 9], SegmentState::ToDo, None), Mask::empty(DIMS)),
    ];
    let segments: Vec<(&SegmentInfo, &Mask)> = written.iter().map(|(info, mask)| (info, mask)).collect();
    write_segmentation(&path, &grid, &segments).expect("written");
    let found = read_segmentation(&path, &Progress::new()).expect("readable");
    assert!(found.grid.same_space(&grid));
    assert!(found.report.is_empty(), "{:?}", found.report);
    assert_eq!(found.segments.len(), written.len());
    for ((before, mask), (after, found_mask)) in written.iter().zip(&found.segments) {
        assert_eq!(
            (&before.name, before.color, before.state, &before.code),
            (&after.name, after.color, after.state, &after.code)
        );
        assert_eq!(mask, found_mask, "{}", before.name);
    }
    let scan = scan(&path, &Progress::new()).expect("a scan");
    assert_eq!(scan.entries[0].kind, SeriesKind::Segmentation);
    assert!(!scan.entries[0].is_loadable());
}

#[test]
fn masks_move_to_a_grid_of_the_same_place_and_not_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.seg.nrrd");
    let grid = Grid::new(DIMS, oblique()).expect("valid");
    let mask = Mask::from_fn(DIMS, |i, j, k| (i + 2 * j + 3 * k) % 5 == 0);
    write_segmentation(&path, &grid, &[(&info("A", [1, 2, 3], SegmentState::ToDo, None), &mask)]).expect("written");
    let found = read_segmentation(&path, &Progress::new()).expect("readable");
    // The same voxels counted from the other end of i and k.
    let last = DVec3::new(f64::from(DIMS[0] - 1), 0.0, f64::from(DIMS[2] - 1));
    let turned = oblique() * DAffine3::from_translation(last) * DAffine3::from_scale(DVec3::new(-1.0, 1.0, -1.0));
    let moved = found.on_grid(&Grid::new(DIMS, turned).expect("valid")).expect("the same place");
    let expected = Mask::from_fn(DIMS, |i, j, k| mask.contains(DIMS[0] - 1 - i, j, DIMS[2] - 1 - k));
    assert_eq!(moved[0].1, expected);
    let elsewhere = DAffine3::from_translation(DVec3::splat(1000.0)) * oblique();
    let error = found.on_grid(&Grid::new(DIMS, elsewhere).expect("valid")).expect_err("refused");
    assert!(error.to_string().contains("elsewhere"), "{error}");
}

#[test]
fn masks_of_others_lie_where_their_readers_say() {
    let facts = [("skull-ct", "bone-mask.nrrd", 475_759, 791.54), ("lung-ct", "tumour-mask.nrrd", 24_644, 7.60)];
    for (folder, file, voxels, mean_hu) in facts {
        let Some(folder) = real_ct(folder) else { continue };
        let images = read(&folder.join("dicom"));
        let found = read_segmentation(&folder.join(file), &Progress::new()).expect("readable");
        let segments = found.on_grid(images.volume.grid()).expect("the same place");
        assert_eq!(segments.len(), 1, "{file}");
        let mask = &segments[0].1;
        assert_eq!(mask.voxel_count(), voxels, "{file}");
        let [ni, nj, nk] = mask.dims();
        let mut sum = 0.0;
        for (j, k) in (0..nk).flat_map(|k| (0..nj).map(move |j| (j, k))) {
            sum += (0..ni).filter(|&i| mask.contains(i, j, k)).map(|i| images.volume.value(i, j, k)).sum::<f64>();
        }
        let mean = sum / voxels as f64;
        assert!((mean - mean_hu).abs() < 0.005, "{file}: mean {mean}");
    }
}

/// Each format that holds volumes, one file each.
const FILES: [&str; 7] = ["a.nii", "a.nii.gz", "b.nii.gz", "a.nrrd", "b.nhdr", "a.mha", "b.mhd"];

fn version_of(file: &str) -> NiftiVersion {
    if file.starts_with('b') { NiftiVersion::Two } else { NiftiVersion::One }
}

#[test]
fn every_format_brings_volumes_back_as_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let turned = DAffine3::from_scale(DVec3::new(1.0, -1.0, 1.0)) * oblique();
    let rescales = [
        (Rescale { slope: 1.0, intercept: -24.0 }, Quantity::Hounsfield),
        (Rescale { slope: 1.0, intercept: 32000.0 }, Quantity::Arbitrary),
        (Rescale { slope: 0.3, intercept: 0.125 }, Quantity::Arbitrary),
    ];
    for (n, (place, file)) in [axial(), oblique(), turned].into_iter().flat_map(|a| FILES.map(|f| (a, f))).enumerate() {
        let (rescale, quantity) = rescales[n % rescales.len()];
        let before = volume(place);
        let before = Volume::new(*before.grid(), before.samples().to_vec(), rescale, quantity);
        let path = folder.path().join(file);
        let target = Target::of(&path).expect("known");
        let info = SeriesInfo::default();
        let written = write_any(&path, target, version_of(file), &before, &info, &Progress::new()).expect("written");
        assert!(written.files.iter().all(|file| file.is_file()), "{:?}", written.files);
        let after = read(&path).volume;
        assert!(after.grid().same_space(before.grid()), "{file}: {:?}", after.grid());
        for (a, b) in after.samples().iter().zip(before.samples()) {
            let (a, b) = (after.rescale().value(f64::from(*a)), rescale.value(f64::from(*b)));
            assert!((a - b).abs() < 1e-3, "{file} {rescale:?}: {a} was {b}");
        }
    }
}

#[test]
fn every_format_brings_label_maps_back_and_refuses_what_it_cannot_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let grid = Grid::new(DIMS, oblique()).expect("valid");
    let written = vec![
        (info("Left & <right>", [1, 2, 253], SegmentState::ToDo, None), Mask::from_fn(DIMS, |i, _, _| i < 6)),
        (
            info("Knochen \u{e4}", [255, 128, 0], SegmentState::ToDo, None),
            Mask::from_fn(DIMS, |i, j, _| i > 7 && j > 2),
        ),
    ];
    let mut overlapping = written.clone();
    overlapping.push((info("Third", [0; 3], SegmentState::ToDo, None), Mask::from_fn(DIMS, |i, _, _| i == 8)));
    for file in FILES {
        let path = folder.path().join(format!("labels-{file}"));
        let target = Target::of(&path).expect("known");
        let progress = Progress::new();
        let options = SegmentOptions { version: version_of(file), ..SegmentOptions::default() };
        write_any_segments(&path, target, &options, &grid, &written, &progress).expect("written");
        let found = read_segments(&path, &progress).expect("readable");
        assert!(found.grid.same_space(&grid), "{file}");
        assert!(found.report.is_empty(), "{file}: {:?}", found.report);
        let same = |((a, m), (b, n)): (&(SegmentInfo, Mask), &(SegmentInfo, Mask))| {
            (&a.name, a.color, m) == (&b.name, b.color, n)
        };
        assert!(found.segments.len() == 2 && found.segments.iter().zip(&written).all(same), "{file}");
        let result = write_any_segments(&path, target, &options, &grid, &overlapping, &progress);
        match result {
            Ok(_) => assert!(target == Target::Research(VolumeFormat::Nrrd), "{file} has no layers"),
            Err(error) => assert!(error.to_string().contains("Knochen \u{e4} and Third overlap"), "{file}: {error}"),
        }
    }
}
