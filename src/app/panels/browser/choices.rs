//! What can be done about a series that does not make an even, upright stack by itself: a strip that shows where its slices
//! lie and where some are missing, and the choices.

use egui::{Color32, CornerRadius, Rect, RichText, Sense, Stroke, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::numbers;
use crate::app::theme;
use crate::app::widgets::field::{check, heading, hint, segmented};
use crate::ops::browse::Listed;
use crate::ops::open::{Gaps, SliceStrip};

const STRIP: f32 = 34.0;
/// Holes that are told one by one.
const TOLD: usize = 4;

impl MaquetteApp {
    /// Draws the strip and the choices of a series that has any.
    pub(super) fn choices_ui(&mut self, ui: &mut Ui, listed: &Listed) {
        let entry = &listed.entry;
        if !entry.can_be_mended() && !entry.is_leaning() {
            return;
        }
        let shown = self.browser.mended.get(self.browser.mended_at).unwrap_or(entry);
        let (before, after) = (entry.strip(), shown.strip());
        if let Some(strip) = before.filter(|_| entry.can_be_mended()) {
            heading(ui, "Where the slices lie");
            strip_ui(ui, &strip, after.as_ref());
            ui.add_space(4.0);
            let mut gaps = self.browser.choices.gaps;
            let choices = [(Gaps::Stop, "Stop"), (Gaps::Fill, "Fill in"), (Gaps::Split, "Split there")];
            if ui.horizontal(|ui| segmented(ui, &mut gaps, &choices)).inner {
                self.browser.choices.gaps = gaps;
                self.browser.replan();
            }
            hint(
                ui,
                match gaps {
                    Gaps::Stop => "The series is not opened.",
                    Gaps::Fill => "Missing slices are made up between their neighbours. The case says which.",
                    Gaps::Split => "Each even run of slices is a series of its own.",
                },
            );
        }
        if entry.is_leaning() || self.browser.choices.straighten {
            heading(ui, "Tilted gantry");
            let mut straighten = self.browser.choices.straighten;
            if check(ui, &mut straighten, "Bring the slices upright").changed() {
                self.browser.choices.straighten = straighten;
                self.browser.replan();
            }
            hint(
                ui,
                if straighten {
                    "The voxels are computed anew between the measured ones. The case says so."
                } else {
                    "The slices are kept leaning, exactly as they were measured."
                },
            );
        }
        self.parts_ui(ui);
    }

    /// What the choices make of the series, where that is more than one or cannot be opened.
    fn parts_ui(&mut self, ui: &mut Ui) {
        let parts = self.browser.mended.clone();
        let mut at = self.browser.mended_at;
        if parts.len() > 1 {
            heading(ui, "Parts");
        }
        for (n, part) in parts.iter().enumerate() {
            if parts.len() > 1 {
                let text = format!("{}, {} slices", part.part, part.slice_count());
                if ui.add_enabled(part.is_loadable(), egui::RadioButton::new(n == at, text)).clicked() {
                    at = n;
                }
            }
            let remarks = part.report.lines.iter().filter(|_| n == at).map(|line| line.text.as_str());
            for words in part.refusal.as_deref().into_iter().chain(remarks) {
                let words = crate::app::notices::sentence(words);
                ui.add(egui::Label::new(RichText::new(words).small().color(theme::WARN)).wrap());
            }
        }
        self.browser.mended_at = at;
    }
}

/// A line for each slice; holes and uneven steps are shaded, slices that will be made up stand out.
fn strip_ui(ui: &mut Ui, strip: &SliceStrip, after: Option<&SliceStrip>) {
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), STRIP), Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(3), theme::SUNK);
    let inner = rect.shrink2(Vec2::new(6.0, 4.0));
    let (Some(first), Some(last)) = (strip.places_mm.first(), strip.places_mm.last()) else { return };
    let length = (last - first).max(1e-6);
    let x = |mm: f64| inner.left() + inner.width() * ((mm - first) / length) as f32;
    let shade = |stretch: [f64; 2], color: Color32| {
        let place =
            Rect::from_min_max(egui::pos2(x(stretch[0]), inner.top()), egui::pos2(x(stretch[1]), inner.bottom()));
        ui.painter().rect_filled(place, CornerRadius::ZERO, color.gamma_multiply(0.45));
    };
    strip.gaps.iter().for_each(|(stretch, _)| shade(*stretch, theme::BAD));
    strip.uneven.iter().for_each(|stretch| shade(*stretch, theme::WARN));
    let tick = |mm: f64, color: Color32, inset: f32| {
        let ys = egui::Rangef::new(inner.top() + inset, inner.bottom() - inset);
        ui.painter().vline(x(mm), ys, Stroke::new(1.0, color));
    };
    strip.places_mm.iter().for_each(|mm| tick(*mm, theme::TEXT, 5.0));
    strip.unusable_mm.iter().for_each(|mm| tick(*mm, theme::BAD, 0.0));
    if let Some(after) = after {
        after.made_mm.iter().for_each(|mm| tick(*mm, theme::ACCENT, 0.0));
    }
    let words = in_words(strip);
    let name = format!("Slice positions: {words}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &name));
    response.on_hover_text("White: slices. Red: missing or unusable. Yellow: uneven. Blue: made up.");
    hint(ui, &words);
}

/// The same in words: colour is never alone.
fn in_words(strip: &SliceStrip) -> String {
    let mm = |value: f64| numbers::decimal(value, 1);
    let mut words =
        vec![format!("{} slices, usually {} mm apart", strip.places_mm.len(), numbers::decimal(strip.step_mm, 2))];
    for (stretch, count) in strip.gaps.iter().take(TOLD) {
        words.push(format!("{count} missing between {} and {} mm", mm(stretch[0]), mm(stretch[1])));
    }
    if strip.gaps.len() > TOLD {
        words.push(format!("{} more holes", strip.gaps.len() - TOLD));
    }
    for stretch in strip.uneven.iter().take(TOLD) {
        let step = numbers::decimal(stretch[1] - stretch[0], 2);
        words.push(format!("a step of {step} mm at {} mm", mm(stretch[0])));
    }
    if strip.uneven.len() > TOLD {
        words.push(format!("{} more uneven steps", strip.uneven.len() - TOLD));
    }
    match strip.unusable_mm.len() {
        0 => {}
        1 => words.push("1 image cannot be used".to_owned()),
        count => words.push(format!("{count} images cannot be used")),
    }
    words.join("; ")
}
