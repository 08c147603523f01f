//! What all views of the window share: the hand, the stroke under way, the pictures' source, the mesh contours.

use std::cell::RefCell;

use glam::DVec3;

use crate::app::numbers;
use crate::domain::measure::{MeasurementShape, Reading, evaluate};
use crate::domain::plane::Plane;
use crate::session::Session;
use crate::session::document::{Document, VolumeId};
use crate::tools::hand::Hand;

use super::Scene;
use super::contours::{ColoredLine, Contours};
use super::input::Held;
use super::layout::Pane;
use super::picture_source::PictureSource;
use super::stroke::StrokeUnderWay;
use super::surfaces::{Surfaces, Waker};

/// State that belongs to no single view.
#[derive(Default)]
pub struct Shared {
    /// Gestures of the tools.
    pub hand: Hand,
    /// Which view holds which button.
    pub held: Held,
    /// The stroke being drawn.
    pub stroke: StrokeUnderWay,
    /// Volume and segments on the device.
    pub source: PictureSource,
    /// Surfaces of meshes and segments on the device.
    pub surfaces: Surfaces,
    /// The view that was last under the pointer: commands mean it.
    pub active: Option<Pane>,
    /// The views that are drawn in this window, in order; the first shows the patient's identity.
    pub drawn: Vec<Pane>,
    /// Rest of wheel notches that are not a whole slice yet.
    notches_left: f32,
    contours: RefCell<Contours>,
    readings: RefCell<Vec<(VolumeId, MeasurementShape, String)>>,
}

impl Shared {
    /// Whole slices of the wheel; what is left over counts next time.
    pub fn whole_notches(&mut self, notches: f32) -> i32 {
        self.notches_left += notches;
        let whole = self.notches_left.trunc();
        self.notches_left -= whole;
        whole as i32
    }

    /// Identity stands in every slice view when it is alone, else in the first: it must be seen, once.
    pub fn shows_identity_in(&self, pane: Pane) -> bool {
        self.drawn.first().is_none_or(|first| *first == pane)
    }

    /// The patient's identity as lines for the corner of a view of the active volume; none where another view shows it or a
    /// person hid it.
    pub fn identity_lines(&self, pane: Pane, session: &Session) -> Vec<String> {
        let object = session.view.active_volume.and_then(|id| session.document().volume(id));
        let shown = self.shows_identity_in(pane) && session.view.identity_visible;
        let Some(object) = object.filter(|_| shown) else { return Vec::new() };
        let info = &object.head.info;
        // A line each: side by side they would reach the letter at the middle of a small view.
        let lines = [&info.patient_name, &info.patient_id, &object.head.name];
        lines.into_iter().filter(|text| !text.is_empty()).cloned().collect()
    }

    /// What a measurement gives, in words; three lines for a region.
    pub fn measured(&self, document: &Document, volume: VolumeId, shape: &MeasurementShape) -> String {
        let mut readings = self.readings.borrow_mut();
        if let Some((_, _, text)) = readings.iter().find(|(id, known, _)| *id == volume && known == shape) {
            return text.clone();
        }
        let Some(object) = document.volume(volume) else { return String::new() };
        let text = reading_text(&evaluate(shape, &object.volume), object.head.quantity);
        // Shapes being dragged come and go: only a few are worth keeping.
        if readings.len() > 200 {
            readings.drain(..100);
        }
        readings.push((volume, *shape, text.clone()));
        text
    }

    /// The cuts of all visible meshes with the slice of a plane.
    pub fn contours(&self, plane: Plane, session: &Session) -> Vec<ColoredLine> {
        self.contours.borrow_mut().cut(plane, session)
    }

    /// Prepares meshes for their cuts.
    pub fn sync_contours(&mut self, session: &Session, waker: &Waker) {
        self.contours.get_mut().sync(session, waker);
    }
}

/// Tells the status bar what is under the pointer, in a view of the first volume with maybe a second one over it.
pub fn read_out(
    point_in_patient: Option<DVec3>,
    (volume, over): (Option<VolumeId>, Option<VolumeId>),
    scene: &mut Scene<'_>,
) {
    let document = scene.session.document();
    (scene.readout.point_in_patient, scene.readout.volume) = (point_in_patient, volume);
    let value_over = |id: VolumeId| Some((id, document.volume(id)?.volume.value_at_patient(point_in_patient?)?));
    scene.readout.over = over.and_then(value_over);
    let object = volume.and_then(|id| document.volume(id));
    let (Some(point), Some(object)) = (point_in_patient, object) else { return };
    scene.readout.value = object.volume.value_at_patient(point);
    let voxel = object.head.grid.voxel_from_patient().transform_point3(point).round();
    if voxel.min_element() >= 0.0 {
        let [i, j, k] = voxel.to_array().map(|n| n as u32);
        let there = document
            .segments_of(object.id)
            .filter(|found| found.segment.info.visible && found.segment.mask.contains(i, j, k));
        scene.readout.segments = there.map(crate::session::document::SegmentObject::id).collect();
    }
}

/// "38.4 mm", "24.1 degrees"; for a region mean and sd, range, area, a line each.
fn reading_text(reading: &Reading, quantity: crate::domain::volume::Quantity) -> String {
    match reading {
        Reading::Distance { length_mm } => numbers::mm(*length_mm),
        Reading::Angle { degrees: Some(degrees) } => format!("{}\u{b0}", numbers::decimal(*degrees, 1)),
        Reading::Angle { degrees: None } => String::new(),
        Reading::Region { area_mm2, samples: None } => numbers::area(*area_mm2),
        Reading::Region { area_mm2, samples: Some(samples) } => format!(
            "{} \u{b1} {}\n{} \u{2026} {}\n{}",
            numbers::decimal(samples.mean, 0),
            numbers::value(samples.sd, quantity),
            numbers::decimal(samples.min, 0),
            numbers::value(samples.max, quantity),
            numbers::area(*area_mm2)
        ),
    }
}
