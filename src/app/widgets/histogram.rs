//! A histogram with a range laid over it: values inside are accent, outside grey; the edges can be dragged.
//!
//! Bars are square roots of counts, so that bone (1 % of the voxels) can be seen beside air.

use std::ops::RangeInclusive;

use egui::{Color32, CornerRadius, Pos2, Rect, Sense, Stroke, Ui, Vec2};

use crate::app::theme;

/// Heights (0 to 1) of the bars that stand for equal steps of a range of values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bars {
    /// Lowest and highest value shown.
    pub low_high: (f64, f64),
    /// Heights, lowest value first.
    pub heights: Vec<f32>,
}

impl Bars {
    /// Bars of counts per equal step; the tallest is 1.
    pub fn of_counts(low_high: (f64, f64), counts: &[u64]) -> Self {
        let root = |count: u64| (count as f32).sqrt();
        // The end bars hold padding and clipped values; they may not flatten all others.
        let inner = counts.get(1..counts.len().saturating_sub(1)).unwrap_or(counts);
        let tallest = inner.iter().copied().map(root).fold(1.0_f32, f32::max);
        Self { low_high, heights: counts.iter().map(|&count| (root(count) / tallest).min(1.0)).collect() }
    }
}

/// Draws the bars; dragging moves the nearer edge of `range`. True when it moved.
pub fn histogram(ui: &mut Ui, name: &str, bars: &Bars, range: &mut (f64, f64), limits: RangeInclusive<f64>) -> bool {
    let size = Vec2::new(ui.available_width(), 64.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Slider, true, name));
    let (low, high) = bars.low_high;
    let span = (high - low).max(1e-9);
    let x_of = |value: f64| rect.left() + rect.width() * ((value - low) / span).clamp(0.0, 1.0) as f32;
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::same(4), theme::SUNK);
    let inner = rect.shrink2(Vec2::new(0.0, 4.0));
    let width = inner.width() / bars.heights.len().max(1) as f32;
    for (n, height) in bars.heights.iter().enumerate() {
        let left = inner.left() + width * n as f32;
        let middle = low + span * (n as f64 + 0.5) / bars.heights.len() as f64;
        let inside = middle >= range.0 && middle <= range.1;
        let color = if inside { theme::ACCENT } else { Color32::from_rgb(0x5A, 0x60, 0x68) };
        let top = inner.bottom() - inner.height() * height;
        let bar = Rect::from_min_max(Pos2::new(left, top), Pos2::new(left + width, inner.bottom()));
        painter.rect_filled(bar, CornerRadius::ZERO, color);
    }
    for edge in [range.0, range.1] {
        if edge > low && edge < high {
            painter.vline(x_of(edge), rect.y_range(), Stroke::new(1.0, theme::TEXT));
        }
    }
    let Some(pointer) = response.interact_pointer_pos().filter(|_| response.dragged() || response.clicked()) else {
        return false;
    };
    let value = low + span * f64::from((pointer.x - rect.left()) / rect.width()).clamp(0.0, 1.0);
    let value = value.round().clamp(*limits.start(), *limits.end());
    let before = *range;
    if (value - range.0).abs() < (value - range.1).abs() {
        range.0 = value.min(range.1);
    } else {
        range.1 = value.max(range.0);
    }
    *range != before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_do_not_flatten_the_bars() {
        let bars = Bars::of_counts((0.0, 4.0), &[1_000_000, 4, 100, 0]);
        assert_eq!(bars.heights, [1.0, 0.2, 1.0, 0.0]);
    }
}
