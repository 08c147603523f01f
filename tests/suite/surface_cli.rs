//! `maquette surface`, from images and from segments to STL.

use std::path::Path;

use glam::{DMat3, DVec3};
use maquette::cli::surface::{Args, run};
use maquette::domain::mask::Mask;
use maquette::domain::mesh::TriangleMesh;
use maquette::domain::mesh::space::MeshSpace;
use maquette::domain::mesh::topology::topology;
use maquette::domain::segmentation::{SegmentInfo, SegmentState};
use maquette::io::nrrd::{write_segmentation, write_volume};
use maquette::io::stl::read::read_stl;
use maquette::task::Progress;

use crate::support::real_ct::real_ct;
use crate::support::surfaces::{torus, volume_of};

fn args(path: &Path) -> Args {
    Args {
        path: path.to_owned(),
        iso: None,
        segment: None,
        smooth: 0,
        largest: false,
        backend: "cpu".to_owned(),
        out: None,
        space: "lps".to_owned(),
        series: None,
        choices: maquette::cli::import_choices::ImportChoices::default(),
        json: true,
    }
}

fn said(args: &Args) -> serde_json::Value {
    let mut printed = Vec::new();
    run(args, &mut printed).expect("extracted");
    serde_json::from_slice(&printed).expect("JSON")
}

fn stl(path: &Path) -> TriangleMesh {
    read_stl(&std::fs::read(path).expect("written"), MeshSpace::Lps).expect("readable").0
}

fn refusal(args: &Args) -> String {
    format!("{:#}", run(args, &mut Vec::new()).expect_err("refused"))
}

fn named(name: &str) -> SegmentInfo {
    SegmentInfo {
        name: name.to_owned(),
        code: None,
        side: None,
        color: [200, 100, 50],
        visible: true,
        opacity: 0.5,
        outline: maquette::domain::segmentation::USUAL_OUTLINE,
        locked: false,
        state: SegmentState::InWork,
        made_by: vec!["Made up".to_owned()],
    }
}

#[test]
fn an_iso_value_becomes_an_stl_with_its_description() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, out) = (folder.path().join("torus.nrrd"), folder.path().join("torus.stl"));
    let volume = volume_of([40, 40, 20], DMat3::from_diagonal(DVec3::new(0.8, 0.8, 1.2)), torus);
    write_volume(&image, &volume, &Progress::new()).expect("written");
    let found = said(&Args { iso: Some(0.0), smooth: 10, largest: true, out: Some(out.clone()), ..args(&image) });
    let mesh = stl(&out);
    let sound = topology(&mesh);
    assert!(sound.is_manifold(), "{}", sound.sentence());
    assert_eq!(sound.genus(), Some(1), "a torus has one handle");
    assert_eq!(found["triangles"], mesh.triangles.len());
    let exact_ml = 2.0 * std::f64::consts::PI.powi(2) * 11.0 * 25.0 * 0.8 * 0.8 * 1.2 / 1000.0;
    let ml = found["volume_ml"].as_f64().expect("a number");
    assert!((ml / exact_ml - 1.0).abs() < 0.02, "{ml} ml instead of {exact_ml}");
    assert!((mesh.volume_mm3() / 1000.0 - ml).abs() < 1e-3);
    assert!(found["smoothing"]["deviation"]["largest_mm"].as_f64().expect("a number") < 0.5);
    assert_eq!(found["steps"].as_array().expect("steps").len(), 3);
    let sidecar = found["written"]["files"][0]["sidecar"].as_str().expect("a path").to_owned();
    assert!(Path::new(&sidecar).exists());
}

#[test]
fn a_segment_is_chosen_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, out) = (folder.path().join("two.seg.nrrd"), folder.path().join("small.stl"));
    let volume = volume_of([20, 20, 20], DMat3::IDENTITY, |_| 0.0);
    let block = |size: u32| Mask::from_fn([20, 20, 20], move |i, j, k| i < size && j < size && k < size);
    let (large, small) = (block(10), block(4));
    write_segmentation(&file, volume.grid(), &[(&named("Large"), &large), (&named("Small"), &small)]).expect("written");
    let found = said(&Args { segment: Some("small".to_owned()), out: Some(out.clone()), ..args(&file) });
    assert_eq!(found["name"], "Small");
    assert_eq!(found["steps"], serde_json::json!(["Read from two", "Surface of segment Small"]));
    let (lower, upper) = stl(&out).bounds_in_patient().expect("triangles");
    assert!((upper - lower - glam::Vec3::splat(4.0)).abs().max_element() < 1e-4, "four voxels wide");
    let message = refusal(&args(&file));
    assert!(message.contains("Large, Small"), "{message}");
    assert!(refusal(&Args { iso: Some(3.0), ..args(&file) }).contains("segmentation"));
}

#[test]
fn what_has_no_surface_is_said_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, out) = (folder.path().join("torus.nrrd"), folder.path().join("torus.stl"));
    write_volume(&image, &volume_of([20, 20, 10], DMat3::IDENTITY, torus), &Progress::new()).expect("written");
    let message = refusal(&Args { iso: Some(1e6), out: Some(out.clone()), ..args(&image) });
    assert!(message.contains("no surface at 1000000") && message.contains("values run from"), "{message}");
    assert!(refusal(&args(&image)).contains("--iso"));
    assert!(refusal(&Args { segment: Some("Bone".to_owned()), ..args(&image) }).contains("no segments"));
    assert!(!refusal(&args(&folder.path().join("nothing"))).is_empty());
    let missing = folder.path().join("no/such/folder.stl");
    assert!(!refusal(&Args { iso: Some(0.0), out: Some(missing), ..args(&image) }).is_empty());
    assert!(!out.exists());
}

#[test]
fn the_skull_is_closed_and_manifold() {
    let Some(skull) = real_ct("skull-ct/dicom") else { return };
    let found = said(&Args { iso: Some(300.0), ..args(&skull) });
    assert_eq!(found["triangles"], 671_772, "as many as VTK finds on the padded volume at 300.5");
    for fault in ["open_edges", "crowded_edges", "twisted_edges", "pinched_vertices", "degenerate_triangles"] {
        assert_eq!(found["topology"][fault], 0, "{fault}");
    }
    let upper = found["bounds_in_patient"][1][2].as_f64().expect("a number");
    assert!(upper <= 107.5 * 1.5 + 1e-3, "inside the images");
}
