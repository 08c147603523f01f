//! Keeping the work: the session's side of the journal, and getting a crashed session back.

use std::path::{Path, PathBuf};

use chrono::Utc;

use crate::task::Progress;

use super::Session;
use super::change::Change;
use super::command::Envelope;
use super::document::{FoundImages, VolumeHead};
use super::history::{NoStore, StepStore};
use super::jobs::{JobError, JobId, Landing, Lane};
use super::journal::record::{Record, RecordHead};
use super::journal::replay::{Replayed, base_of, replay};
use super::journal::{Autosave, Journal, Restorable, find_restorable};
use super::notice::NoticeLevel;
use super::refusal::Refusal;
use super::view::ViewState;

/// Finds the images of a volume again, or says why not; `super::case::find_images` is the real one.
pub type LoadImages = Box<dyn Fn(&VolumeHead, &Progress) -> Result<FoundImages, String> + Send>;

/// The journal of a session, or why there is none.
#[derive(Debug)]
pub struct Keeping {
    folder: Option<PathBuf>,
    journal: Option<Journal>,
    off_because: String,
    no_store: NoStore,
    was_at_risk: bool,
}

impl Keeping {
    /// No journal.
    pub(super) fn off(why: &str) -> Self {
        let off_because = why.to_owned();
        Self { folder: None, journal: None, off_because, no_store: NoStore, was_at_risk: false }
    }

    fn in_folder(folder: PathBuf) -> Self {
        Self { folder: Some(folder), ..Self::off("nothing to keep yet") }
    }

    pub(super) fn store(&self) -> &dyn StepStore {
        match &self.journal {
            Some(journal) => journal,
            None => &self.no_store,
        }
    }

    pub(super) fn store_mut(&mut self) -> &mut dyn StepStore {
        match &mut self.journal {
            Some(journal) => journal,
            None => &mut self.no_store,
        }
    }

    pub(super) fn note_step(
        &mut self,
        number: u64,
        label: String,
        envelope: Envelope,
        forward: Change,
        inverse: Change,
    ) {
        if let Some(journal) = &mut self.journal {
            let (forward, inverse) = (Box::new(forward), Box::new(inverse));
            journal.write(Record::Step { number, label, envelope: Box::new(envelope), forward, inverse });
        }
    }

    pub(super) fn note_undo(&mut self, number: u64) {
        self.mark(RecordHead::Undo { number, when: Utc::now() });
    }

    pub(super) fn note_redo(&mut self, number: u64) {
        self.mark(RecordHead::Redo { number, when: Utc::now() });
    }

    pub(super) fn note_saved(&mut self, position: u64) {
        self.mark(RecordHead::Saved { position, when: Utc::now() });
    }

    fn mark(&mut self, head: RecordHead) {
        if let Some(journal) = &mut self.journal {
            journal.write(Record::Mark(head));
        }
    }

    fn autosave(&self) -> Autosave {
        self.journal.as_ref().map_or_else(|| Autosave::Off(self.off_because.clone()), Journal::autosave)
    }

    /// What to tell when the journal begins or ceases to fail.
    pub(super) fn news(&mut self) -> Option<(NoticeLevel, String)> {
        let Autosave::Failing(why) = self.autosave() else {
            let was = std::mem::take(&mut self.was_at_risk);
            return was
                .then(|| (NoticeLevel::Info, "The journal is written again; everything is autosaved.".to_owned()));
        };
        let is_new = !std::mem::replace(&mut self.was_at_risk, true);
        let text = format!(
            "The work is NOT autosaved: {why}. Go on working, make room on the disk, or save the case elsewhere."
        );
        is_new.then_some((NoticeLevel::Error, text))
    }
}

impl Session {
    /// A session that keeps a journal in this folder ([`super::journal::default_folder`] names the account's).
    ///
    /// # Errors
    /// When the system gives no worker thread. A folder that cannot be written is no error: [`Session::autosave`] says so.
    pub fn with_journal(folder: impl Into<PathBuf>) -> std::io::Result<Self> {
        Ok(Self { keeping: Keeping::in_folder(folder.into()), ..Self::new()? })
    }

    /// Whether the work is safe, for the status bar.
    pub fn autosave(&self) -> Autosave {
        self.keeping.autosave()
    }

    /// Waits until the journal has everything; false when the disk refuses or there is no journal.
    pub fn flush_journal(&self) -> bool {
        self.keeping.journal.as_ref().is_some_and(Journal::flush)
    }

    /// Where the journal is.
    pub fn journal_path(&self) -> Option<&Path> {
        self.keeping.journal.as_ref().map(Journal::path)
    }

    /// Begins the journal of the case that was just begun. The one before is given up, unless it has steps to keep: then it
    /// is left to be offered again.
    pub(super) fn begin_journal(&mut self, keep_before: bool) {
        let before = self.keeping.journal.take();
        if let Some(folder) = &self.keeping.folder {
            match Journal::begin(folder, base_of(&self.document)) {
                Ok(journal) => self.keeping.journal = Some(journal),
                Err(error) => {
                    self.keeping.off_because = error.to_string();
                    self.notices.add(NoticeLevel::Error, format!("The work is NOT autosaved: {error}."));
                }
            }
        }
        self.retire(before, keep_before);
    }

    /// Ends the journal of a case that is left.
    fn retire(&mut self, journal: Option<Journal>, keep: bool) {
        let Some(journal) = journal else { return };
        if !keep {
            journal.remove();
            return;
        }
        if journal.flush() {
            let text = "The case before had unsaved steps; its journal keeps them and is offered in the first window.";
            self.notices.add(NoticeLevel::Warning, text);
        }
        drop(journal);
    }

    /// Ends the session in order. Nothing is offered for restoring afterwards, unless there are unsaved steps that nobody has
    /// said may go: those stay in the journal.
    pub fn close(mut self) {
        self.abort_gesture();
        while self.is_saving() {
            let Some(finished) = self.jobs.wait_next() else { break };
            self.land(finished);
        }
        let keep = self.has_steps_to_keep();
        let journal = self.keeping.journal.take();
        self.retire(journal, keep);
    }

    /// Sessions that ended without being closed, newest first; those of living windows are left alone.
    pub fn restorable(&self) -> Vec<Restorable> {
        self.keeping.folder.as_deref().map(find_restorable).unwrap_or_default()
    }

    /// Gets a crashed session back, as a job. What came back is said in a notice.
    ///
    /// # Errors
    /// When too much is waiting already.
    pub fn start_restore(&mut self, restorable: Restorable, load: LoadImages) -> Result<JobId, Refusal> {
        let budget_bytes = self.history.budget_bytes();
        let title = format!("Restore {}", restorable.what);
        let work = move |progress: &Progress| {
            let mut loaded = Vec::new();
            for head in &restorable.volumes {
                let found = load(head, progress);
                progress.check()?;
                loaded.push((
                    head.clone(),
                    found.map_err(|why| JobError::Failed(format!("{why}; its journal is kept")))?,
                ));
            }
            let find = |wanted: &VolumeHead| {
                let same = |head: &VolumeHead| head.source == wanted.source && head.content_hash == wanted.content_hash;
                loaded.iter().find(|(head, _)| same(head)).map(|(_, found)| found.clone())
            };
            let replayed = replay(restorable, &find, budget_bytes, progress);
            let replayed = replayed.map_err(|error| JobError::Failed(error.to_string()))?;
            let landing: Landing<Self> = Box::new(move |session: &mut Self| match session.must_stay() {
                None => session.take_replayed(replayed),
                Some(why) => session.notices.add(NoticeLevel::Error, format!("The session was not restored: {why}.")),
            });
            Ok(landing)
        };
        self.jobs.submit(Lane::Background, None, title, work).map_err(|why| Refusal::Failed(why.to_string()))
    }

    fn take_replayed(&mut self, replayed: Replayed) {
        let Replayed { document, history, record, saved_position, journal, stopped } = replayed;
        let keep_before = self.leave_case();
        let before = self.keeping.journal.replace(journal);
        self.retire(before, keep_before);
        let steps = history.done_count();
        (self.document, self.history, self.record) = (document, history, record);
        // A session that stopped early has no steps, but its work is in no file: nothing counts as saved.
        self.saved_position = if stopped.is_some() { u64::MAX } else { saved_position.unwrap_or(0) };
        self.case_path = None;
        self.view = ViewState { active_segment: None, ..ViewState::default() };
        if let Some(volume) = self.document.volumes().first() {
            let id = volume.id;
            self.view.show_volume(id, &self.document);
        }
        self.view.active_segment = self.document.segments().last().map(super::document::SegmentObject::id);
        self.touch_everything();
        self.build_missing_meshes();
        match stopped {
            None => self.notices.add(
                NoticeLevel::Info,
                format!("The session that ended unexpectedly was restored: {steps} steps. It is not in a case file yet; save it."),
            ),
            Some(why) => self.notices.add(
                NoticeLevel::Warning,
                format!("Part of the session was restored; a later step could not be ({why}). The old journal is kept."),
            ),
        }
    }
}
