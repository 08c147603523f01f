//! The views in the middle of the window: slices and 3D, in a tiling grid that can be rearranged.
//!
//! In: the session, the tools and the device, lent for one frame. Out: pictures, commands through the session, and what is
//! under the pointer for the status bar.

pub mod annotations;
pub mod c_arm;
pub mod cine;
pub mod contours;
pub mod cropping;
pub mod cube;
pub mod cuts;
mod divider;
mod fusion_menu;
pub mod input;
pub mod layout;
pub mod measurements;
mod phase_bar;
pub mod picture_source;
pub mod placement;
mod plane_lines;
mod seat;
mod series_label;
mod series_menu;
pub mod shared;
pub mod slice_menu;
pub mod slice_pane;
mod slice_text;
pub mod stroke;
pub mod surfaces;
mod tiling_tree;
pub mod volume_pane;

use egui::{Align2, Rect, Response, Ui, ViewportBuilder, ViewportId};
use egui_tiles::{Behavior, EditAction, SimplificationOptions, TileId, Tiles, UiResponse};
use glam::DVec3;

use super::bindings::mouse::Mouse;
use super::commands::CommandId;
use super::device::WindowDevice;
use super::frame_log::Pictures;
use super::notices::Notices;
use super::theme;
use crate::domain::camera::{Camera, StandardView};
use crate::domain::plane::Plane;
use crate::domain::segmentation::SegmentId;
use crate::domain::slice::SlabMode;
use crate::session::Session;
use crate::session::document::VolumeId;
use crate::session::measurement::MeasurementId;
use crate::session::view::{BODY_ZOOM, CropBox};
use crate::tools::options::ToolBox;

use cine::Cine;
use layout::{Arrangement, Layout, Pane};
use phase_bar::PhasePlayer;
use seat::Seat;
use shared::Shared;
use slice_pane::SlicePane;
use volume_pane::VolumePane;

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
    /// The measurement that is selected in the list.
    pub selected: Option<MeasurementId>,
    /// Commands of the table that a view's own controls ask for.
    pub asked: &'a mut Vec<CommandId>,
    /// What the mouse's buttons do.
    pub mouse: Mouse,
}

/// What is under the pointer and what its buttons do there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Readout {
    /// The point under the pointer, patient space, mm; `None` when it is over no view.
    pub point_in_patient: Option<DVec3>,
    /// The volume of the view.
    pub volume: Option<VolumeId>,
    /// Its value there.
    pub value: Option<f64>,
    /// The volume over it and its value there.
    pub over: Option<(VolumeId, f64)>,
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
    /// An arrangement of the views.
    Arrange(Arrangement),
    /// Thickness of the slice view under the pointer.
    Slab(Option<SlabMode>),
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
    /// Plays through the slices of the active view.
    Cine,
    /// Goes so many phases on.
    StepPhase(isize),
    /// Plays through the phases, or stops.
    PlayPhases,
    /// A standard view of 3D.
    Standard(StandardView),
}

/// The views that show slices.
const SLICE_PANES: [Pane; 6] = [
    Pane::Slice(Plane::Axial),
    Pane::Slice(Plane::Sagittal),
    Pane::Slice(Plane::Coronal),
    Pane::Series(0),
    Pane::Series(1),
    Pane::Series(2),
];

/// The views and their state.
pub struct Viewports {
    layout: Layout,
    slices: [SlicePane; SLICE_PANES.len()],
    volume: VolumePane,
    shared: Shared,
    tool: Option<crate::tools::options::ToolKind>,
    cine: Cine,
    phases: PhasePlayer,
}

impl Default for Viewports {
    fn default() -> Self {
        Self::new()
    }
}

impl Viewports {
    /// The standard arrangement.
    pub fn new() -> Self {
        Self {
            layout: Layout::default(),
            slices: SLICE_PANES.map(SlicePane::new),
            volume: VolumePane::default(),
            shared: Shared::default(),
            tool: None,
            cine: Cine::default(),
            phases: PhasePlayer::default(),
        }
    }

    /// Draws all views into the rest of the window.
    pub fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        *scene.readout = Readout::default();
        self.phases.ui(ui, scene.session, |id| self.shared.source.is_resident(id));
        let rect = ui.available_rect_before_wrap();
        self.drop_gestures_of_other_tools(ui, scene);
        self.cine.play(ui, scene.session);
        let repaint = ui.ctx().clone();
        let waker: surfaces::Waker = std::sync::Arc::new(move || repaint.request_repaint());
        let view = &scene.session.view;
        let is_other = self.layout.follow(Arrangement::of_name(&view.layout), view.tiling.as_ref());
        if is_other {
            self.slices.iter_mut().for_each(SlicePane::fit);
        }
        let volumes = self.volumes_in_view(scene.session);
        if let Some(why) = self.shared.source.sync(scene.device, scene.session, &volumes, &waker) {
            scene.notices.warn(format!("The pictures cannot be drawn: {why}."));
        }
        self.shared.surfaces.sync(&scene.device.context, scene.session, &waker);
        self.shared.sync_contours(scene.session, &waker);
        self.shared.drawn.clear();
        let maximised = self.layout.maximised();
        let Self { layout, slices, volume, shared, .. } = self;
        if layout.detached().next().is_some() {
            // The rest may leave a place of the grid empty.
            ui.painter().rect_filled(rect, 0.0, theme::SUNK);
        }
        let mut panes = Panes { slices, volume, shared, scene, wish: None, edited: false };
        match maximised {
            Some(pane) => {
                let mut child = ui.new_child(egui::UiBuilder::new().max_rect(rect));
                panes.pane(&mut child, pane);
            }
            None => layout.tree_mut().ui(&mut panes, ui),
        }
        let mut wish = panes.wish.take();
        for pane in layout.detached() {
            // Each window says whose body it shows.
            panes.shared.drawn.clear();
            if detached_window(ui, pane, &mut panes) {
                wish = Some(Wish::Attach(pane));
            }
        }
        let edited = panes.edited;
        let wish = wish.or(panes.wish);
        if edited {
            scene.session.view.tiling = self.layout.take_edit();
        }
        match wish {
            Some(Wish::Maximise(pane)) => self.layout.toggle_maximised(pane),
            Some(Wish::Detach(pane)) => self.layout.set_detached(pane, true),
            Some(Wish::Attach(pane)) => self.layout.set_detached(pane, false),
            None => {}
        }
    }

    /// The active volume, and those that have a view of their own.
    fn volumes_in_view(&self, session: &Session) -> Vec<VolumeId> {
        let seats = self.layout.panes().filter_map(|pane| Seat::of(pane, session));
        let mut volumes: Vec<VolumeId> = session.view.active_volume.into_iter().collect();
        volumes.extend(self.phases.ahead(session).into_iter().filter(|id| session.view.active_volume != Some(*id)));
        for seat in seats {
            for id in seat.fusion(session).map(|fusion| fusion.volume).into_iter().chain([seat.volume]) {
                if !volumes.contains(&id) {
                    volumes.push(id);
                }
            }
        }
        volumes
    }

    /// The volume of the view that was last under the pointer, where it has a place in the window; else the active one.
    pub fn volume_under_hand(&self, session: &Session) -> Option<VolumeId> {
        let pane = self.shared.active.filter(|active| self.layout.panes().any(|pane| pane == *active));
        pane.and_then(|pane| Seat::of(pane, session)).map(|seat| seat.volume).or(session.view.active_volume)
    }

    /// Another tool in the hand, or Esc, drops what was begun.
    fn drop_gestures_of_other_tools(&mut self, ui: &Ui, scene: &mut Scene<'_>) {
        let escaped = ui.input(|input| input.key_pressed(egui::Key::Escape));
        let changed = self.tool.replace(scene.tools.active()).is_some_and(|tool| tool != scene.tools.active());
        if escaped || changed {
            for action in self.shared.hand.abort() {
                self.shared.stroke.carry_out(action, scene.session, scene.notices);
            }
            self.shared.held.release();
            self.slices.iter_mut().for_each(|pane| pane.drop_line(scene.session));
        }
    }

    /// Carries out a command.
    pub fn run(&mut self, command: ViewCommand, scene: &mut Scene<'_>) {
        let active = self.shared.active.unwrap_or(Pane::ALL[0]);
        let session = &mut *scene.session;
        let grid =
            session.view.active_volume.and_then(|id| session.document().volume(id)).map(|object| object.head.grid);
        match command {
            ViewCommand::Fit => match active {
                Pane::Volume => fit_camera(session, None),
                slice => self.slices.iter_mut().filter(|pane| pane.pane() == slice).for_each(SlicePane::fit),
            },
            ViewCommand::Reset => {
                self.slices.iter_mut().for_each(SlicePane::fit);
                if let Some(id) = session.view.active_volume {
                    session.view.windows.remove(&id);
                    let document = session.document().clone();
                    // What was worked on is not part of the view's place: colours, cuts and preset stay.
                    let (preset, look) = (session.view.preset.clone(), session.view.look.clone());
                    session.view.show_volume(id, &document);
                    (session.view.preset, session.view.look) = (preset, look);
                }
                fit_camera(session, Some(StandardView::Anterior));
            }
            ViewCommand::Center => {
                if let Some(grid) = grid {
                    session.view.center_on(session.view.crosshair_in_patient, &grid);
                    session.view.camera.focus_in_patient = session.view.crosshair_in_patient;
                }
            }
            ViewCommand::Maximise => self.layout.toggle_maximised(active),
            ViewCommand::StepPhase(by) => {
                session.step_phase(by);
            }
            ViewCommand::PlayPhases => self.phases.toggle(),
            ViewCommand::Cine => {
                let seat = Seat::of(active, session).or_else(|| Seat::of(Pane::Slice(Plane::Axial), session));
                self.cine.toggle(seat.map(|seat| (seat.volume, seat.plane)));
            }
            ViewCommand::Arrange(arrangement) => {
                arrangement.name().clone_into(&mut session.view.layout);
                session.view.tiling = None;
                self.layout.reset(arrangement);
                if arrangement.series_count() > 0 {
                    fill_beside(arrangement.series_count(), scene);
                }
                self.slices.iter_mut().for_each(SlicePane::fit);
            }
            ViewCommand::Slab(mode) => {
                let plane = self.active_plane(session);
                session.view.slice_mut(plane).set_slab_mode(mode);
            }
            ViewCommand::Detach => self.layout.set_detached(active, !self.layout.is_detached(active)),
            ViewCommand::ToggleSegments => self.shared.source.hide_segments = !self.shared.source.hide_segments,
            ViewCommand::ToggleVolume => self.volume.toggle_volume(),
            ViewCommand::ToggleSurfaces => self.volume.hide_surfaces = !self.volume.hide_surfaces,
            ViewCommand::ToggleCrop => {
                let whole = grid.map(|grid| grid.bounds_in_patient());
                let new_box =
                    whole.map(|(lower_in_patient, upper_in_patient)| CropBox { lower_in_patient, upper_in_patient });
                session.view.crop = if session.view.crop.is_some() { None } else { new_box };
            }
            ViewCommand::Standard(face) => volume_pane::look_from(face, session),
        }
    }

    /// Whether a toggle is on; `None` for commands that are no toggles.
    pub fn is_on(&self, command: ViewCommand, session: &Session) -> Option<bool> {
        let view = &session.view;
        match command {
            ViewCommand::Arrange(arrangement) => Some(Arrangement::of_name(&view.layout) == arrangement),
            ViewCommand::Slab(mode) => Some(view.slice(self.active_plane(session)).slab.map(|slab| slab.mode) == mode),
            ViewCommand::Maximise => Some(self.layout.maximised().is_some()),
            ViewCommand::Cine => Some(self.cine.is_playing()),
            ViewCommand::PlayPhases => Some(self.phases.is_playing()),
            ViewCommand::ToggleSegments => Some(!self.shared.source.hide_segments),
            ViewCommand::ToggleVolume => Some(self.volume.shows_volume()),
            ViewCommand::ToggleSurfaces => Some(!self.volume.hide_surfaces),
            _ => None,
        }
    }

    /// The view in which a button is held.
    pub fn held_in(&self) -> Option<Pane> {
        self.shared.held.pane()
    }

    /// What the 3D view has shown, for measuring.
    pub fn pictures(&self) -> Pictures {
        self.volume.pictures()
    }

    /// The plane of the slice view that was last under the pointer; axial when that was the 3D view.
    fn active_plane(&self, session: &Session) -> Plane {
        self.shared.active.and_then(|pane| Seat::of(pane, session)).map_or(Plane::Axial, |seat| seat.plane)
    }
}

/// Fills the views of a layout with volumes of the case, and says when they cannot be linked.
fn fill_beside(count: usize, scene: &mut Scene<'_>) {
    let document = scene.session.document().clone();
    if !scene.session.view.fill_beside(count, &document) {
        scene.notices.warn(NOT_LINKED);
    }
}

/// Told when volumes beside each other cannot be linked by position.
pub const NOT_LINKED: &str = "These series name different frames of reference or patients: their views are not linked. Link \
                              them in the menu View where you know that positions agree.";

/// All of the volume in the 3D view; turned to a standard view where one is given.
fn fit_camera(session: &mut Session, face: Option<StandardView>) {
    let grid = session.view.active_volume.and_then(|id| session.document().volume(id)).map(|object| object.head.grid);
    let Some((lower, upper)) = grid.map(|grid| grid.bounds_in_patient()) else { return };
    let parallel = session.view.camera.is_parallel();
    let fitted = Camera::fitting(lower, upper, face.unwrap_or(StandardView::Anterior)).zoomed(BODY_ZOOM);
    let fitted = fitted.in_parallel(parallel);
    session.view.camera = match face {
        Some(_) => fitted,
        None => Camera {
            direction_in_patient: session.view.camera.direction_in_patient,
            up_in_patient: session.view.camera.up_in_patient,
            ..fitted
        },
    };
}

/// What a view's header asks of the layout.
#[derive(Debug, Clone, Copy)]
enum Wish {
    Maximise(Pane),
    Detach(Pane),
    Attach(Pane),
}

/// The views, lent to the tiling grid for one frame.
struct Panes<'a, 'b> {
    slices: &'a mut [SlicePane; SLICE_PANES.len()],
    volume: &'a mut VolumePane,
    shared: &'a mut Shared,
    scene: &'a mut Scene<'b>,
    wish: Option<Wish>,
    /// The views were moved or resized by hand.
    edited: bool,
}

impl Panes<'_, '_> {
    fn pane(&mut self, ui: &mut Ui, pane: Pane) -> bool {
        let rect = ui.available_rect_before_wrap();
        self.shared.drawn.push(pane);
        let response = match pane {
            Pane::Slice(_) | Pane::Series(_) => {
                let n = SLICE_PANES.iter().position(|found| *found == pane).unwrap_or(0);
                self.slices[n].ui(ui, rect, self.scene, self.shared)
            }
            Pane::Volume => self.volume.ui(ui, rect, self.scene, self.shared),
        };
        if response.contains_pointer() {
            self.shared.active = Some(pane);
        }
        if response.double_clicked() && !self.scene.tools.active().has_brush() {
            self.wish = Some(Wish::Maximise(pane));
        }
        self.header(ui, rect, pane, &response)
    }

    /// The view's own controls in its corner; the rest of its thin header appears under the pointer: drag it to rearrange.
    /// Returns whether a drag began.
    fn header(&mut self, ui: &mut Ui, rect: Rect, pane: Pane, view: &Response) -> bool {
        let whole = input::controls(rect);
        let near = ui.input(|input| input.pointer.hover_pos()).is_some_and(|at| whole.expand(24.0).contains(at));
        let open = near && (view.contains_pointer() || ui.rect_contains_pointer(whole));
        let bar =
            if open { whole } else { Rect::from_min_max(egui::pos2(whole.right() - 24.0, whole.top()), whole.max) };
        let mut child =
            ui.new_child(egui::UiBuilder::new().max_rect(bar).layout(egui::Layout::right_to_left(egui::Align::Center)));
        if open {
            child.painter().rect_filled(bar, 4.0, theme::RAISED);
        }
        child.spacing_mut().item_spacing.x = 2.0;
        let button = |ui: &mut Ui, icon, name: &str, help: &str| {
            let response = ui.add(egui::Button::new(theme::icon(icon, 16.0).color(theme::WEAK)).frame(false));
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
            response.on_hover_text(format!("{name}\n{help}"))
        };
        use egui_material_icons::icons;
        let name = pane.name();
        let display = button(&mut child, icons::ICON_TUNE, &format!("{name} display"), "How this view is drawn");
        match pane {
            Pane::Slice(plane) => slice_menu::menu(&display, plane, self.scene),
            Pane::Series(n) => series_menu::menu(&display, n, self.scene),
            Pane::Volume if display.clicked() => self.scene.asked.push(CommandId::VolumeDisplay),
            Pane::Volume => {}
        }
        if !open {
            return false;
        }
        let maximise =
            button(&mut child, icons::ICON_OPEN_IN_FULL, &format!("Maximise {name}"), "Alone, or back (double click)");
        if maximise.clicked() {
            self.wish = Some(Wish::Maximise(pane));
        }
        let detach = "Into a window of its own, for a second monitor";
        if button(&mut child, icons::ICON_OPEN_IN_NEW, &format!("Detach {name}"), detach).clicked() {
            self.wish = Some(Wish::Detach(pane));
        }
        let grip = child.interact(
            Rect::from_min_max(bar.min, egui::pos2(bar.max.x - 76.0, bar.max.y)),
            child.scope_id().with(("grip", name)),
            egui::Sense::drag(),
        );
        child.painter().text(grip.rect.center(), Align2::CENTER_CENTER, name, theme::overlay(), theme::WEAK);
        grip.on_hover_cursor(egui::CursorIcon::Grab).drag_started()
    }
}

impl Behavior<Pane> for Panes<'_, '_> {
    fn pane_ui(&mut self, ui: &mut Ui, _tile_id: TileId, pane: &mut Pane) -> UiResponse {
        if self.pane(ui, *pane) { UiResponse::DragStarted } else { UiResponse::None }
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> egui::WidgetText {
        pane.name().into()
    }

    fn on_edit(&mut self, action: EditAction) {
        self.edited |= matches!(action, EditAction::TileResized | EditAction::TileDropped);
    }

    fn gap_width(&self, _style: &egui::Style) -> f32 {
        2.0
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: false, ..SimplificationOptions::default() }
    }

    fn is_tab_closable(&self, _tiles: &Tiles<Pane>, _tile_id: TileId) -> bool {
        false
    }
}

/// Stands in every window.
pub const NOT_FOR_DIAGNOSIS: &str = "Not for diagnostic use";

/// A view in a window of its own. Returns whether it was closed.
fn detached_window(ui: &Ui, pane: Pane, panes: &mut Panes<'_, '_>) -> bool {
    let id = ViewportId::from_hash_of(("view", pane));
    let builder =
        ViewportBuilder::default().with_title(format!("Maquette: {}", pane.name())).with_inner_size([900.0, 700.0]);
    ui.ctx().show_viewport_immediate(id, builder, |ui, _class| {
        egui::CentralPanel::default().frame(egui::Frame::new()).show(ui, |ui| {
            let rect = ui.available_rect_before_wrap();
            panes.pane(ui, pane);
            // Its window has no status bar that says so.
            let at = rect.left_bottom() + egui::vec2(10.0, -46.0);
            let font = theme::overlay();
            annotations::outlined_text(ui.painter(), at, Align2::LEFT_BOTTOM, NOT_FOR_DIAGNOSIS, font, theme::WARN);
        });
        ui.input(|input| input.viewport().close_requested())
    })
}
