//! The session as the window drives it: commands, undo, strokes, jobs, refusals.

use std::sync::Arc;

use glam::{DMat4, DVec2, DVec3, DVec4};
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::segmentation::SegmentId;
use maquette::domain::series_info::SeriesInfo;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::session::Session;
use maquette::session::command::{Brush, BrushShape, Combine, Command, EditRule, MaskEdit};
use maquette::session::document::{ContentHash, ImageSource, VolumeHead, VolumeId};
use maquette::session::exporting::MeshSpace;
use maquette::session::mesh_object::{MeshSource, MeshStatus, MeshStep, SmoothMethod};
use maquette::session::refusal::Refusal;

/// A ramp along i of 40 x 36 x 34 voxels: value = i.
pub(crate) fn ramp() -> (VolumeHead, Arc<Volume>) {
    let grid = Grid::axis_aligned([40, 36, 34], DVec3::new(1.0, 1.0, 2.0), DVec3::new(-20.0, 5.0, 9.0)).expect("grid");
    let samples = (0..grid.voxel_count()).map(|index| (index % 40) as i16).collect();
    let head = VolumeHead {
        name: "Ramp".to_owned(),
        info: SeriesInfo { patient_name: "DOE Jane".to_owned(), ..SeriesInfo::default() },
        report: vec!["nothing was repaired".to_owned()],
        source: ImageSource::default(),
        grid,
        quantity: Quantity::Hounsfield,
        content_hash: ContentHash::default(),
    };
    (head, Arc::new(Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield)))
}

/// A session with the ramp and one empty segment.
pub(crate) fn session_with_segment() -> (Session, VolumeId, SegmentId) {
    let mut session = Session::new().expect("threads");
    let (head, volume) = ramp();
    let volume = session.new_case(head, volume);
    session.do_command(Command::AddSegment { volume, name: "Bone".to_owned(), color: None }).expect("added");
    let segment = session.document().segments()[0].id();
    (session, volume, segment)
}

pub(crate) fn threshold(segment: SegmentId, lower: f64, upper: f64) -> Command {
    let edit = MaskEdit::Threshold { lower, upper, combine: Combine::Replace };
    Command::EditMask { segment, edit, rule: EditRule::default() }
}

fn mask(session: &Session, segment: SegmentId) -> &Mask {
    &session.document().segment(segment).expect("there").segment.mask
}

#[test]
fn undo_and_redo_go_through_every_step() {
    let (mut session, volume, segment) = session_with_segment();
    session.do_command(threshold(segment, 10.0, 19.0)).expect("done");
    assert_eq!(mask(&session, segment).voxel_count(), 10 * 36 * 34);
    session.do_command(Command::RenameSegment { segment, name: "Rib".to_owned() }).expect("done");
    let last = session.document().clone();
    session.do_command(Command::RemoveSegment { segment }).expect("done");
    assert!(session.document().segments().is_empty());
    session.undo().expect("undone");
    assert!(session.document().same_content(&last), "the deleted segment is back with its voxels and revisions");
    for _ in 0..3 {
        session.undo().expect("undone");
    }
    assert_eq!(session.undo(), Err(Refusal::NothingToUndo));
    assert!(session.document().segments().is_empty() && session.document().volume(volume).is_some());
    for _ in 0..3 {
        session.redo().expect("redone");
    }
    assert!(session.document().same_content(&last));
    session.document().check().expect("whole");
}

#[test]
fn a_locked_segment_refuses() {
    let (mut session, _, segment) = session_with_segment();
    session.do_command(threshold(segment, 0.0, 5.0)).expect("done");
    session.do_command(Command::LockSegment { segment, locked: true }).expect("done");
    let before = session.document().clone();
    let locked = Refusal::Locked { name: "Bone".to_owned() };
    assert_eq!(session.do_command(threshold(segment, 3.0, 9.0)), Err(locked.clone()));
    assert_eq!(session.begin_gesture(segment), Err(locked.clone()));
    assert_eq!(session.do_command(Command::RemoveSegment { segment }), Err(locked.clone()));
    assert_eq!(session.start_command(threshold(segment, 3.0, 9.0)).expect_err("refused"), locked);
    assert!(session.document().same_content(&before));
}

#[test]
fn a_stroke_shows_at_once_and_is_one_step_and_escape_restores() {
    let (mut session, _, segment) = session_with_segment();
    let dims = [40, 36, 34];
    let target = Mask::from_fn(dims, |i, j, k| i < 9 && j < 9 && k < 9);
    let before = session.document().clone();
    session.begin_gesture(segment).expect("free");
    let delta = mask(&session, segment).delta_to(&target);
    assert!(session.dab(delta.clone()));
    assert_eq!(*mask(&session, segment), target, "shown while the button is down");
    assert!(session.abort_gesture());
    assert!(session.document().same_content(&before), "voxels and revisions are back");
    session.begin_gesture(segment).expect("free");
    session.dab(delta);
    let further = Mask::from_fn(dims, |i, j, k| i < 20 && j < 9 && k < 9);
    session.dab(target.delta_to(&further));
    assert_eq!(session.undo(), Err(Refusal::InGesture));
    let steps = session.history().len();
    let brush = Brush { shape: BrushShape::Sphere, radius_mm: 5.0, erase: false };
    let edit = MaskEdit::Stroke { points_in_patient: vec![DVec3::ZERO], brush };
    session.end_gesture(edit, EditRule::default()).expect("a step");
    assert_eq!((session.history().len(), mask(&session, segment)), (steps + 1, &further));
    session.undo().expect("undone");
    assert!(session.document().same_content(&before), "one stroke is one step");
}

#[test]
fn a_cancelled_job_leaves_the_document_unchanged_and_a_busy_segment_refuses() {
    let (mut session, _, segment) = session_with_segment();
    let before = session.document().clone();
    let job = session.start_command(threshold(segment, 3.0, 9.0)).expect("started").expect("a job");
    assert_eq!(session.do_command(threshold(segment, 0.0, 1.0)), Err(Refusal::Busy { name: "Bone".to_owned() }));
    session.jobs().cancel(job);
    session.finish_jobs();
    assert!(session.document().same_content(&before));
    session.start_command(threshold(segment, 3.0, 9.0)).expect("started");
    session.finish_jobs();
    assert_eq!(mask(&session, segment).voxel_count(), 7 * 36 * 34);
    assert_eq!(session.history().undo_label(), Some("Threshold 3...9 HU: Bone"));
}

#[test]
fn other_segments_are_protected_unless_the_rule_says_otherwise() {
    let (mut session, volume, first) = session_with_segment();
    session.do_command(threshold(first, 0.0, 9.0)).expect("done");
    session.do_command(Command::AddSegment { volume, name: String::new(), color: None }).expect("done");
    let second = session.document().segments()[1].id();
    session.do_command(threshold(second, 5.0, 14.0)).expect("done");
    assert_eq!(mask(&session, second).voxel_count(), 5 * 36 * 34, "the overlap stays with the first");
    let edit = MaskEdit::Threshold { lower: 5.0, upper: 14.0, combine: Combine::Replace };
    let rule = EditRule { protect_others: false, only_within: Some((0.0, 11.0)) };
    session.do_command(Command::EditMask { segment: second, edit, rule }).expect("done");
    assert_eq!(
        mask(&session, second).voxel_count(),
        10 * 36 * 34,
        "12 to 14 are outside the range and stay as they were"
    );
}

/// Meshes follow their sources: built when asked for, out of date when the voxels change, up to date after undo.
#[test]
fn a_mesh_is_out_of_date_when_its_segment_changed() {
    let (mut session, _, segment) = session_with_segment();
    let revision = session.document().next_revision();
    let source = MeshSource::Segment { segment, revision };
    let empty = session.do_command(Command::AddMesh { name: String::new(), source: source.clone(), steps: Vec::new() });
    assert!(matches!(empty, Err(Refusal::BadValue(_))), "no voxels, no surface");
    session.do_command(threshold(segment, 10.0, 19.0)).expect("done");
    let steps = vec![MeshStep::Smooth { method: SmoothMethod::WindowedSinc, passes: 10, pass_band: 0.1 }];
    session.do_command(Command::AddMesh { name: String::new(), source, steps }).expect("done");
    session.finish_jobs();
    let mesh = session.document().meshes()[0].clone();
    let figures = mesh.built.as_ref().expect("built").figures;
    assert_eq!(mesh.name, "Bone");
    assert!(figures.topology.is_manifold() && figures.deviation.expect("smoothed").largest_mm < 2.0);
    assert!((figures.source_volume_mm3 / (10.0 * 36.0 * 34.0 * 2.0) - 1.0).abs() < 0.05);
    assert_eq!(session.document().mesh_status(&mesh), MeshStatus::UpToDate);

    session.do_command(threshold(segment, 10.0, 25.0)).expect("done");
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(session.document().mesh_status(&mesh), MeshStatus::OutOfDate);
    let refused = session.start_export(&[mesh.id], folder.path(), MeshSpace::Lps, false).expect_err("not silently");
    assert!(refused.to_string().contains("out of date"));
    session.undo().expect("undone");
    assert_eq!(session.document().mesh_status(&mesh), MeshStatus::UpToDate, "the voxels are those of the mesh again");
    session.redo().expect("redone");
    session.do_command(Command::UpdateMesh { mesh: mesh.id }).expect("done");
    session.finish_jobs();
    let updated = session.document().mesh(mesh.id).expect("there");
    assert!(updated.built.as_ref().expect("built").figures.volume_mm3 > figures.volume_mm3);
    session.start_export(&[mesh.id], folder.path(), MeshSpace::Lps, false).expect("started");
    session.finish_jobs();
    let report = session.last_export().expect("a report");
    assert!(report.files[0].path.ends_with("Bone.stl") && report.files[0].topology.is_manifold());
    let sidecar = std::fs::read_to_string(&report.files[0].sidecar).expect("readable");
    assert!(sidecar.contains("Threshold 10...25 HU") && !sidecar.contains("DOE"), "how it was made, not whose it is");

    session.do_command(Command::RemoveSegment { segment }).expect("done");
    let status = session.document().mesh_status(&session.document().meshes()[0]);
    assert_eq!(status, MeshStatus::SourceGone);
}

#[test]
fn scissors_and_margins_are_commands() {
    let (mut session, _, segment) = session_with_segment();
    session.do_command(threshold(segment, 0.0, 39.0)).expect("done");
    let grid = session.document().volumes()[0].head.grid;
    // A slice view of 80 mm: right is x, up is against y, depth 0.5 is the slice at z = 43 mm.
    let center = DVec3::new(0.0, 23.0, 43.0);
    let rows = [
        DVec4::new(1.0 / 40.0, 0.0, 0.0, -center.x / 40.0),
        DVec4::new(0.0, -1.0 / 40.0, 0.0, center.y / 40.0),
        DVec4::new(0.0, 0.0, 1.0 / 4000.0, 0.5 - center.z / 4000.0),
        DVec4::W,
    ];
    let clip_from_patient = DMat4::from_cols(rows[0], rows[1], rows[2], rows[3]).transpose();
    let outline_in_ndc = vec![DVec2::new(0.0, -2.0), DVec2::new(2.0, -2.0), DVec2::new(2.0, 2.0), DVec2::new(0.0, 2.0)];
    let edit = MaskEdit::Scissors {
        outline_in_ndc,
        clip_from_patient,
        cut_inside: true,
        half_depth_mm: Some(5.0),
        fill: false,
    };
    let rule = EditRule::default();
    session.do_command(Command::EditMask { segment, edit, rule }).expect("done");
    let gone = |i: u32, k: u32| !mask(&session, segment).contains(i, 10, k);
    let z = |k: u32| grid.patient_from_voxel().transform_point3(DVec3::new(0.0, 0.0, f64::from(k))).z;
    assert!((z(17) - 43.0).abs() < 1e-9);
    assert!(gone(25, 17) && gone(25, 19) && !gone(25, 20), "5 mm to both sides of the slice");
    assert!(!gone(15, 17), "what lies right of the patient's middle stays");
    let before = mask(&session, segment).voxel_count();
    let shrink = MaskEdit::Margin { distance_mm: -2.0 };
    session.do_command(Command::EditMask { segment, edit: shrink, rule }).expect("done");
    assert!(mask(&session, segment).voxel_count() < before);
    let nonsense = MaskEdit::Margin { distance_mm: f64::NAN };
    let refused = session.do_command(Command::EditMask { segment, edit: nonsense, rule });
    assert!(matches!(refused, Err(Refusal::BadValue(_))));
}

#[test]
fn several_objects_are_changed_in_one_step() {
    let (mut session, volume, first) = session_with_segment();
    session.do_command(Command::AddSegment { volume, name: "Skin".to_owned(), color: None }).expect("added");
    let second = session.document().segments()[1].id();
    let hide = |segment| Command::ShowSegment { segment, visible: false };
    session.do_command(hide(first)).expect("done");
    let steps = session.history().done_count();
    session.do_command(Command::Together { commands: vec![hide(first), hide(second)] }).expect("one is hidden already");
    assert_eq!(session.history().done_count(), steps + 1);
    assert!(session.document().segments().iter().all(|object| !object.segment.info.visible));
    let remove = |segment| Command::RemoveSegment { segment };
    session.do_command(Command::Together { commands: vec![remove(first), remove(second)] }).expect("done");
    assert!(session.document().segments().is_empty());
    assert_eq!(session.history().undo_label(), Some("Delete 2 objects"));
    session.undo().expect("undone");
    assert_eq!(session.document().segments().len(), 2);
    session.do_command(Command::LockSegment { segment: second, locked: true }).expect("locked");
    let erase = |segment| Command::EditMask { segment, edit: MaskEdit::Clear, rule: EditRule::default() };
    let before = session.document().clone();
    let refused = session.do_command(Command::Together { commands: vec![threshold(first, 1.0, 5.0), erase(second)] });
    assert!(matches!(refused, Err(Refusal::Locked { .. })));
    assert!(session.document().same_content(&before), "all or nothing");
}

#[test]
fn another_volume_is_looked_at_from_where_the_eye_is() {
    let (mut session, first, segment) = session_with_segment();
    session.view.crosshair_in_patient = DVec3::new(-10.0, 20.0, 31.0);
    let (head, volume) = ramp();
    let second = session.add_volume(VolumeHead { name: "Later".to_owned(), ..head }, volume).expect("added");
    assert_eq!(session.view.active_volume, Some(second));
    assert_eq!(session.view.crosshair_in_patient, DVec3::new(-10.0, 20.0, 31.0), "the same place of the patient");
    assert_eq!(session.view.active_segment, None, "tools change segments of the volume that is seen");
    session.view.choose_preset("CT-Lung");
    session.view.look.shift = 40.0;
    session.choose_segment(segment);
    assert_eq!(session.view.active_volume, Some(first));
    assert_ne!(session.view.preset, "CT-Lung", "each volume has a look of its own");
    let document = session.document().clone();
    session.view.turn_to_volume(second, &document);
    assert_eq!((session.view.preset.as_str(), session.view.look.shift), ("CT-Lung", 40.0), "as it was left");
    session.undo().expect("undone");
    assert_eq!(session.document().volumes().len(), 1);
}
