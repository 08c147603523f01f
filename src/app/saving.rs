//! Saving, opening and closing cases: jobs of the session, never on this thread.

use std::path::Path;

use super::MaquetteApp;
use super::open_flow::PickedFor;

impl MaquetteApp {
    /// Saves where the case was saved before, else asks.
    pub(in crate::app) fn save_case(&mut self) {
        match self.case_path.clone() {
            Some(path) => self.save_case_to(&path),
            None => self.ask_path(PickedFor::SaveCase),
        }
    }

    /// Saves to a file.
    pub(in crate::app) fn save_case_to(&mut self, path: &Path) {
        self.notices.warn(format!("cases cannot be saved yet ({})", path.display()));
    }

    /// Opens a saved case.
    pub(in crate::app) fn open_case(&mut self, path: &Path) {
        self.notices.warn(format!("cases cannot be opened yet ({})", path.display()));
    }

    /// Back to the first window.
    pub(in crate::app) fn close_case(&mut self) {
        self.case_opened();
    }
}
