//! Two series side by side: linked views show the same point of the patient, whatever the grids are; what is not of one body
//! is not linked.

use std::sync::Arc;

use glam::{DAffine3, DMat3, DQuat, DVec3};
use maquette::domain::grid::Grid;
use maquette::domain::plane::Plane;
use maquette::domain::series_info::SeriesInfo;
use maquette::domain::slice::{Interpolation, SliceFrame};
use maquette::domain::slice_reference::resample;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::session::Session;
use maquette::session::document::{ContentHash, ImageSource, VolumeHead, VolumeId};
use maquette::session::view::slice_index;

/// A place of the patient that both volumes show as a bright ball.
pub(super) const MARK_IN_PATIENT: DVec3 = DVec3::new(11.0, -23.0, 402.0);

fn volume(dims: [u32; 3], axes: DMat3) -> Volume {
    let middle = DVec3::from_array(dims.map(|n| (f64::from(n) - 1.0) / 2.0));
    // The mark lies well off the middle, so that no mirror image passes.
    let translation = MARK_IN_PATIENT + DVec3::new(7.0, 4.0, -6.0) - axes * middle;
    let grid = Grid::new(dims, DAffine3 { matrix3: axes, translation }).expect("a grid");
    let mut samples = Vec::with_capacity(grid.voxel_count());
    for k in 0..dims[2] {
        for j in 0..dims[1] {
            for i in 0..dims[0] {
                let at = grid.patient_from_voxel().transform_point3(DVec3::new(i.into(), j.into(), k.into()));
                samples.push(if at.distance(MARK_IN_PATIENT) < 4.0 { 1000 } else { 0 });
            }
        }
    }
    Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield)
}

/// Axial slices of 1 x 1 x 2 mm.
pub(super) fn axial() -> Volume {
    volume([60, 50, 30], DMat3::from_diagonal(DVec3::new(1.0, 1.0, 2.0)))
}

/// Coronal slices of 1.4 x 1.3 x 3 mm that lean by 17 degrees, counted from front to back.
pub(super) fn leaning_coronal() -> Volume {
    let axes = DMat3::from_cols(DVec3::X * 1.4, DVec3::NEG_Z * 1.3, DVec3::Y * 3.0);
    volume([50, 44, 18], DMat3::from_quat(DQuat::from_rotation_x(0.3)) * axes)
}

/// Uptake around the mark: 8 SUV, else 0.4, in voxels of 4 mm.
pub(super) fn pet() -> Volume {
    let marked = volume([16, 14, 16], DMat3::from_diagonal(DVec3::splat(4.0)));
    let samples = marked.samples().iter().map(|sample| if *sample > 0 { 800 } else { 40 }).collect();
    Volume::new(*marked.grid(), samples, Rescale { slope: 0.01, intercept: 0.0 }, Quantity::Suv)
}

pub(super) fn head(name: &str, volume: &Volume, patient: &str, frame: &str) -> VolumeHead {
    VolumeHead {
        name: name.to_owned(),
        info: SeriesInfo {
            patient_name: patient.to_owned(),
            frame_of_reference_uid: frame.to_owned(),
            study_date: "20240105".to_owned(),
            ..SeriesInfo::default()
        },
        report: Vec::new(),
        source: ImageSource::default(),
        grid: *volume.grid(),
        quantity: volume.quantity(),
        content_hash: ContentHash::default(),
    }
}

/// A case of both; the first is looked at.
fn case_of(second: (&str, &str)) -> (Session, VolumeId, VolumeId) {
    let mut session = Session::new().expect("workers");
    let (a, b) = (axial(), leaning_coronal());
    let a = session.new_case(head("Axial", &a, "DOE Jane", "1.2"), Arc::new(a));
    let b = session.add_volume(head("Coronal", &b, second.0, second.1), Arc::new(b)).expect("added");
    session.look_at_volume(a);
    (session, a, b)
}

fn put_beside(session: &mut Session, volumes: &[VolumeId]) -> bool {
    let document = session.document().clone();
    session.view.put_beside(volumes, &document)
}

/// What a view of a volume shows where the crosshair is.
fn value_at_crosshair(session: &Session, id: VolumeId, plane: Plane) -> f64 {
    let seen = session.view.seen_from(id);
    let view = seen.slice(plane);
    let volume = &session.document().volume(id).expect("there").volume;
    let frame = SliceFrame {
        center_in_patient: view.on_slice(seen.crosshair_in_patient, seen.crosshair_in_patient),
        right_in_patient: view.right_in_patient(),
        down_in_patient: view.down_in_patient(),
        mm_per_px: 0.5,
        size_px: [1, 1],
    };
    resample(volume, &frame, Interpolation::Linear, None)[0].unwrap_or(f64::NAN)
}

#[test]
fn linked_views_show_the_same_point_of_the_patient_in_grids_of_other_directions() {
    let (mut session, a, b) = case_of(("DOE^Jane", "1.2"));
    assert!(put_beside(&mut session, &[a, b]), "one frame of reference, one patient: linked");
    for hand in [a, b] {
        let grid = session.document().volume(hand).expect("there").head.grid;
        session.view.at_volume(hand, |view| view.move_crosshair(grid.center_in_patient(), &grid));
        assert!(value_at_crosshair(&session, a, Plane::Axial) < 500.0, "the middle is not the mark");
        session.view.at_volume(hand, |view| view.move_crosshair(MARK_IN_PATIENT, &grid));
        for plane in Plane::ALL {
            for shown in [a, b] {
                assert!(value_at_crosshair(&session, shown, plane) > 500.0, "{plane:?} of {shown:?} by {hand:?}");
            }
        }
        // Turned to the other one, everything stays where it is: no voxel is jumped to.
        assert!(session.work_on_volume_beside(if hand == a { b } else { a }));
        assert!(session.view.crosshair_in_patient.distance(MARK_IN_PATIENT) < 1e-9);
    }
}

#[test]
fn scrolling_steps_by_the_slices_of_the_view_under_the_hand_and_both_go() {
    let (mut session, a, b) = case_of(("DOE Jane", "1.2"));
    put_beside(&mut session, &[a, b]);
    let grids = [a, b].map(|id| session.document().volume(id).expect("there").head.grid);
    session.view.move_crosshair(MARK_IN_PATIENT, &grids[0]);
    let before = session.view.crosshair_in_patient;
    let index = |session: &Session| slice_index(&grids[1], Plane::Coronal, session.view.crosshair_in_patient).index;
    let first = index(&session);
    session.view.at_volume(b, |view| view.scroll(Plane::Coronal, 1, &grids[1]));
    let moved = session.view.crosshair_in_patient - before;
    assert_eq!(index(&session), first + 1);
    assert!(moved.normalize().distance(DVec3::Y) < 1e-9, "along the axis of the patient: {moved}");
    assert!(moved.y > 1.0 && moved.y < 5.0, "about one of its own slices, and none of the other's: {moved}");
    assert_eq!(session.view.seen_from(a).crosshair_in_patient, session.view.seen_from(b).crosshair_in_patient);

    session.view.link(false);
    session.view.at_volume(b, |view| view.scroll(Plane::Coronal, 2, &grids[1]));
    assert_eq!(session.view.crosshair_in_patient, before + moved, "not linked, the other stays");
    assert_ne!(session.view.seen_from(b).crosshair_in_patient, before + moved);
}

#[test]
fn what_is_not_of_one_frame_of_reference_or_patient_is_not_linked_unasked() {
    for second in [("DOE Jane", "9.9"), ("ROE Richard", "1.2")] {
        let (mut session, a, b) = case_of(second);
        assert!(!put_beside(&mut session, &[a, b]), "{second:?}");
        assert!(session.view.beside.unlinked);
        let grid = session.document().volume(b).expect("there").head.grid;
        let middle = session.view.seen_from(b).crosshair_in_patient;
        let voxel = grid.voxel_from_patient().transform_point3(middle);
        assert!(voxel.distance(DVec3::new(25.0, 22.0, 9.0)) < 1.5, "it begins in its own middle: {voxel}");
        session.view.link(true);
        assert_eq!(session.view.seen_from(b).crosshair_in_patient, session.view.crosshair_in_patient, "when asked");
    }
    // Nobody says: linked, as one would look at a label map or a research image beside the CT.
    let (mut session, a, b) = case_of(("", ""));
    assert!(put_beside(&mut session, &[a, b]));
}

#[test]
fn windows_colours_and_places_of_each_are_kept_with_the_case_and_not_taken_to_the_next() {
    let (mut session, a, b) = case_of(("DOE Jane", "1.2"));
    put_beside(&mut session, &[b, a]);
    session.view.link(false);
    session.view.at_volume(b, |view| view.inverted = true);
    session.view.drag_window(b, glam::DVec2::new(250.0, 0.0));
    let (wide, narrow) = (session.view.window(b), session.view.window(a));
    assert!((wide.width / narrow.width - 2.0).abs() < 1e-9);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("two.maquette");
    session.start_save(path.clone(), true).expect("queued");
    session.finish_jobs();
    let kept = session.view.clone();
    let mut opened = Session::new().expect("workers");
    opened.start_open_case(path, None).expect("queued");
    opened.finish_jobs();
    assert_eq!(opened.view.beside, kept.beside, "{:?}", opened.notices.all());
    assert_eq!((opened.view.window(b), opened.view.window(a)), (wide, narrow));
    let other = axial();
    session.new_case(head("Other", &other, "ROE Richard", "7"), Arc::new(other));
    assert!(session.view.beside.views.is_empty() && session.view.beside.places.is_empty());
    assert!(!session.view.seen_from(b).inverted, "another case gives out the same numbers");
}

#[test]
fn three_views_of_a_study_in_time_show_its_phases() {
    let (mut session, a, _) = case_of(("DOE Jane", "1.2"));
    let mut add = |name: &str| {
        let volume = axial();
        let mut head = head(name, &volume, "DOE Jane", "1.2");
        head.info.series_uid = "1.2.7".to_owned();
        session.add_volume(head, Arc::new(volume)).expect("added")
    };
    let phases = ["Heart (0 %)", "Heart (40 %)", "Heart (75 %)"].map(&mut add);
    let document = session.document().clone();
    assert_eq!(session.view.active_volume, Some(phases[2]));
    assert!(session.view.fill_beside(3, &document));
    let shown: Vec<VolumeId> = session.view.beside.views.iter().map(|view| view.volume).collect();
    assert_eq!(shown, [phases[2], phases[0], phases[1]], "and not {a:?}");
}
