//! Series side by side in the window: each view says whose images it shows, has a window of its own, and moves with the
//! other ones or not.

use std::sync::Arc;

use egui::{Event, Key, Modifiers, MouseWheelUnit, PointerButton, Pos2};
use egui_kittest::kittest::Queryable as _;
use maquette::session::document::VolumeId;
use maquette::session::view::ViewState;
use maquette::session::view::fusion::FusionWay;

use super::side_by_side::{axial, head, leaning_coronal, pet};
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

/// A CT and a PET of one patient; the CT is worked on. `frame` is the PET's frame of reference.
fn pet_and_ct(frame: &str) -> Option<(Window, VolumeId, VolumeId)> {
    let mut window = window()?;
    let session = window.state_mut().session_mut();
    let (ct, pet) = (axial(), pet());
    let ct = session.new_case(head("Chest CT", &ct, "DOE Jane", "1.2"), Arc::new(ct));
    let pet = session.add_volume(head("FDG", &pet, "DOE Jane", frame), Arc::new(pet)).expect("added");
    session.look_at_volume(ct);
    let grid = session.document().volume(ct).expect("there").head.grid;
    session.view.center_on(super::side_by_side::MARK_IN_PATIENT, &grid);
    session.view.crosshair_visible = false;
    settle(&mut window);
    Some((window, ct, pet))
}

/// Pixels of a view that are no grey.
fn colored_px(window: &mut Window, name: &str, part: std::ops::Range<f32>) -> usize {
    let rect = window.get_by_label_contains(name).rect().shrink(30.0);
    let picture = window.render().expect("a picture");
    let columns = (rect.left() + rect.width() * part.start) as u32..(rect.left() + rect.width() * part.end) as u32;
    let rows = rect.top() as u32..rect.bottom() as u32;
    let is_colored = |x: u32, y: u32| {
        let [r, _, b, _] = picture.get_pixel(x, y).0;
        r > b.saturating_add(40)
    };
    columns.map(|x| rows.clone().filter(|y| is_colored(x, *y)).count()).sum()
}

#[test]
fn pet_lies_over_ct_in_its_own_colours_and_is_wiped_by_its_divider() {
    let Some((mut window, _, pet)) = pet_and_ct("1.2") else { return };
    assert_eq!(colored_px(&mut window, "Axial view", 0.0..1.0), 0);
    window.key_press_modifiers(Modifiers::SHIFT, Key::F);
    settle(&mut window);
    let fusion = view(&window).fusion.expect("something lies over the slices");
    assert_eq!((fusion.volume, fusion.window.bounds(), fusion.way), (pet, (0.0, 5.0), FusionWay::Blend));
    let blended = colored_px(&mut window, "Axial view", 0.0..1.0);
    assert!(blended > 500, "the uptake is hot: {blended}");
    window.check_accessibility();

    press(&mut window, "View");
    press(&mut window, "Over the slices: swipe");
    let rect = window.get_by_label("Axial view").rect();
    let (from, to) = (rect.center() + egui::vec2(0.0, 60.0), rect.left_center() + egui::vec2(rect.width() * 0.2, 60.0));
    let before = view(&window).crosshair_in_patient;
    window.hover_at(from);
    window.run_steps(2);
    window.drag_at(from);
    window.run_steps(1);
    window.hover_at(to);
    window.run_steps(1);
    window.drop_at(to);
    settle(&mut window);
    let divider = view(&window).fusion.expect("still there").divider;
    assert!((divider - 0.2).abs() < 0.01, "{divider}");
    assert_eq!(view(&window).crosshair_in_patient, before, "the tool got nothing of it");
    assert_eq!(colored_px(&mut window, "Axial view", 0.0..0.15), 0, "left of it is the CT alone");

    press(&mut window, "Axial display");
    window.get_by_label("Window width over the slices");
    window.check_accessibility();
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("fused.maquette");
    let kept = view(&window).fusion;
    window.state_mut().save_to(&case);
    settle(&mut window);
    window.state_mut().open(case);
    settle(&mut window);
    assert_eq!(view(&window).fusion, kept);
}

#[test]
fn two_series_in_three_views_are_ct_pet_and_both() {
    let Some((mut window, ct, pet)) = pet_and_ct("1.2") else { return };
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num5);
    settle(&mut window);
    let shown: Vec<(VolumeId, bool)> =
        view(&window).beside.views.iter().map(|series| (series.volume, series.fused)).collect();
    assert_eq!(shown, [(ct, false), (pet, false), (ct, true)]);
    for (name, colored) in [("First series view", false), ("Second series view", false), ("Third series view", true)] {
        assert_eq!(colored_px(&mut window, name, 0.0..1.0) > 200, colored, "{name}");
    }
    assert!(view(&window).slice_colors(pet).inverted, "PET is read dark on light");
}

#[test]
fn what_has_another_frame_of_reference_is_not_laid_over() {
    let Some((mut window, ..)) = pet_and_ct("9.9") else { return };
    window.key_press_modifiers(Modifiers::SHIFT, Key::F);
    settle(&mut window);
    assert!(view(&window).fusion.is_none());
    let told = window.state().notice_texts().join(" ");
    assert!(told.contains("frame of reference"), "{told}");
}

#[test]
fn what_is_made_of_a_layout_is_kept_with_the_case_and_by_a_name() {
    let Some((mut window, ..)) = two_series() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    window.state_mut().keep_settings_at(folder.path().join("settings.json"));
    let widths = |window: &Window| {
        ["First series view", "Second series view"].map(|name| window.get_by_label_contains(name).rect().width())
    };
    let before = widths(&window);
    assert!((before[0] - before[1]).abs() < 3.0);
    let edge = window.get_by_label_contains("First series view").rect().right_center() + egui::vec2(1.0, 0.0);
    window.hover_at(edge);
    window.run_steps(2);
    window.drag_at(edge);
    window.run_steps(1);
    window.hover_at(edge + egui::vec2(120.0, 0.0));
    window.run_steps(2);
    window.drop_at(edge + egui::vec2(120.0, 0.0));
    settle(&mut window);
    let dragged = widths(&window);
    assert!(dragged[0] - dragged[1] > 200.0, "{dragged:?}");
    let case = folder.path().join("two.maquette");
    window.state_mut().save_to(&case);
    settle(&mut window);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num6);
    settle(&mut window);
    press(&mut window, "Name of the layout");
    window.get_by_label("Name of the layout").type_text("Wide left");
    window.run_steps(2);
    press(&mut window, "Save");
    window.check_accessibility();
    press(&mut window, "Close Layouts");
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num4);
    settle(&mut window);
    assert!((widths(&window)[0] - before[0]).abs() < 3.0, "the key puts them back");
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    settle(&mut window);
    window.state_mut().open(case);
    settle(&mut window);
    assert!((widths(&window)[0] - dragged[0]).abs() < 3.0, "as the case was left: {:?}", widths(&window));

    // In another window of the same user.
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    settle(&mut window);
    window.state_mut().keep_settings_at(folder.path().join("settings.json"));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num6);
    settle(&mut window);
    press(&mut window, "Wide left");
    assert!((widths(&window)[0] - dragged[0]).abs() < 3.0, "by its name: {:?}", widths(&window));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num6);
    settle(&mut window);
    press(&mut window, "Remove Wide left");
    assert!(window.query_by_label("Wide left").is_none());
}

/// Middle of the white pixels around the middle of a view, relative to it, points.
fn white_spot(window: &mut Window, name: &str) -> egui::Vec2 {
    let rect = window.get_by_label_contains(name).rect();
    let picture = window.render().expect("a picture");
    let (mut sum, mut count) = (egui::Vec2::ZERO, 0.0);
    let inner = rect.shrink2(rect.size() * 0.25);
    for y in inner.top() as u32..inner.bottom() as u32 {
        for x in inner.left() as u32..inner.right() as u32 {
            if picture.get_pixel(x, y).0[..3].iter().all(|channel| *channel > 220) {
                sum += egui::pos2(x as f32 + 0.5, y as f32 + 0.5) - rect.center();
                count += 1.0;
            }
        }
    }
    assert!(count > 50.0, "{name}: the mark is seen ({count})");
    sum / count
}

#[test]
fn what_is_right_of_the_patient_and_in_front_is_left_and_above_in_every_view() {
    let Some((mut window, a, b)) = two_series() else { return };
    let mark = super::side_by_side::MARK_IN_PATIENT;
    let state = window.state_mut();
    let middle = state.session().document().volume(a).expect("there").head.grid.center_in_patient();
    // The mark lies 7 mm to the right and 4 mm to the front of the middle, for the patient.
    assert!((middle - mark).distance(glam::DVec3::new(7.0, 4.0, -6.0)) < 1e-9);
    let session = state.session_mut();
    session.view.crosshair_in_patient = mark;
    session.view.crosshair_visible = false;
    session.view.slices[0].center_in_patient = middle;
    for id in [a, b] {
        session.view.windows.insert(id, maquette::domain::window::Window::new(400.0, 500.0));
    }
    settle(&mut window);
    let mm_per_px = view(&window).slices[0].mm_per_px as f32;
    let expected = egui::vec2(-7.0, -4.0) / mm_per_px;
    for name in ["First series view", "Second series view"] {
        let spot = white_spot(&mut window, name);
        assert!((spot - expected).length() * mm_per_px < 1.2, "{name}: {spot:?}, expected {expected:?}");
    }
}
