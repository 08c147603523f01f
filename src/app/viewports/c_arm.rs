//! C-arm angles on the 3D picture: shown live, and typed in to turn the camera.
//!
//! Source of the signs: DICOM PS3.3 C.8.7.5.1.2, see `Camera::c_arm_angles_deg`; typed as people say them, "RAO 30", or as
//! numbers with their sign.

use egui::{DragValue, Popup, PopupCloseBehavior, Rect, Sense, Ui};

use crate::app::numbers;
use crate::app::theme;
use crate::app::widgets::field::{field_row, hint};
use crate::domain::camera::Camera;

/// One of the two angles: the words for its positive and its negative side.
#[derive(Debug, Clone, Copy)]
struct Axis {
    positive: &'static str,
    negative: &'static str,
    /// Largest angle, degrees.
    limit_deg: f64,
}

const PRIMARY: Axis = Axis { positive: "LAO", negative: "RAO", limit_deg: 180.0 };
const SECONDARY: Axis = Axis { positive: "CRAN", negative: "CAUD", limit_deg: 90.0 };

impl Axis {
    /// "RAO 28°".
    fn words(self, degrees: f64) -> String {
        let side = if degrees.round() >= 0.0 { self.positive } else { self.negative };
        format!("{side} {:.0}\u{b0}", degrees.abs())
    }

    /// Reads "RAO 28", "r28", "-28" or "28".
    fn parse(self, text: &str) -> Option<f64> {
        let text = text.trim().to_uppercase();
        let letters: String = text.chars().take_while(|c| c.is_alphabetic()).collect();
        let number = numbers::parse(&text[letters.len()..])?;
        let sign = match letters.as_str() {
            "" => 1.0,
            side if self.positive.starts_with(side) && !self.negative.starts_with(side) => 1.0,
            side if self.negative.starts_with(side) && !self.positive.starts_with(side) => -1.0,
            _ => return None,
        };
        Some(number * sign).filter(|degrees| degrees.abs() <= self.limit_deg)
    }
}

/// "RAO 28° · CRAN 8°".
pub(super) fn words(camera: &Camera) -> String {
    let (lao_deg, cranial_deg) = camera.c_arm_angles_deg();
    format!("{} \u{b7} {}", PRIMARY.words(lao_deg), SECONDARY.words(cranial_deg))
}

/// Makes the words at `place` a button that opens the fields.
pub(super) fn fields(ui: &mut Ui, place: Rect, camera: &mut Camera) {
    let response = ui.interact(place.expand(4.0), ui.scope_id().with("c-arm angles"), Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "C-arm angles"));
    if response.hovered() {
        ui.ctx().set_cursor_icon(egui::CursorIcon::PointingHand);
    }
    let response = response.on_hover_text("C-arm angles of this view. Click to type them.");
    Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(220.0);
        let (mut lao_deg, mut cranial_deg) = camera.c_arm_angles_deg();
        field_row(ui, "Rotation", |ui| angle_field(ui, "LAO or RAO", PRIMARY, &mut lao_deg));
        field_row(ui, "Angulation", |ui| angle_field(ui, "CRAN or CAUD", SECONDARY, &mut cranial_deg));
        if (lao_deg, cranial_deg) != camera.c_arm_angles_deg() {
            *camera = camera.at_c_arm_angles(lao_deg.to_radians(), cranial_deg.to_radians());
        }
        hint(ui, "Type RAO 30 or \u{2212}30. The picture is what the detector there would see.");
    });
}

fn angle_field(ui: &mut Ui, name: &str, axis: Axis, degrees: &mut f64) {
    let field = DragValue::new(degrees)
        .range(-axis.limit_deg..=axis.limit_deg)
        .speed(0.5)
        .custom_formatter(move |value, _| axis.words(value))
        .custom_parser(move |text| axis.parse(text))
        .update_while_editing(false)
        .min_size(egui::vec2(ui.available_width(), theme::ROW));
    ui.add(field).accessible_name(name);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::camera::StandardView;
    use glam::DVec3;

    #[test]
    fn angles_are_read_as_people_say_them() {
        for (text, degrees) in
            [("RAO 28", Some(-28.0)), ("lao28\u{b0}", Some(28.0)), ("r 5,5", Some(-5.5)), ("-30", Some(-30.0))]
        {
            assert_eq!(PRIMARY.parse(text), degrees, "{text}");
        }
        for (text, degrees) in [("caud 20", Some(-20.0)), ("CRA 20", Some(20.0)), ("c 20", None), ("95", None)] {
            assert_eq!(SECONDARY.parse(text), degrees, "{text}: C alone may be either");
        }
        assert_eq!(PRIMARY.parse("from the left"), None);
    }

    #[test]
    fn what_is_shown_is_what_was_typed() {
        let start = Camera::fitting(DVec3::splat(-1.0), DVec3::splat(1.0), StandardView::Anterior);
        assert_eq!(words(&start), "LAO 0\u{b0} \u{b7} CRAN 0\u{b0}");
        let lao = PRIMARY.parse("RAO 30").expect("an angle").to_radians();
        let turned = start.at_c_arm_angles(lao, SECONDARY.parse("caud 15").expect("an angle").to_radians());
        assert_eq!(words(&turned), "RAO 30\u{b0} \u{b7} CAUD 15\u{b0}");
    }
}
