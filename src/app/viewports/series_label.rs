//! Whose images a view of several volumes shows: patient, date, series, in the corner of each view.
//!
//! Views beside each other may show different patients or frames of reference; each says so itself. The patient's identity
//! can be hidden, the name of the series and the warnings cannot.

use egui::{Align2, Color32, Painter, Rect, Stroke};

use crate::app::{numbers, theme};
use crate::session::Session;
use crate::session::document::VolumeObject;
use crate::session::view::side_by_side::{Agreement, agreement};

use super::annotations;
use super::layout::Pane;
use super::seat::Seat;

/// Name of a slice view for those who cannot see it, and for tests.
pub(super) fn accessible_name(pane: Pane, seat: Option<Seat>, session: &Session) -> String {
    let view = format!("{} view", pane.name());
    match (pane, seat) {
        (Pane::Series(_), Some(seat)) => {
            let lines: Vec<String> = lines(seat, session).into_iter().map(|(text, _)| text).collect();
            format!("{view}: {}", lines.join(", "))
        }
        (Pane::Series(_), None) => format!("{view}: no series"),
        _ => view,
    }
}

/// The lines of the corner, from top to bottom, with their colours.
fn lines(seat: Seat, session: &Session) -> Vec<(String, Color32)> {
    let document = session.document();
    let Some(object) = document.volume(seat.volume) else { return Vec::new() };
    let info = &object.head.info;
    let mut lines = Vec::new();
    if session.view.identity_visible {
        let known = [&info.patient_name, &info.patient_id].into_iter().filter(|text| !text.is_empty());
        lines.extend(known.map(|text| (text.clone(), theme::TEXT)));
    }
    lines.push((object.head.name.clone(), theme::TEXT));
    if !info.study_date.is_empty() && session.view.identity_visible {
        lines.push((numbers::date(&info.study_date), theme::TEXT));
    }
    let others: Vec<&VolumeObject> =
        session.view.beside.views.iter().filter_map(|view| document.volume(view.volume)).collect();
    if others.iter().any(|other| other.head.info.is_of_another_person(info)) {
        lines.push(("Different patients side by side".to_owned(), theme::WARN));
    }
    let unlinked = session.view.beside.unlinked;
    if others.iter().any(|other| agreement(other, object) == Agreement::Different) && !unlinked {
        lines.push(("Linked across frames of reference".to_owned(), theme::WARN));
    } else if unlinked {
        lines.push(("Not linked".to_owned(), theme::WEAK));
    }
    lines
}

/// Draws the lines, and a frame around the view that tools work in.
pub(super) fn paint(painter: &Painter, rect: Rect, seat: Seat, session: &Session) {
    annotations::colored_text(painter, rect, Align2::LEFT_TOP, &lines(seat, session));
    if session.view.active_volume == Some(seat.volume) {
        painter.rect_stroke(rect.shrink(0.5), 0.0, Stroke::new(1.0, theme::ACCENT), egui::StrokeKind::Inside);
    }
}
