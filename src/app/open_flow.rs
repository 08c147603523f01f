//! From a path to an open case: dialog or typed path, scan, list of series, loading with an early slice, the report.
//!
//! Scanning and reading are jobs with a cancel; only the end of them touches the session. Nothing here reads a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::TextureHandle;

use super::MaquetteApp;
use super::outcome::Outcome;
use super::panels::leaving::Errand;
use super::recent::Recent;
use crate::domain::phantom::thorax;
use crate::domain::volume::Volume;
use crate::domain::window::Window;
use crate::ops::browse;
use crate::ops::open::{self, LoadedVolume, SeriesEntry, SlicePreview};
use crate::session::case::{head_of, series_name};
use crate::session::document::{ContentHash, ImageSource, VolumeHead, VolumeId};
use crate::session::jobs::{JobError, JobId, Lane};

/// What a path is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickedFor {
    /// A folder of images.
    OpenFolder,
    /// A file of images, or a case.
    OpenFile,
    /// Images that join the case.
    AddImages,
    /// A place to look through in the study browser.
    Browse,
    /// A file of segments for the active images.
    Segments,
    /// Where the case goes.
    SaveCase,
    /// Where the meshes go.
    ExportFolder,
    /// Colours and opacities of the 3D view.
    LoadTransfer,
    /// Where they go.
    SaveTransfer,
}

impl PickedFor {
    /// Title of its dialog.
    pub fn title(self) -> &'static str {
        match self {
            Self::OpenFolder => "Open a folder of images",
            Self::OpenFile => "Open a file",
            Self::AddImages => "Add images to the case",
            Self::Browse => "A place to look through",
            Self::Segments => "Load segments or models onto the images",
            Self::SaveCase => "Save the case",
            Self::ExportFolder => "Folder for the meshes",
            Self::LoadTransfer => "Load colours and opacity",
            Self::SaveTransfer => "Save colours and opacity",
        }
    }
}

/// Where the flow is.
#[derive(Default)]
pub enum Stage {
    /// Nothing is being opened.
    #[default]
    Idle,
    /// A place is looked at; what it is shows soon.
    Scanning {
        /// The job.
        job: JobId,
    },
    /// A person chooses a series in the study browser.
    Choosing,
    /// A series is being read.
    Loading(Loading),
}

/// A series that is being read.
pub struct Loading {
    /// Name of the series.
    pub title: String,
    /// The job.
    pub job: JobId,
    /// Picture of an early slice.
    pub picture: Option<TextureHandle>,
    /// Its size in the patient.
    pub extent_mm: egui::Vec2,
    window: Option<Window>,
}

impl Loading {
    fn new(title: String, job: JobId, window: Option<Window>) -> Self {
        Self { title, job, picture: None, extent_mm: egui::Vec2::ZERO, window }
    }
}

/// The typed-path dialog.
pub struct TypedPath {
    /// What the path is wanted for.
    pub wanted_for: PickedFor,
    /// The text so far.
    pub text: String,
    /// Why somebody has to type; empty when they asked for it.
    pub reason: String,
}

/// All of it.
#[derive(Default)]
pub struct OpenFlow {
    /// Where it is.
    pub stage: Stage,
    /// The typed-path dialog, when it is open.
    pub typed: Option<TypedPath>,
    /// A dropped file that may be labels or images, while somebody is asked which.
    pub offered: Option<PathBuf>,
    /// What is being opened joins the present case.
    pub adds: bool,
    /// The volumes that are shown side by side when the last of them has come.
    pub beside: Option<Vec<VolumeId>>,
    /// Text of the path field of the first window.
    pub first_path: String,
    /// Cases opened before.
    pub recent: Recent,
}

impl MaquetteApp {
    /// Opens a system dialog on a worker. It answers with an outcome.
    pub(in crate::app) fn ask_path(&mut self, wanted_for: PickedFor) {
        let name = self.session.document().name().to_owned();
        let preset = self.session.view.preset.clone();
        let asked = self.work.submit(Lane::Background, "dialog", "", move |_| {
            let dialog = rfd::FileDialog::new().set_title(wanted_for.title());
            let picked = match wanted_for {
                PickedFor::OpenFolder | PickedFor::AddImages | PickedFor::Browse | PickedFor::ExportFolder => {
                    dialog.pick_folder()
                }
                PickedFor::OpenFile | PickedFor::Segments | PickedFor::LoadTransfer => dialog.pick_file(),
                PickedFor::SaveTransfer => dialog.set_file_name(format!("{preset}.json")).save_file(),
                PickedFor::SaveCase => dialog.set_file_name(format!("{name}.maquette")).save_file(),
            };
            Ok(picked.map_or(Outcome::NotPicked(wanted_for), |path| Outcome::Picked(wanted_for, path)))
        });
        if let Err(error) = asked {
            self.notices.error("No dialog", &error);
        }
    }

    /// Shows the typed-path dialog.
    pub(in crate::app) fn type_path(&mut self, wanted_for: PickedFor, reason: &str) {
        let text = match wanted_for {
            PickedFor::SaveCase => {
                self.session.case_path().map_or_else(default_case_path, |path| path.display().to_string())
            }
            PickedFor::ExportFolder => home().display().to_string(),
            PickedFor::LoadTransfer | PickedFor::SaveTransfer => {
                home().join(format!("{}.json", self.session.view.preset)).display().to_string()
            }
            PickedFor::OpenFolder
            | PickedFor::OpenFile
            | PickedFor::AddImages
            | PickedFor::Browse
            | PickedFor::Segments => self.open_flow.first_path.clone(),
        };
        self.open_flow.typed = Some(TypedPath { wanted_for, text, reason: reason.to_owned() });
    }

    /// A path was picked, typed, dropped or given on the command line.
    pub(in crate::app) fn use_path(&mut self, wanted_for: PickedFor, path: PathBuf) {
        match wanted_for {
            PickedFor::OpenFolder | PickedFor::OpenFile => self.open_path(path),
            PickedFor::SaveCase => self.save_case_to(&path),
            PickedFor::AddImages => self.scan_to_add(path),
            PickedFor::Browse => drop(self.look_at(path)),
            PickedFor::Segments => self.load_segments(path),
            PickedFor::ExportFolder => self.export.folder = path.display().to_string(),
            PickedFor::LoadTransfer => self.load_transfer(&path),
            PickedFor::SaveTransfer => self.save_transfer(&path, false),
        }
    }

    /// Opens what lies at a path, in place of the present case.
    pub(in crate::app) fn open_path(&mut self, path: PathBuf) {
        let errand = if is_case(&path) { Errand::OpenCase(path) } else { Errand::Open(path) };
        self.leave_for(errand);
    }

    /// Looks for images that join the present case.
    fn scan_to_add(&mut self, path: PathBuf) {
        self.scan_path(path);
        self.open_flow.adds = true;
        // Nobody was asked about the present case: to open a series in its place asks first.
        self.browser.may_leave = false;
    }

    /// Looks at what lies at a path: a single series is opened at once, several are shown in the study browser.
    pub(in crate::app) fn scan_path(&mut self, path: PathBuf) {
        self.open_flow.adds = false;
        self.browser.may_leave = true;
        if let Some(job) = self.look_at(path) {
            self.open_flow.stage = Stage::Scanning { job };
        }
    }

    /// Shows an early slice of the series that is being read.
    pub(in crate::app) fn take_slice(&mut self, slice: &SlicePreview) {
        let Stage::Loading(loading) = &mut self.open_flow.stage else { return };
        let window = loading.window.unwrap_or_else(|| Window::new(2000.0, 300.0));
        let gray = window.gray_bytes(&slice.samples, slice.rescale);
        let image = egui::ColorImage::from_gray([slice.width as usize, slice.height as usize], &gray);
        let [x_mm, y_mm] = slice.spacing_mm.map(|mm| mm as f32);
        loading.extent_mm = egui::Vec2::new(slice.width as f32 * x_mm, slice.height as f32 * y_mm);
        loading.picture = Some(self.ctx.load_texture("first slice", image, egui::TextureOptions::LINEAR));
    }

    /// Reads one series of the study browser, its files looked at once more, by the choices that were made for it.
    pub(in crate::app) fn load_chosen(&mut self) {
        let (Some(chosen), Some(entry)) = (self.browser.chosen_index(), self.browser.to_open()) else { return };
        let (series, options) = (self.browser.series(), self.browser.choices);
        let report = self.browser.listing.report.clone();
        let (mailbox, source) = (self.work.mailbox(), browse::source_of(&series, chosen));
        let (title, window, part) = (entry.title(), first_window(&entry), entry.part.clone());
        let asked = self.work.submit(Lane::Background, "open", &format!("Reading {title}"), move |progress| {
            let on_slice = |slice: SlicePreview| mailbox.leave(Outcome::EarlySlice(slice));
            let found = browse::fresh(&series, chosen, options, &part, progress).map_err(|error| failure(&error))?;
            let mut loaded = open::load(&found, progress, &on_slice).map_err(|error| failure(&error))?;
            loaded.report.extend(report);
            prepare(&loaded.volume);
            Ok(Outcome::Loaded(source, found.title(), series_name(&found), Box::new(loaded)))
        });
        match asked {
            Ok(job) => {
                self.browser.note_opened();
                self.open_flow.stage = Stage::Loading(Loading::new(title, job, window));
            }
            Err(error) => self.notices.error("Not opened", &error),
        }
    }

    /// A series was read: the case begins, or gets more images.
    pub(in crate::app) fn take_loaded(&mut self, path: &Path, title: String, series: String, loaded: LoadedVolume) {
        let head = head_of(&loaded, title, path, series);
        let doubts = head.report.len();
        self.open_flow.recent.remember(path, &head);
        let volume = Arc::new(loaded.volume);
        let adds = std::mem::take(&mut self.open_flow.adds);
        let is_open = if adds { self.add_images(head, volume) } else { self.begin_case(head, volume) };
        if !is_open {
            // What follows would go onto the images of the case that stayed.
            self.browser.end_queue();
            self.open_flow.beside = None;
            return;
        }
        let files = loaded.source.files;
        if let Some(volume) = self.session.view.active_volume {
            self.open_flow.beside.iter_mut().for_each(|beside| beside.push(volume));
            self.tags.know(volume, files.get(files.len() / 2).cloned());
        }
        if doubts > 0 {
            let words = if doubts == 1 { "1 remark".to_owned() } else { format!("{doubts} remarks") };
            let notice = super::notices::Notice::new(
                super::notices::Gravity::Warning,
                format!("The importer has {words} on these images"),
            );
            self.notices.push(notice.action(super::commands::CommandId::ShowReport).of_case());
        }
        self.open_next();
    }

    /// Makes the built-in sample and opens it.
    pub(in crate::app) fn make_sample(&mut self) {
        self.open_flow.adds = false;
        let dims = self.sample_dims;
        let asked = self.work.submit(Lane::Background, "open", "Making the sample", move |progress| {
            let failed = |error: &dyn std::error::Error| JobError::Failed(error.to_string());
            progress.phase("Painting");
            let grid = thorax::grid(dims).map_err(|error| failed(&error))?;
            let volume = thorax::volume(&grid, progress)?;
            prepare(&volume);
            Ok(Outcome::Sample(Arc::new(volume)))
        });
        match asked {
            Ok(job) => {
                self.open_flow.stage = Stage::Loading(Loading::new("the sample".to_owned(), job, None));
            }
            Err(error) => self.notices.error("Not opened", &error),
        }
    }

    /// The sample was made: the case begins.
    pub(in crate::app) fn take_sample(&mut self, volume: Arc<Volume>) {
        let head = VolumeHead {
            name: "Sample thorax".to_owned(),
            info: thorax::series_info(),
            report: Vec::new(),
            source: ImageSource::default(),
            grid: *volume.grid(),
            quantity: volume.quantity(),
            content_hash: ContentHash::default(),
        };
        self.begin_case(head, volume);
    }

    /// Opening is over when its job ended without a result: failed or cancelled.
    pub(in crate::app) fn settle_open(&mut self) {
        if self.browser.job.is_some_and(|job| !self.work.is_running(job)) {
            self.browser.job = None;
        }
        if let Stage::Scanning { job } | Stage::Loading(Loading { job, .. }) = &self.open_flow.stage
            && !self.work.is_running(*job)
        {
            self.open_flow.stage = Stage::Idle;
            self.open_flow.beside = None;
            self.browser.end_queue();
            self.session.keep_after_all();
        }
    }

    /// Whether a step of opening is on the screen.
    pub(in crate::app) fn is_opening(&self) -> bool {
        !matches!(self.open_flow.stage, Stage::Idle) || self.keeping.arriving().is_some()
    }

    /// Stops whatever is being opened.
    pub(in crate::app) fn cancel_open(&mut self) {
        if let Stage::Scanning { job } | Stage::Loading(Loading { job, .. }) = &self.open_flow.stage {
            self.work.cancel(*job);
        }
        if let Some(job) = self.keeping.arriving() {
            self.session.jobs().cancel(job);
        }
        self.open_flow.stage = Stage::Idle;
        self.open_flow.beside = None;
        self.browser.may_leave = false;
        self.browser.end_queue();
        self.session.keep_after_all();
    }
}

/// Whether a path names a saved case.
pub fn is_case(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("maquette"))
}

/// What the views will ask for at once is made on the worker.
fn prepare(volume: &Volume) {
    let _cells = volume.cells();
    let _histogram = volume.histogram();
}

pub(in crate::app) fn failure(error: &open::ImportError) -> JobError {
    match error {
        open::ImportError::Cancelled(_) => JobError::Cancelled,
        other => JobError::Failed(other.to_string()),
    }
}

fn first_window(entry: &SeriesEntry) -> Option<Window> {
    entry.info.windows.first().map(|(_, window)| *window)
}

/// The user's home folder, or here.
pub fn home() -> PathBuf {
    directories::UserDirs::new().map_or_else(|| PathBuf::from("."), |user| user.home_dir().to_path_buf())
}

fn default_case_path() -> String {
    home().join("case.maquette").display().to_string()
}
