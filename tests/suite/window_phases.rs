//! Phases of one series in the window: a bar that steps, slides and plays through them, with window and place kept.

use std::sync::Arc;

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use maquette::domain::window::Window as GreyWindow;
use maquette::session::document::VolumeId;

use super::side_by_side::{MARK_IN_PATIENT, axial, head, leaning_coronal};
use super::window::{Window, press, settle, window};

fn active(window: &Window) -> Option<VolumeId> {
    window.state().session().view.active_volume
}

/// A series of three moments, opened out of order, and another series of the study.
fn three_phases() -> Option<(Window, [VolumeId; 3])> {
    let mut window = window()?;
    let session = window.state_mut().session_mut();
    let mut ids = Vec::new();
    for percent in [70, 5, 30] {
        let volume = axial();
        let mut head = head("Heart", &volume, "DOE Jane", "1.2");
        "1.2.3".clone_into(&mut head.info.series_uid);
        head.source.series = format!("1.2.3 {percent} %");
        let volume = Arc::new(volume);
        ids.push(if ids.is_empty() {
            session.new_case(head, volume)
        } else {
            session.add_volume(head, volume).expect("added")
        });
    }
    let other = leaning_coronal();
    session.add_volume(head("Coronal", &other, "DOE Jane", "1.2"), Arc::new(other)).expect("added");
    session.look_at_volume(ids[1]);
    settle(&mut window);
    Some((window, [ids[1], ids[2], ids[0]]))
}

#[test]
fn phases_are_stepped_through_in_order_and_nothing_else_changes() {
    let Some((mut window, phases)) = three_phases() else { return };
    window.check_accessibility();
    let session = window.state_mut().session_mut();
    let grid = session.document().volume(phases[0]).expect("there").head.grid;
    session.view.move_crosshair(MARK_IN_PATIENT, &grid);
    session.view.windows.insert(phases[0], GreyWindow::new(123.0, 45.0));
    let place = session.view.crosshair_in_patient;
    window.get_by_label_contains("5 %");
    for expected in [phases[1], phases[2], phases[0]] {
        press(&mut window, "Next phase");
        settle(&mut window);
        assert_eq!(active(&window), Some(expected));
        let view = &window.state().session().view;
        assert_eq!((view.window(expected), view.crosshair_in_patient), (GreyWindow::new(123.0, 45.0), place));
    }
    press(&mut window, "Previous phase");
    settle(&mut window);
    assert_eq!(active(&window), Some(phases[2]), "around from the first to the last");
    window.get_by_label_contains("70 %");
}

#[test]
fn phases_play_until_they_are_stopped() {
    let Some((mut window, phases)) = three_phases() else { return };
    press(&mut window, "Play phases");
    let mut seen = Vec::new();
    for _ in 0..60 {
        window.run_steps(1);
        window.state_mut().finish_work();
        seen.extend(active(&window).filter(|id| seen.last() != Some(id)));
    }
    assert!(seen.len() > 3, "it goes around: {seen:?}");
    for pair in seen.windows(2) {
        let at = phases.iter().position(|id| *id == pair[0]).expect("a phase");
        assert_eq!(pair[1], phases[(at + 1) % 3], "none is left out: {seen:?}");
    }
    press(&mut window, "Stop playing");
    window.run_steps(2);
    let still = active(&window);
    window.run_steps(30);
    assert_eq!(active(&window), still);
}

#[test]
fn volumes_without_other_phases_have_no_bar() {
    let Some((mut window, _)) = three_phases() else { return };
    let coronal = window.state().session().document().volumes().last().expect("four volumes").id;
    window.state_mut().session_mut().look_at_volume(coronal);
    settle(&mut window);
    assert!(window.query_by_role_and_label(Role::Button, "Next phase").is_none());
    assert!(!window.state_mut().session_mut().step_phase(1) || active(&window) == Some(coronal));
}
