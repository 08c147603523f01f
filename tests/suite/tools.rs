//! The pointer tools, driven by events as a view sends them.

use glam::{DMat4, DVec2, DVec3};
use maquette::domain::plane::Plane;
use maquette::session::command::{BrushShape, MaskEdit};
use maquette::session::document::Document;
use maquette::session::measurement::MeasurementShape;
use maquette::tools::action::Action;
use maquette::tools::hand::Hand;
use maquette::tools::options::{BrushForm, ToolBox, ToolKind};
use maquette::tools::overlay::Overlay;
use maquette::tools::pointer::{Modifiers, Phase, PointerEvent, View};

/// A view whose normalised device coordinates are decimetres of the axial plane.
fn event(view: View, phase: Phase, x: f64, y: f64) -> PointerEvent {
    PointerEvent {
        view,
        phase,
        position_in_ndc: DVec2::new(x, y),
        point_in_patient: Some(DVec3::new(x * 100.0, -y * 100.0, 0.0)),
        clip_from_patient: DMat4::from_scale(DVec3::new(0.01, -0.01, 0.001)),
        mm_per_point: 0.5,
        modifiers: Modifiers::default(),
    }
}

struct Bench {
    hand: Hand,
    tools: ToolBox,
    document: Document,
    view: View,
}

impl Bench {
    fn with(tool: ToolKind) -> Self {
        let mut tools = ToolBox::default();
        tools.choose(tool);
        Self { hand: Hand::default(), tools, document: Document::new("test"), view: View::Slice(Plane::Axial) }
    }

    fn send(&mut self, phase: Phase, x: f64, y: f64) -> Vec<Action> {
        self.hand.handle(&event(self.view, phase, x, y), &self.tools, &self.document)
    }
}

#[test]
fn a_stroke_begins_extends_and_commits() {
    let mut bench = Bench::with(ToolKind::Paint);
    bench.tools.options.brush_form = BrushForm::Disc;
    let begun = bench.send(Phase::Press, 0.0, 0.0);
    let [Action::BeginStroke { brush, rule }, Action::ExtendStroke(_)] = begun.as_slice() else { panic!("{begun:?}") };
    assert_eq!(brush.shape, BrushShape::Disc(Plane::Axial));
    assert!(!brush.erase && rule.protect_others);
    assert_eq!(bench.send(Phase::Drag, 0.0, 0.0), [], "a pointer that stands still adds nothing");
    assert_eq!(bench.send(Phase::Drag, 0.1, 0.0), [Action::ExtendStroke(DVec3::new(10.0, 0.0, 0.0))]);
    assert_eq!(bench.send(Phase::Release, 0.1, 0.0), [Action::CommitGesture]);
    assert_eq!(bench.hand.abort(), [], "nothing is left to abort");
}

#[test]
fn escape_aborts_a_stroke() {
    let mut bench = Bench::with(ToolKind::Erase);
    let begun = bench.send(Phase::Press, 0.0, 0.0);
    assert!(matches!(begun[0], Action::BeginStroke { brush, .. } if brush.erase));
    assert_eq!(bench.hand.abort(), [Action::AbortGesture]);
    assert_eq!(bench.send(Phase::Release, 0.0, 0.0), [], "the release after Esc does not commit");
}

#[test]
fn scissors_cut_what_was_outlined_and_refuse_a_slip() {
    let mut bench = Bench::with(ToolKind::Scissors);
    bench.view = View::Volume;
    bench.send(Phase::Press, 0.0, 0.0);
    for (x, y) in [(0.5, 0.0), (0.5, 0.5), (0.0, 0.5)] {
        bench.send(Phase::Drag, x, y);
    }
    let outline = bench.hand.overlays(View::Volume, None, &bench.tools);
    assert!(matches!(&outline[..], [Overlay::Outline(corners)] if corners.len() == 4));
    assert!(bench.hand.overlays(View::Slice(Plane::Axial), None, &bench.tools).is_empty(), "drawn where it was begun");
    let cut = bench.send(Phase::Release, 0.0, 0.5);
    let [Action::Edit { edit: MaskEdit::Scissors { outline_in_ndc, cut_inside, half_depth_mm, .. }, .. }] =
        cut.as_slice()
    else {
        panic!("{cut:?}")
    };
    assert_eq!((outline_in_ndc.len(), *cut_inside, *half_depth_mm), (4, true, None));

    bench.send(Phase::Press, 0.0, 0.0);
    assert!(matches!(bench.send(Phase::Release, 0.0, 0.0)[..], [Action::Say(_)]));
}

#[test]
fn a_click_deletes_a_part_and_a_drag_turns_the_view() {
    let mut bench = Bench::with(ToolKind::Islands);
    bench.view = View::Volume;
    bench.send(Phase::Press, 0.2, 0.2);
    let clicked = bench.send(Phase::Release, 0.2, 0.2);
    assert!(matches!(clicked[..], [Action::Edit { edit: MaskEdit::RemovePart { .. }, .. }]), "{clicked:?}");
    bench.send(Phase::Press, 0.2, 0.2);
    let dragged = bench.send(Phase::Drag, 0.4, 0.2);
    assert!(matches!(dragged[..], [Action::Orbit { by_rad, .. }] if by_rad.x > 0.0));
    assert_eq!(bench.send(Phase::Release, 0.4, 0.2), []);
}

#[test]
fn distance_by_drag_and_angle_by_clicks() {
    let mut bench = Bench::with(ToolKind::Distance);
    bench.send(Phase::Press, 0.0, 0.0);
    bench.send(Phase::Drag, 0.3, 0.4);
    let done = bench.send(Phase::Release, 0.3, 0.4);
    let [Action::Measure(MeasurementShape::Distance { ends_in_patient: [a, b] })] = done.as_slice() else {
        panic!("{done:?}")
    };
    assert!((a.distance(*b) - 50.0).abs() < 1e-9);

    let mut bench = Bench::with(ToolKind::Angle);
    for (x, y) in [(0.5, 0.0), (0.0, 0.0)] {
        bench.send(Phase::Press, x, y);
        assert_eq!(bench.send(Phase::Release, x, y), []);
        bench.send(Phase::Hover, x + 0.1, y + 0.1);
    }
    let done = bench.send(Phase::Press, 0.0, 0.5);
    assert!(matches!(done[..], [Action::Measure(MeasurementShape::Angle { .. })]), "{done:?}");
}

#[test]
fn a_circle_is_an_ellipse_drawn_with_ctrl() {
    let mut bench = Bench::with(ToolKind::Ellipse);
    bench.send(Phase::Press, 0.0, 0.0);
    let mut release = event(bench.view, Phase::Drag, 0.4, -0.2);
    release.modifiers.ctrl = true;
    bench.hand.handle(&release, &bench.tools, &bench.document);
    release.phase = Phase::Release;
    let done = bench.hand.handle(&release, &bench.tools, &bench.document);
    let [Action::Measure(MeasurementShape::Ellipse { half_axes_in_patient: [right, down], center_in_patient })] =
        done.as_slice()
    else {
        panic!("{done:?}")
    };
    assert_eq!([*right, *down], [DVec3::X * 20.0, DVec3::Y * 20.0]);
    assert!(center_in_patient.distance(DVec3::new(20.0, 20.0, 0.0)) < 1e-9);
}
