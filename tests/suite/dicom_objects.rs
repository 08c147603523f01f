//! Contours and models in DICOM: what we write comes back, and damaged ones are refused.

use std::path::Path;

use dicom_core::VR;
use dicom_dictionary_std::tags;
use glam::{DAffine3, DVec3};
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::mesh::TriangleMesh;
use maquette::domain::segmentation::{SegmentInfo, SegmentState};
use maquette::io::dicom_model::{self, ModelKind};
use maquette::io::dicom_seg::SourceImages;
use maquette::io::rtstruct;
use maquette::ops::convert::{DicomContent, dicom_content, read_mesh, write_mesh};
use maquette::task::Progress;

use crate::support::series::{DIMS, affine, axial, edit};

fn segment(name: &str, color: [u8; 3]) -> SegmentInfo {
    SegmentInfo {
        name: name.to_owned(),
        code: None,
        side: None,
        color,
        visible: true,
        opacity: 0.25,
        outline: maquette::domain::segmentation::USUAL_OUTLINE,
        locked: false,
        state: SegmentState::default(),
        made_by: Vec::new(),
    }
}

#[test]
fn contours_give_back_the_very_voxels() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.dcm");
    let segments = [
        (segment("Ring", [224, 97, 76]), Mask::from_fn(DIMS, |i, j, k| k > 0 && i < 7 && !(i == 3 && j == 3))),
        (segment("Dust \u{e4}", [1, 2, 3]), Mask::from_fn(DIMS, |i, j, k| (i * 5 + j * 3 + k * 7) % 4 == 0)),
    ];
    let named: Vec<(&SegmentInfo, &Mask)> = segments.iter().map(|(info, mask)| (info, mask)).collect();
    let oblique = affine(DVec3::new(0.8, 0.6, 0.0), DVec3::new(-0.36, 0.48, -0.8), 0.0);
    let tilted = affine(DVec3::X, DVec3::Y, 0.8);
    let left_handed = axial() * DAffine3::from_scale(DVec3::new(1.0, 1.0, -1.0));
    for place in [axial(), oblique, tilted, left_handed] {
        let grid = Grid::new(DIMS, place).expect("valid");
        rtstruct::write(&path, &grid, &named, &SourceImages::default(), &Progress::new()).expect("written");
        let found = rtstruct::read(&path, &grid, &Progress::new()).expect("readable");
        assert_eq!(dicom_content(&path), Some(DicomContent::Contours));
        for ((before, mask), (after, found)) in segments.iter().zip(&found.segments) {
            assert_eq!((&after.name, after.color), (&before.name, before.color));
            assert_eq!(found, mask, "{}", before.name);
        }
        let elsewhere = Grid::new(DIMS, DAffine3::from_translation(DVec3::splat(900.0)) * place).expect("valid");
        let error = rtstruct::read(&path, &elsewhere, &Progress::new()).expect_err("refused").to_string();
        assert!(error.contains("do not belong together"), "{error}");
    }
}

fn tetrahedron() -> TriangleMesh {
    TriangleMesh {
        positions_in_patient: vec![
            [-31.5, 12.25, 407.0],
            [-20.0, 12.25, 407.0],
            [-31.5, 30.0, 407.0],
            [-31.5, 12.25, 420.5],
        ],
        normals: Vec::new(),
        triangles: vec![[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]],
    }
}

fn same(mesh: &TriangleMesh, path: &Path) {
    let expected = tetrahedron();
    assert!((mesh.volume_mm3() - expected.volume_mm3()).abs() < 1e-3, "{}", path.display());
    assert_eq!(mesh.bounds_in_patient(), expected.bounds_in_patient(), "{}", path.display());
}

#[test]
fn models_come_back_in_their_place() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a.stl", "a.obj", "a.dcm"] {
        let path = folder.path().join(name);
        write_mesh(&path, &tetrahedron(), "Model", &SourceImages::default()).expect("written");
        same(&read_mesh(&path).expect("readable").0, &path);
    }
    let path = folder.path().join("obj.dcm");
    dicom_model::write(&path, &tetrahedron(), "A model", &SourceImages::default(), ModelKind::Obj).expect("written");
    let model = dicom_model::read(&path).expect("readable");
    same(&model.mesh, &path);
    assert_eq!((model.name.as_str(), dicom_content(&path)), ("A model", Some(DicomContent::Model)));
    // Units are heeded, and the lack of any is said.
    edit(&path, |object| {
        object.remove_element(tags::MEASUREMENT_UNITS_CODE_SEQUENCE);
    });
    let model = dicom_model::read(&path).expect("readable");
    assert!(model.report.lines.iter().any(|line| line.text.contains("taken as mm")));
    edit(&path, |object| {
        maquette::io::dicom::elements::put_code(object, tags::MEASUREMENT_UNITS_CODE_SEQUENCE, ["UCUM", "cm", "cm"]);
    });
    let scaled = dicom_model::read(&path).expect("readable").mesh.volume_mm3();
    assert!((scaled / tetrahedron().volume_mm3() - 1000.0).abs() < 1e-2, "{scaled}");
    edit(&path, |object| drop(object.put_str(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.2")));
    assert!(dicom_model::read(&path).expect_err("refused").to_string().contains("holds no model"));
    assert!(write_mesh(&folder.path().join("a.xyz"), &tetrahedron(), "", &SourceImages::default()).is_err());
}
