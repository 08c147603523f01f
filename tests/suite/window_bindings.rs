//! Keys and mouse buttons: sets for the hands of other programs, keys given away and back, and that everything says what is
//! so.

use egui::{Event, Key, Modifiers, PointerButton};
use egui_kittest::kittest::Queryable as _;
use glam::DVec3;
use maquette::domain::transfer::default_for;
use maquette::session::view::ViewState;
use maquette::tools::options::ToolKind;

use super::window::{Window, document, press, settle, with_sample};

fn view(window: &Window) -> &ViewState {
    &window.state().session().view
}

fn drag(window: &mut Window, button: PointerButton, by: egui::Vec2) {
    let from = window.get_by_label("Axial view").rect().center() + egui::vec2(50.0, 40.0);
    let event = |pos, pressed| Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE };
    window.hover_at(from);
    window.run_steps(2);
    window.event(event(from, true));
    window.run_steps(1);
    window.hover_at(from + by);
    window.run_steps(1);
    window.event(event(from + by, false));
    settle(window);
}

fn open_preferences(window: &mut Window) {
    window.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    settle(window);
}

#[test]
fn a_set_changes_what_buttons_and_keys_do_and_what_is_said_of_them() {
    let Some(mut window) = with_sample() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("settings.json");
    window.state_mut().keep_settings_at(settings.clone());
    let measures = |window: &Window| {
        let view = view(window);
        let id = view.active_volume.expect("a volume");
        (view.window(id).width, view.slices[0].mm_per_px, view.crosshair_in_patient)
    };
    let (width, mm_per_px, _) = measures(&window);
    drag(&mut window, PointerButton::Secondary, egui::vec2(60.0, 0.0));
    let (wider, same, _) = measures(&window);
    assert!(wider > width && same == mm_per_px, "ours: the right button is window and level");

    open_preferences(&mut window);
    window.check_accessibility();
    press(&mut window, "PACS");
    window.get_by_label("Left, with Navigate: Window and level");
    press(&mut window, "Close Keys and buttons");
    let before = measures(&window);
    drag(&mut window, PointerButton::Secondary, egui::vec2(0.0, -60.0));
    let zoomed = measures(&window);
    assert!(zoomed.1 < before.1 && zoomed.0 == before.0, "a drag upwards enlarges: {before:?} {zoomed:?}");
    drag(&mut window, PointerButton::Primary, egui::vec2(60.0, 0.0));
    let left = measures(&window);
    assert!(left.0 > zoomed.0 && left.2 == zoomed.2, "the left button is window and level, and no crosshair");
    window.key_press(Key::I);
    settle(&mut window);
    assert!(view(&window).inverted);

    // A brush keeps the left button in every set.
    press(&mut window, "New segment");
    window.key_press(Key::P);
    settle(&mut window);
    drag(&mut window, PointerButton::Primary, egui::vec2(20.0, 0.0));
    let voxels = |window: &Window| document(window).segments()[0].segment.mask.voxel_count();
    let painted = voxels(&window);
    assert!(painted > 0, "{:?}", window.state().notice_texts());

    open_preferences(&mut window);
    press(&mut window, "ITK-SNAP");
    press(&mut window, "Close Keys and buttons");
    drag(&mut window, PointerButton::Secondary, egui::vec2(20.0, 0.0));
    assert!(voxels(&window) < painted, "there the right button erases");
    let kept = std::fs::read_to_string(settings).expect("kept");
    assert!(kept.contains("ITK-SNAP"));
}

#[test]
fn a_key_is_given_to_another_command_and_back() {
    let Some(mut window) = with_sample() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    window.state_mut().keep_settings_at(folder.path().join("settings.json"));
    let search = |window: &mut Window, words: &str| {
        open_preferences(window);
        press(window, "Search bindings");
        window.get_by_label("Search bindings").type_text(words);
        window.run_steps(2);
    };
    search(&mut window, "Paint");
    press(&mut window, "Keys of Paint: P");
    window.key_press(Key::F);
    settle(&mut window);
    window.get_by_label_contains("\u{201c}Fit\u{201d}, which has no keys now");
    window.get_by_label("Keys of Paint: F");
    press(&mut window, "Keys of Paint: F");
    window.key_press(Key::Escape);
    settle(&mut window);
    window.get_by_label("Keys of Paint: F");
    press(&mut window, "Close Keys and buttons");
    window.key_press(Key::F);
    settle(&mut window);
    assert_eq!(window.state().tools().active(), ToolKind::Paint);
    window.key_press(Key::N);
    window.key_press(Key::P);
    settle(&mut window);
    assert_eq!(window.state().tools().active(), ToolKind::Navigate, "its old key does nothing");
    open_preferences(&mut window);
    press(&mut window, "Reset all to the set");
    press(&mut window, "Close Keys and buttons");
    window.key_press(Key::P);
    settle(&mut window);
    assert_eq!(window.state().tools().active(), ToolKind::Paint);
}

#[test]
fn a_preset_is_found_by_name_and_edited_colours_come_back() {
    let Some(mut window) = with_sample() else { return };
    let id = view(&window).active_volume.expect("a volume");
    let edited = default_for(&document(&window).volume(id).expect("there").volume);
    window.state_mut().session_mut().view.look.edited = Some(edited.clone());
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.run_steps(2);
    window.get_all_by_label("Search commands").last().expect("the palette's field").type_text("preset mr-angio");
    window.run_steps(2);
    window.key_press(Key::Enter);
    settle(&mut window);
    assert_eq!((view(&window).preset.as_str(), view(&window).look.edited.is_some()), ("MR-Angio", false));
    press(&mut window, "Bring edited colours back");
    assert_eq!(view(&window).look.edited.as_ref(), Some(&edited));
}

#[test]
fn the_ruler_grid_stays_with_the_patient_and_outlines_have_widths() {
    let Some(mut window) = with_sample() else { return };
    press(&mut window, "New segment");
    press(&mut window, "Wide");
    assert_eq!(document(&window).segments()[0].segment.info.outline, 2.0);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    settle(&mut window);
    assert_eq!(document(&window).segments()[0].segment.info.outline, 1.0);
    window.state_mut().session_mut().view.crosshair_visible = false;
    let bright_columns = |window: &mut Window| {
        let rect = window.get_by_label("Axial view").rect();
        let picture = window.render().expect("a picture");
        // Along the row above the lower edge there is air, and lines that cross it.
        let y = (rect.bottom() - 70.0) as u32;
        let is_line = |x: &u32| picture.get_pixel(*x, y).0[1] > 30 && picture.get_pixel(*x + 2, y).0[1] < 20;
        (rect.left() as u32 + 130..rect.right() as u32 - 130).filter(is_line).collect::<Vec<_>>()
    };
    window.state_mut().session_mut().view.slices[0].center_in_patient += DVec3::new(0.0, -400.0, 0.0);
    settle(&mut window);
    assert!(bright_columns(&mut window).is_empty(), "air");
    window.key_press_modifiers(Modifiers::SHIFT, Key::G);
    settle(&mut window);
    let lines = bright_columns(&mut window);
    assert!(lines.len() >= 3, "{lines:?}");
    let mm_per_px = view(&window).slices[0].mm_per_px;
    window.state_mut().session_mut().view.slices[0].center_in_patient -= DVec3::X * (10.0 * mm_per_px);
    settle(&mut window);
    let moved = bright_columns(&mut window);
    assert!(
        moved.iter().any(|x| lines.iter().any(|line| (*x as i64 - *line as i64 - 10).abs() <= 1)),
        "{lines:?} {moved:?}"
    );
}
