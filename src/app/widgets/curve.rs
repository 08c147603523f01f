//! A curve over values, edited by its points: opacity over the histogram, or a factor over gradients; and a strip of colours.
//!
//! Drag a point to move it, double-click to add one, click to choose one. Values are those of the volume; points outside the
//! range that is shown cannot be caught, so that the ends of a preset stay where they are.

use egui::{Color32, CornerRadius, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, Vec2};

use crate::app::theme;
use crate::domain::transfer::edit::{insert_point, move_point};

use super::histogram::Bars;

/// Height of the curve, points.
const CURVE_HEIGHT: f32 = 112.0;
/// Height of the strip of colours, points.
const STRIP_HEIGHT: f32 = 16.0;
/// A point is caught within this many screen points.
const CATCH: f32 = 9.0;
/// Parts that a strip is drawn of.
const STRIP_PARTS: usize = 64;

/// Values along a widget's width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Value at the left edge.
    pub low: f64,
    /// Value at the right edge.
    pub high: f64,
}

impl Span {
    fn x(self, rect: Rect, value: f64) -> f32 {
        let part = (value - self.low) / (self.high - self.low).max(1e-9);
        rect.left() + rect.width() * part.clamp(0.0, 1.0) as f32
    }

    fn value(self, rect: Rect, x: f32) -> f64 {
        self.low + (self.high - self.low) * f64::from((x - rect.left()) / rect.width()).clamp(0.0, 1.0)
    }

    fn holds(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// The point nearest to the pointer, if it is near enough.
fn caught(places: impl Iterator<Item = (usize, Pos2)>, pointer: Pos2) -> Option<usize> {
    let near = places.map(|(n, at)| (n, at.distance(pointer))).filter(|(_, distance)| *distance <= CATCH);
    near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(n, _)| n)
}

/// What the hand did to the points of a widget this frame.
enum Hand {
    Nothing,
    Chose(Option<usize>),
    Moved(usize, Pos2),
    Added(Pos2),
}

/// Reads the hand. The point being dragged is remembered between frames.
fn hand(ui: &Ui, response: &Response, places: &[(usize, Pos2)]) -> Hand {
    let id = response.id.with("held");
    let Some(pointer) = response.interact_pointer_pos() else {
        return Hand::Nothing;
    };
    let under = caught(places.iter().copied(), pointer);
    if response.double_clicked() && under.is_none() {
        return Hand::Added(pointer);
    }
    if response.drag_started() {
        let start = ui.input(|input| input.pointer.press_origin()).unwrap_or(pointer);
        let held = caught(places.iter().copied(), start);
        ui.data_mut(|data| data.insert_temp(id, held));
    }
    if response.dragged()
        && let Some(n) = ui.data(|data| data.get_temp::<Option<usize>>(id)).flatten()
    {
        return Hand::Moved(n, pointer);
    }
    if response.clicked() { Hand::Chose(under) } else { Hand::Nothing }
}

/// Draws and edits a curve from 0 to 1 over the values. `chosen` is the point whose numbers are shown elsewhere.
/// True when a point changed.
pub fn curve(
    ui: &mut Ui,
    name: &str,
    (span, bars): (Span, Option<&Bars>),
    points: &mut Vec<(f64, f64)>,
    chosen: &mut Option<usize>,
) -> bool {
    let size = Vec2::new(ui.available_width(), CURVE_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Canvas, true, name));
    let inner = rect.shrink2(Vec2::new(7.0, 8.0));
    let place = |point: &(f64, f64)| {
        Pos2::new(span.x(inner, point.0), inner.bottom() - inner.height() * point.1.clamp(0.0, 1.0) as f32)
    };
    let places: Vec<(usize, Pos2)> = points
        .iter()
        .enumerate()
        .filter(|(_, point)| span.holds(point.0))
        .map(|(n, point)| (n, place(point)))
        .collect();
    let at = |pointer: Pos2| {
        let part = f64::from((inner.bottom() - pointer.y) / inner.height()).clamp(0.0, 1.0);
        (span.value(inner, pointer.x), part)
    };
    let changed = match hand(ui, &response, &places) {
        Hand::Nothing => false,
        Hand::Chose(point) => {
            *chosen = point;
            false
        }
        Hand::Moved(n, pointer) => {
            let (value, part) = at(pointer);
            move_point(points, n, value);
            if let Some(point) = points.get_mut(n) {
                point.1 = part;
            }
            *chosen = Some(n);
            true
        }
        Hand::Added(pointer) => {
            let (value, part) = at(pointer);
            *chosen = Some(insert_point(points, value, part));
            true
        }
    };
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::same(4), theme::SUNK);
    if let Some(bars) = bars {
        paint_bars(&painter, inner, span, bars);
    }
    let line: Vec<Pos2> = points.iter().map(place).collect();
    if let (Some(first), Some(last)) = (line.first().copied(), line.last().copied()) {
        painter.line_segment([Pos2::new(inner.left(), first.y), first], Stroke::new(1.5, theme::TEXT));
        painter.line_segment([last, Pos2::new(inner.right(), last.y)], Stroke::new(1.5, theme::TEXT));
    }
    painter.add(Shape::line(line, Stroke::new(1.5, theme::TEXT)));
    for (n, point) in points.iter().enumerate().filter(|(_, point)| span.holds(point.0)) {
        let fill = if *chosen == Some(n) { theme::ACCENT } else { theme::PANEL };
        painter.circle(place(point), 4.5, fill, Stroke::new(1.5, theme::TEXT));
    }
    changed
}

fn paint_bars(painter: &egui::Painter, inner: Rect, span: Span, bars: &Bars) {
    let (low, high) = bars.low_high;
    let step = (high - low) / bars.heights.len().max(1) as f64;
    for (n, height) in bars.heights.iter().enumerate().filter(|(_, height)| **height > 0.0) {
        let from = low + step * n as f64;
        if !span.holds(from) {
            continue;
        }
        let top = inner.bottom() - inner.height() * height;
        let bar = Rect::from_min_max(
            Pos2::new(span.x(inner, from), top),
            Pos2::new(span.x(inner, from + step), inner.bottom()),
        );
        painter.rect_filled(bar, CornerRadius::ZERO, theme::LINE);
    }
}

/// Draws and edits colours over the values. True when a point moved or was added.
pub fn color_strip(
    ui: &mut Ui,
    name: &str,
    span: Span,
    color_at: impl Fn(f64) -> [f32; 3],
    points: &mut Vec<(f64, [f32; 3])>,
    chosen: &mut Option<usize>,
) -> bool {
    let size = Vec2::new(ui.available_width(), STRIP_HEIGHT + 12.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Canvas, true, name));
    let inner = rect.shrink2(Vec2::new(7.0, 0.0));
    let strip = Rect::from_min_size(inner.min, Vec2::new(inner.width(), STRIP_HEIGHT));
    let row = strip.bottom() + 6.0;
    let place = |value: f64| Pos2::new(span.x(inner, value), row);
    let places: Vec<(usize, Pos2)> = points
        .iter()
        .enumerate()
        .filter(|(_, point)| span.holds(point.0))
        .map(|(n, point)| (n, place(point.0)))
        .collect();
    // The strip itself counts for its points too: only the place along it matters.
    let level: Vec<(usize, Pos2)> = places
        .iter()
        .map(|(n, at)| (*n, Pos2::new(at.x, response.interact_pointer_pos().map_or(row, |pointer| pointer.y))))
        .collect();
    let changed = match hand(ui, &response, &level) {
        Hand::Nothing => false,
        Hand::Chose(point) => {
            *chosen = point;
            false
        }
        Hand::Moved(n, pointer) => {
            move_point(points, n, span.value(inner, pointer.x));
            *chosen = Some(n);
            true
        }
        Hand::Added(pointer) => {
            let value = span.value(inner, pointer.x);
            *chosen = Some(insert_point(points, value, color_at(value)));
            true
        }
    };
    let painter = ui.painter_at(rect);
    let part = strip.width() / STRIP_PARTS as f32;
    for n in 0..STRIP_PARTS {
        let left = strip.left() + part * n as f32;
        let cell = Rect::from_min_max(Pos2::new(left, strip.top()), Pos2::new(left + part + 0.5, strip.bottom()));
        painter.rect_filled(cell, CornerRadius::ZERO, color32(color_at(span.value(strip, left + part / 2.0))));
    }
    for (n, point) in points.iter().enumerate().filter(|(_, point)| span.holds(point.0)) {
        let edge = if *chosen == Some(n) { theme::ACCENT } else { theme::TEXT };
        painter.circle(place(point.0), 4.5, color32(point.1), Stroke::new(1.5, edge));
    }
    changed
}

fn color32(rgb: [f32; 3]) -> Color32 {
    theme::data_color(rgb.map(|part| (part.clamp(0.0, 1.0) * 255.0).round() as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_and_its_value_agree() {
        let span = Span { low: -1000.0, high: 3000.0 };
        let rect = Rect::from_min_size(Pos2::new(20.0, 0.0), Vec2::new(400.0, 100.0));
        for value in [-1000.0, 40.0, 3000.0] {
            assert!((span.value(rect, span.x(rect, value)) - value).abs() < 0.1, "{value}");
        }
        assert!(!span.holds(-3024.0), "the end of a preset is not in the picture");
    }

    #[test]
    fn the_nearest_point_is_caught() {
        let places = [(3, Pos2::new(10.0, 10.0)), (4, Pos2::new(16.0, 10.0))];
        assert_eq!(caught(places.into_iter(), Pos2::new(14.0, 11.0)), Some(4));
        assert_eq!(caught(places.into_iter(), Pos2::new(40.0, 11.0)), None);
    }
}
