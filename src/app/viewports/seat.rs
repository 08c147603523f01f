//! What a slice view shows in one frame: volume, plane, place on the screen, style.

use egui::{Rect, Ui};

use crate::domain::grid::Grid;
use crate::domain::plane::Plane;
use crate::domain::slice::{FusionStyle, RangePreview, SliceFrame, SliceStyle};
use crate::session::Session;
use crate::session::document::VolumeId;
use crate::session::view::fusion::Fusion;
use crate::tools::options::ToolKind;

use super::Scene;
use super::layout::Pane;
use super::placement::SlicePlacement;

/// What a view shows in this frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seat {
    /// The view.
    pub pane: Pane,
    /// Its plane.
    pub plane: Plane,
    /// Its volume.
    pub volume: VolumeId,
}

impl Seat {
    /// What a view shows now; `None` where there is nothing to show, and for the 3D view.
    pub(super) fn of(pane: Pane, session: &Session) -> Option<Self> {
        let view = &session.view;
        let (plane, volume) = match pane {
            Pane::Slice(plane) => (plane, view.active_volume?),
            Pane::Series(n) => view.beside.views.get(usize::from(n)).map(|series| (series.plane, series.volume))?,
            Pane::Volume => return None,
        };
        session.document().volume(volume).map(|_| Self { pane, plane, volume })
    }

    /// What lies over its slices.
    pub(super) fn fusion(self, session: &Session) -> Option<Fusion> {
        let wanted = match self.pane {
            Pane::Series(n) => session.view.beside.views.get(usize::from(n)).is_some_and(|view| view.fused),
            Pane::Slice(_) | Pane::Volume => true,
        };
        session.view.fusion_over(self.volume, session.document()).filter(|_| wanted)
    }

    /// Whether its volume is the one that is worked on.
    pub(super) fn is_active(self, session: &Session) -> bool {
        session.view.active_volume == Some(self.volume)
    }
}

/// Size and place of what a view shows.
pub(super) fn grid_of(seat: Seat, session: &Session) -> Option<Grid> {
    session.document().volume(seat.volume).map(|object| object.head.grid)
}

/// Where the view lies, and what rectangle of the patient fills it.
pub(super) fn placement(ui: &Ui, rect: Rect, seat: Seat, session: &Session) -> SlicePlacement {
    let pixels_per_point = ui.ctx().pixels_per_point();
    let size_px = (rect.size() * pixels_per_point).round().max(egui::Vec2::splat(1.0));
    let seen = session.view.seen_from(seat.volume);
    let view = seen.slice(seat.plane);
    let frame = SliceFrame {
        center_in_patient: view.on_slice(view.center_in_patient, seen.crosshair_in_patient),
        right_in_patient: view.right_in_patient(),
        down_in_patient: view.down_in_patient(),
        mm_per_px: view.mm_per_px / f64::from(pixels_per_point),
        size_px: [size_px.x as u32, size_px.y as u32],
    };
    SlicePlacement { frame, rect, pixels_per_point }
}

/// How slices are drawn now: window, interpolation, the preview of the threshold tool.
pub(super) fn style(scene: &Scene<'_>, seat: Seat, fusion: Option<FusionStyle>) -> SliceStyle {
    let view = scene.session.view.seen_from(seat.volume);
    let mut style = SliceStyle::new(view.window(seat.volume));
    style.interpolation = view.interpolation;
    style.color_map = view.color_map;
    style.slab = view.slice(seat.plane).slab;
    style.inverted = view.inverted;
    style.fusion = fusion;
    if !seat.is_active(scene.session) {
        return style;
    }
    if scene.tools.active() == ToolKind::Threshold {
        let (lower, upper) = scene.tools.options.threshold;
        let segment = view.active_segment.and_then(|id| scene.session.document().segment(id));
        let color = segment.map_or([0xF1, 0xD6, 0x91], |object| object.segment.info.color);
        style.preview = Some(RangePreview { lower, upper, color, opacity: 0.55 });
    }
    style
}
