//! The hand: what the active tool has begun. Which tool is active and its settings are the [`ToolBox`]'s.

use crate::session::document::Document;
use crate::session::measurement::MeasurementId;

use super::action::Action;
use super::islands::Islands;
use super::measure::Measure;
use super::navigate::Navigate;
use super::options::{ToolBox, ToolKind};
use super::overlay::Overlay;
use super::paint::Paint;
use super::pointer::{Phase, PointerEvent, View};
use super::scissors::Scissors;

/// States of all tools; at most one of them is not idle.
#[derive(Debug, Clone, Default)]
pub struct Hand {
    navigate: Navigate,
    paint: Paint,
    scissors: Scissors,
    islands: Islands,
    measure: Measure,
}

impl Hand {
    /// Answers a pointer event with the active tool.
    pub fn handle(&mut self, event: &PointerEvent, tools: &ToolBox, document: &Document) -> Vec<Action> {
        let in_slice = matches!(event.view, View::Slice(_));
        match tools.active() {
            ToolKind::Paint if in_slice => self.paint.handle(event, false, &tools.options),
            ToolKind::Erase if in_slice => self.paint.handle(event, true, &tools.options),
            ToolKind::Scissors => self.scissors.handle(event, &tools.options),
            ToolKind::Islands => self.islands.handle(event, &tools.options),
            ToolKind::Distance | ToolKind::Angle | ToolKind::Ellipse if in_slice => {
                self.measure.handle(event, tools.active(), document)
            }
            _ => self.navigate.handle(event),
        }
    }

    /// Drops whatever is begun and puts back what was there (Esc).
    #[must_use = "a gesture may have to be aborted"]
    pub fn abort(&mut self) -> Vec<Action> {
        self.navigate = Navigate::default();
        self.scissors = Scissors::default();
        self.islands = Islands::default();
        self.measure = Measure::default();
        self.paint.abort()
    }

    /// What to draw over a view; `event` is the pointer where it is now, in that view.
    pub fn overlays(&self, view: View, event: Option<&PointerEvent>, tools: &ToolBox) -> Vec<Overlay> {
        let under_pointer = event.filter(|event| event.view == view);
        let overlay = match tools.active() {
            ToolKind::Paint => under_pointer.and_then(|event| Paint::overlay(event, false, &tools.options)),
            ToolKind::Erase => under_pointer.and_then(|event| Paint::overlay(event, true, &tools.options)),
            ToolKind::Scissors => self.scissors.overlay(view),
            ToolKind::Distance | ToolKind::Angle | ToolKind::Ellipse => self.measure.overlay(tools.active()),
            _ => None,
        };
        overlay.into_iter().collect()
    }

    /// The measurement whose handle is being dragged.
    pub fn moving_measurement(&self) -> Option<MeasurementId> {
        self.measure.moving()
    }

    /// Whether the active tool wants the surface point under the pointer in 3D for this phase (picking costs a ray cast).
    pub fn wants_pick(phase: Phase, tools: &ToolBox) -> bool {
        match tools.active() {
            ToolKind::Islands => matches!(phase, Phase::Press | Phase::Release),
            ToolKind::Scissors => false,
            _ => phase == Phase::Press,
        }
    }
}
