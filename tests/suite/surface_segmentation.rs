//! Surface Segmentation: surfaces become named, coloured models of the case in their place; what lies is refused in words.

use std::io::Write;
use std::path::Path;

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use maquette::cli::{convert, info, scan as scan_cli};
use maquette::domain::mesh::TriangleMesh;
use maquette::domain::series_info::SeriesInfo;
use maquette::ops::convert::read_mesh;
use maquette::ops::load_models::{load_models, model_kind, read_models};
use maquette::ops::load_segments::{Holds, what_holds};
use maquette::ops::open::{SeriesKind, scan};
use maquette::session::case::open_case;
use maquette::session::imported_model::{ImportedModel, NewModel};
use maquette::session::mesh_object::MeshStatus;
use maquette::task::Progress;

use super::session::session_with_segment;
use crate::support::series::rewrite_as;

/// Corners of a tetrahedron at different distances from the origin: mixed-up axes cannot pass.
const CORNERS: [f32; 12] = [-31.5, 12.25, 407.0, -20.0, 12.25, 407.0, -31.5, 30.0, 407.0, -31.5, 12.25, 420.5];
/// Its triangles, seen from outside, points counted from 1.
const FACES: [u32; 12] = [1, 3, 2, 1, 2, 4, 2, 3, 4, 3, 1, 4];
const VOLUME_MM3: f64 = 11.5 * 17.75 * 13.5 / 6.0;

fn sequence(object: &mut InMemDicomObject, tag: Tag, items: Vec<InMemDicomObject>) {
    object.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
}

fn item(fill: impl FnOnce(&mut InMemDicomObject)) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    fill(&mut item);
    item
}

fn long(tag: Tag, numbers: &[u32]) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::OL, PrimitiveValue::U32(numbers.into()))
}

/// A surface of these points with these primitives.
fn surface(number: u32, points: &[f32], primitives: InMemDicomObject) -> InMemDicomObject {
    item(|surface| {
        surface.put(DataElement::new(tags::SURFACE_NUMBER, VR::UL, PrimitiveValue::from(number)));
        surface.put_str(tags::FINITE_VOLUME, VR::CS, "YES");
        let lab = PrimitiveValue::U16([45_000, 40_000, 38_000].as_slice().into());
        surface.put(DataElement::new(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE, VR::US, lab));
        let points = item(|object| {
            let count = PrimitiveValue::from((points.len() / 3) as u32);
            object.put(DataElement::new(tags::NUMBER_OF_SURFACE_POINTS, VR::UL, count));
            let numbers = PrimitiveValue::F32(points.into());
            object.put(DataElement::new(tags::POINT_COORDINATES_DATA, VR::OF, numbers));
        });
        sequence(surface, tags::SURFACE_POINTS_SEQUENCE, vec![points]);
        sequence(surface, tags::SURFACE_MESH_PRIMITIVES_SEQUENCE, vec![primitives]);
    })
}

/// A file of surfaces, each the only one of a segment with this label.
fn write(path: &Path, surfaces: Vec<(&str, InMemDicomObject)>) {
    let mut object = InMemDicomObject::new_empty();
    object.put_str(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.66.5");
    object.put_str(tags::SOP_INSTANCE_UID, VR::UI, "2.25.77");
    object.put_str(tags::MODALITY, VR::CS, "SEG");
    object.put_str(tags::PATIENT_ID, VR::LO, "T1");
    object.put_str(tags::SERIES_INSTANCE_UID, VR::UI, "2.25.78");
    object.put_str(tags::FRAME_OF_REFERENCE_UID, VR::UI, "2.25.79");
    let segments = surfaces.iter().enumerate().map(|(n, (label, _))| {
        item(|segment| {
            segment.put(DataElement::new(tags::SEGMENT_NUMBER, VR::US, PrimitiveValue::from(n as u16 + 1)));
            segment.put_str(tags::SEGMENT_LABEL, VR::LO, *label);
            let reference = item(|object| {
                let number = PrimitiveValue::from(n as u32 + 1);
                object.put(DataElement::new(tags::REFERENCED_SURFACE_NUMBER, VR::UL, number));
            });
            sequence(segment, tags::REFERENCED_SURFACE_SEQUENCE, vec![reference]);
        })
    });
    let segments = segments.collect();
    sequence(&mut object, tags::SEGMENT_SEQUENCE, segments);
    sequence(&mut object, tags::SURFACE_SEQUENCE, surfaces.into_iter().map(|(_, surface)| surface).collect());
    let meta = FileMetaTableBuilder::new().transfer_syntax("1.2.840.10008.1.2.1");
    object.with_meta(meta).expect("complete").write_to_file(path).expect("written");
}

fn triangles(faces: &[u32]) -> InMemDicomObject {
    item(|object| {
        object.put(long(Tag(0x0066, 0x0041), faces));
    })
}

/// One primitive in a sequence of its kind.
fn primitives(kind: Tag, lists: &[&[u32]]) -> InMemDicomObject {
    let list = |numbers: &&[u32]| {
        item(|object| {
            object.put(long(Tag(0x0066, 0x0040), numbers));
        })
    };
    item(|object| sequence(object, kind, lists.iter().map(list).collect()))
}

/// Points counted from 0 by a writer that misread the standard.
#[test]
fn points_counted_from_nought_are_heeded_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.dcm");
    write(&path, vec![("Aorta", surface(1, &CORNERS, triangles(&FACES.map(|n| n - 1))))]);
    let loaded = read_models(&path, &Progress::new()).expect("readable");
    assert_tetrahedron(&loaded.models[0].mesh);
    assert!(loaded.report.lines[0].text.contains("counts its points from 0"), "{:?}", loaded.report);
}

fn assert_tetrahedron(mesh: &TriangleMesh) {
    assert!((mesh.volume_mm3() - VOLUME_MM3).abs() < 1e-3, "{}", mesh.volume_mm3());
    let (lower, upper) = mesh.bounds_in_patient().expect("points");
    assert_eq!((lower.to_array(), upper.to_array()), ([-31.5, 12.25, 407.0], [-20.0, 30.0, 420.5]));
    assert_eq!(mesh.normals.len(), mesh.positions_in_patient.len());
}

#[test]
fn every_kind_of_primitive_and_of_number_gives_the_same_surface() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.dcm");
    let short = item(|object| {
        let words = PrimitiveValue::U16(FACES.map(|n| n as u16).as_slice().into());
        object.put(DataElement::new(Tag(0x0066, 0x0023), VR::OW, words));
    });
    let strip = primitives(tags::TRIANGLE_STRIP_SEQUENCE, &[&[1, 3, 2, 4, 1, 3]]);
    let fan = primitives(tags::TRIANGLE_FAN_SEQUENCE, &[&[4, 1, 2, 3, 1], &[1, 3, 2]]);
    let facets = primitives(tags::FACET_SEQUENCE, &[&[1, 3, 2], &[1, 2, 4], &[2, 3, 4], &[3, 1, 4]]);
    let inside_out = triangles(&[2, 3, 1, 4, 2, 1, 4, 3, 2, 4, 1, 3]);
    let kinds = vec![
        ("long", triangles(&FACES)),
        ("short", short),
        ("strip", strip),
        ("fan", fan),
        ("facets", facets),
        ("inside out", inside_out),
    ];
    let surfaces =
        kinds.into_iter().enumerate().map(|(n, (label, what))| (label, surface(n as u32 + 1, &CORNERS, what)));
    write(&path, surfaces.collect());
    for syntax in ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"] {
        rewrite_as(&path, syntax);
        let loaded = read_models(&path, &Progress::new()).expect("readable");
        let names: Vec<&str> = loaded.models.iter().map(|model| model.name.as_str()).collect();
        assert_eq!(names, ["long", "short", "strip", "fan", "facets", "inside out"], "{syntax}");
        for model in &loaded.models {
            assert_tetrahedron(&model.mesh);
            assert!(model.color.is_some());
        }
        let texts: Vec<&str> = loaded.report.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["inside out was inside out and was turned"], "{syntax}");
    }
}

#[test]
fn surfaces_are_known_for_what_they_are_and_doubts_are_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.dcm");
    write(&path, vec![("Aorta", surface(1, &CORNERS, triangles(&FACES)))]);
    assert_eq!((model_kind(&path), what_holds(&path, &Progress::new())), (Some("Surface Segmentation"), Holds::Models));
    let found = scan(&path, &Progress::new()).expect("a scan");
    assert_eq!(found.entries[0].kind, SeriesKind::Model);
    let refusal = found.entries[0].refusal.clone().unwrap_or_default();
    assert!(refusal.contains("is a model (surface segmentation): open its images first"), "{refusal}");
    let info = SeriesInfo {
        patient_id: "T2".to_owned(),
        frame_of_reference_uid: "2.25.80".to_owned(),
        ..SeriesInfo::default()
    };
    let report = load_models(&path, &info, &Progress::new()).expect("readable").report;
    for words in ["the models name ANOTHER PATIENT", "another frame of reference"] {
        assert!(report.lines.iter().any(|line| line.text.contains(words)), "{words}: {report:?}");
    }
    let info = SeriesInfo {
        patient_id: "T1".to_owned(),
        frame_of_reference_uid: "2.25.79".to_owned(),
        ..SeriesInfo::default()
    };
    assert!(load_models(&path, &info, &Progress::new()).expect("readable").report.is_empty());
}

/// The arguments of one subcommand, by themselves.
#[derive(clap::Parser)]
struct Line<A: clap::Args> {
    #[command(flatten)]
    args: A,
}

/// What a subcommand prints for these words.
fn said<A: clap::Args>(run: fn(&A, &mut dyn Write) -> anyhow::Result<()>, words: &[&str]) -> String {
    let line: Line<A> = clap::Parser::try_parse_from(["maquette"].iter().chain(words)).expect("understood");
    let mut out = Vec::new();
    run(&line.args, &mut out).expect("done");
    String::from_utf8(out).expect("text")
}

#[test]
fn the_command_line_converts_and_describes_surfaces() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, out) = (folder.path().join("a.dcm"), folder.path().join("a.stl"));
    let moved: Vec<f32> = CORNERS.map(|part| part + 50.0).to_vec();
    write(
        &path,
        vec![("Aorta", surface(1, &CORNERS, triangles(&FACES))), ("Liver", surface(2, &moved, triangles(&FACES)))],
    );
    let (path, out_text) = (path.to_string_lossy(), out.to_string_lossy());
    let words = said(convert::run, &[&path, &out_text]);
    assert!(words.contains("2 surfaces were put into one model: Aorta, Liver"), "{words}");
    assert!(words.contains("8 triangles"), "{words}");
    let (mesh, _) = read_mesh(&out).expect("readable");
    assert!((mesh.volume_mm3() - 2.0 * VOLUME_MM3).abs() < 1e-2);
    let words = said(info::run, &[&path]);
    assert!(words.contains("Aorta") && words.contains("Liver") && words.contains("0.459"), "{words}");
    let words = said(scan_cli::run, &[&path, "--json"]);
    assert!(words.contains("\"kind\":\"model\""), "{words}");
}

#[test]
fn models_of_a_file_are_part_of_the_case_and_survive_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.dcm");
    write(&path, vec![("Aorta", surface(1, &CORNERS, triangles(&FACES)))]);
    let loaded = read_models(&path, &Progress::new()).expect("readable");
    let (mut session, id, _segment) = session_with_segment();
    let new = |name: &str| NewModel {
        name: name.to_owned(),
        color: loaded.models[0].color,
        model: ImportedModel::new(loaded.origin, loaded.models[0].mesh.clone()),
    };
    assert_eq!(session.add_models(id, vec![new("Aorta"), new("Aorta")]).expect("added"), 2);
    assert!(session.add_models(id, Vec::new()).is_err());
    session.finish_jobs();
    let names: Vec<&str> = session.document().meshes().iter().map(|mesh| mesh.name.as_str()).collect();
    assert_eq!(names, ["Aorta", "Aorta 1"]);
    for mesh in session.document().meshes() {
        assert_eq!(session.document().mesh_status(mesh), MeshStatus::UpToDate);
        assert_eq!(Some(mesh.color), loaded.models[0].color);
        assert_tetrahedron(&mesh.built.as_ref().expect("built").triangles);
    }
    session.undo().expect("one step back");
    assert!(session.document().meshes().is_empty(), "both came in one step");
    session.redo().expect("and again");
    let case = folder.path().join("a.maquette");
    session.save(&case, true).expect("saved");
    let opened = open_case(&case, None, &Progress::new()).expect("readable");
    assert!(opened.document.meshes()[0].same_recipe(&session.document().meshes()[0]), "the triangles are in the file");
}

#[test]
fn what_lies_is_refused_in_words_and_stops_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.dcm");
    let mut infinite = CORNERS;
    infinite[4] = f32::NAN;
    let announced = {
        let mut lies = surface(1, &CORNERS, triangles(&FACES));
        let points = item(|object| {
            object.put(DataElement::new(tags::NUMBER_OF_SURFACE_POINTS, VR::UL, PrimitiveValue::from(u32::MAX)));
            object.put(DataElement::new(
                tags::POINT_COORDINATES_DATA,
                VR::OF,
                PrimitiveValue::F32(CORNERS.as_slice().into()),
            ));
        });
        sequence(&mut lies, tags::SURFACE_POINTS_SEQUENCE, vec![points]);
        lies
    };
    let cases: Vec<(InMemDicomObject, &str)> = vec![
        (surface(1, &CORNERS, triangles(&[1, 2, 5])), "refers to point 5 of 4"),
        (surface(1, &CORNERS, triangles(&[0, 1, 4])), "refers to point 0 of 4"),
        (surface(1, &CORNERS, triangles(&[1, 2, u32::MAX])), "refers to point 4294967295 of 4"),
        (surface(1, &CORNERS, triangles(&[1, 2, 3, 4])), "ends inside a triangle"),
        (surface(1, &CORNERS, triangles(&[1, 1, 2])), "has no triangles"),
        (surface(1, &CORNERS[..11], triangles(&FACES)), "announces 3 points"),
        (surface(1, &infinite, triangles(&FACES)), "lies nowhere"),
        (surface(1, &CORNERS, primitives(tags::TRIANGLE_STRIP_SEQUENCE, &[&[1, 2]])), "has no triangles"),
        (announced, "announces 4294967295 points"),
        (item(|_| ()), "has no points"),
    ];
    for (bad, words) in cases {
        write(&path, vec![("Bad", bad.clone())]);
        let error = read_models(&path, &Progress::new()).expect_err("refused").to_string();
        assert!(error.contains(words), "{words}: {error}");
        write(&path, vec![("Bad", bad), ("Good", surface(2, &CORNERS, triangles(&FACES)))]);
        let loaded = read_models(&path, &Progress::new()).expect("the other one");
        assert_eq!(loaded.models.len(), 1);
        assert_tetrahedron(&loaded.models[0].mesh);
        assert!(loaded.report.lines.iter().any(|line| line.text.contains(words)), "{words}: {:?}", loaded.report);
    }
    // Cut anywhere, it is an error or what was left whole, never a panic.
    write(&path, vec![("Aorta", surface(1, &CORNERS, triangles(&FACES)))]);
    let whole = std::fs::read(&path).expect("bytes");
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).expect("written");
        drop(read_models(&path, &Progress::new()));
    }
    // Nor with any byte turned.
    for at in 132..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 0xff;
        std::fs::write(&path, &bent).expect("written");
        drop(read_models(&path, &Progress::new()));
    }
}

#[test]
fn a_file_that_says_its_space_is_turned_and_one_that_does_not_is_doubted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.obj");
    let text = |space: &str| format!("# made elsewhere{space}\nv 1 2 3\nv 2 2 3\nv 1 4 3\nf 1 2 3\n");
    for (space, corner, words) in [
        (", SPACE=RAS", [-1.0, -2.0, 3.0], "(RAS)"),
        (", SPACE=LPS", [1.0, 2.0, 3.0], ""),
        ("", [1.0, 2.0, 3.0], "check left and right"),
    ] {
        std::fs::write(&path, text(space)).expect("written");
        let loaded = read_models(&path, &Progress::new()).expect("readable");
        assert!(loaded.models[0].mesh.positions_in_patient.contains(&corner), "{space}");
        assert_eq!(loaded.report.lines.iter().any(|line| line.text.contains(words)), !words.is_empty(), "{space}");
    }
}
