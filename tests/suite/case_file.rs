//! The case file: round trip, unknown parts, damage, old versions, hostile containers.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use maquette::domain::volume::Volume;
use maquette::io::dicom::write_series;
use maquette::ops::open;
use maquette::session::Session;
use maquette::session::case::{find_images, head_of, open_case, series_name};
use maquette::session::command::Command;
use maquette::session::mesh_object::{MeshSource, MeshStatus, MeshStep, SmoothMethod};
use maquette::session::refusal::Refusal;
use maquette::session::save::LastSave;
use maquette::task::Progress;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::session::{session_with_segment, threshold};

/// A session with a segment, a mesh that is out of date, one that is not, and a measurement.
fn full_session() -> Session {
    let (mut session, volume, segment) = session_with_segment();
    session.set_person("technologist", maquette::session::command::Role::Technologist);
    session.do_command(threshold(segment, 8.0, 21.0)).expect("done");
    let source = MeshSource::Segment { segment, revision: session.document().next_revision() };
    let smooth = MeshStep::Smooth { method: SmoothMethod::WindowedSinc, passes: 5, pass_band: 0.1 };
    for name in ["Old", "New"] {
        let steps = vec![smooth, MeshStep::LargestPart];
        session.do_command(Command::AddMesh { name: name.to_owned(), source: source.clone(), steps }).expect("done");
        session.finish_jobs();
        let upper = if name == "Old" { 25.0 } else { 25.5 };
        let _moved_or_same = session.do_command(threshold(segment, 8.0, upper));
    }
    let mesh = session.document().meshes()[1].id;
    if session.document().mesh_status(&session.document().meshes()[1]) != MeshStatus::UpToDate {
        session.do_command(Command::UpdateMesh { mesh }).expect("done");
        session.finish_jobs();
    }
    let ends_in_patient = [glam::DVec3::ZERO, glam::DVec3::new(3.0, 4.0, 0.0)];
    let shape = maquette::session::measurement::MeasurementShape::Distance { ends_in_patient };
    session.do_command(Command::AddMeasurement { volume, shape }).expect("done");
    session
}

fn parts(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(std::fs::File::open(path).expect("opened")).expect("a zip");
    let mut parts = BTreeMap::new();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).expect("a part");
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).expect("readable");
        parts.insert(part.name().to_owned(), bytes);
    }
    parts
}

fn write_parts(path: &Path, parts: &BTreeMap<String, Vec<u8>>) {
    let mut zip = ZipWriter::new(std::fs::File::create(path).expect("created"));
    for (name, bytes) in parts {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("a part");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("finished");
}

fn open_session(path: &Path) -> Session {
    let mut session = Session::new().expect("threads");
    let opened = open_case(path, None, &Progress::new()).expect("opens");
    session.take_case(opened, path.to_path_buf());
    session.finish_jobs();
    session
}

#[test]
fn a_case_comes_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("case.maquette");
    let mut session = full_session();
    session.save(&path, true).expect("saved");
    let reopened = open_session(&path);
    assert!(reopened.document().same_content(session.document()));
    assert_eq!(reopened.record(), session.record(), "who did what is kept");
    assert_eq!(reopened.view, session.view);
    assert_eq!(reopened.document().next_id(), session.document().next_id(), "numbers are never given out again");
    assert!(!reopened.is_dirty());
    let status = |n: usize| reopened.document().mesh_status(&reopened.document().meshes()[n]);
    assert_eq!((status(0), status(1)), (MeshStatus::OutOfDate, MeshStatus::UpToDate));
    for (mesh, before) in reopened.document().meshes().iter().zip(session.document().meshes()) {
        let (now, then) = (mesh.built.as_ref().expect("built"), before.built.as_ref().expect("built"));
        assert_eq!(now.triangles, then.triangles, "{}: kept or built again, the same triangles", mesh.name);
        assert_eq!(now.figures, then.figures);
    }
}

#[test]
fn what_another_version_put_in_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, again) = (folder.path().join("case.maquette"), folder.path().join("again.maquette"));
    full_session().save(&path, true).expect("saved");
    let mut changed = parts(&path);
    changed.insert("plans/aorta.json".to_owned(), b"{\"neck_mm\": 23.5}".to_vec());
    let mut manifest: serde_json::Value = serde_json::from_slice(&changed["manifest.json"]).expect("JSON");
    manifest["verification"] = serde_json::json!({ "signed_by": "R" });
    changed.insert("manifest.json".to_owned(), serde_json::to_vec(&manifest).expect("JSON"));
    write_parts(&path, &changed);
    let mut session = open_session(&path);
    session.do_command(Command::RenameCase { name: "Renamed".to_owned() }).expect("done");
    session.save(&again, true).expect("saved");
    let kept = parts(&again);
    assert_eq!(kept["plans/aorta.json"], changed["plans/aorta.json"]);
    let manifest: serde_json::Value = serde_json::from_slice(&kept["manifest.json"]).expect("JSON");
    assert_eq!((&manifest["verification"]["signed_by"], &manifest["name"]), (&"R".into(), &"Renamed".into()));
}

/// Opening must fail with this in the sentence.
fn refused(parts: &BTreeMap<String, Vec<u8>>, words: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("case.maquette");
    write_parts(&path, parts);
    let sentence = open_case(&path, None, &Progress::new()).expect_err("refused").to_string();
    assert!(sentence.contains(words) && sentence.contains("case.maquette"), "{words}: {sentence}");
}

#[test]
fn damaged_and_hostile_files_get_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("case.maquette");
    full_session().save(&path, true).expect("saved");
    let good = parts(&path);
    let manifest: serde_json::Value = serde_json::from_slice(&good["manifest.json"]).expect("JSON");
    let with = |alter: &dyn Fn(&mut serde_json::Value)| {
        let mut changed = good.clone();
        let mut manifest = manifest.clone();
        alter(&mut manifest);
        changed.insert("manifest.json".to_owned(), serde_json::to_vec(&manifest).expect("JSON"));
        changed
    };
    let mask = manifest["segments"][0]["mask"].as_str().expect("a name").to_owned();
    let samples = manifest["volumes"][0]["samples"].as_str().expect("a name").to_owned();
    let mut altered = good.clone();
    altered.get_mut(&mask).expect("a mask")[9] ^= 1;
    refused(&altered, "altered");
    let mut missing = good.clone();
    missing.remove(&mask);
    refused(&missing, "missing");
    let mut short = good.clone();
    short.get_mut(&samples).expect("samples").truncate(1000);
    refused(&short, "size of its grid");
    let mut outside = good.clone();
    outside.insert("../outside".to_owned(), b"x".to_vec());
    refused(&outside, "leads out");
    refused(&with(&|m| m["version"] = 2.into()), "newer version");
    refused(&with(&|m| m["version"] = 0.into()), "no version");
    refused(&with(&|m| m["format"] = "else".into()), "not a case file");
    refused(&with(&|m| m["volumes"][0]["grid"]["dims"] = serde_json::json!([40, 36, 33])), "size of its grid");
    refused(&with(&|m| m["volumes"][0]["grid"]["dims"] = serde_json::json!([0, 36, 34])), "makes no sense");
    refused(&with(&|m| m["volumes"][0]["grid"]["dims"] = serde_json::json!([32768, 32768, 60])), "size of its grid");
    refused(&with(&|m| m["volumes"][0]["rescale"]["slope"] = 0.0.into()), "rescale");
    refused(&with(&|m| m["segments"][0]["volume"] = 77.into()), "not named");
    refused(&with(&|m| m["segments"][0]["id"] = m["volumes"][0]["id"].clone()), "two objects");
    refused(&with(&|m| m["next_id"] = 1.into()), "not given out");
    refused(&BTreeMap::from([("manifest.json".to_owned(), b"{".to_vec())]), "manifest is damaged");
    refused(&BTreeMap::from([("else".to_owned(), Vec::new())]), "not a case file");
    let bytes = std::fs::read(&path).expect("readable");
    for end in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..end]).expect("written");
        let sentence = open_case(&path, None, &Progress::new()).expect_err("refused").to_string();
        assert!(sentence.contains("not a case file"), "cut at {end}: {sentence}");
    }
    assert!(open_case(folder.path(), None, &Progress::new()).is_err(), "a folder is no case");
}

#[test]
fn a_part_that_would_fill_the_memory_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("case.maquette");
    full_session().save(&path, true).expect("saved");
    let mut bomb = parts(&path);
    bomb.insert("bomb".to_owned(), vec![0; 129 << 20]);
    refused(&bomb, "larger than it can be");
}

#[test]
fn a_failed_save_keeps_the_old_file_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = full_session();
    let missing = folder.path().join("no/such/folder/case.maquette");
    session.start_save(&missing, true).expect("started");
    session.finish_jobs();
    assert!(session.is_dirty());
    let told = session.notices.all().last().expect("a notice").text.clone();
    assert!(told.contains("NOT saved"), "{told}");
    #[cfg(target_os = "linux")]
    assert!(session.save(Path::new("/dev/full"), true).is_err());
    let path = folder.path().join("case.maquette");
    session.start_save(&path, true).expect("started");
    session.finish_jobs();
    assert!(!session.is_dirty() && session.case_path() == Some(path.as_path()));
    assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1, "no rest is left");
}

#[test]
fn a_file_of_somebody_else_is_not_replaced_unasked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("other.maquette");
    std::fs::write(&path, b"another case").expect("written");
    let mut session = full_session();
    session.start_save_as(&path, true).expect("started");
    session.finish_jobs();
    assert_eq!(session.take_save_conflict(), Some(path.clone()));
    assert!(session.is_dirty() && *session.last_save() == LastSave::Never);
    assert_eq!(std::fs::read(&path).expect("readable"), b"another case");
    session.start_save(&path, true).expect("started");
    assert_eq!(*session.last_save(), LastSave::Never, "it has not ended");
    session.finish_jobs();
    assert!(matches!(session.last_save(), LastSave::Done(_)));
    session.start_save_as(&path, true).expect("its own file is replaced");
    session.finish_jobs();
    assert_eq!(session.take_save_conflict(), None);
    session.start_save(folder.path().join("no/folder/x.maquette"), true).expect("started");
    session.finish_jobs();
    assert!(matches!(session.last_save(), LastSave::Failed(_)));
}

#[test]
fn a_stroke_under_way_is_not_saved_half() {
    let (mut session, _, segment) = session_with_segment();
    session.begin_gesture(segment).expect("free");
    assert_eq!(session.start_save("never.maquette", true), Err(Refusal::InGesture));
}

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/case-v1.maquette")
}

/// Version 1 opens for ever. With `UPDATE_SNAPSHOTS=1` the file is written anew, which is right only while no release has it.
#[test]
fn version_1_opens_for_ever() {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        full_session().save(&golden(), true).expect("saved");
    }
    let session = open_session(&golden());
    let document = session.document();
    assert_eq!(document.name(), "Untitled case");
    assert_eq!(document.volumes()[0].head.info.patient_name, "DOE Jane");
    assert_eq!(document.volumes()[0].volume.value(33, 5, 6), 33.0);
    assert_eq!(document.segments()[0].segment.info.name, "Bone");
    assert_eq!(document.segments()[0].segment.mask.voxel_count(), 18 * 36 * 34);
    assert_eq!(document.meshes().len(), 2);
    assert!(document.meshes().iter().all(|mesh| mesh.built.is_some()));
    assert_eq!(document.mesh_status(&document.meshes()[0]), MeshStatus::OutOfDate);
    assert_eq!(document.measurements().len(), 1);
    assert_eq!(session.record().last().expect("a command").stamp.who, "technologist");
    assert!(!session.is_dirty());
}

/// A session on a DICOM series that lies in `folder`, with one segment.
fn session_on_files(folder: &Path, journal: &Path) -> Session {
    let (head, volume) = super::session::ramp();
    write_series(folder, &volume, &head.info, &Progress::new()).expect("written");
    let scan = open::scan(folder, &Progress::new()).expect("scanned");
    let loaded = open::load(&scan.entries[0], &Progress::new(), &|_| {}).expect("loaded");
    let head = head_of(&loaded, "Ramp".to_owned(), folder, series_name(&scan.entries[0]));
    let mut session = Session::with_journal(journal).expect("threads");
    let volume = session.new_case(head, std::sync::Arc::new(loaded.volume));
    session.do_command(Command::AddSegment { volume, name: "Bone".to_owned(), color: None }).expect("done");
    let segment = session.document().segments()[0].id();
    session.do_command(threshold(segment, 8.0, 21.0)).expect("done");
    session
}

#[test]
fn linked_images_are_found_by_path_and_content() {
    let place = tempfile::tempdir().expect("a folder");
    let (first, second) = (place.path().join("first"), place.path().join("second"));
    let mut session = session_on_files(&first.join("images"), &place.path().join("journals"));
    session.save(&first.join("case.maquette"), false).expect("saved");
    assert!(
        !parts(&first.join("case.maquette")).keys().any(|name| name.starts_with("images/")),
        "linked, not embedded"
    );
    assert!(open_session(&first.join("case.maquette")).document().same_content(session.document()));

    std::fs::rename(&first, &second).expect("moved");
    let moved = second.join("case.maquette");
    let found = open_session(&moved);
    assert_eq!(found.document().segments(), session.document().segments(), "case and images were moved together");
    std::fs::rename(second.join("images"), place.path().join("elsewhere")).expect("moved");
    let sentence = open_case(&moved, None, &Progress::new()).expect_err("gone").to_string();
    assert!(sentence.contains("Ramp") && sentence.contains("images"), "{sentence}");
    let elsewhere = place.path().join("elsewhere");
    open_case(&moved, Some(&elsewhere), &Progress::new()).expect("told where they are");

    let (head, volume) = super::session::ramp();
    let mut samples = volume.samples().to_vec();
    samples[777] += 1;
    let other = Volume::new(*volume.grid(), samples, volume.rescale(), volume.quantity());
    std::fs::remove_dir_all(&elsewhere).expect("removed");
    write_series(&elsewhere, &other, &head.info, &Progress::new()).expect("written");
    let sentence = open_case(&moved, Some(&elsewhere), &Progress::new()).expect_err("others").to_string();
    assert!(sentence.contains("others than before"), "one sample is different: {sentence}");
}

#[test]
fn a_crashed_session_finds_its_images_again_and_says_what_it_restored() {
    let place = tempfile::tempdir().expect("a folder");
    let (images, journals) = (place.path().join("images"), place.path().join("journals"));
    let session = session_on_files(&images, &journals);
    let live = session.document().clone();
    assert!(session.flush_journal());
    drop(session);
    let mut restored = Session::with_journal(&journals).expect("threads");
    let away = place.path().join("away");
    std::fs::rename(&images, &away).expect("moved");
    let restorable = restored.restorable().remove(0);
    restored.start_restore(restorable, Box::new(find_images)).expect("started");
    restored.finish_jobs();
    assert!(restored.notices.take().last().expect("a notice").text.contains("journal is kept"));
    std::fs::rename(&away, &images).expect("moved back");
    let restorable = restored.restorable().remove(0);
    assert!(restorable.what.contains("2 steps") && !restorable.what.contains("DOE"), "{}", restorable.what);
    restored.start_restore(restorable, Box::new(find_images)).expect("started");
    restored.finish_jobs();
    assert!(restored.document().same_content(&live));
    assert!(restored.is_dirty(), "it is in no case file");
    assert!(restored.notices.all().last().expect("a notice").text.contains("restored: 2 steps"));
    restored.undo().expect("undo goes on where it was");
    restored.agree_to_discard();
    restored.close();
    assert!(Session::with_journal(&journals).expect("threads").restorable().is_empty());
}
