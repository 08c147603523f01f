//! The views in the middle of the window: slices and 3D.
//!
//! In: the session, the tools and the device, lent for one frame. Out: pictures, commands through the session, and what is
//! under the pointer for the status bar. For now: an empty place that says which volume is open.

use egui::{Align2, Ui};
use glam::DVec3;

use super::device::WindowDevice;
use super::notices::Notices;
use super::theme;
use crate::domain::camera::StandardView;
use crate::domain::segmentation::SegmentId;
use crate::session::Session;
use crate::tools::options::ToolBox;

/// What the views need for one frame.
pub struct Scene<'a> {
    /// The device that they draw with.
    pub device: &'a WindowDevice,
    /// The case.
    pub session: &'a mut Session,
    /// The active tool and its settings.
    pub tools: &'a mut ToolBox,
    /// What is under the pointer; views fill it, the status bar shows it.
    pub readout: &'a mut Readout,
    /// Where refusals are told.
    pub notices: &'a mut Notices,
}

/// What is under the pointer and what its buttons do there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Readout {
    /// The point under the pointer, patient space, mm; `None` when it is over no view.
    pub point_in_patient: Option<DVec3>,
    /// Value of the active volume there.
    pub value: Option<f64>,
    /// Visible segments there, first is on top.
    pub segments: Vec<SegmentId>,
    /// What left, middle and right button do there, in a word or two each; empty texts are not shown.
    pub buttons: [String; 3],
}

/// A command for the views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewCommand {
    /// Fits the picture into the active view.
    Fit,
    /// Zoom, pan, camera and window as at the start.
    Reset,
    /// Brings the crosshair to the middle of every view.
    Center,
    /// The active view alone, or all again.
    Maximise,
    /// The standard arrangement.
    FourUp,
    /// The active view into its own window.
    Detach,
    /// Segments on the slices.
    ToggleSegments,
    /// The ray-marched volume in 3D.
    ToggleVolume,
    /// Segment surfaces and meshes in 3D.
    ToggleSurfaces,
    /// The crop box.
    ToggleCrop,
    /// A standard view of 3D.
    Standard(StandardView),
}

/// The views and their state.
#[derive(Debug, Default)]
pub struct Viewports {}

impl Viewports {
    /// The standard arrangement.
    pub fn new() -> Self {
        Self::default()
    }

    /// Draws all views into the rest of the window.
    pub fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let rect = ui.available_rect_before_wrap();
        ui.painter().rect_filled(rect, 0.0, theme::VIEW);
        let text = scene.session.document().volumes().first().map_or("", |volume| volume.head.name.as_str());
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, theme::overlay(), theme::WEAK);
        *scene.readout = Readout::default();
    }

    /// Carries out a command.
    pub fn run(&mut self, _command: ViewCommand, _scene: &mut Scene<'_>) {}

    /// Whether a toggle is on; `None` for commands that are no toggles.
    pub fn is_on(&self, _command: ViewCommand) -> Option<bool> {
        None
    }
}
