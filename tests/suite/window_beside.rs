//! Series side by side in the window: each view says whose images it shows, has a window of its own, and moves with the
//! other ones or not.

use std::sync::Arc;

use egui::{Event, Key, Modifiers, MouseWheelUnit, PointerButton, Pos2};
use egui_kittest::kittest::Queryable as _;
use maquette::session::document::VolumeId;
use maquette::session::view::ViewState;

use super::side_by_side::{axial, head, leaning_coronal};
use super::window::{Window, press, settle, window};

fn view(window: &Window) -> &ViewState {
    &window.state().session().view
}

/// Two series of one patient in one frame of reference, side by side; the axial one is worked on.
fn two_series() -> Option<(Window, VolumeId, VolumeId)> {
    let mut window = window()?;
    let session = window.state_mut().session_mut();
    let (a, b) = (axial(), leaning_coronal());
    let a = session.new_case(head("Axial", &a, "DOE Jane", "1.2"), Arc::new(a));
    let b = session.add_volume(head("Coronal", &b, "DOE Jane", "1.2"), Arc::new(b)).expect("added");
    session.look_at_volume(a);
    settle(&mut window);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num4);
    settle(&mut window);
    Some((window, a, b))
}

fn middle_of(window: &Window, name: &str) -> Pos2 {
    window.get_by_label_contains(name).rect().center()
}

fn wheel(window: &mut Window, at: Pos2, notches: f32) {
    window.hover_at(at);
    window.run_steps(1);
    window.event(Event::MouseWheel {
        unit: MouseWheelUnit::Line,
        delta: egui::vec2(0.0, notches),
        modifiers: Modifiers::NONE,
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
    });
    window.run_steps(2);
}

fn right_drag(window: &mut Window, from: Pos2, by: egui::Vec2) {
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Secondary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    window.hover_at(from);
    window.run_steps(1);
    window.event(button(from, true));
    window.run_steps(1);
    window.hover_at(from + by);
    window.run_steps(1);
    window.event(button(from + by, false));
    settle(window);
}

#[test]
fn each_view_says_whose_images_it_shows() {
    let Some((mut window, a, b)) = two_series() else { return };
    window.check_accessibility();
    window.get_by_label("First series view: DOE Jane, Axial, 2024-01-05");
    window.get_by_label("Second series view: DOE Jane, Coronal, 2024-01-05");
    window.key_press_modifiers(Modifiers::COMMAND, Key::H);
    settle(&mut window);
    window.get_by_label("First series view: Axial");
    window.get_by_label("Second series view: Coronal");
    window.key_press_modifiers(Modifiers::COMMAND, Key::H);

    // Another patient beside them: each view says so, and nothing is linked.
    let other = axial();
    let session = window.state_mut().session_mut();
    let other = session.add_volume(head("Other", &other, "ROE Richard", "1.2"), Arc::new(other)).expect("added");
    session.look_at_volume(a);
    settle(&mut window);
    press(&mut window, "Second series display");
    window.get_all_by_label("Other").last().expect("the menu's line").click();
    settle(&mut window);
    let warning = "Different patients side by side, Not linked";
    window.get_by_label(&format!("First series view: DOE Jane, Axial, 2024-01-05, {warning}"));
    window.get_by_label(&format!("Second series view: ROE Richard, Other, 2024-01-05, {warning}"));
    let shown: Vec<VolumeId> = view(&window).beside.views.iter().map(|series| series.volume).collect();
    assert_eq!(shown, [a, other], "and not {b:?}");
}

#[test]
fn the_wheel_moves_linked_views_together_and_a_drag_changes_one_window_only() {
    let Some((mut window, a, b)) = two_series() else { return };
    let before = view(&window).crosshair_in_patient;
    let second = middle_of(&window, "Second series view");
    wheel(&mut window, second, -1.0);
    let moved = view(&window).crosshair_in_patient - before;
    assert!(moved.z.abs() > 0.5 && moved.truncate().length() < 1e-9, "both go: {moved}");
    assert_eq!(view(&window).active_volume, Some(a), "scrolling is not working there");
    window.key_press_modifiers(Modifiers::SHIFT, Key::K);
    settle(&mut window);
    wheel(&mut window, second, -1.0);
    assert_eq!(view(&window).crosshair_in_patient, before + moved, "not linked");
    assert_ne!(view(&window).seen_from(b).crosshair_in_patient, before + moved);
    let windows = |window: &Window| [a, b].map(|id| view(window).window(id));
    let old = windows(&window);
    right_drag(&mut window, second, egui::vec2(50.0, 0.0));
    let new = windows(&window);
    assert!(new[0] == old[0] && new[1].width > old[1].width);
    window.key_press(Key::Num3);
    settle(&mut window);
    assert_eq!(
        (windows(&window)[0], windows(&window)[1].width),
        (old[0], 2000.0),
        "digits mean the view under the hand"
    );
}

#[test]
fn a_click_works_on_the_series_under_it_and_no_brush_paints_by_it() {
    let Some((mut window, a, b)) = two_series() else { return };
    press(&mut window, "New segment");
    window.key_press(Key::P);
    settle(&mut window);
    let second = middle_of(&window, "Second series view");
    let click = |window: &mut Window| {
        window.hover_at(second);
        window.run_steps(1);
        window.drag_at(second);
        window.run_steps(1);
        window.drop_at(second);
        settle(window);
    };
    click(&mut window);
    assert_eq!(view(&window).active_volume, Some(b), "{:?}", window.state().notice_texts());
    let voxels = |window: &Window, volume| {
        let document = window.state().session().document();
        document.segments_of(volume).map(|object| object.segment.mask.voxel_count()).sum::<u64>()
    };
    assert_eq!((voxels(&window, a), voxels(&window, b)), (0, 0), "the first click paints nowhere");
    click(&mut window);
    assert_eq!(voxels(&window, a), 0);
    assert!(voxels(&window, b) > 0, "the next one paints where it is: {:?}", window.state().notice_texts());
}

#[test]
fn a_layout_of_series_goes_with_its_case() {
    let Some((mut window, ..)) = two_series() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("two.maquette");
    window.state_mut().save_to(&case);
    settle(&mut window);
    press(&mut window, "File");
    press(&mut window, "Close case");
    press(&mut window, "Open the sample");
    window.get_by_label("Axial view");
    assert!(window.query_by_label_contains("series view").is_none(), "the sample has one series");
    window.state_mut().open(case);
    settle(&mut window);
    window.get_by_label("First series view: DOE Jane, Axial, 2024-01-05");
    window.get_by_label("Second series view: DOE Jane, Coronal, 2024-01-05");
}
