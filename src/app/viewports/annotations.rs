//! What stands on the pictures: orientation letters, scale bar, corner text, the coloured edge and lines of the planes.
//!
//! Text over images has a dark outline, so that it reads on bone as well as on air.

use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Stroke};
use glam::DVec3;

use crate::app::{numbers, theme};
use crate::domain::plane::{Plane, direction_letters};

use super::placement::SlicePlacement;

/// Distance of text from the edge of a view.
const MARGIN: f32 = 10.0;
/// Lines of the ruler grid are at most this far apart, in screen points.
const RULER_STEP: f32 = 60.0;
/// A scale bar is at most this wide, in screen points.
const SCALE_BAR_WIDTH: f32 = 130.0;

/// The colour that names a plane, in its own view, in the others and in 3D.
pub fn plane_color(plane: Plane) -> Color32 {
    match plane {
        Plane::Axial => theme::AXIAL,
        Plane::Sagittal => theme::SAGITTAL,
        Plane::Coronal => theme::CORONAL,
    }
}

/// Text with a dark outline.
pub fn outlined_text(painter: &Painter, at: Pos2, anchor: Align2, text: &str, font: FontId, color: Color32) -> Rect {
    let galley = painter.layout_no_wrap(text.to_owned(), font, color);
    let rect = anchor.anchor_size(at, galley.size());
    // On all sides, and dark enough to be read on PET, which is white.
    for offset in [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (1.0, -1.0)]
    {
        let shadow = Color32::from_black_alpha(200);
        painter.galley_with_override_text_color(rect.min + egui::Vec2::from(offset), galley.clone(), shadow);
    }
    painter.galley(rect.min, galley, color);
    rect
}

/// Lines of small text in a corner, the first on top.
pub fn corner_text(painter: &Painter, rect: Rect, corner: Align2, lines: &[String]) {
    let lines: Vec<(String, Color32)> = lines.iter().map(|line| (line.clone(), theme::TEXT)).collect();
    colored_text(painter, rect, corner, &lines);
}

/// The same, each line in its colour.
pub fn colored_text(painter: &Painter, rect: Rect, corner: Align2, lines: &[(String, Color32)]) {
    let inner = rect.shrink(MARGIN);
    let height = 15.0;
    let below = corner.y() == egui::Align::Max;
    for (n, (line, color)) in lines.iter().enumerate() {
        let step = if below { n as f32 + 1.0 - lines.len() as f32 } else { n as f32 };
        let at = corner.pos_in_rect(&inner) + egui::vec2(0.0, step * height);
        outlined_text(painter, at, corner, line, theme::overlay(), *color);
    }
}

/// Letters of the patient's directions at the middle of the edges.
pub fn orientation_letters(painter: &Painter, rect: Rect, right_in_patient: DVec3, down_in_patient: DVec3) {
    let inner = rect.shrink(MARGIN);
    let font = theme::semibold(14.0);
    for (at, anchor, direction) in [
        (inner.left_center(), Align2::LEFT_CENTER, -right_in_patient),
        (inner.right_center(), Align2::RIGHT_CENTER, right_in_patient),
        (inner.center_top(), Align2::CENTER_TOP, -down_in_patient),
        (inner.center_bottom(), Align2::CENTER_BOTTOM, down_in_patient),
    ] {
        outlined_text(painter, at, anchor, &direction_letters(direction), font.clone(), Color32::WHITE);
    }
}

/// A bar of a round length in the lower left corner.
pub fn scale_bar(painter: &Painter, rect: Rect, mm_per_point: f64) {
    let length_mm = round_length_mm(mm_per_point * f64::from(SCALE_BAR_WIDTH));
    let width = (length_mm / mm_per_point) as f32;
    let left = rect.left_bottom() + egui::vec2(MARGIN, -MARGIN - 3.0);
    let right = left + egui::vec2(width, 0.0);
    let tick = egui::vec2(0.0, -5.0);
    for stroke in [Stroke::new(3.0, Color32::from_black_alpha(170)), Stroke::new(1.0, theme::TEXT)] {
        painter.line_segment([left, right], stroke);
        painter.line_segment([left, left + tick], stroke);
        painter.line_segment([right, right + tick], stroke);
    }
    let text = if length_mm >= 10.0 {
        format!("{} cm", numbers::decimal(length_mm / 10.0, 0))
    } else {
        format!("{length_mm} mm")
    };
    outlined_text(painter, right + egui::vec2(6.0, 3.0), Align2::LEFT_BOTTOM, &text, theme::overlay(), theme::TEXT);
}

/// Lines at round distances in the patient, from its origin, over all of a slice, and how far they are apart.
pub fn ruler_grid(painter: &Painter, placement: &SlicePlacement) {
    let (rect, mm_per_point) = (placement.rect, placement.mm_per_point());
    let step_mm = round_length_mm(mm_per_point * f64::from(RULER_STEP));
    let frame = &placement.frame;
    // Where the origin of the patient's axes lies: the lines stay with the patient when the picture is moved.
    let origin = placement.screen(
        frame.center_in_patient
            - frame.right_in_patient * frame.center_in_patient.dot(frame.right_in_patient)
            - frame.down_in_patient * frame.center_in_patient.dot(frame.down_in_patient),
    );
    let step = (step_mm / mm_per_point) as f32;
    let first = |low: f32, origin: f32| low + (origin - low).rem_euclid(step);
    let stroke = Stroke::new(1.0, Color32::from_white_alpha(48));
    let along = |low: f32, high: f32, origin: f32| {
        let from = first(low, origin);
        (0..).map(move |n| from + n as f32 * step).take_while(move |at| *at <= high)
    };
    for x in along(rect.left(), rect.right(), origin.x) {
        painter.vline(x, rect.y_range(), stroke);
    }
    for y in along(rect.top(), rect.bottom(), origin.y) {
        painter.hline(rect.x_range(), y, stroke);
    }
    let at = rect.left_bottom() + egui::vec2(MARGIN, -MARGIN - 18.0);
    let text = format!("grid {}", numbers::mm(step_mm));
    outlined_text(painter, at, Align2::LEFT_BOTTOM, &text, theme::overlay(), theme::TEXT);
}

/// The largest of 1, 2, 5 times a power of ten that is not longer.
fn round_length_mm(longest_mm: f64) -> f64 {
    let power = 10_f64.powf(longest_mm.max(1e-3).log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|n| n * power).find(|length| *length <= longest_mm).unwrap_or(power)
}

/// The stripe that names a view's plane.
pub fn plane_edge(painter: &Painter, rect: Rect, plane: Plane) {
    let stripe = Rect::from_min_size(rect.min, egui::vec2(2.0, rect.height()));
    painter.rect_filled(stripe, 0.0, plane_color(plane));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_bars_have_round_lengths() {
        for (longest, expected) in [(130.0, 100.0), (99.0, 50.0), (49.0, 20.0), (1.9, 1.0), (0.3, 0.2)] {
            assert!((round_length_mm(longest) - expected).abs() < 1e-9, "{longest}");
        }
    }
}
