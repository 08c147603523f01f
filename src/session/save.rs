//! Saving the case: a job on a copy of the document, which shares samples and voxels, so that work goes on meanwhile.
//!
//! Out: the case file, whole or not at all. How the last save ended is known only when it has: [`LastSave`].

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::io::case_file;
use crate::task::Progress;

use super::Session;
use super::case::{CaseError, to_case};
use super::jobs::{JobError, JobId, Landing, Lane};
use super::refusal::Refusal;

/// Title of the save job: a second save waits behind the first, it does not replace it.
pub(super) const SAVE_TITLE: &str = "Save case";

/// How the last save of the present case ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LastSave {
    /// There was none.
    #[default]
    Never,
    /// The file was complete then.
    Done(DateTime<Utc>),
    /// It failed; a sentence. The older file, if any, is as it was.
    Failed(String),
}

impl Session {
    /// The case file, once the case was saved or opened from one.
    pub fn case_path(&self) -> Option<&Path> {
        self.case_path.as_deref()
    }

    /// How the last save ended.
    pub fn last_save(&self) -> &LastSave {
        &self.last_save
    }

    /// Whether a save has not ended yet.
    pub fn is_saving(&self) -> bool {
        self.jobs.running().any(|job| job.title == SAVE_TITLE)
    }

    /// Saves the case, as a job; work goes on meanwhile. With `embed` the images go into the file, else they are linked. A file
    /// that is there already is replaced.
    ///
    /// # Errors
    /// When a stroke is under way or too much is waiting. A failure of the disk becomes a notice; the old file is kept.
    pub fn start_save(&mut self, path: impl Into<PathBuf>, embed: bool) -> Result<JobId, Refusal> {
        self.submit_save(path.into(), embed, true)
    }

    /// Saves as [`Session::start_save`], but leaves a file alone that is not this case's own: then
    /// [`Session::take_save_conflict`] names it.
    ///
    /// # Errors
    /// As [`Session::start_save`].
    pub fn start_save_as(&mut self, path: impl Into<PathBuf>, embed: bool) -> Result<JobId, Refusal> {
        let path = path.into();
        let own = self.case_path.as_deref() == Some(path.as_path());
        self.submit_save(path, embed, own)
    }

    /// The file that a save did not replace, to be asked about.
    pub fn take_save_conflict(&mut self) -> Option<PathBuf> {
        self.save_conflict.take()
    }

    fn submit_save(&mut self, path: PathBuf, embed: bool, may_replace: bool) -> Result<JobId, Refusal> {
        if self.gesture.is_some() {
            return Err(Refusal::InGesture);
        }
        self.check_not_travelling()?;
        let (document, view, record, foreign) =
            (self.document.clone(), self.view.clone(), self.record.clone(), self.foreign.clone());
        let (position, case_number) = (self.history.position(), self.case_number);
        let work = move |progress: &Progress| {
            progress.phase("Saving");
            if !may_replace && path.symlink_metadata().is_ok() {
                let landing: Landing<Self> = Box::new(move |session: &mut Self| {
                    if session.case_number == case_number {
                        session.save_conflict = Some(path);
                    }
                });
                return Ok(landing);
            }
            let case = to_case(&document, &view, &record, foreign, embed);
            case_file::write_case(&path, &case).map_err(|error| {
                JobError::Failed(format!("the case was NOT saved: {error}; the older file, if any, is as it was"))
            })?;
            let when = Utc::now();
            let landing: Landing<Self> = Box::new(move |session: &mut Self| {
                if session.case_number == case_number {
                    session.take_saved(position, path, when);
                }
            });
            Ok(landing)
        };
        self.jobs.submit(Lane::Background, None, SAVE_TITLE, work).map_err(|why| Refusal::Failed(why.to_string()))
    }

    /// Saves the case and waits for it.
    ///
    /// # Errors
    /// When it could not be written; an older file is as it was.
    pub fn save(&mut self, path: &Path, embed: bool) -> Result<(), CaseError> {
        let case = to_case(&self.document, &self.view, &self.record, self.foreign.clone(), embed);
        case_file::write_case(path, &case)?;
        self.take_saved(self.history.position(), path.to_path_buf(), Utc::now());
        Ok(())
    }

    fn take_saved(&mut self, position: u64, path: PathBuf, when: DateTime<Utc>) {
        self.saved_position = position;
        self.keeping.note_saved(position);
        self.case_path = Some(path);
        self.last_save = LastSave::Done(when);
    }
}
