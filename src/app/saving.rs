//! Saving, opening, closing and restoring cases: jobs of the session, never on this thread.
//!
//! In: what somebody wants to do next ([`Errand`]). A case with unsaved steps is left only after a question (`leaving`), and
//! another case takes its place only when that is complete: whatever fails on the way leaves everything as it is.

use std::path::{Path, PathBuf};

use super::MaquetteApp;
use super::open_flow::PickedFor;
use super::outcome::Outcome;
use super::panels::leaving::{Errand, Leaving};
use crate::session::Session;
use crate::session::case::find_images;
use crate::session::jobs::{JobId, Lane};
use crate::session::journal::{self, Restorable};
use crate::session::save::LastSave;

/// Where cases are kept, and what is under way.
#[derive(Default)]
pub struct Keeping {
    /// Folder of the journals; `None` in tests.
    pub folder: Option<PathBuf>,
    /// Sessions that ended without being closed.
    pub restorable: Vec<Restorable>,
    /// The question whether the present case may be left.
    pub leaving: Option<Leaving>,
    /// A file that is there already where the case was to be saved.
    pub replacing: Option<PathBuf>,
    /// A case that is being opened or restored, in whose place, and from which file.
    arriving: Option<Arriving>,
    /// The window may close: everything was asked.
    pub may_close: bool,
}

/// A case on its way.
struct Arriving {
    job: JobId,
    /// Number of the case that is open until it has come.
    case_before: u64,
    /// The case file; `None` for a restored session.
    path: Option<PathBuf>,
}

impl Keeping {
    /// Whether a question is on the screen.
    pub fn asks(&self) -> bool {
        self.replacing.is_some() || self.leaving.as_ref().is_some_and(|leaving| !leaving.saving)
    }

    /// Everything stays as it is.
    pub fn stay(&mut self) {
        (self.replacing, self.leaving) = (None, None);
    }

    /// The job that brings another case.
    pub fn arriving(&self) -> Option<JobId> {
        self.arriving.as_ref().map(|arriving| arriving.job)
    }
}

impl MaquetteApp {
    /// Keeps a journal from now on and looks for sessions that ended without being closed.
    pub(in crate::app) fn keep_journal(&mut self) {
        match journal::default_folder() {
            Ok(folder) => self.keeping.folder = Some(folder),
            Err(error) => self.notices.error("The work is NOT autosaved", &error),
        }
        self.renew_session();
        self.keep_looking();
    }

    /// Leaves the present case for none. Its journal goes when everything is saved or given up, else it stays.
    fn renew_session(&mut self) {
        let fresh = match &self.keeping.folder {
            Some(folder) => Session::with_journal(folder.clone()),
            None => Session::new(),
        };
        let mut fresh = match fresh {
            Ok(fresh) => fresh,
            Err(error) => {
                self.notices.error("The case was not closed", &error);
                return;
            }
        };
        fresh.set_waker(self.waker());
        let left = std::mem::replace(&mut self.session, fresh);
        self.seen_notice = 0;
        left.close();
    }

    /// Saves where the case was saved before, else asks.
    pub(in crate::app) fn save_case(&mut self) {
        match self.session.case_path().map(Path::to_path_buf) {
            Some(path) => self.write_case_to(&path, true),
            None => self.ask_path(PickedFor::SaveCase),
        }
    }

    /// Saves to a file; its name gets the ending of cases. A file that is there already is asked about.
    pub(in crate::app) fn save_case_to(&mut self, path: &Path) {
        self.write_case_to(&with_ending(path), false);
    }

    /// Saves to the very file that a dialog has asked about already.
    pub(in crate::app) fn write_case_to(&mut self, path: &Path, may_replace: bool) {
        let asked =
            if may_replace { self.session.start_save(path, false) } else { self.session.start_save_as(path, false) };
        if let Err(refusal) = asked {
            self.notices.warn(refusal.to_string());
            self.keeping.leaving = None;
        }
    }

    /// Goes on with what waits for a save, once it has ended, and asks before a file is replaced.
    pub(in crate::app) fn follow_saving(&mut self) {
        if let Some(path) = self.session.take_save_conflict() {
            self.keeping.replacing = Some(path);
        }
        let waits = self.keeping.leaving.as_ref().is_some_and(|leaving| leaving.saving);
        let asks = self.keeping.replacing.is_some() || self.open_flow.typed.is_some() || self.work.has("dialog");
        if !waits || self.session.is_saving() || asks {
            return;
        }
        let leaving = self.keeping.leaving.take();
        match (leaving, self.session.last_save()) {
            (Some(leaving), LastSave::Done(_)) if !self.session.is_dirty() => self.run_errand(leaving.errand),
            // The save failed or was given up: the case stays, and the session has said why.
            _ => {}
        }
    }

    /// Does what somebody wants once the present case may be left.
    pub(in crate::app) fn run_errand(&mut self, errand: Errand) {
        match errand {
            Errand::Open(path) => self.scan_path(path),
            Errand::Chosen => self.load_chosen(),
            Errand::OpenCase(path) => self.open_case(&path),
            Errand::Sample => self.make_sample(),
            Errand::Restore(path) => self.restore_journal(&path),
            Errand::Close => self.close_case(),
            Errand::Quit => {
                self.keeping.may_close = true;
                self.ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            }
        }
    }

    /// Opens a saved case; the present one stays until it is complete.
    fn open_case(&mut self, path: &Path) {
        let case_before = self.session.case_number();
        match self.session.start_open_case(path, None) {
            Ok(job) => self.keeping.arriving = Some(Arriving { job, case_before, path: Some(path.to_path_buf()) }),
            Err(refusal) => self.notices.warn(refusal.to_string()),
        }
    }

    /// Back to the first window.
    fn close_case(&mut self) {
        self.renew_session();
        self.case_opened();
        self.keep_looking();
    }

    fn keep_looking(&mut self) {
        let Some(folder) = self.keeping.folder.clone() else { return };
        let asked = self.work.submit(Lane::Background, "restorable", "", move |_| {
            Ok(Outcome::Restorable(journal::find_restorable(&folder)))
        });
        if let Err(error) = asked {
            tracing::debug!(%error, "journals are not looked at");
        }
    }

    /// Gets a session back.
    fn restore_journal(&mut self, path: &Path) {
        let Some(index) = self.keeping.restorable.iter().position(|found| found.path == path) else { return };
        let restorable = self.keeping.restorable.remove(index);
        let case_before = self.session.case_number();
        match self.session.start_restore(restorable, Box::new(find_images)) {
            Ok(job) => self.keeping.arriving = Some(Arriving { job, case_before, path: None }),
            Err(refusal) => self.notices.warn(refusal.to_string()),
        }
    }

    /// Gives a session up for good.
    pub(in crate::app) fn discard_restorable(&mut self, path: &Path) {
        if let Some(index) = self.keeping.restorable.iter().position(|found| found.path == path) {
            self.keeping.restorable.remove(index).discard();
        }
    }

    /// Shows the case whose opening or restoring has ended. When it failed, the session has said so, and the case before is as
    /// it was.
    pub(in crate::app) fn take_arrival(&mut self) {
        let Some(arriving) = self.keeping.arriving.take_if(|it| !self.session.jobs().is_running(it.job)) else {
            return;
        };
        if self.session.case_number() == arriving.case_before {
            self.session.keep_after_all();
            self.keep_looking();
            return;
        }
        self.case_opened();
        let head = self.session.document().volumes().first().map(|object| object.head.clone());
        if let (Some(path), Some(head)) = (arriving.path, head) {
            self.open_flow.recent.remember(&path, &head);
        }
    }

    /// Ends the session when the window closes.
    pub(in crate::app) fn end_session(&mut self) {
        if let Ok(empty) = Session::new() {
            std::mem::replace(&mut self.session, empty).close();
        }
    }
}

/// A path whose name ends as cases do.
pub fn with_ending(path: &Path) -> PathBuf {
    if super::open_flow::is_case(path) { path.to_path_buf() } else { path.with_added_extension("maquette") }
}
