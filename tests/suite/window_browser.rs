//! The study browser in the window, driven by the accessible names of its controls.

use std::path::Path;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use maquette::app::{MaquetteApp, device};
use maquette::gpu::context::LimitsRequest;

use crate::support::device::device as shared_device;
use crate::support::series::{axial, tree_of_studies, volume, written};

type Window = Harness<'static, MaquetteApp>;

/// A window whose index lies in `state`; `None` where GPU tests are skipped.
fn window(state: &Path) -> Option<Window> {
    shared_device()?;
    let builder = Harness::builder().with_size(egui::Vec2::new(1280.0, 800.0));
    let builder = builder.wgpu_setup(device::setup(LimitsRequest::Defaults));
    let mut window = builder.build_eframe(|context| MaquetteApp::for_test(context));
    window.state_mut().keep_studies_at(state.join("studies.sqlite"));
    window.run_steps(2);
    Some(window)
}

fn settle(window: &mut Window) {
    for _ in 0..3 {
        window.run_steps(1);
        window.state_mut().finish_work();
    }
    window.run_steps(2);
}

fn press(window: &mut Window, name: &str) {
    window.get_by_label(name).click();
    window.run_steps(1);
    settle(window);
}

fn open_names(window: &Window) -> Vec<String> {
    window.state().session().document().volumes().iter().map(|volume| volume.head.name.clone()).collect()
}

#[test]
fn a_series_is_found_by_search_opened_and_another_added_beside_it() {
    let (place, state) = (tree_of_studies(), tempfile::tempdir().expect("a folder"));
    let Some(mut window) = window(state.path()) else { return };
    window.state_mut().open(place.path().to_path_buf());
    settle(&mut window);
    window.check_accessibility();
    for name in ["Series Series 0", "Series Series 1", "Series Series 2"] {
        window.get_by_label(name);
    }
    press(&mut window, "Search studies");
    window.get_by_label("Search studies").type_text("baker");
    window.run_steps(2);
    assert!(window.query_by_label("Series Series 0").is_none(), "the search hides what does not fit");
    press(&mut window, "Series Series 2");
    press(&mut window, "Open series");
    assert_eq!(open_names(&window), ["Series 2"], "{:?}", window.state().notice_texts());

    // The browser is as it was left, and another series joins the case.
    press(&mut window, "File");
    press(&mut window, "Browse studies\u{2026}");
    window.get_by_label("Search studies").click();
    window.run_steps(1);
    for _ in 0.."baker".len() {
        window.key_press(egui::Key::Backspace);
    }
    window.run_steps(2);
    press(&mut window, "Series Series 0");
    press(&mut window, "Add to the case");
    assert_eq!(open_names(&window), ["Series 2", "Series 0"], "{:?}", window.state().notice_texts());
}

#[test]
fn a_visited_place_shows_at_once_and_can_be_forgotten() {
    let (place, state) = (tree_of_studies(), tempfile::tempdir().expect("a folder"));
    let name = place.path().file_name().expect("a name").to_string_lossy().into_owned();
    if let Some(mut first) = window(state.path()) {
        first.state_mut().open(place.path().to_path_buf());
        settle(&mut first);
    }
    let Some(mut window) = window(state.path()) else { return };
    press(&mut window, "File");
    press(&mut window, "Browse studies\u{2026}");
    press(&mut window, &format!("Place {name}"));
    window.get_by_label_contains("0 of them new or changed");
    window.check_accessibility();
    press(&mut window, &format!("Forget {name}"));
    assert!(window.query_by_label(&format!("Place {name}")).is_none());
    assert!(window.query_by_label("Series Series 0").is_none());
}

#[test]
fn several_series_are_opened_together() {
    let (place, state) = (tree_of_studies(), tempfile::tempdir().expect("a folder"));
    let Some(mut window) = window(state.path()) else { return };
    window.state_mut().open(place.path().to_path_buf());
    settle(&mut window);
    press(&mut window, "Series Series 1");
    window.get_by_label("Series Series 0").click_modifiers(egui::Modifiers::COMMAND);
    window.run_steps(2);
    press(&mut window, "Open 2 series");
    settle(&mut window);
    assert_eq!(open_names(&window), ["Series 1", "Series 0"], "{:?}", window.state().notice_texts());
    // Side by side, each with its name.
    let name = "ADAMS Ann, A1, Series";
    window.get_by_label_contains(&format!("First series view: {name} 1"));
    window.get_by_label_contains(&format!("Second series view: {name} 0"));
    press(&mut window, "File");
    press(&mut window, "Browse studies\u{2026}");
    press(&mut window, "Series Series 2");
    press(&mut window, "Open beside");
    window.get_by_label_contains("First series view: ADAMS Ann, A1, Series 0");
    window.get_by_label_contains("Second series view: BAKER Bob, B2, Series 2");
}

#[test]
fn a_case_is_not_left_unasked_from_a_list_that_was_made_to_add_images() {
    let (place, state) = (tree_of_studies(), tempfile::tempdir().expect("a folder"));
    let Some(mut window) = window(state.path()) else { return };
    window.state_mut().open(place.path().to_path_buf());
    settle(&mut window);
    press(&mut window, "Series Series 2");
    press(&mut window, "Open series");
    for (series, button) in [("Series Series 0", "Add to the case"), ("Series Series 1", "Open series")] {
        window.state_mut().add_from(place.path().to_path_buf());
        settle(&mut window);
        press(&mut window, series);
        press(&mut window, button);
    }
    window.get_by_label_contains("in no case file yet");
    assert_eq!(open_names(&window), ["Series 2", "Series 0"], "{:?}", window.state().notice_texts());
}

#[test]
fn a_place_with_one_series_is_opened_at_once() {
    let (folder, _) = written(&volume(axial()));
    let state = tempfile::tempdir().expect("a folder");
    let Some(mut window) = window(state.path()) else { return };
    window.state_mut().open(folder.path().to_path_buf());
    settle(&mut window);
    assert_eq!(open_names(&window), ["Test"], "{:?}", window.state().notice_texts());
}

#[test]
fn a_series_with_a_hole_is_shown_filled_in_and_marked_or_split() {
    let (folder, files) = written(&volume(axial()));
    std::fs::remove_file(&files[3]).expect("removed");
    let state = tempfile::tempdir().expect("a folder");
    let Some(mut window) = window(state.path()) else { return };
    window.state_mut().open(folder.path().to_path_buf());
    settle(&mut window);
    window.get_by_label_contains("Slice positions: 5 slices, usually 2.50 mm apart; 1 missing");
    window.check_accessibility();
    press(&mut window, "Open series");
    assert!(open_names(&window).is_empty(), "it is not opened without a choice");
    press(&mut window, "Fill in");
    press(&mut window, "Open series");
    let document = window.state().session().document();
    let head = &document.volumes()[0].head;
    assert_eq!(head.name, "Test (missing slices filled in)");
    assert!(head.source.series.ends_with("missing slices filled in"), "{}", head.source.series);
    assert!(head.report.iter().any(|line| line.contains("made up")), "{:?}", head.report);
    assert_eq!(head.grid.dims()[2], files.len() as u32);
}

#[test]
fn segments_of_a_file_join_the_open_case_as_one_step() {
    use maquette::domain::mask::Mask;
    use maquette::ops::convert::{SegmentOptions, Target, write_segments};
    use maquette::task::Progress;

    let images = volume(axial());
    let (folder, _) = written(&images);
    let state = tempfile::tempdir().expect("a folder");
    let Some(mut window) = window(state.path()) else { return };
    window.state_mut().open(folder.path().to_path_buf());
    settle(&mut window);
    let mask = Mask::from_fn(images.grid().dims(), |i, j, k| i > 2 && i < 8 && j > 1 && k > 1);
    let info = |name: &str, color| maquette::domain::segmentation::SegmentInfo {
        name: name.to_owned(),
        code: None,
        side: None,
        color,
        visible: true,
        opacity: 0.25,
        outline: maquette::domain::segmentation::USUAL_OUTLINE,
        locked: false,
        state: maquette::domain::segmentation::SegmentState::ToDo,
        made_by: Vec::new(),
    };
    let segments =
        [(info("Aorta", [200, 20, 30]), mask.clone()), (info("Spine", [20, 200, 30]), Mask::empty(mask.dims()))];
    let progress = Progress::new();
    for name in ["a.seg.nrrd", "b.dcm", "c.dcm"] {
        let path = state.path().join(name);
        let target = Target::of(&path).expect("known");
        let options = SegmentOptions { as_contours: name == "c.dcm", ..SegmentOptions::default() };
        write_segments(&path, target, &options, images.grid(), &segments[..1], &progress).expect("written");
        window.state_mut().drop_file(path);
        settle(&mut window);
    }
    let document = window.state().session().document();
    let found: Vec<(&str, [u8; 3], bool)> = document
        .segments()
        .iter()
        .map(|object| (object.segment.info.name.as_str(), object.segment.info.color, object.segment.mask == mask))
        .collect();
    assert_eq!(found.len(), 3, "{found:?} {:?}", window.state().notice_texts());
    assert!(found.iter().all(|(name, _, same)| name.starts_with("Aorta") && *same), "{found:?}");
    window.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    settle(&mut window);
    assert_eq!(window.state().session().document().segments().len(), 2, "one step for one file");
}

#[test]
fn models_and_plain_labels_that_are_dropped_join_the_open_case() {
    use maquette::domain::mask::Mask;
    use maquette::ops::convert::{SegmentOptions, SourceImages, Target, write_mesh, write_segments};
    use maquette::ops::surface::extract_segment;
    use maquette::task::Progress;

    let images = volume(axial());
    let (folder, _) = written(&images);
    let state = tempfile::tempdir().expect("a folder");
    let Some(mut window) = window(state.path()) else { return };
    window.state_mut().open(folder.path().to_path_buf());
    settle(&mut window);
    let mask = Mask::from_fn(images.grid().dims(), |i, j, k| i > 2 && i < 8 && j > 1 && k > 1);
    let mesh = extract_segment(&mask, images.grid(), &Progress::new()).expect("a surface");
    for name in ["a.dcm", "b.stl", "c.obj"] {
        let path = state.path().join(name);
        write_mesh(&path, &mesh, "Aorta", &SourceImages::default()).expect("written");
        window.state_mut().drop_file(path);
        settle(&mut window);
        settle(&mut window);
    }
    let document = window.state().session().document();
    let names: Vec<&str> = document.meshes().iter().map(|mesh| mesh.name.as_str()).collect();
    assert_eq!(names, ["Aorta", "b", "c"], "{:?}", window.state().notice_texts());
    let volumes = document.meshes().iter().map(|mesh| mesh.built.as_ref().expect("built").figures.volume_mm3);
    assert!(volumes.into_iter().all(|found| (found / mesh.volume_mm3() - 1.0).abs() < 1e-4));

    let info = maquette::domain::segmentation::SegmentInfo {
        name: "Aorta".to_owned(),
        code: None,
        side: None,
        color: [200, 20, 30],
        visible: true,
        opacity: 0.25,
        outline: maquette::domain::segmentation::USUAL_OUTLINE,
        locked: false,
        state: maquette::domain::segmentation::SegmentState::ToDo,
        made_by: Vec::new(),
    };
    let path = state.path().join("labels.nii.gz");
    let (target, options) = (Target::of(&path).expect("known"), SegmentOptions::default());
    write_segments(&path, target, &options, images.grid(), &[(info, mask.clone())], &Progress::new()).expect("written");
    window.state_mut().drop_file(path);
    settle(&mut window);
    assert!(
        window.state().session().document().segments().is_empty(),
        "nothing is done before somebody says what it is"
    );
    press(&mut window, "Load as segments");
    let segments = window.state().session().document().segments();
    assert_eq!(segments.len(), 1, "{:?}", window.state().notice_texts());
    assert!(segments[0].segment.mask == mask);
    // Images are images.
    let again = state.path().join("again.nii");
    let target = Target::of(&again).expect("known");
    let info = maquette::domain::series_info::SeriesInfo::default();
    let version = maquette::ops::convert::NiftiVersion::One;
    maquette::ops::convert::write_volume(&again, target, version, &images, &info, &Progress::new()).expect("written");
    use maquette::ops::load_segments::{Holds, what_holds};
    assert_eq!(what_holds(&again, &Progress::new()), Holds::Other);
}
