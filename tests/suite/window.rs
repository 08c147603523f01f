//! The window, driven by the accessible names of its controls. Few and small: what a control does is tested in its room.

use egui::Modifiers;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use maquette::app::{MaquetteApp, device};
use maquette::domain::volume::Volume;
use maquette::gpu::context::LimitsRequest;
use maquette::session::document::Document;

use crate::support::device::device as shared_device;

pub(super) type Window = Harness<'static, MaquetteApp>;

/// A window of the smallest supported size, with the limits that every machine has; `None` where GPU tests are skipped.
pub(super) fn window() -> Option<Window> {
    shared_device()?;
    let builder = Harness::builder().with_size(egui::Vec2::new(1280.0, 800.0));
    let builder = builder.wgpu_setup(device::setup(LimitsRequest::Defaults));
    let mut window = builder.build_eframe(|context| MaquetteApp::for_test(context));
    window.run_steps(2);
    Some(window)
}

/// Waits for all jobs and draws what they left.
pub(super) fn settle(window: &mut Window) {
    for _ in 0..3 {
        window.run_steps(1);
        window.state_mut().finish_work();
    }
    window.run_steps(2);
}

pub(super) fn press(window: &mut Window, name: &str) {
    window.get_by_label(name).click();
    window.run_steps(1);
    settle(window);
}

pub(super) fn document(window: &Window) -> &Document {
    window.state().session().document()
}

pub(super) fn with_sample() -> Option<Window> {
    let mut window = window()?;
    press(&mut window, "Open the sample");
    assert_eq!(document(&window).volumes().len(), 1, "{:?}", window.state().notice_texts());
    Some(window)
}

fn voxels(window: &Window) -> u64 {
    document(window).segments().first().map_or(0, |object| object.segment.mask.voxel_count())
}

#[test]
fn the_first_window_offers_ways_in_and_every_control_has_a_name() {
    let Some(mut window) = window() else { return };
    for name in ["Open folder\u{2026}", "Open the sample", "Path to open", "Search commands"] {
        window.get_by_label(name);
    }
    window.check_accessibility();
    press(&mut window, "Path to open");
    window.get_by_label("Path to open").type_text("/nowhere/at/all");
    window.run_steps(1);
    press(&mut window, "Open");
    let told = window.state().notice_texts().join(" ");
    assert!(told.contains("/nowhere/at/all"), "says which path: {told}");
    assert!(document(&window).volumes().is_empty());
}

#[test]
fn a_threshold_is_applied_undone_and_done_again() {
    let Some(mut window) = with_sample() else { return };
    window.check_accessibility();
    press(&mut window, "Segment");
    press(&mut window, "Threshold");
    press(&mut window, "Apply threshold");
    let bone = voxels(&window);
    assert!(bone > 0, "{:?}", window.state().notice_texts());
    window.key_press_modifiers(Modifiers::COMMAND, egui::Key::Z);
    settle(&mut window);
    assert_eq!(voxels(&window), 0, "undo empties the segment");
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, egui::Key::Z);
    settle(&mut window);
    assert_eq!(voxels(&window), bone, "redo brings the same voxels");
    press(&mut window, "Go to step 1: Add segment");
    assert_eq!(voxels(&window), 0, "a click in the history goes back");
    window.check_accessibility();
}

#[test]
fn a_segment_becomes_a_mesh_an_stl_and_a_case_that_opens_again() {
    let Some(mut window) = with_sample() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    press(&mut window, "Segment");
    press(&mut window, "Threshold");
    press(&mut window, "Apply threshold");
    press(&mut window, "Mesh");
    press(&mut window, "Make mesh of segment");
    assert!(document(&window).meshes()[0].built.is_some(), "{:?}", window.state().notice_texts());
    press(&mut window, "Export meshes\u{2026}");
    window.state_mut().choose_export_folder(folder.path());
    press(&mut window, "Write STL");
    let stl = std::fs::read_dir(folder.path()).expect("the folder").find_map(|entry| {
        let path = entry.expect("an entry").path();
        path.extension().is_some_and(|end| end == "stl").then_some(path)
    });
    let bytes = std::fs::metadata(stl.expect("an STL file")).expect("the file").len();
    let triangles = document(&window).meshes()[0].built.as_ref().expect("built").triangles.triangles.len() as u64;
    assert_eq!(bytes, 84 + 50 * triangles);
    press(&mut window, "Close Export meshes");
    let case = folder.path().join("bone.maquette");
    window.state_mut().save_to(&case);
    settle(&mut window);
    let before = voxels(&window);
    window.state_mut().open(case);
    settle(&mut window);
    assert_eq!(voxels(&window), before, "{:?}", window.state().notice_texts());
    assert_eq!(document(&window).meshes().len(), 1);
}

#[test]
fn objects_are_hidden_locked_renamed_and_deleted_from_the_tree() {
    let Some(mut window) = with_sample() else { return };
    press(&mut window, "New segment");
    press(&mut window, "Hide segment Segment 1");
    assert!(!document(&window).segments()[0].segment.info.visible);
    press(&mut window, "Lock segment Segment 1");
    assert!(document(&window).segments()[0].segment.info.locked);
    window.key_press(egui::Key::F2);
    window.run_steps(2);
    window.get_by_label("New name").type_text(" left");
    window.run_steps(1);
    window.key_press(egui::Key::Enter);
    settle(&mut window);
    assert_eq!(document(&window).segments()[0].segment.info.name, "Segment 1 left");
    press(&mut window, "Unlock segment Segment 1 left");
    window.key_press(egui::Key::Delete);
    settle(&mut window);
    assert!(document(&window).segments().is_empty());
}

#[test]
fn the_palette_finds_commands_and_every_dialog_has_named_controls() {
    let Some(mut window) = with_sample() else { return };
    let shown: *const Volume = std::sync::Arc::as_ptr(&document(&window).volumes()[0].volume);
    for (name, dialog) in [
        ("about", "Close About Maquette"),
        ("keys and mouse", "Close Keys and mouse"),
        ("import report", "Close Import report"),
        ("window presets", "Close Window presets"),
    ] {
        window.key_press_modifiers(Modifiers::COMMAND, egui::Key::K);
        window.run_steps(2);
        window.get_all_by_label("Search commands").last().expect("the palette's field").type_text(name);
        window.run_steps(2);
        window.key_press(egui::Key::Enter);
        settle(&mut window);
        window.check_accessibility();
        press(&mut window, dialog);
        assert!(window.query_by_label(dialog).is_none(), "{dialog}");
    }
    assert!(std::ptr::eq(shown, std::sync::Arc::as_ptr(&document(&window).volumes()[0].volume)));
}

#[test]
fn digits_are_windows_and_letters_are_tools() {
    let Some(mut window) = with_sample() else { return };
    window.key_press(egui::Key::Num3);
    window.key_press(egui::Key::P);
    settle(&mut window);
    let view = &window.state().session().view;
    let now = view.window(view.active_volume.expect("a volume"));
    assert_eq!((now.width, now.level), (2000.0, 350.0), "bone");
    assert_eq!(window.state().tools().active(), maquette::tools::options::ToolKind::Paint);
    window.get_by_label("Brush radius");
}

#[test]
fn unsaved_work_is_asked_about_and_a_failed_opening_leaves_it_alone() {
    let Some(mut window) = with_sample() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    press(&mut window, "New segment");
    let damaged = folder.path().join("damaged.maquette");
    std::fs::write(&damaged, b"no case").expect("written");
    window.state_mut().open(damaged.clone());
    settle(&mut window);
    press(&mut window, "Cancel");
    assert_eq!(document(&window).segments().len(), 1);
    window.state_mut().open(damaged);
    settle(&mut window);
    press(&mut window, "Discard the steps");
    assert_eq!(document(&window).segments().len(), 1, "it could not be opened: {:?}", window.state().notice_texts());
    assert!(window.state().session().has_steps_to_keep(), "and what was agreed to holds no longer");
    let case = folder.path().join("kept.maquette");
    std::fs::write(&case, b"somebody else's").expect("written");
    window.state_mut().save_to(&case);
    settle(&mut window);
    press(&mut window, "Choose another name");
    assert_eq!(std::fs::read(&case).expect("readable"), b"somebody else's");
    window.key_press(egui::Key::Escape);
    settle(&mut window);
    window.state_mut().save_to(&case);
    settle(&mut window);
    press(&mut window, "Replace kept.maquette");
    assert!(!window.state().session().is_dirty());
    press(&mut window, "File");
    press(&mut window, "Close case");
    window.get_by_label("Open the sample");
}

#[test]
fn several_objects_are_selected_and_deleted_together() {
    let Some(mut window) = with_sample() else { return };
    for _ in 0..3 {
        press(&mut window, "New segment");
    }
    press(&mut window, "segment Segment 1");
    window.get_by_label("segment Segment 3").click_modifiers(Modifiers::COMMAND);
    settle(&mut window);
    window.key_press(egui::Key::Delete);
    settle(&mut window);
    let names: Vec<&str> = document(&window).segments().iter().map(|s| s.segment.info.name.as_str()).collect();
    assert_eq!(names, ["Segment 2"]);
    window.key_press_modifiers(Modifiers::COMMAND, egui::Key::Z);
    settle(&mut window);
    assert_eq!(document(&window).segments().len(), 3, "one undo brings both back");
}
