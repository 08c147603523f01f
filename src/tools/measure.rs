//! Distance, angle and ellipse in slice views: drag, or click by click; the handles of what is there can be dragged.
//!
//! Space: points are in patient space; handles are found by their distance on the screen.

use glam::DVec3;

use crate::session::command::Command;
use crate::session::document::Document;
use crate::session::measurement::{MeasurementId, MeasurementShape};

use super::action::Action;
use super::options::ToolKind;
use super::overlay::Overlay;
use super::pointer::{Phase, PointerEvent, SliceAxes};

/// A handle is caught within this many screen points.
const CATCH_POINTS: f64 = 8.0;
/// A measurement shorter than this many screen points is a slip.
const SLIP_POINTS: f64 = 3.0;
/// A measurement is shown on, and its handles caught from, slices up to this far away, mm.
pub const SHOWN_WITHIN_MM: f64 = 1.5;

/// State of the tool.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Measure {
    /// Nothing begun.
    #[default]
    Idle,
    /// Points placed so far; the last one follows the pointer.
    Placing {
        /// The slice it is placed on.
        axes: SliceAxes,
        /// Patient space, mm.
        points: Vec<DVec3>,
        /// Ctrl held: the ellipse is a circle.
        round: bool,
    },
    /// A handle of a placed measurement follows the pointer.
    Moving {
        /// Which measurement.
        id: MeasurementId,
        /// Which handle.
        handle: usize,
        /// Its shape now.
        shape: MeasurementShape,
    },
}

impl Measure {
    /// Answers an event of one of the three measuring tools.
    pub fn handle(&mut self, event: &PointerEvent, kind: ToolKind, document: &Document) -> Vec<Action> {
        let (Some(axes), Some(point)) = (event.axes(), event.point_in_patient) else { return Vec::new() };
        match (&mut *self, event.phase) {
            (Self::Idle, Phase::Press) => {
                *self = match caught_handle(event, axes.normal_in_patient, document) {
                    Some((id, handle, shape)) => Self::Moving { id, handle, shape },
                    None => Self::Placing { axes, points: vec![point, point], round: event.modifiers.ctrl },
                };
                Vec::new()
            }
            (Self::Moving { handle, shape, .. }, Phase::Drag) => {
                *shape = with_handle(shape, *handle, point);
                Vec::new()
            }
            (Self::Moving { id, shape, .. }, Phase::Release) => {
                let edit = Command::EditMeasurement { measurement: *id, shape: *shape };
                *self = Self::Idle;
                vec![Action::Do(edit)]
            }
            (Self::Placing { points, round, .. }, Phase::Drag | Phase::Hover) => {
                *round = event.modifiers.ctrl;
                if let Some(last) = points.last_mut() {
                    *last = point;
                }
                Vec::new()
            }
            (Self::Placing { .. }, Phase::Press | Phase::Release) => self.place(point, kind, event),
            _ => Vec::new(),
        }
    }

    /// A point is fixed where the button goes down or, after a drag, up.
    fn place(&mut self, point: DVec3, kind: ToolKind, event: &PointerEvent) -> Vec<Action> {
        let Self::Placing { points, .. } = self else { return Vec::new() };
        let fixed = points.len() - 1;
        let moved = points[fixed - 1].distance(point) > SLIP_POINTS * event.mm_per_point;
        points[fixed] = point;
        if !moved {
            return Vec::new(); // the release of a click, or a double click: the next point is still to come
        }
        if points.len() < points_of(kind) {
            points.push(point);
            return Vec::new();
        }
        let done = self.shape(kind).map(Action::Measure).into_iter().collect();
        *self = Self::Idle;
        done
    }

    /// What is being placed or moved.
    pub fn shape(&self, kind: ToolKind) -> Option<MeasurementShape> {
        match self {
            Self::Idle => None,
            Self::Moving { shape, .. } => Some(*shape),
            Self::Placing { axes, points, round } => Some(match (kind, points.as_slice()) {
                (ToolKind::Ellipse, [a, b]) => ellipse(axes, *a, *b, *round),
                (ToolKind::Angle, [a, b, c]) => MeasurementShape::Angle { points_in_patient: [*a, *b, *c] },
                (_, [a, b, ..]) => MeasurementShape::Distance { ends_in_patient: [*a, *b] },
                _ => return None,
            }),
        }
    }

    /// The rubber band.
    pub fn overlay(&self, kind: ToolKind) -> Option<Overlay> {
        self.shape(kind).map(Overlay::Measurement)
    }

    /// The measurement whose handle is being dragged: its placed form is not drawn meanwhile.
    pub fn moving(&self) -> Option<MeasurementId> {
        match self {
            Self::Moving { id, .. } => Some(*id),
            _ => None,
        }
    }
}

fn points_of(kind: ToolKind) -> usize {
    if kind == ToolKind::Angle { 3 } else { 2 }
}

/// The ellipse whose bounding box has two corners; a circle of the larger side when `round`.
fn ellipse(axes: &SliceAxes, a: DVec3, b: DVec3, round: bool) -> MeasurementShape {
    let (right, down) = (axes.right_in_patient, axes.down_in_patient);
    let (mut width, mut height) = ((b - a).dot(right), (b - a).dot(down));
    if round {
        let side = width.abs().max(height.abs());
        (width, height) = (side.copysign(width), side.copysign(height));
    }
    let half_axes_in_patient = [right * (width.abs() / 2.0), down * (height.abs() / 2.0)];
    let center_in_patient = a + right * (width / 2.0) + down * (height / 2.0);
    MeasurementShape::Ellipse { center_in_patient, half_axes_in_patient }
}

/// Points of a measurement that can be dragged: the ends; for an ellipse its centre and the ends of its axes.
pub fn handles(shape: &MeasurementShape) -> Vec<DVec3> {
    match shape {
        MeasurementShape::Distance { ends_in_patient } => ends_in_patient.to_vec(),
        MeasurementShape::Angle { points_in_patient } => points_in_patient.to_vec(),
        MeasurementShape::Ellipse { center_in_patient: center, half_axes_in_patient: [right, down] } => {
            vec![*center, *center + *right, *center - *right, *center + *down, *center - *down]
        }
    }
}

/// The shape after one of its handles was dragged to a point.
fn with_handle(shape: &MeasurementShape, handle: usize, point: DVec3) -> MeasurementShape {
    let mut moved = *shape;
    match &mut moved {
        MeasurementShape::Distance { ends_in_patient } => ends_in_patient[handle.min(1)] = point,
        MeasurementShape::Angle { points_in_patient } => points_in_patient[handle.min(2)] = point,
        MeasurementShape::Ellipse { center_in_patient, half_axes_in_patient } => {
            if handle == 0 {
                *center_in_patient = point;
            } else {
                let half_axis = &mut half_axes_in_patient[usize::from(handle > 2)];
                let direction = half_axis.normalize_or_zero();
                *half_axis = direction * (point - *center_in_patient).dot(direction).abs().max(0.1);
            }
        }
    }
    moved
}

/// How far from a slice through `point_in_patient` the farthest handle of a measurement is, mm.
pub fn distance_from_slice_mm(shape: &MeasurementShape, normal: DVec3, point_in_patient: DVec3) -> f64 {
    handles(shape).iter().map(|handle| (*handle - point_in_patient).dot(normal).abs()).fold(0.0, f64::max)
}

fn caught_handle(
    event: &PointerEvent,
    normal: DVec3,
    document: &Document,
) -> Option<(MeasurementId, usize, MeasurementShape)> {
    let point = event.point_in_patient?;
    let reach_mm = CATCH_POINTS * event.mm_per_point;
    let shown = document.measurements().iter().rev().filter(|measurement| {
        measurement.visible && distance_from_slice_mm(&measurement.shape, normal, point) <= SHOWN_WITHIN_MM
    });
    for measurement in shown {
        let in_plane = |handle: &DVec3| {
            let offset = *handle - point;
            (offset - normal * offset.dot(normal)).length()
        };
        if let Some(handle) = handles(&measurement.shape).iter().position(|handle| in_plane(handle) <= reach_mm) {
            return Some((measurement.id, handle, measurement.shape));
        }
    }
    None
}
