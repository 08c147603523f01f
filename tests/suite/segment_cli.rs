//! `maquette segment` and the operations behind it, on made and on real CT.

use std::path::Path;

use maquette::cli::segment::{Args, run};
use maquette::domain::grid::Grid;
use maquette::domain::mask::components::{Components, Connectivity};
use maquette::domain::mask::threshold::{ValueRange, threshold};
use maquette::domain::mask::{Mask, MaskDelta};
use maquette::domain::measure::segment_statistics;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::io::nrrd::{read_segmentation, write_volume};
use maquette::ops::open::open;
use maquette::ops::segment::{self, Combination, SegmentError, Subject};
use maquette::task::Progress;

use super::segment_grids::voxels;
use crate::support::real_ct::real_ct;

fn args(path: &Path, range: &str, out: &Path) -> Args {
    Args {
        identified: false,
        path: path.to_owned(),
        threshold: range.parse().expect("a range"),
        open: None,
        largest: false,
        remove_smaller: None,
        close: None,
        fill_holes: false,
        grow: None,
        name: "Bone".to_owned(),
        out: out.to_owned(),
        series: None,
        choices: maquette::cli::import_choices::ImportChoices::default(),
        json: true,
    }
}

/// A hollow box of 1000 HU and a loose voxel beside it in air.
fn hollow_box() -> Volume {
    let grid =
        Grid::axis_aligned([40, 36, 30], glam::DVec3::new(0.8, 0.8, 1.5), glam::DVec3::ZERO).expect("valid grid");
    let samples = voxels(grid.dims()).map(|[i, j, k]| {
        let inside = |margin: u32| {
            (5 + margin..30 - margin).contains(&i)
                && (6 + margin..30 - margin).contains(&j)
                && (4 + margin..25 - margin).contains(&k)
        };
        if (inside(0) && !inside(3)) || [i, j, k] == [36, 33, 2] { 1000 } else { -1000 }
    });
    Volume::new(grid, samples.collect(), Rescale::IDENTITY, Quantity::Hounsfield)
}

#[test]
fn the_command_writes_what_the_steps_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, out) = (folder.path().join("box.nrrd"), folder.path().join("bone.seg.nrrd"));
    let volume = hollow_box();
    write_volume(&image, &volume, &Progress::new()).expect("written");
    let mut printed = Vec::new();
    let wanted = Args { largest: true, fill_holes: true, ..args(&image, "500..", &out) };
    run(&wanted, &mut printed).expect("segmented");
    let solid = Mask::from_fn(volume.grid().dims(), |i, j, k| {
        (5..30).contains(&i) && (6..30).contains(&j) && (4..25).contains(&k)
    });
    let file = read_segmentation(&out, &Progress::new()).expect("readable");
    assert!(file.grid.same_space(volume.grid()));
    assert_eq!(file.segments.len(), 1);
    assert_eq!((file.segments[0].0.name.as_str(), &file.segments[0].1), ("Bone", &solid));
    let said: serde_json::Value = serde_json::from_slice(&printed).expect("JSON");
    assert_eq!(said["voxels"], solid.voxel_count());
    let ml = solid.voxel_count() as f64 * 0.8 * 0.8 * 1.5 / 1000.0;
    assert!((said["volume_ml"].as_f64().expect("a number") - ml).abs() < 1e-9);
    assert_eq!(said["steps"], serde_json::json!(["Threshold 500...1000 HU", "Keep largest part", "Fill holes"]));
}

#[test]
fn what_cannot_be_done_leaves_no_file_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, out) = (folder.path().join("box.nrrd"), folder.path().join("bone.seg.nrrd"));
    write_volume(&image, &hollow_box(), &Progress::new()).expect("written");
    let refuse = |args: &Args| format!("{:#}", run(args, &mut Vec::new()).expect_err("refused"));
    for beyond in ["2000..3000", "2000..", "..-1005"] {
        assert!(refuse(&args(&image, beyond, &out)).contains("values run from -1000 to 1000"), "{beyond}");
    }
    let eaten = Args { grow: Some(-50.0), ..args(&image, "500..", &out) };
    assert!(refuse(&eaten).contains("nothing is left"));
    assert!(!out.exists());
    let nowhere = folder.path().join("no such folder").join("bone.seg.nrrd");
    assert!(refuse(&args(&image, "500..", &nowhere)).contains("no such folder"));
    assert!(!refuse(&args(&folder.path().join("missing"), "500..", &out)).is_empty());
}

#[test]
fn parts_are_picked_by_a_voxel() {
    let volume = hollow_box();
    let all = threshold(&volume, ValueRange::new(500.0, 2000.0), &Progress::new()).expect("not cancelled");
    let (subject, progress) = (Subject::new(&all, &volume), Progress::new());
    let after = |delta: Result<MaskDelta, SegmentError>| {
        let mut mask = all.clone();
        mask.apply(delta.expect("an edit"));
        mask
    };
    let faces = Connectivity::Faces;
    let without = after(segment::remove_part_at(&subject, [36, 33, 2], faces, &progress));
    assert_eq!(without.voxel_count(), all.voxel_count() - 1);
    assert_eq!(after(segment::keep_largest(&subject, faces, &progress)), without);
    assert_eq!(after(segment::keep_part_at(&subject, [5, 6, 4], faces, &progress)), without);
    let voxel_mm3 = volume.grid().voxel_volume_mm3();
    assert_eq!(after(segment::remove_small(&subject, 2.0 * voxel_mm3, faces, &progress)), without);
    assert_eq!(after(segment::remove_small(&subject, voxel_mm3, faces, &progress)), all, "just as large stays");
    let nothing = segment::remove_part_at(&subject, [0, 0, 0], faces, &progress);
    assert_eq!(nothing, Err(SegmentError::NothingThere));
    let inverted = after(Ok(segment::invert(&subject)));
    assert_eq!(inverted.voxel_count(), volume.grid().voxel_count() as u64 - all.voxel_count());
    let again = segment::threshold(&subject, ValueRange::new(500.0, 2000.0), Combination::Difference, &progress);
    assert!(after(again).is_empty());
}

#[test]
fn the_skull_is_the_one_that_others_segmented() {
    let (Some(images), Some(mask)) = (real_ct("skull-ct/dicom"), real_ct("skull-ct/bone-mask.nrrd")) else { return };
    let volume = open(&images, None, &Progress::new(), &|_| {}).expect("the skull").volume;
    let theirs = read_segmentation(&mask, &Progress::new()).expect("the mask").segments.swap_remove(0).1;
    // The README of the data: InVesalius's mask of 226 to 3071 HU, edited; mean by SimpleITK.
    let statistics = segment_statistics(&theirs, &volume);
    let values = statistics.samples.expect("voxels");
    assert_eq!((statistics.voxel_count, values.min), (475_759, 226.0));
    assert!((values.mean - 791.54).abs() < 0.005, "{}", values.mean);
    let bone = threshold(&volume, ValueRange::new(226.0, 3071.0), &Progress::new()).expect("not cancelled");
    assert_eq!(theirs, bone);
    // 126 parts, the largest of 432593 voxels: SimpleITK 2.5.7, ConnectedComponent.
    let parts = Components::of(&bone, Connectivity::Faces, &Progress::new()).expect("not cancelled");
    assert_eq!((parts.count(), parts.voxel_counts()[0]), (126, 432_593));
    let subject = Subject::new(&bone, &volume);
    let delta = segment::keep_largest(&subject, Connectivity::Faces, &Progress::new()).expect("an edit");
    let mut skull = bone.clone();
    skull.apply(delta);
    assert_eq!(skull.voxel_count(), 432_593);
}

#[test]
fn the_tumour_has_the_mean_that_others_found() {
    let (Some(images), Some(mask)) = (real_ct("lung-ct/dicom"), real_ct("lung-ct/tumour-mask.nrrd")) else { return };
    let volume = open(&images, None, &Progress::new(), &|_| {}).expect("the lung").volume;
    let tumour = read_segmentation(&mask, &Progress::new()).expect("the mask").segments.swap_remove(0).1;
    let statistics = segment_statistics(&tumour, &volume);
    assert_eq!(statistics.voxel_count, 24_644);
    assert!((statistics.samples.expect("voxels").mean - 7.60).abs() < 0.005);
}
