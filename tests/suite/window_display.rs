//! How slices and the 3D picture are drawn, chosen with the controls of the window.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use glam::DVec3;
use maquette::domain::color_map::ColorMap;
use maquette::domain::slice::{Interpolation, Slab, SlabMode};
use maquette::domain::transfer::Blend;
use maquette::session::measurement::MeasurementShape;
use maquette::session::view::ViewState;

use super::window::{Window, document, press, settle, with_sample};

fn view(window: &Window) -> &ViewState {
    &window.state().session().view
}

fn width_of(window: &Window, name: &str) -> f32 {
    window.get_by_label(name).rect().width()
}

#[test]
fn the_3d_display_chooses_how_the_volume_is_drawn_and_cut() {
    let Some(mut window) = with_sample() else { return };
    press(&mut window, "3D display");
    for (button, blend) in [("MIP", Blend::MaximumIntensity), ("X-ray", Blend::XRay), ("Surface", Blend::Isosurface)] {
        press(&mut window, button);
        assert_eq!(view(&window).blend(), blend, "{button}");
    }
    window.get_by_label("Value of the surface");
    press(&mut window, "Parallel");
    assert!(view(&window).camera.is_parallel());
    press(&mut window, "From the head");
    assert_eq!(view(&window).camera.direction_in_patient, DVec3::NEG_Z);
    press(&mut window, "Cuts");
    press(&mut window, "Cut along the axial plane");
    let cut = view(&window).look.cuts[0];
    assert_eq!(cut.normal_in_patient, DVec3::NEG_Z, "what is between the plane and the eye above the head goes");
    press(&mut window, "Flip cut 1");
    assert_eq!(view(&window).look.cuts[0], cut.flipped());
    for _ in 0..3 {
        press(&mut window, "Cut along the coronal plane");
    }
    press(&mut window, "Only a slab around the sagittal plane");
    assert_eq!(view(&window).clip_planes().iter().count(), 6);
    press(&mut window, "Cut along the coronal plane");
    assert_eq!(view(&window).look.cuts.len(), 4, "there is no room for more");
    window.check_accessibility();
    press(&mut window, "Remove cut 4");
    press(&mut window, "Remove all cuts");
    assert_eq!(view(&window).clip_planes().iter().count(), 0);
    window.key_press_modifiers(Modifiers::SHIFT, Key::D);
    settle(&mut window);
    assert!(window.query_by_label("Value of the surface").is_none(), "the same key closes it");
}

#[test]
fn slices_get_thickness_interpolation_and_colours_and_the_case_keeps_them() {
    let Some(mut window) = with_sample() else { return };
    press(&mut window, "Coronal display");
    press(&mut window, "MIP");
    press(&mut window, "Cubic");
    press(&mut window, "Fire");
    window.check_accessibility();
    let slabs = view(&window).slices.map(|slice| slice.slab);
    assert_eq!(slabs, [None, None, Some(Slab { thickness_mm: 10.0, mode: SlabMode::Maximum })]);
    press(&mut window, "The same in all three");
    assert!(view(&window).slices.iter().all(|slice| slice.slab == slabs[2]));
    // A click beside the menu closes it, and moves nothing.
    let before = view(&window).crosshair_in_patient;
    let beside = window.get_by_label("Axial view").rect().center() + egui::vec2(40.0, 40.0);
    window.hover_at(beside);
    window.run_steps(1);
    window.drag_at(beside);
    window.run_steps(1);
    window.drop_at(beside);
    settle(&mut window);
    assert!(window.query_by_label("Cubic").is_none(), "closed");
    assert_eq!(view(&window).crosshair_in_patient, before);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num1);
    settle(&mut window);
    let kept = view(&window).clone();
    assert_eq!((kept.interpolation, kept.color_map), (Interpolation::Cubic, ColorMap::Fire));
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("view.maquette");
    window.state_mut().save_to(&case);
    settle(&mut window);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    press(&mut window, "File");
    press(&mut window, "Close case");
    window.state_mut().open(case);
    settle(&mut window);
    let opened = view(&window);
    assert_eq!(opened.slices.map(|slice| slice.slab), kept.slices.map(|slice| slice.slab));
    assert_eq!(
        (opened.interpolation, opened.color_map, &opened.look),
        (kept.interpolation, kept.color_map, &kept.look)
    );
    assert_eq!(opened.layout, "one-and-three");
    assert!(width_of(&window, "3D view") > 1.5 * width_of(&window, "Axial view"), "and the views lie as they did");
}

#[test]
fn views_are_arranged_by_keys() {
    let Some(mut window) = with_sample() else { return };
    for (key, gone) in [(Key::Num2, "3D view"), (Key::Num3, "Axial view")] {
        window.key_press_modifiers(Modifiers::COMMAND, key);
        settle(&mut window);
        assert!(window.query_by_label(gone).is_none(), "{gone}");
    }
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    settle(&mut window);
    assert!((width_of(&window, "3D view") - width_of(&window, "Axial view")).abs() < 4.0);
}

#[test]
fn c_arm_angles_are_typed_where_they_stand() {
    let Some(mut window) = with_sample() else { return };
    press(&mut window, "C-arm angles");
    window.get_by_label("LAO or RAO").click();
    window.run_steps(2);
    window.get_by_label("LAO or RAO").type_text("RAO 30");
    window.run_steps(1);
    window.key_press(Key::Enter);
    settle(&mut window);
    let (lao, cranial) = view(&window).camera.c_arm_angles_deg();
    assert!((lao + 30.0).abs() < 1e-6 && cranial.abs() < 1e-6, "{lao} {cranial}");
}

/// Presses the left button, moves in steps, lets go.
fn drag(window: &mut Window, from: egui::Pos2, to: egui::Pos2) {
    window.hover_at(from);
    window.run_steps(2);
    window.drag_at(from);
    window.run_steps(1);
    for n in 1..=4 {
        window.hover_at(from + (to - from) * (n as f32 / 4.0));
        window.run_steps(1);
    }
    window.drop_at(to);
    window.run_steps(2);
    settle(window);
}

#[test]
fn a_line_dragged_by_its_end_turns_its_plane_and_work_there_stays_on_it() {
    let Some(mut window) = with_sample() else { return };
    let axial = window.get_by_label("Axial view").rect();
    let radius = (axial.width().min(axial.height()) * 0.4).min(axial.height() / 2.0 - 34.0);
    // The upper end of the sagittal line, to the right: clockwise.
    let end = axial.center() - egui::Vec2::Y * radius;
    drag(&mut window, end, axial.center() + egui::vec2(radius * 0.5, -radius * 0.8));
    let turned = view(&window).slices;
    assert!(!turned[0].is_oblique() && turned[1].is_oblique() && turned[2].is_oblique());
    let sagittal = turned[1].normal_in_patient();
    assert!(sagittal.x > 0.7 && sagittal.y > 0.3 && sagittal.z.abs() < 1e-9, "{sagittal}");
    let place = view(&window).crosshair_in_patient;
    // A length measured on the turned plane lies in it.
    window.key_press(Key::D);
    settle(&mut window);
    let pane = window.get_by_label("Sagittal view").rect();
    drag(&mut window, pane.center() + egui::vec2(-30.0, 10.0), pane.center() + egui::vec2(40.0, -20.0));
    let document = window.state().session().document();
    let MeasurementShape::Distance { ends_in_patient } = document.measurements()[0].shape else { panic!("a length") };
    for end in ends_in_patient {
        assert!((end - place).dot(sagittal).abs() < 1e-6, "{end}");
    }
    let expected_mm = egui::vec2(70.0, 30.0).length() * turned[1].mm_per_px as f32;
    assert!((ends_in_patient[0].distance(ends_in_patient[1]) as f32 - expected_mm).abs() < 1e-2);
    // So does what a disc paints: every voxel of it is within half a voxel's diagonal of the plane.
    window.key_press(Key::P);
    settle(&mut window);
    press(&mut window, "Disc");
    drag(&mut window, pane.center() + egui::vec2(0.0, 20.0), pane.center() + egui::vec2(20.0, 20.0));
    let document = window.state().session().document();
    let (grid, mask) = (document.volumes()[0].head.grid, &document.segments()[0].segment.mask);
    let mut painted = 0;
    let [ni, nj, nk] = grid.dims();
    for (k, j, i) in (0..nk).flat_map(|k| (0..nj).flat_map(move |j| (0..ni).map(move |i| (k, j, i)))) {
        if mask.contains(i, j, k) {
            painted += 1;
            let voxel = DVec3::new(f64::from(i), f64::from(j), f64::from(k));
            let off = (grid.patient_from_voxel().transform_point3(voxel) - place).dot(sagittal).abs();
            assert!(off <= grid.spacing_mm().length() / 2.0, "{off} mm from the plane");
        }
    }
    assert!(painted > 4, "{painted} voxels");
    window.key_press_modifiers(Modifiers::SHIFT, Key::C);
    settle(&mut window);
    assert!(!view(&window).has_turned_planes());
    // A click on a line is a click, not a drag of nothing.
    window.key_press(Key::N);
    settle(&mut window);
    let on_line = axial.center() + egui::vec2(60.0, 0.0);
    drag(&mut window, on_line, on_line);
    let moved_mm = view(&window).crosshair_in_patient.x - place.x;
    assert!((moved_mm - 60.0 * view(&window).slices[0].mm_per_px).abs() < 4.0, "{moved_mm} mm");
}

#[test]
fn colours_and_opacity_are_edited_saved_loaded_and_put_back() {
    let Some(mut window) = with_sample() else { return };
    let shown = |window: &Window| {
        let object = &document(window).volumes()[0];
        view(window).transfer_function(&object.volume)
    };
    let preset = shown(&window);
    press(&mut window, "3D display");
    press(&mut window, "Colours");
    window.check_accessibility();
    let rect = window.get_by_label("Opacity over values").rect();
    // A double click on the empty upper left corner puts a point there: air becomes visible.
    let corner = rect.min + egui::vec2(40.0, 20.0);
    window.hover_at(corner);
    window.run_steps(1);
    for pressed in [true, false, true, false] {
        let button = egui::PointerButton::Primary;
        let event = egui::Event::PointerButton { pos: corner, button, pressed, modifiers: Modifiers::NONE };
        window.input_mut().events.push(event);
    }
    window.run_steps(2);
    settle(&mut window);
    assert_eq!(shown(&window).opacity.len(), preset.opacity.len() + 1, "a point more");
    assert!(shown(&window).opacity_at(-900.0) > 0.5);
    drag(&mut window, corner, rect.left_bottom() + egui::vec2(40.0, -8.0));
    assert!(shown(&window).opacity_at(-900.0) < 0.01, "dragged down, air is gone again");
    press(&mut window, "Fade where values are even");
    assert!(shown(&window).uses_gradient_opacity());
    let edited = shown(&window);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.json");
    window.state_mut().transfer_file(&file, true);
    press(&mut window, "Colours and opacity of the preset");
    assert_eq!(shown(&window), preset);
    window.state_mut().transfer_file(&file, false);
    settle(&mut window);
    assert_eq!(shown(&window).opacity, edited.opacity);
    assert_eq!(shown(&window).name, "mine");
    window.state_mut().transfer_file(&file, true);
    let told = window.state().notice_texts().join(" ");
    assert!(told.contains("left as it is"), "a file is not replaced unasked: {told}");
}
