//! The document and everything that changes it: commands, history, journal, jobs, view state.
//!
//! [`Session`] owns them and is what the window and the command line talk to. The path of a click: a tool gives a
//! [`command::Command`], `decide` makes a change of it or refuses, the change is applied, kept in the history and written
//! to the journal; what it touched is told to the renderers by [`Session::take_touched`].
//! Invariant: never names egui or wgpu; only the thread that owns the session changes the document.

pub mod change;
pub mod command;
pub mod decide;
pub mod document;
pub mod gesture;
pub mod history;
pub mod jobs;
pub mod journal;
pub mod label;
pub mod measurement;
pub mod mesh_object;
pub mod notice;
pub mod refusal;
pub mod view;

use std::sync::Arc;

use chrono::Utc;

use crate::domain::mask::MaskDelta;
use crate::domain::segmentation::SegmentId;
use crate::domain::volume::Volume;
use crate::task::Progress;

use change::{Change, Edit, Touched};
use command::{Command, EditRule, Envelope, MaskEdit, Role, Stamp};
use document::{Document, VolumeHead, VolumeId, VolumeObject};
use gesture::Gesture;
use history::{History, NoStore};
use jobs::{JobEnd, JobId, Jobs, Lane};
use notice::{NoticeLevel, Notices};
use refusal::Refusal;
use view::ViewState;

/// One open case and everything that happens to it. Owned by one thread.
#[derive(Debug)]
pub struct Session {
    document: Document,
    history: History,
    /// How the case is looked at; free to be changed by tools and panels.
    pub view: ViewState,
    /// What the person is told without asking.
    pub notices: Notices,
    jobs: Jobs<Self>,
    store: NoStore,
    gesture: Option<Gesture>,
    touched: Vec<Touched>,
    record: Vec<Envelope>,
    who: String,
    role: Role,
    saved_position: u64,
    /// Segments that a job is changing, with the job.
    busy: Vec<(SegmentId, JobId)>,
}

impl Session {
    /// A session with an empty case.
    ///
    /// # Errors
    /// When the system gives no worker thread.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            document: Document::new("Untitled case"),
            history: History::default(),
            view: ViewState::default(),
            notices: Notices::default(),
            jobs: Jobs::start()?,
            store: NoStore,
            gesture: None,
            touched: Vec::new(),
            record: Vec::new(),
            who: String::new(),
            role: Role::default(),
            saved_position: 0,
            busy: Vec::new(),
        })
    }

    /// The case.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What was done, and what was undone.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The work that is queued or running.
    pub fn jobs(&self) -> &Jobs<Self> {
        &self.jobs
    }

    /// Sets what is called, on a worker thread, when a result waits for [`Session::tick`] (a repaint request).
    pub fn set_waker(&mut self, waker: Arc<dyn Fn() + Send + Sync>) {
        self.jobs.set_waker(waker);
    }

    /// Says who works now and in which role; commands are stamped with it.
    pub fn set_person(&mut self, who: impl Into<String>, role: Role) {
        self.who = who.into();
        self.role = role;
    }

    /// Begins a new case with one volume. History starts here.
    pub fn new_case(&mut self, head: VolumeHead, volume: Arc<Volume>) -> VolumeId {
        self.document = Document::new("Untitled case");
        self.history = History::default();
        self.gesture = None;
        self.record.clear();
        self.saved_position = 0;
        self.view = ViewState { windows: std::collections::BTreeMap::new(), active_segment: None, ..self.view.clone() };
        let id = VolumeId(self.document.next_id());
        let revision = self.document.next_revision();
        let object = VolumeObject { id, head, volume, revision };
        let change = Change::one(Edit::Volume { id, index: 0, value: Some(Box::new(object)) });
        self.touched.extend(change.touched());
        let _inverse = change.apply(&mut self.document);
        self.view.show_volume(id, &self.document);
        id
    }

    /// Carries out a command at once, on this thread.
    ///
    /// # Errors
    /// When the command is refused; the sentence says why, and nothing has changed.
    pub fn do_command(&mut self, command: Command) -> Result<(), Refusal> {
        self.check_free(&command)?;
        let change = decide::decide(&self.document, &command, &Progress::new())?;
        self.perform(command, change);
        Ok(())
    }

    /// Carries out a command on the edit lane: its segment is busy until the result lands. Short commands are done at once.
    ///
    /// # Errors
    /// When the command is refused at once; a later refusal becomes a notice.
    pub fn start_command(&mut self, command: Command) -> Result<Option<JobId>, Refusal> {
        if !decide::takes_long(&command) {
            return self.do_command(command).map(|()| None);
        }
        self.check_free(&command)?;
        let Command::EditMask { segment, .. } = command else { return self.do_command(command).map(|()| None) };
        let object = self.document.segment(segment).ok_or(Refusal::NoSuchSegment)?;
        if object.segment.info.locked {
            return Err(Refusal::Locked { name: object.segment.info.name.clone() });
        }
        let title = label::label(&self.document, &command);
        // The copy shares samples and voxels; the worker reads it while this thread goes on.
        let snapshot = self.document.clone();
        let work = move |progress: &Progress| {
            let decided = decide::decide(&snapshot, &command, progress);
            let landing: jobs::Landing<Self> = match decided {
                Ok(change) => Box::new(move |session: &mut Self| session.perform(command, change)),
                Err(Refusal::Cancelled) => return Err(jobs::JobError::Cancelled),
                Err(refusal) => {
                    Box::new(move |session: &mut Self| session.notices.add(NoticeLevel::Info, refusal.to_string()))
                }
            };
            Ok(landing)
        };
        let job = self.jobs.submit(Lane::Edit, None, title, work).map_err(|why| Refusal::Failed(why.to_string()))?;
        self.busy.push((segment, job));
        Ok(Some(job))
    }

    /// Turns back the last step.
    ///
    /// # Errors
    /// When there is none, or it cannot be read back from the journal.
    pub fn undo(&mut self) -> Result<(), Refusal> {
        self.check_history_free()?;
        let (_, change) = self.history.undo(&mut self.document, &mut self.store)?;
        self.after_change(&change);
        Ok(())
    }

    /// Does again what was undone last.
    ///
    /// # Errors
    /// When there is nothing, or it cannot be read back from the journal.
    pub fn redo(&mut self) -> Result<(), Refusal> {
        self.check_history_free()?;
        let (_, change) = self.history.redo(&mut self.document, &mut self.store)?;
        self.after_change(&change);
        Ok(())
    }

    /// Lands the results of jobs. Call once a frame.
    pub fn tick(&mut self) {
        for finished in self.jobs.poll() {
            self.land(finished);
        }
    }

    /// Waits for all jobs and lands them; for headless use and tests.
    pub fn finish_jobs(&mut self) {
        while let Some(finished) = self.jobs.wait_next() {
            self.land(finished);
        }
    }

    fn land(&mut self, finished: jobs::Finished<Self>) {
        self.busy.retain(|(_, job)| *job != finished.id);
        if let Some(landing) = finished.landing {
            landing(self);
        }
        if let JobEnd::Failed(why) = finished.end {
            self.notices.add(NoticeLevel::Error, format!("{}: {why}", finished.title));
        }
    }

    /// What renderers have to look at again since the last call.
    pub fn take_touched(&mut self) -> Vec<Touched> {
        std::mem::take(&mut self.touched)
    }

    /// Whether something was done since the last save.
    pub fn is_dirty(&self) -> bool {
        self.history.position() != self.saved_position
    }

    /// Begins a stroke on a segment.
    ///
    /// # Errors
    /// When the segment is gone, locked or busy, or another stroke is under way.
    pub fn begin_gesture(&mut self, segment: SegmentId) -> Result<(), Refusal> {
        self.check_segment_free(segment)?;
        if self.gesture.is_some() {
            return Err(Refusal::InGesture);
        }
        self.gesture = Some(Gesture::begin(&self.document, segment)?);
        Ok(())
    }

    /// Shows one dab of the stroke in the document. Returns whether a stroke is under way.
    pub fn dab(&mut self, delta: MaskDelta) -> bool {
        let Some(gesture) = &self.gesture else { return false };
        self.touched.extend(gesture.dab(&mut self.document, delta));
        true
    }

    /// The stroke under way.
    pub fn gesture(&self) -> Option<&Gesture> {
        self.gesture.as_ref()
    }

    /// Ends the stroke: it becomes one step. The edit carries the parameters of the whole stroke.
    ///
    /// # Errors
    /// When no stroke is under way or no voxel was changed; then there is no step.
    pub fn end_gesture(&mut self, edit: MaskEdit, rule: EditRule) -> Result<(), Refusal> {
        let gesture = self.gesture.take().ok_or(Refusal::NoEffect("no stroke is under way"))?;
        let segment = gesture.segment();
        let delta = gesture.finish(&mut self.document);
        let change = decide::decide_delta(&self.document, segment, delta, &edit, rule)?;
        self.perform(Command::EditMask { segment, edit, rule }, change);
        Ok(())
    }

    /// Aborts the stroke and restores what was there. Returns whether one was under way.
    pub fn abort_gesture(&mut self) -> bool {
        let Some(gesture) = self.gesture.take() else { return false };
        self.touched.extend(gesture.abort(&mut self.document));
        true
    }

    /// Applies a decided change as one step.
    fn perform(&mut self, command: Command, change: Change) {
        let label = label::label(&self.document, &command);
        let stamp = Stamp { who: self.who.clone(), role: self.role, when: Utc::now() };
        let when = stamp.when;
        let forward = change.clone();
        let inverse = change.apply(&mut self.document);
        let _number = self.history.push(label, when, inverse, &self.store);
        self.record.push(Envelope { stamp, command });
        self.after_change(&forward);
    }

    fn after_change(&mut self, change: &Change) {
        self.touched.extend(change.touched());
        if self.view.active_segment.is_none_or(|id| self.document.segment(id).is_none()) {
            self.view.active_segment = self.document.segments().last().map(document::SegmentObject::id);
        }
    }

    fn check_free(&self, command: &Command) -> Result<(), Refusal> {
        if self.gesture.is_some() {
            return Err(Refusal::InGesture);
        }
        match command {
            Command::EditMask { segment, .. }
            | Command::RemoveSegment { segment }
            | Command::LockSegment { segment, .. } => self.check_segment_free(*segment),
            Command::RemoveVolume { volume } => {
                self.document.segments_of(*volume).try_for_each(|object| self.check_segment_free(object.id()))
            }
            _ => Ok(()),
        }
    }

    fn check_segment_free(&self, segment: SegmentId) -> Result<(), Refusal> {
        if self.busy.iter().any(|(busy, _)| *busy == segment) {
            let name = self.document.segment(segment).map_or(String::new(), |object| object.segment.info.name.clone());
            return Err(Refusal::Busy { name });
        }
        Ok(())
    }

    fn check_history_free(&self) -> Result<(), Refusal> {
        if self.gesture.is_some() {
            return Err(Refusal::InGesture);
        }
        match self.busy.first() {
            Some((segment, _)) => self.check_segment_free(*segment),
            None => Ok(()),
        }
    }
}
