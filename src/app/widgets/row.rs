//! One row of the objects tree: eye, swatch, name, lock, state; and the key caps of the status bar.

use egui::{Align2, Color32, CornerRadius, FontId, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, Vec2};
use egui_material_icons::icons;

use crate::app::theme;

/// What a row shows.
pub struct Row<'a> {
    /// Name of the object; also the accessible name of the row.
    pub name: &'a str,
    /// What kind of object, for the accessible names of the row's buttons ("segment").
    pub kind: &'a str,
    /// Whether it is drawn; `None` hides the eye.
    pub visible: Option<bool>,
    /// Colour of the swatch; `None` leaves the place empty.
    pub color: Option<[u8; 3]>,
    /// Whether its voxels are locked; `None` hides the lock.
    pub locked: Option<bool>,
    /// Text at the right edge.
    pub trailing: &'a str,
    /// Colour of that text.
    pub trailing_color: Color32,
    /// Whether the row is the selection.
    pub selected: bool,
}

/// What a person did to a row.
pub struct RowResponse {
    /// The row itself: clicks select, double clicks rename, secondary clicks open its menu, drags reorder.
    pub row: Response,
    /// The eye was clicked.
    pub eye: bool,
    /// The lock was clicked.
    pub lock: bool,
    /// The swatch, which opens a palette.
    pub swatch: Option<Response>,
    /// Where the name stands, for a rename field.
    pub name_rect: Rect,
}

/// Draws a row over the full width.
pub fn tree_row(ui: &mut Ui, id_salt: impl std::hash::Hash + std::fmt::Debug, row: &Row<'_>) -> RowResponse {
    let size = Vec2::new(ui.available_width(), theme::ROW);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let id = ui.scope_id().with(("row", format!("{id_salt:?}")));
    let response = ui.interact(rect, id, Sense::click_and_drag());
    let label = format!("{} {}", row.kind, row.name);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::ListBoxOption, true, row.selected, &label));
    let fill = match (row.selected, response.hovered()) {
        (true, _) => theme::CHOSEN,
        (false, true) => theme::RAISED,
        (false, false) => Color32::TRANSPARENT,
    };
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::ZERO, fill);
    let middle = rect.center().y;
    let mut result = RowResponse { row: response, eye: false, lock: false, swatch: None, name_rect: rect };
    let part = |left: f32, width: f32| Rect::from_min_size(Pos2::new(left, rect.top()), Vec2::new(width, theme::ROW));
    if let Some(visible) = row.visible {
        let verb = if visible { "Hide" } else { "Show" };
        let icon = if visible { icons::ICON_VISIBILITY } else { icons::ICON_VISIBILITY_OFF };
        let color = if visible { theme::TEXT } else { theme::LINE };
        let area = part(rect.left() + 8.0, 24.0);
        result.eye = icon_area(ui, id.with("eye"), area, icon.codepoint, color, &format!("{verb} {label}"));
    }
    if let Some([r, g, b]) = row.color {
        let area = part(rect.left() + 36.0, 20.0);
        let square = Rect::from_center_size(Pos2::new(area.left() + 7.0, middle), Vec2::splat(12.0));
        painter.rect_filled(square, CornerRadius::same(3), Color32::from_rgb(r, g, b));
        let response = ui.interact(area, id.with("swatch"), Sense::click());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ColorWell, true, format!("Colour of {label}")));
        result.swatch = Some(response.on_hover_text("Change the colour"));
    }
    let body = FontId::proportional(theme::BODY_SIZE);
    let trailing = painter.layout_no_wrap(row.trailing.to_owned(), body.clone(), row.trailing_color);
    let mut right = rect.right() - 12.0 - trailing.size().x;
    painter.galley(Pos2::new(right, middle - trailing.size().y / 2.0), trailing, row.trailing_color);
    if let Some(locked) = row.locked {
        let shown = locked || result.row.hovered() || row.selected;
        let verb = if locked { "Unlock" } else { "Lock" };
        let icon = if locked { icons::ICON_LOCK } else { icons::ICON_LOCK_OPEN };
        let color = match (locked, shown) {
            (true, _) => theme::WARN,
            (false, true) => theme::WEAK,
            (false, false) => Color32::TRANSPARENT,
        };
        let area = part(right - 26.0, 22.0);
        result.lock = icon_area(ui, id.with("lock"), area, icon.codepoint, color, &format!("{verb} {label}"));
        right -= 26.0;
    }
    let left = rect.left() + 58.0;
    result.name_rect = Rect::from_min_max(Pos2::new(left, rect.top()), Pos2::new(right - 4.0, rect.bottom()));
    let clipped = painter.with_clip_rect(result.name_rect);
    let color = if row.visible == Some(false) { theme::WEAK } else { theme::TEXT };
    clipped.text(Pos2::new(left, middle), Align2::LEFT_CENTER, row.name, body, color);
    result
}

fn icon_area(ui: &Ui, id: egui::Id, area: Rect, glyph: &str, color: Color32, name: &str) -> bool {
    let response = ui.interact(area, id, Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    let color = if response.hovered() && color != Color32::TRANSPARENT { Color32::WHITE } else { color };
    ui.painter().text(area.center(), Align2::CENTER_CENTER, glyph, theme::icon_font(15.0), color);
    response.on_hover_text(name).clicked()
}

/// A key or mouse button drawn as a small cap, then what it does.
pub fn key_cap(ui: &mut Ui, cap: &str, does: &str) {
    let font = FontId::proportional(theme::OVERLAY_SIZE);
    let galley = ui.painter().layout_no_wrap(cap.to_owned(), font, theme::WEAK);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(galley.size().x + 8.0, 15.0), Sense::hover());
    ui.painter().rect_stroke(rect, CornerRadius::same(3), Stroke::new(1.0, theme::LINE), StrokeKind::Inside);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, theme::WEAK);
    ui.add_space(-3.0);
    ui.label(egui::RichText::new(does).small().color(theme::WEAK));
    ui.add_space(4.0);
}
