//! Undo, redo and the journal under random commands; crashes, cuts, a full disk, two windows.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use glam::DVec3;
use maquette::domain::plane::Plane;
use maquette::domain::segmentation::{SegmentId, SegmentState};
use maquette::session::Session;
use maquette::session::command::{BooleanOp, Brush, BrushShape, Combine, Command, EditRule, MaskEdit};
use maquette::session::document::{Document, FoundImages, SegmentObject, VolumeHead, VolumeId};
use maquette::session::journal::Autosave;
use maquette::session::measurement::{MeasurementId, MeasurementShape};
use maquette::session::mesh_object::{MeshId, MeshSource, MeshStep, SmoothMethod};
use maquette::session::refusal::Refusal;
use proptest::prelude::*;

use super::session::{ramp, threshold};

/// A command in which objects are named by their place in the list.
fn commands() -> impl Strategy<Value = (u8, usize, usize, f64)> {
    (0_u8..22, 0_usize..4, 0_usize..4, 0.0..40.0_f64)
}

fn rule(a: usize) -> EditRule {
    EditRule { protect_others: a.is_multiple_of(2), only_within: (a == 3).then_some((5.0, 25.0)) }
}

fn to_command(document: &Document, volume: VolumeId, (kind, a, b, x): (u8, usize, usize, f64)) -> Command {
    let segment_at = |n: usize| document.segments().get(n).map_or(SegmentId(9999), SegmentObject::id);
    let segment = segment_at(a);
    let mesh = document.meshes().get(a).map_or(MeshId(9999), |mesh| mesh.id);
    let measurement = document.measurements().get(a).map_or(MeasurementId(9999), |object| object.id);
    let center = DVec3::new(x - 20.0, x, x + 9.0);
    let edit = |edit| Command::EditMask { segment, edit, rule: rule(b) };
    let brush = |erase| Brush {
        shape: if b == 0 { BrushShape::Disc(Plane::Axial) } else { BrushShape::Sphere },
        radius_mm: 2.0 + x / 8.0,
        erase,
    };
    let line = MeasurementShape::Distance { ends_in_patient: [DVec3::ZERO, center] };
    let source = MeshSource::Segment { segment, revision: document.next_revision() };
    let smooth = MeshStep::Smooth { method: SmoothMethod::Taubin, passes: 1 + b as u32, pass_band: 0.1 };
    match kind {
        0 | 1 => Command::AddSegment { volume, name: String::new(), color: None },
        2 => Command::RenameSegment { segment, name: format!("Part {x:.0}") },
        3 => Command::RecolorSegment { segment, color: [a as u8, b as u8, 7] },
        4 => Command::LockSegment { segment, locked: b == 0 },
        5 => Command::ReorderSegment { segment, index: b },
        6 => Command::RemoveSegment { segment },
        7 => Command::DuplicateSegment { segment },
        8 => Command::SetSegmentState { segment, state: SegmentState::Done },
        9 | 10 => edit(MaskEdit::Threshold { lower: x, upper: x + 6.0, combine: Combine::Add }),
        11 => edit(MaskEdit::Threshold { lower: x, upper: x + 9.0, combine: Combine::Replace }),
        12 | 13 => edit(MaskEdit::Stroke { points_in_patient: vec![center], brush: brush(kind == 13) }),
        14 => edit(MaskEdit::Boolean { op: BooleanOp::Union, other: segment_at(b) }),
        15 => edit(MaskEdit::KeepLargest),
        16 => Command::AddMesh { name: String::new(), source, steps: vec![smooth] },
        17 => Command::RemoveMesh { mesh },
        18 => Command::UpdateMesh { mesh },
        19 => Command::AddMeasurement { volume, shape: line },
        20 => Command::EditMeasurement { measurement, shape: line },
        _ => Command::RenameCase { name: format!("Case {x:.1}") },
    }
}

fn begin(folder: &Path) -> (Session, VolumeId) {
    let mut session = Session::with_journal(folder).expect("threads");
    let (head, volume) = ramp();
    let volume = session.new_case(head, volume);
    (session, volume)
}

/// Gets the newest crashed session of a folder back.
fn restore(folder: &Path) -> Session {
    let mut session = Session::with_journal(folder).expect("threads");
    let restorable = session.restorable().into_iter().next().expect("something to restore");
    let load = |_: &VolumeHead, _: &maquette::task::Progress| {
        let (head, volume) = ramp();
        Ok(FoundImages { volume, info: head.info, report: head.report })
    };
    session.start_restore(restorable, Box::new(load)).expect("started");
    session.finish_jobs();
    session
}

/// Ends a session as a crash does: the journal is left behind.
fn crash(session: Session) {
    assert!(session.flush_journal(), "all is on disk");
    drop(session);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn undo_redo_and_replay_give_the_same_documents(list in proptest::collection::vec(commands(), 1..30), back in 0_usize..8) {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut session, volume) = begin(folder.path());
        // So small that steps are read back from the disk.
        session.set_undo_budget(6000);
        let mut states = vec![session.document().clone()];
        for wish in list {
            let command = to_command(session.document(), volume, wish);
            let before = session.document().clone();
            match session.do_command(command) {
                Ok(()) => states.push(session.document().clone()),
                Err(_) => prop_assert!(session.document().same_content(&before), "a refusal changes nothing"),
            }
            prop_assert_eq!(session.document().check(), Ok(()));
        }
        prop_assert!(session.flush_journal());
        session.tick();
        for state in states.iter().rev().skip(1) {
            session.undo().expect("undone");
            prop_assert!(session.document().same_content(state));
            prop_assert_eq!(session.document().check(), Ok(()));
        }
        prop_assert_eq!(session.undo(), Err(Refusal::NothingToUndo));
        for state in states.iter().skip(1) {
            session.redo().expect("redone");
            prop_assert!(session.document().same_content(state));
        }
        let back = back.min(states.len() - 1);
        for _ in 0..back {
            session.undo().expect("undone");
        }
        let live = session.document().clone();
        let labels: Vec<_> = session.history().steps().map(|step| (step.number, step.label, step.done)).collect();
        if states.len() == 1 {
            return Ok(());
        }
        crash(session);
        let mut restored = restore(folder.path());
        prop_assert!(restored.document().same_content(&live), "the journal gives back what was on the screen");
        let again: Vec<_> = restored.history().steps().map(|step| (step.number, step.label, step.done)).collect();
        prop_assert_eq!(again, labels);
        while restored.undo().is_ok() {}
        prop_assert!(restored.document().same_content(&states[0]), "undo goes back beyond the crash");
        while restored.redo().is_ok() {}
        prop_assert!(restored.document().same_content(states.last().expect("a state")));
    }
}

/// A session with three steps of which the last is a threshold; gives the states after each.
fn three_steps(folder: &Path) -> (Session, Vec<Document>) {
    let (mut session, volume) = begin(folder);
    session.do_command(Command::AddSegment { volume, name: "Bone".to_owned(), color: None }).expect("done");
    let segment = session.document().segments()[0].id();
    let mut states = vec![session.document().clone()];
    for lower in [3.0, 13.0] {
        session.do_command(threshold(segment, lower, lower + 4.0)).expect("done");
        states.push(session.document().clone());
    }
    (session, states)
}

#[test]
fn a_journal_cut_anywhere_gives_back_whole_steps() {
    let folder = tempfile::tempdir().expect("a folder");
    let (session, states) = three_steps(folder.path());
    let path = session.journal_path().expect("a journal").to_path_buf();
    crash(session);
    let whole = std::fs::read(&path).expect("readable");
    std::fs::remove_file(&path).expect("removed");
    let mut counts = Vec::new();
    for cut in [1, 7, 40, whole.len() / 4, whole.len() / 3, whole.len() / 2] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cut.journal");
        std::fs::write(&path, &whole[..whole.len() - cut]).expect("written");
        // Rubbish behind the cut, as a power failure leaves it.
        OpenOptions::new().append(true).open(&path).expect("opened").write_all(&[0; 33]).expect("written");
        let session = Session::with_journal(folder.path()).expect("threads");
        if session.restorable().is_empty() {
            counts.push(0);
            continue;
        }
        drop(session);
        let mut restored = restore(folder.path());
        let count = restored.history().done_count();
        assert!(restored.document().same_content(&states[count - 1]), "whole steps only");
        // Work goes on in the same journal, and a second crash loses nothing either.
        restored.do_command(Command::RenameCase { name: "Again".to_owned() }).expect("done");
        let live = restored.document().clone();
        crash(restored);
        assert!(restore(folder.path()).document().same_content(&live));
        counts.push(count);
    }
    assert!(counts.contains(&2), "some cut fell into the last step: {counts:?}");
}

#[test]
fn a_flipped_bit_ends_the_replay_before_the_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let (session, states) = three_steps(folder.path());
    let path = session.journal_path().expect("a journal").to_path_buf();
    crash(session);
    let mut bytes = std::fs::read(&path).expect("readable");
    let last = bytes.len() - 20;
    bytes[last] ^= 0x10;
    std::fs::write(&path, bytes).expect("written");
    assert!(restore(folder.path()).document().same_content(&states[1]));
}

#[test]
fn random_journals_never_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut seed = 7_u64;
    for n in 0..50 {
        let mut bytes = b"MAQJRNL1".to_vec();
        for _ in 0..n * 7 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            bytes.push((seed >> 56) as u8);
        }
        std::fs::write(folder.path().join(format!("{n}.journal")), bytes).expect("written");
    }
    assert!(Session::with_journal(folder.path()).expect("threads").restorable().is_empty());
}

#[test]
fn a_living_session_is_not_offered_for_restoring() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, _) = three_steps(folder.path());
    assert!(first.flush_journal());
    let second = Session::with_journal(folder.path()).expect("threads");
    assert!(second.restorable().is_empty(), "its window is open");
    crash(first);
    assert_eq!(second.restorable().len(), 1);
    let (mut third, _) = three_steps(folder.path());
    third.agree_to_discard();
    third.close();
    assert_eq!(second.restorable().len(), 1, "a session that was given up leaves nothing");
    let (fourth, _) = three_steps(folder.path());
    fourth.close();
    assert_eq!(second.restorable().len(), 2, "unsaved steps that nobody gave up stay in the journal");
    second.restorable().into_iter().for_each(maquette::session::journal::Restorable::discard);
    assert!(second.restorable().is_empty());
}

#[test]
fn the_journal_names_no_patient() {
    let folder = tempfile::tempdir().expect("a folder");
    let (session, _) = three_steps(folder.path());
    let path = session.journal_path().expect("a journal").to_path_buf();
    crash(session);
    let bytes = std::fs::read(&path).expect("readable");
    assert!(!bytes.windows(8).any(|text| text == b"DOE Jane"));
    assert!(!path.to_string_lossy().contains("DOE"));
    let restored = restore(folder.path());
    assert_eq!(restored.document().volumes()[0].head.info.patient_name, "DOE Jane", "it comes back with the images");
}

#[test]
fn an_unwritable_folder_is_said_and_work_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "x").expect("written");
    let (mut session, states) = three_steps(&file.join("journals"));
    assert!(matches!(session.autosave(), Autosave::Off(_)), "{:?}", session.autosave());
    assert!(session.autosave().words().starts_with("NOT autosaved"));
    assert!(session.notices.all().iter().any(|notice| notice.text.contains("NOT autosaved")));
    assert!(session.document().same_content(&states[2]));
    session.undo().expect("undo works from memory");
}

#[test]
fn a_saved_session_has_nothing_to_restore() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut session, _) = three_steps(folder.path());
    assert!(session.is_dirty());
    let case = folder.path().join("case.maquette");
    session.save(&case, true).expect("saved");
    assert!(!session.is_dirty());
    crash(session);
    assert!(Session::with_journal(folder.path()).expect("threads").restorable().is_empty());
}

#[test]
fn undo_of_a_closed_volume_brings_the_same_samples_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut session, states) = three_steps(folder.path());
    session.set_undo_budget(0);
    let volume = session.document().volumes()[0].id;
    session.do_command(Command::RemoveVolume { volume }).expect("done");
    assert!(session.document().volumes().is_empty() && session.document().segments().is_empty());
    assert!(session.flush_journal());
    session.tick();
    session.undo().expect("undone");
    assert!(session.document().same_content(&states[2]));
    assert!(Arc::ptr_eq(&session.document().volumes()[0].volume, &states[2].volumes()[0].volume));
}

#[test]
fn a_case_that_cannot_be_opened_changes_nothing_of_the_one_that_is_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut session, states) = three_steps(folder.path());
    let (number, view) = (session.case_number(), session.view.clone());
    let journal = session.journal_path().expect("a journal").to_path_buf();
    session.agree_to_discard();
    session.start_open_case(folder.path().join("nothing.maquette"), None).expect("started");
    session.finish_jobs();
    assert_eq!(session.case_number(), number);
    assert!(session.document().same_content(states.last().expect("a state")));
    assert_eq!(session.view, view);
    assert_eq!(session.journal_path(), Some(journal.as_path()));
    assert!(journal.exists() && session.undo().is_ok(), "and work goes on");
}

#[test]
fn the_journal_of_unsaved_steps_goes_only_when_somebody_agrees() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut session, _) = three_steps(folder.path());
    let (head, volume) = ramp();
    session.new_case(head.clone(), Arc::clone(&volume));
    assert_eq!(session.restorable().len(), 1, "another case took the place: the steps are offered");
    session.restorable().into_iter().for_each(maquette::session::journal::Restorable::discard);
    let volume_id = session.document().volumes()[0].id;
    session.do_command(Command::AddSegment { volume: volume_id, name: String::new(), color: None }).expect("done");
    session.agree_to_discard();
    session.do_command(Command::RenameCase { name: "Later".to_owned() }).expect("done");
    assert!(session.has_steps_to_keep(), "a later step was not agreed to");
    session.agree_to_discard();
    session.new_case(head, volume);
    assert!(session.restorable().is_empty(), "given up");
}

#[test]
fn a_long_way_through_the_history_is_gone_step_by_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut session, states) = three_steps(folder.path());
    for n in 0..200 {
        session.do_command(Command::RenameCase { name: format!("Case {n}") }).expect("done");
    }
    let end = session.document().clone();
    session.start_travel(1).expect("started");
    session.finish_jobs();
    assert!(session.document().same_content(&states[0]) && session.travel().is_none());
    assert_eq!(session.history().done_count(), 1);
    session.start_travel(usize::MAX).expect("started");
    session.finish_jobs();
    assert!(session.document().same_content(&end));
    crash(session);
    let restored = restore(folder.path());
    assert!(restored.document().same_content(&end), "the journal knows the way");
}
