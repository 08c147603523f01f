//! The window: panels, viewports, theme, shortcuts. Draws through `gpu`; algorithms live elsewhere.
//!
//! In: a path to open, or none. Out: commands to the session. Each frame: `logic` lands finished jobs, takes keys and runs
//! the commands that were asked for; `ui` draws the panels, which ask for commands of `commands::TABLE` or perform those of
//! the document. Nothing here waits for work: what takes long is a job of the session or of `work`.

pub mod bindings;
pub mod browser;
pub mod commands;
pub mod device;
mod dispatch;
pub mod facts;
pub mod frame_log;
pub mod loading_segments;
mod look_commands;
pub mod memory;
pub mod notices;
pub mod numbers;
pub mod open_flow;
pub mod outcome;
pub mod palette;
pub mod panels;
pub mod recent;
pub mod saving;
pub mod selection;
pub mod settings;
pub mod shortcuts;
pub mod stage;
pub mod theme;
pub mod viewports;
pub mod widgets;
pub mod work;

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui_wgpu::RenderState;

use crate::domain::volume::Volume;
use crate::session::Session;
use crate::session::command::Command;
use crate::session::document::{SegmentObject, VolumeHead};
use crate::tools::options::ToolBox;

use browser::Browser;
use commands::{CommandId, Situation};
use device::WindowDevice;
use facts::Facts;
use frame_log::{Activity, FrameLog};
use notices::Notices;
use open_flow::OpenFlow;
use palette::Palette;
use panels::Dialog;
use panels::export::ExportState;
use panels::gallery::Gallery;
use panels::mesh_options::MeshOptions;
use panels::report::TagList;
use saving::Keeping;
use selection::Selection;
use stage::Stage;
use viewports::layout::Arrangement;
use viewports::{Readout, Scene, Viewports};
use work::Work;

/// Title of the window. Never holds patient identity: window lists and screen sharing show it.
const TITLE: &str = "Maquette";

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The window system or the driver gave none.
    #[error("the window could not be opened: {0}")]
    Window(String),
    /// No driver that can draw.
    #[error(
        "the window could not be opened: no graphics driver was found that can draw (Vulkan, Metal or Direct3D 12); without a \
         GPU, Debian's mesa-vulkan-drivers draws in software, and every command of `maquette --help` works without a driver"
    )]
    NoDriver(#[source] DriverError),
}

/// What the window begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The choice of what to open.
    Welcome,
    /// The built-in sample case.
    Sample,
    /// A folder, file or case.
    Path(PathBuf),
}

/// Opens the window and stays until it is closed. Frame times go to `frame_log`, for measuring.
///
/// # Errors
/// When there is no display or no usable graphics driver.
pub fn run(start: Start, frame_log: Option<PathBuf>) -> Result<(), AppError> {
    let viewport = egui::ViewportBuilder::default()
        .with_title(TITLE)
        .with_app_id("maquette")
        .with_inner_size([1600.0, 900.0])
        .with_min_inner_size([1280.0, 800.0])
        .with_drag_and_drop(true);
    let options =
        eframe::NativeOptions { viewport, wgpu_options: device::configuration(), ..eframe::NativeOptions::default() };
    eframe::run_native(
        TITLE,
        options,
        Box::new(|context| {
            let state = context.wgpu_render_state.as_ref().ok_or("the window has no graphics device")?;
            let mut app = MaquetteApp::new(&context.egui_ctx, state)?;
            app.open_flow.recent = recent::Recent::of_user();
            app.settings = settings::Settings::of_user();
            app.install_bindings();
            app.browser.keep_index_at(crate::ops::browse::default_index());
            app.keep_journal();
            if let Some(path) = frame_log {
                app.frame_log = Some(FrameLog::create(&path)?);
            }
            match start {
                Start::Welcome => {}
                Start::Sample => app.asked.push(CommandId::OpenSample),
                Start::Path(path) => app.open_path(path),
            }
            Ok(Box::new(app))
        }),
    )
    .map_err(|error| match error {
        eframe::Error::Wgpu(why) => AppError::NoDriver(DriverError(why.to_string())),
        other => AppError::Window(other.to_string()),
    })
}

/// What the graphics library said.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DriverError(String);

/// The window's state.
pub struct MaquetteApp {
    ctx: egui::Context,
    device: WindowDevice,
    session: Session,
    tools: ToolBox,
    viewports: Viewports,
    readout: Readout,
    work: Work,
    facts: Facts,
    stage: Stage,
    selection: Selection,
    notices: Notices,
    palette: Palette,
    open_flow: OpenFlow,
    browser: Browser,
    dialog: Option<Dialog>,
    export: ExportState,
    gallery: Gallery,
    /// The 3D display window is open, and which part of it is shown.
    display_open: bool,
    display_page: panels::display::Page,
    transfer_editor: panels::transfer::TransferEditor,
    tags: TagList,
    /// Voxels of the built-in sample.
    sample_dims: [u32; 3],
    /// What is typed into the search for codes.
    code_query: String,
    mesh_options: MeshOptions,
    asked: Vec<CommandId>,
    /// Number of the last session notice that was shown.
    seen_notice: u64,
    keeping: Keeping,
    frame_log: Option<FrameLog>,
    /// What the user has set for the program.
    settings: settings::Settings,
    bindings: Arc<bindings::Bindings>,
    preferences: panels::preferences::Preferences,
    /// What is typed as the name of a layout.
    layout_name: String,
    /// A colour and an opacity that are being dragged.
    pending_color: Option<(selection::Selected, [u8; 3])>,
    pending_opacity: Option<(crate::domain::segmentation::SegmentId, f64)>,
}

impl MaquetteApp {
    /// A window with nothing open.
    ///
    /// # Errors
    /// When the system gives no worker threads.
    pub fn new(ctx: &egui::Context, render_state: &RenderState) -> std::io::Result<Self> {
        theme::install(ctx);
        let waker = waker(ctx);
        let mut session = Session::new()?;
        session.set_waker(Arc::clone(&waker));
        let device = WindowDevice::new(render_state);
        device.take_over_painting(ctx);
        let viewports = Viewports::new();
        let bindings = Arc::new(bindings::Bindings::new(&bindings::Chosen::default()));
        bindings::install(ctx, &bindings);
        Ok(Self {
            ctx: ctx.clone(),
            device,
            session,
            tools: ToolBox::default(),
            viewports,
            readout: Readout::default(),
            work: Work::start(waker)?,
            facts: Facts::default(),
            stage: Stage::default(),
            selection: Selection::default(),
            notices: Notices::default(),
            palette: Palette::default(),
            open_flow: OpenFlow::default(),
            browser: Browser::default(),
            dialog: None,
            export: ExportState::default(),
            gallery: Gallery::default(),
            display_open: false,
            display_page: panels::display::Page::default(),
            transfer_editor: panels::transfer::TransferEditor::default(),
            tags: TagList::default(),
            sample_dims: crate::domain::phantom::thorax::SAMPLE_DIMS,
            code_query: String::new(),
            mesh_options: MeshOptions::default(),
            asked: Vec::new(),
            seen_notice: 0,
            keeping: Keeping::default(),
            frame_log: None,
            settings: settings::Settings::default(),
            bindings,
            preferences: panels::preferences::Preferences::default(),
            layout_name: String::new(),
            pending_color: None,
            pending_opacity: None,
        })
    }

    /// The window in a test harness: no files of the user are read or written.
    ///
    /// # Panics
    /// When the harness has no wgpu renderer.
    pub fn for_test(context: &eframe::CreationContext<'_>) -> Self {
        let state = context.wgpu_render_state.as_ref().expect("the harness renders with wgpu");
        let app = Self::new(&context.egui_ctx, state).expect("worker threads");
        // A sample that is made in a moment.
        Self { sample_dims: [64, 64, 50], ..app }
    }

    /// The case.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The case, for tests that prepare one.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The tools.
    pub fn tools(&self) -> &ToolBox {
        &self.tools
    }

    /// What is told at the moment, oldest first.
    pub fn notice_texts(&self) -> Vec<String> {
        self.notices.iter().map(|notice| notice.text().to_owned()).collect()
    }

    /// Opens a path as if it had been dropped on the window.
    pub fn open(&mut self, path: PathBuf) {
        self.open_path(path);
    }

    /// A file is dropped on the window; for tests.
    pub fn drop_file(&mut self, path: PathBuf) {
        self.take_dropped(path);
    }

    /// Images at a path are to join the case, as if it had been picked for that; for tests.
    pub fn add_from(&mut self, path: PathBuf) {
        self.use_path(open_flow::PickedFor::AddImages, path);
    }

    /// Keeps the index of studies in this file; for tests.
    pub fn keep_studies_at(&mut self, file: PathBuf) {
        self.browser.keep_index_at(Some(file));
    }

    /// Keeps what the user sets in this file; for tests.
    pub fn keep_settings_at(&mut self, file: PathBuf) {
        self.settings = settings::Settings::at(Some(file));
        self.install_bindings();
    }

    /// Keys and buttons are what the settings say from now on.
    fn install_bindings(&mut self) {
        self.bindings = Arc::new(bindings::Bindings::new(&self.settings.get().bindings));
        bindings::install(&self.ctx, &self.bindings);
    }

    /// Chooses where meshes are written, as if it had been typed.
    pub fn choose_export_folder(&mut self, folder: &std::path::Path) {
        self.export.folder = folder.display().to_string();
    }

    /// Writes or loads the colours and opacities of the 3D view as if the path had been typed.
    pub fn transfer_file(&mut self, path: &std::path::Path, save: bool) {
        if save {
            self.save_transfer(path, false);
        } else {
            self.load_transfer(path);
        }
    }

    /// Saves the case as if the path had been typed.
    pub fn save_to(&mut self, path: &std::path::Path) {
        self.save_case_to(path);
    }

    /// Waits for all work and lands it; for tests.
    pub fn finish_work(&mut self) {
        self.session.finish_jobs();
        while let Some((outcomes, failures)) = self.work.wait() {
            self.land(outcomes, failures);
            self.session.finish_jobs();
        }
    }

    /// Asks for a command; it runs before the next frame is drawn.
    fn ask(&mut self, id: CommandId) {
        self.asked.push(id);
        self.ctx.request_repaint();
    }

    /// Esc closes what is on top; the views, which are drawn before dialogs, would take the key otherwise.
    fn close_topmost(&mut self) {
        if self.preferences.capturing.take().is_some() {
            // Only the key that was asked for is given up.
        } else if self.palette.is_open() {
            self.palette.close();
        } else if self.keeping.asks() {
            self.keeping.stay();
        } else if self.open_flow.typed.take().is_some() {
            self.keeping.leaving = None;
        } else if self.is_opening() {
            self.cancel_open();
        } else {
            self.dialog = None;
        }
    }

    /// The window is closed by its own button: unsaved steps are asked about first.
    fn ask_before_closing(&mut self, ctx: &egui::Context) {
        let closing = ctx.input(|input| input.viewport().close_requested());
        if closing && !self.keeping.may_close && self.session.has_steps_to_keep() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.leave_for(panels::leaving::Errand::Quit);
        }
    }

    /// The segment that tools change.
    fn active_segment(&self) -> Option<&SegmentObject> {
        self.session.view.active_segment.and_then(|id| self.session.document().segment(id))
    }

    /// Carries out a command of the document; a refusal is told.
    fn perform(&mut self, command: Command) {
        match self.session.start_command(command) {
            Ok(_) => self.selection.follow(&self.session),
            Err(refusal) => self.notices.warn(refusal.to_string()),
        }
        self.ctx.request_repaint();
    }

    /// What wakes the window from another thread.
    fn waker(&self) -> Arc<dyn Fn() + Send + Sync> {
        waker(&self.ctx)
    }

    /// Begins a case with a volume, which is complete, in place of the present one. Whether it could: it says why not.
    fn begin_case(&mut self, head: VolumeHead, volume: Arc<Volume>) -> bool {
        if let Some(why) = self.session.must_stay() {
            self.notices.push(notices::Notice::new(notices::Gravity::Bad, why));
            return false;
        }
        self.session.new_case(head, volume);
        self.case_opened();
        true
    }

    /// Adds a volume to the case, as a step, and shows it. Whether it could: it says why not.
    fn add_images(&mut self, head: VolumeHead, volume: Arc<Volume>) -> bool {
        match self.session.add_volume(head, volume) {
            Ok(id) => {
                self.open_flow.stage = open_flow::Stage::Idle;
                self.selection.choose(selection::Selected::Volume(id), &mut self.session);
                true
            }
            Err(refusal) => {
                self.notices.warn(refusal.to_string());
                false
            }
        }
    }

    /// The session holds another case: everything of the window that belonged to the old one goes.
    fn case_opened(&mut self) {
        self.facts.clear();
        self.notices.leave_case();
        self.open_flow.stage = open_flow::Stage::Idle;
        self.open_flow.typed = None;
        self.dialog = None;
        self.selection = Selection::default();
        self.selection.follow(&self.session);
        self.viewports = Viewports::new();
        self.transfer_editor = panels::transfer::TransferEditor::default();
        self.tags = TagList::default();
        self.stage = Stage::Images;
        let view = &mut self.session.view;
        if view.beside.views.is_empty() && Arrangement::of_name(&view.layout).series_count() > 0 {
            Arrangement::default().name().clone_into(&mut view.layout);
            view.tiling = None;
        }
    }

    /// Takes note of how long the frame took.
    fn log_frame(&mut self, ctx: &egui::Context) {
        let Some(log) = &mut self.frame_log else { return };
        let activity = match (self.session.gesture(), self.viewports.held_in()) {
            (Some(_), _) => Activity::Paint,
            (None, Some(viewports::layout::Pane::Volume)) => Activity::Turn,
            (None, Some(_)) => Activity::Slice,
            (None, None) => Activity::Other,
        };
        log.end_frame(activity, ctx.has_requested_repaint(), self.viewports.pictures());
    }

    /// What commands can do now.
    fn situation(&self) -> Situation {
        let document = self.session.document();
        let selected = self.selection.get(document);
        let volume = self.session.view.active_volume.and_then(|id| document.volume(id));
        Situation {
            volume: volume.is_some(),
            volumes: document.volumes().len(),
            tags: volume.is_some_and(|volume| panels::report::may_have_tags(&volume.head)),
            segment: self.active_segment().is_some(),
            mesh: matches!(selected, Some(selection::Selected::Mesh(_))),
            any_mesh: document.meshes().iter().any(|mesh| mesh.built.is_some()),
            selection: selected.is_some(),
            undo: self.session.history().undo_label().is_some(),
            redo: self.session.history().redo_label().is_some(),
        }
    }

    /// Lends everything that the views need.
    fn with_scene<R>(&mut self, run: impl FnOnce(&mut Viewports, &mut Scene<'_>) -> R) -> R {
        let selected = match self.selection.get(self.session.document()) {
            Some(selection::Selected::Measurement(id)) => Some(id),
            _ => None,
        };
        let mut scene = Scene {
            selected,
            device: &self.device,
            session: &mut self.session,
            tools: &mut self.tools,
            readout: &mut self.readout,
            notices: &mut self.notices,
            asked: &mut self.asked,
            mouse: self.bindings.mouse,
        };
        let result = run(&mut self.viewports, &mut scene);
        if !self.asked.is_empty() {
            self.ctx.request_repaint();
        }
        result
    }
}

fn waker(ctx: &egui::Context) -> Arc<dyn Fn() + Send + Sync> {
    let ctx = ctx.clone();
    Arc::new(move || ctx.request_repaint())
}

impl eframe::App for MaquetteApp {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        if let Some(log) = &mut self.frame_log {
            log.begin_frame();
        }
        self.session.tick();
        let (outcomes, failures) = self.work.take();
        self.land(outcomes, failures);
        // Views look at revisions themselves.
        drop(self.session.take_touched());
        self.take_session_notices();
        self.take_arrival();
        self.follow_saving();
        self.ask_before_closing(ctx);
        self.take_color(ctx);
        if self.session.travel().is_some() {
            ctx.request_repaint();
        }
        let dropped = ctx.input(|input| input.raw.dropped_files.first().map(|file| file.path().to_path_buf()));
        if let Some(path) = dropped {
            self.take_dropped(path);
        }
        let typing = ctx.text_edit_focused();
        let blocked = self.palette.is_open()
            || self.dialog.is_some()
            || self.open_flow.typed.is_some()
            || self.keeping.asks()
            || self.is_opening();
        if blocked && ctx.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Escape)) {
            self.close_topmost();
        }
        let bindings = Arc::clone(&self.bindings);
        let keys = if blocked { Vec::new() } else { ctx.input_mut(|input| shortcuts::take(input, typing, &bindings)) };
        self.asked.extend(keys);
        for id in std::mem::take(&mut self.asked) {
            self.run_command(id);
        }
        self.selection.follow(&self.session);
        self.facts.refresh(&self.session, &mut self.work);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let now = self.situation();
        self.top_bar_ui(ui, now);
        self.status_bar_ui(ui);
        if now.volume {
            self.rail_ui(ui, now);
            self.options_ui(ui);
            self.right_side_ui(ui, now);
            // No fill: each view covers its place, and a software driver pays for every layer of every pixel.
            egui::CentralPanel::no_frame().show(ui, |ui| {
                self.with_scene(|viewports, scene| viewports.ui(ui, scene));
            });
        } else {
            self.welcome_ui(ui);
        }
        self.display_ui(ui.ctx(), now);
        self.open_flow_ui(ui.ctx());
        self.dialogs_ui(ui.ctx(), now);
        if let Some(id) = self.palette.ui(ui.ctx(), now) {
            self.ask(id);
        }
        let margin = if now.volume { theme::OBJECTS } else { 0.0 };
        if let Some(id) = self.notices.ui(ui.ctx(), margin) {
            self.ask(id);
        }
        self.log_frame(ui.ctx());
    }

    fn on_exit(&mut self) {
        if let Some(log) = self.frame_log.take() {
            log.finish();
        }
        self.end_session();
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        // Panels and views cover the window; what shines through are the gaps between the views.
        theme::LINE.to_normalized_gamma_f32()
    }
}
