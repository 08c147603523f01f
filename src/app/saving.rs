//! Saving, opening, closing and restoring cases: jobs of the session, never on this thread.
//!
//! Nothing is asked when a case is left with unsaved steps: its journal stays and is offered in the first window.

use std::path::{Path, PathBuf};

use super::MaquetteApp;
use super::notices::{Gravity, Notice};
use super::open_flow::PickedFor;
use super::outcome::Outcome;
use crate::session::Session;
use crate::session::case::find_images;
use crate::session::jobs::{JobId, Lane};
use crate::session::journal::{self, Restorable};

/// Where cases are kept, and what is under way.
#[derive(Default)]
pub struct Keeping {
    /// Folder of the journals; `None` in tests.
    pub folder: Option<PathBuf>,
    /// Sessions that ended without being closed.
    pub restorable: Vec<Restorable>,
    /// A case that is being opened or restored, and how many cases there had been.
    arriving: Option<JobId>,
}

impl MaquetteApp {
    /// Keeps a journal from now on and looks for sessions that ended without being closed.
    pub(in crate::app) fn keep_journal(&mut self) {
        match journal::default_folder() {
            Ok(folder) => self.keeping.folder = Some(folder),
            Err(error) => self.notices.error("The work is NOT autosaved", &error),
        }
        self.renew_session();
        let Some(folder) = self.keeping.folder.clone() else { return };
        let asked = self.work.submit(Lane::Background, "restorable", "", move |_| {
            Ok(Outcome::Restorable(journal::find_restorable(&folder)))
        });
        if let Err(error) = asked {
            tracing::debug!(%error, "journals are not looked at");
        }
    }

    /// Leaves the present case. Its journal goes when everything is saved, else it stays.
    pub(in crate::app) fn renew_session(&mut self) {
        let fresh = match &self.keeping.folder {
            Some(folder) => Session::with_journal(folder.clone()),
            None => Session::new(),
        };
        let mut fresh = match fresh {
            Ok(fresh) => fresh,
            Err(error) => {
                self.notices.error("No new case", &error);
                return;
            }
        };
        fresh.set_waker(self.waker());
        let left = std::mem::replace(&mut self.session, fresh);
        self.seen_notice = 0;
        leave(left);
    }

    /// Saves where the case was saved before, else asks.
    pub(in crate::app) fn save_case(&mut self) {
        match self.session.case_path().map(Path::to_path_buf) {
            Some(path) => self.save_case_to(&path),
            None => self.ask_path(PickedFor::SaveCase),
        }
    }

    /// Saves to a file; its name gets the ending of cases.
    pub(in crate::app) fn save_case_to(&mut self, path: &Path) {
        let path =
            if super::open_flow::is_case(path) { path.to_path_buf() } else { path.with_added_extension("maquette") };
        match self.session.start_save(path, false) {
            Ok(_) => self.saved_at = Some(chrono::Local::now().format("%H:%M").to_string()),
            Err(refusal) => self.notices.warn(refusal.to_string()),
        }
    }

    /// Opens a saved case; the present one stays until it is complete.
    pub(in crate::app) fn open_case(&mut self, path: &Path) {
        let dirty = self.session.is_dirty();
        if dirty {
            self.renew_session();
            self.case_opened();
        }
        match self.session.start_open_case(path, None) {
            Ok(job) => self.keeping.arriving = Some(job),
            Err(refusal) => self.notices.warn(refusal.to_string()),
        }
    }

    /// Back to the first window.
    pub(in crate::app) fn close_case(&mut self) {
        if self.session.is_dirty() {
            let text =
                "The case was closed with unsaved steps; its journal keeps them and is offered in the first window";
            self.notices.push(Notice::new(Gravity::Warning, text));
        }
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
    pub(in crate::app) fn restore(&mut self, index: usize) {
        if index >= self.keeping.restorable.len() {
            return;
        }
        let restorable = self.keeping.restorable.remove(index);
        match self.session.start_restore(restorable, Box::new(find_images)) {
            Ok(job) => self.keeping.arriving = Some(job),
            Err(refusal) => self.notices.warn(refusal.to_string()),
        }
    }

    /// Gives a session up for good.
    pub(in crate::app) fn discard_restorable(&mut self, index: usize) {
        if index < self.keeping.restorable.len() {
            self.keeping.restorable.remove(index).discard();
        }
    }

    /// Shows the case whose opening or restoring has ended; when it failed, the session has said so.
    pub(in crate::app) fn take_arrival(&mut self) {
        let Some(job) = self.keeping.arriving.filter(|job| !self.session.jobs().is_running(*job)) else { return };
        tracing::debug!(?job, "a case arrived");
        self.keeping.arriving = None;
        self.case_opened();
    }

    /// Ends the session when the window closes.
    pub(in crate::app) fn end_session(&mut self) {
        if let Ok(empty) = Session::new() {
            leave(std::mem::replace(&mut self.session, empty));
        }
    }
}

/// A session with unsaved steps is dropped: its journal stays. Any other is closed: nothing will be offered.
fn leave(mut session: Session) {
    session.abort_gesture();
    if session.is_dirty() {
        session.flush_journal();
        drop(session);
    } else {
        session.close();
    }
}
