//! Measurements over a slice: lines, arcs, ellipses, their handles and their values.

use std::f32::consts::TAU;

use egui::{Align2, Color32, Painter, Pos2, Shape, Stroke};
use glam::DVec3;

use crate::app::theme;
use crate::session::measurement::MeasurementShape;
use crate::tools::measure::handles;

use super::annotations::outlined_text;
use super::placement::SlicePlacement;

/// Height of a line of a label, points.
const LINE: f32 = 15.0;
/// A label keeps this distance to the edge of its view.
const LABEL_MARGIN: f32 = 10.0;

/// How a measurement is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emphasis {
    /// Placed, nothing chosen.
    Placed,
    /// Placed, while a measuring tool is in the hand: its handles can be dragged.
    Movable,
    /// Selected in the list, or being placed or moved.
    Selected,
}

/// Draws a measurement and its value beside it.
pub fn paint(painter: &Painter, view: &SlicePlacement, shape: &MeasurementShape, value: &str, emphasis: Emphasis) {
    let color = if emphasis == Emphasis::Selected { theme::ACCENT } else { theme::MEASURE };
    let strokes = [Stroke::new(3.5, Color32::from_black_alpha(150)), Stroke::new(1.5, color)];
    for stroke in strokes {
        outline(painter, view, shape, stroke);
    }
    if emphasis != Emphasis::Placed {
        for handle in handles(shape) {
            let at = view.screen(handle);
            painter.circle(at, 4.0, theme::VIEW, Stroke::new(1.5, color));
        }
    } else if let MeasurementShape::Distance { ends_in_patient } = shape {
        for end in ends_in_patient {
            painter.circle_filled(view.screen(*end), 2.0, color);
        }
    }
    if !value.is_empty() {
        label(painter, view, label_place(view, shape), value, color);
    }
}

/// Lines of text, moved into the view where they would stick out of it.
fn label(painter: &Painter, view: &SlicePlacement, at: Pos2, text: &str, color: Color32) {
    let lines: Vec<&str> = text.lines().collect();
    let width = |line: &&str| painter.layout_no_wrap((*line).to_owned(), theme::overlay(), color).size().x;
    let widest = lines.iter().map(width).fold(0.0, f32::max);
    let room = view.rect.shrink(LABEL_MARGIN);
    let below = LINE * (lines.len() as f32 - 1.0);
    let x = at.x.min(room.right() - widest).max(room.left());
    let y = at.y.min(room.bottom() - below).max(room.top());
    for (n, line) in lines.into_iter().enumerate() {
        let at = Pos2::new(x, y + LINE * n as f32);
        outlined_text(painter, at, Align2::LEFT_CENTER, line, theme::overlay(), color);
    }
}

fn outline(painter: &Painter, view: &SlicePlacement, shape: &MeasurementShape, stroke: Stroke) {
    match shape {
        MeasurementShape::Distance { ends_in_patient: [a, b] } => {
            painter.line_segment([view.screen(*a), view.screen(*b)], stroke);
        }
        MeasurementShape::Angle { points_in_patient } => {
            let points = points_in_patient.map(|point| view.screen(point));
            painter.add(Shape::line(points.to_vec(), stroke));
            painter.add(Shape::line(arc(points), stroke));
        }
        MeasurementShape::Ellipse { center_in_patient, half_axes_in_patient: [right, down] } => {
            let point = |n: usize| {
                let turn = f64::from(n as f32 / 72.0 * TAU);
                view.screen(*center_in_patient + *right * turn.cos() + *down * turn.sin())
            };
            painter.add(Shape::closed_line((0..72).map(point).collect(), stroke));
        }
    }
}

/// A small arc at the vertex of an angle, on the screen.
fn arc([a, vertex, b]: [Pos2; 3]) -> Vec<Pos2> {
    let (first, last) = ((a - vertex).angle(), (b - vertex).angle());
    let mut sweep = last - first;
    if sweep > TAU / 2.0 {
        sweep -= TAU;
    } else if sweep < -TAU / 2.0 {
        sweep += TAU;
    }
    let radius = 22.0_f32.min((a - vertex).length()).min((b - vertex).length());
    (0..=16).map(|n| vertex + egui::Vec2::angled(first + sweep * n as f32 / 16.0) * radius).collect()
}

fn label_place(view: &SlicePlacement, shape: &MeasurementShape) -> Pos2 {
    let rightmost = |points: &[DVec3]| {
        let places = points.iter().map(|point| view.screen(*point));
        places.reduce(|a, b| if b.x > a.x { b } else { a }).unwrap_or(view.rect.center())
    };
    match shape {
        MeasurementShape::Distance { ends_in_patient } => rightmost(ends_in_patient) + egui::vec2(8.0, 0.0),
        MeasurementShape::Angle { points_in_patient } => rightmost(&points_in_patient[1..2]) + egui::vec2(26.0, 0.0),
        MeasurementShape::Ellipse { .. } => rightmost(&handles(shape)) + egui::vec2(8.0, -15.0),
    }
}
