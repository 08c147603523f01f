//! The document and everything that changes it: commands, history, journal, jobs, view state.
//!
//! [`Session`] owns them and is what the window and the command line talk to. The path of a click: a tool gives a
//! [`command::Command`], `decide` makes a change of it or refuses, the change is applied, kept in the history and written
//! to the journal; what it touched is told to the renderers by [`Session::take_touched`].
//! Invariant: never names egui or wgpu; only the thread that owns the session changes the document.

pub mod case;
pub mod change;
pub mod command;
pub mod decide;
pub mod document;
pub mod exporting;
pub mod gesture;
pub mod history;
pub mod imported_model;
pub mod jobs;
pub mod journal;
pub mod keeping;
pub mod label;
pub mod measurement;
pub mod mesh_object;
pub mod modelling;
pub mod notice;
pub mod refusal;
pub mod save;
pub mod travel;
pub mod view;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Utc;

use crate::domain::mask::Mask;
use crate::domain::segmentation::{SegmentId, SegmentInfo};
use crate::domain::volume::Volume;
use crate::task::Progress;

use change::{Change, Edit, Touched};
use command::{Command, Envelope, Role, Stamp};
use document::{Document, VolumeHead, VolumeId, VolumeObject};
use gesture::Gesture;
use history::History;
use imported_model::NewModel;
use jobs::{JobEnd, JobError, JobId, Jobs, Landing, Lane};
use keeping::Keeping;
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
    keeping: Keeping,
    gesture: Option<Gesture>,
    touched: Vec<Touched>,
    record: Vec<Envelope>,
    who: String,
    role: Role,
    /// Step that the last save held.
    saved_position: u64,
    /// The case file, once there is one, and what in it this program does not know.
    case_path: Option<PathBuf>,
    foreign: crate::io::case_file::Foreign,
    /// How the last save ended.
    last_save: save::LastSave,
    /// Where a save was not begun because there is a file already.
    save_conflict: Option<PathBuf>,
    /// Rises with every new or opened case, and no other session has it: results of jobs for an earlier one are dropped.
    case_number: u64,
    /// The step whose loss the person has agreed to: only there the journal goes with the case.
    discard_agreed_at: Option<u64>,
    /// A walk through the history that takes several frames.
    travel: Option<travel::Travel>,
    /// Segments that a job is changing, with the job.
    busy: Vec<(SegmentId, JobId)>,
    last_export: Option<exporting::ExportReport>,
}

/// Numbers of cases. A window that closes its case goes on with another session, and what was begun for the one before must
/// not be taken for its own.
static CASES: AtomicU64 = AtomicU64::new(0);

fn next_case_number() -> u64 {
    CASES.fetch_add(1, Ordering::Relaxed)
}

impl Session {
    /// A session with an empty case and no journal: for headless work and tests.
    ///
    /// # Errors
    /// When the system gives no worker thread.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            document: Document::new(UNTITLED),
            history: History::default(),
            view: ViewState::default(),
            notices: Notices::default(),
            jobs: Jobs::start()?,
            keeping: Keeping::off("this session has no journal"),
            gesture: None,
            touched: Vec::new(),
            record: Vec::new(),
            who: String::new(),
            role: Role::default(),
            saved_position: 0,
            case_path: None,
            foreign: crate::io::case_file::Foreign::default(),
            last_save: save::LastSave::Never,
            save_conflict: None,
            case_number: next_case_number(),
            discard_agreed_at: None,
            travel: None,
            busy: Vec::new(),
            last_export: None,
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

    /// Every command that was carried out, with its stamp, oldest first; undone ones are in it too.
    pub fn record(&self) -> &[Envelope] {
        &self.record
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

    /// Bounds the memory that undo takes; older steps are read from the journal.
    pub fn set_undo_budget(&mut self, bytes: usize) {
        self.history.set_budget(bytes);
    }

    /// Begins a new case with one volume. History starts here.
    pub fn new_case(&mut self, head: VolumeHead, volume: Arc<Volume>) -> VolumeId {
        let mut document = Document::new(UNTITLED);
        let (id, revision) = (VolumeId(document.next_id()), document.next_revision());
        let object = VolumeObject { id, head, volume, revision };
        let change = Change::one(Edit::Volume { id, index: 0, value: Some(Box::new(object)) });
        let _inverse = change.apply(&mut document);
        let mut view = self.view.clone();
        view.leave_case();
        self.begin_with(document, view, None);
        self.view.show_volume(id, &self.document);
        id
    }

    /// Adds a volume to the case, as a step.
    ///
    /// # Errors
    /// When a stroke is under way.
    pub fn add_volume(&mut self, head: VolumeHead, volume: Arc<Volume>) -> Result<VolumeId, Refusal> {
        self.check_history_free()?;
        let (id, revision) = (VolumeId(self.document.next_id()), self.document.next_revision());
        let command = Command::AddVolume { name: head.name.clone(), content_hash: head.content_hash.clone() };
        let object = VolumeObject { id, head, volume, revision };
        let index = self.document.volumes().len();
        self.perform(command, Change::one(Edit::Volume { id, index, value: Some(Box::new(object)) }));
        self.look_at_volume(id);
        Ok(id)
    }

    /// Adds segments that were read from a file onto the grid of a volume, as one step.
    ///
    /// # Errors
    /// When the volume is gone, the masks are not on its grid, or there are none.
    pub fn add_segments(&mut self, volume: VolumeId, segments: Vec<(SegmentInfo, Mask)>) -> Result<usize, Refusal> {
        self.check_history_free()?;
        let (command, change) = decide::read_segments(&self.document, volume, segments)?;
        let count = change.edits.len();
        self.perform(command, change);
        Ok(count)
    }

    /// Adds models that were read from a file onto a volume, as one step.
    ///
    /// # Errors
    /// When the volume is gone or there are none.
    pub fn add_models(&mut self, volume: VolumeId, models: Vec<NewModel>) -> Result<usize, Refusal> {
        self.check_history_free()?;
        let (command, change) = decide::read_models(&self.document, volume, models)?;
        let count = change.edits.len();
        self.perform(command, change);
        Ok(count)
    }

    /// Number of the case that is open, rising with every new, opened or restored one.
    pub fn case_number(&self) -> u64 {
        self.case_number
    }

    /// The person agrees that the present unsaved steps may be lost when the case is left; a later step takes that back.
    pub fn agree_to_discard(&mut self) {
        self.discard_agreed_at = Some(self.history.position());
    }

    /// Takes back [`Session::agree_to_discard`]: the case is not left after all.
    pub fn keep_after_all(&mut self) {
        self.discard_agreed_at = None;
    }

    /// Whether leaving the case now gives up steps that nobody has said may go.
    pub fn has_steps_to_keep(&self) -> bool {
        self.is_dirty() && self.discard_agreed_at != Some(self.history.position())
    }

    /// Why another case cannot take the place of this one now: its steps would be in no file at all.
    pub fn must_stay(&self) -> Option<&'static str> {
        let lost = self.has_steps_to_keep() && self.autosave().is_at_risk();
        lost.then_some(
            "the present case has steps that are neither saved nor in a journal; save it, then open the other case",
        )
    }

    /// Takes over a whole document: a new, opened or restored case.
    fn begin_with(&mut self, document: Document, view: ViewState, case_path: Option<PathBuf>) {
        let keep_journal = self.leave_case();
        self.document = document;
        self.history = History::with_budget(self.history.budget_bytes());
        self.record.clear();
        self.saved_position = 0;
        self.view = view;
        self.case_path = case_path;
        self.touch_everything();
        self.begin_journal(keep_journal);
    }

    /// Everything that belonged to the case which another one replaces now. Says whether its journal has to stay.
    fn leave_case(&mut self) -> bool {
        let keep_journal = self.has_steps_to_keep() || self.gesture.is_some();
        self.cancel_case_jobs();
        self.case_number = next_case_number();
        self.gesture = None;
        self.travel = None;
        self.discard_agreed_at = None;
        self.last_save = save::LastSave::Never;
        self.save_conflict = None;
        self.busy.clear();
        self.foreign = crate::io::case_file::Foreign::default();
        keep_journal
    }

    /// Stops what works on the present case; loading and saving go on.
    fn cancel_case_jobs(&self) {
        self.jobs.cancel_lane(Lane::Edit);
        self.jobs.cancel_lane(Lane::Derive);
    }

    fn touch_everything(&mut self) {
        self.touched = vec![Touched::Volumes, Touched::SegmentTable, Touched::Measurements];
        self.touched.extend(self.document.meshes().iter().map(|mesh| Touched::Mesh(mesh.id)));
        let masks = self.document.segments().iter().map(|object| Touched::Mask { segment: object.id(), bricks: None });
        self.touched.extend(masks);
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
        let Command::EditMask { segment, .. } = command else { return self.do_command(command).map(|()| None) };
        if !decide::takes_long(&command) {
            return self.do_command(command).map(|()| None);
        }
        self.check_free(&command)?;
        let object = self.document.segment(segment).ok_or(Refusal::NoSuchSegment)?;
        if object.segment.info.locked {
            return Err(Refusal::Locked { name: object.segment.info.name.clone() });
        }
        let title = label::label(&self.document, &command);
        // The copy shares samples and voxels; the worker reads it while this thread goes on.
        let snapshot = self.document.clone();
        let work = move |progress: &Progress| {
            let landing: Landing<Self> = match decide::decide(&snapshot, &command, progress) {
                Ok(change) => Box::new(move |session: &mut Self| session.land_change(command, change)),
                Err(Refusal::Cancelled) => return Err(JobError::Cancelled),
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

    /// Lands what was decided on a copy of the document. Its segment was busy, so its voxels are those of the copy; what was
    /// said of it in the meantime (name, lock) counts.
    fn land_change(&mut self, command: Command, change: Change) {
        let rebased = decide::rebased(&self.document, &command, change);
        match rebased {
            Ok(change) => self.perform(command, change),
            Err(refusal) => self.notices.add(NoticeLevel::Warning, refusal.to_string()),
        }
    }

    /// Turns back the last step.
    ///
    /// # Errors
    /// When there is none, or it cannot be read back from the journal.
    pub fn undo(&mut self) -> Result<(), Refusal> {
        self.check_history_free()?;
        self.turn_back()
    }

    fn turn_back(&mut self) -> Result<(), Refusal> {
        let (number, change) = self.history.undo(&mut self.document, self.keeping.store_mut())?;
        self.keeping.note_undo(number);
        self.after_change(&change);
        Ok(())
    }

    /// Does again what was undone last.
    ///
    /// # Errors
    /// When there is nothing, or it cannot be read back from the journal.
    pub fn redo(&mut self) -> Result<(), Refusal> {
        self.check_history_free()?;
        self.turn_forward()
    }

    fn turn_forward(&mut self) -> Result<(), Refusal> {
        let (number, change) = self.history.redo(&mut self.document, self.keeping.store_mut())?;
        self.keeping.note_redo(number);
        self.after_change(&change);
        Ok(())
    }

    /// Lands the results of jobs, and says when the journal begins or ceases to fail. Call once a frame.
    pub fn tick(&mut self) {
        self.go_on_travelling();
        for finished in self.jobs.poll() {
            self.land(finished);
        }
        if let Some((level, text)) = self.keeping.news() {
            self.notices.add(level, text);
        }
        self.history.shrink(self.keeping.store());
    }

    /// Waits for all jobs and lands them; for headless use and tests.
    pub fn finish_jobs(&mut self) {
        while self.travel.is_some() {
            self.go_on_travelling();
        }
        while let Some(finished) = self.jobs.wait_next() {
            self.land(finished);
        }
    }

    fn land(&mut self, finished: jobs::Finished<Self>) {
        self.busy.retain(|(_, job)| *job != finished.id);
        if let Some(landing) = finished.landing {
            landing(self);
        }
        if finished.title == save::SAVE_TITLE && finished.end == JobEnd::Cancelled {
            self.last_save = save::LastSave::Failed("it was cancelled".to_owned());
        }
        if let JobEnd::Failed(why) = finished.end {
            if finished.title == save::SAVE_TITLE {
                self.last_save = save::LastSave::Failed(why.clone());
            }
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

    /// How many steps lie between what was saved and what is there.
    pub fn unsaved_count(&self) -> usize {
        let steps = self.history.steps();
        steps.filter(|step| step.done && step.number > self.saved_position).count().max(usize::from(self.is_dirty()))
    }

    /// Applies a decided change as one step.
    fn perform(&mut self, command: Command, change: Change) {
        let label = label::label(&self.document, &command);
        let envelope = Envelope { stamp: self.stamp(), command };
        let forward = change.clone();
        let inverse = change.apply(&mut self.document);
        let kept = inverse.clone();
        let when = envelope.stamp.when;
        let number = self.history.push(label.clone(), when, inverse, self.keeping.store());
        self.keeping.note_step(number, label, envelope.clone(), forward.clone(), kept);
        self.record.push(envelope);
        self.after_change(&forward);
    }

    fn stamp(&self) -> Stamp {
        Stamp { who: self.who.clone(), role: self.role, when: Utc::now() }
    }

    fn after_change(&mut self, change: &Change) {
        self.touched.extend(change.touched());
        let brought = change.edits.iter().rev().find_map(|edit| match edit {
            Edit::Segment { id, value: Some(_), .. } => Some(*id),
            _ => None,
        });
        if self.view.active_volume.is_none_or(|id| self.document.volume(id).is_none())
            && let Some(first) = self.document.volumes().first().map(|volume| volume.id)
        {
            self.view.turn_to_volume(first, &self.document);
        }
        let active = self.view.active_segment.filter(|id| self.document.segment(*id).is_some());
        self.view.active_segment = brought.or(active).or_else(|| self.last_segment_in_view());
        if self.travel.is_none() {
            self.build_missing_meshes();
        }
    }

    /// The last segment of the volume that is looked at.
    fn last_segment_in_view(&self) -> Option<SegmentId> {
        let volume = self.view.active_volume?;
        self.document.segments_of(volume).last().map(document::SegmentObject::id)
    }

    /// Looks at another volume of the case; tools change its segments from now on.
    pub fn look_at_volume(&mut self, volume: VolumeId) {
        if self.view.active_volume == Some(volume) || self.gesture.is_some() {
            return;
        }
        self.view.turn_to_volume(volume, &self.document);
        let there = |id: &SegmentId| self.document.segment(*id).is_some_and(|object| object.volume == volume);
        self.view.active_segment = self.view.active_segment.filter(there).or_else(|| self.last_segment_in_view());
    }

    /// Works on another volume that is shown beside the present one: the crosshair stays where it is in its view, as near as
    /// that volume reaches. Says whether it could: not while a stroke is under way.
    pub fn work_on_volume_beside(&mut self, volume: VolumeId) -> bool {
        let Some(grid) = self.document.volume(volume).map(|object| object.head.grid) else { return false };
        let point = view::clamp_to_grid(&grid, self.view.seen_from(volume).crosshair_in_patient);
        self.view.at_volume(volume, |view| view.crosshair_in_patient = point);
        self.look_at_volume(volume);
        let is_active = self.view.active_volume == Some(volume);
        if is_active {
            self.view.crosshair_in_patient = point;
        }
        is_active
    }

    /// Brings the views to a measurement, so that it is seen.
    pub fn show_measurement(&mut self, measurement: measurement::MeasurementId) {
        let Some(object) = self.document.measurement(measurement).cloned() else { return };
        self.look_at_volume(object.volume);
        if let Some(grid) = self.document.volume(object.volume).map(|volume| volume.head.grid) {
            self.view.move_crosshair(object.shape.middle_in_patient(), &grid);
            self.view.turn_to_points(&object.shape.points_in_patient());
        }
    }

    /// Makes a segment the one that tools change; its volume is looked at.
    pub fn choose_segment(&mut self, segment: SegmentId) {
        let Some(volume) = self.document.segment(segment).map(|object| object.volume) else { return };
        self.look_at_volume(volume);
        self.view.active_segment = Some(segment);
    }

    fn check_free(&self, command: &Command) -> Result<(), Refusal> {
        if self.gesture.is_some() {
            return Err(Refusal::InGesture);
        }
        self.check_not_travelling()?;
        match command {
            Command::EditMask { segment, .. }
            | Command::RemoveSegment { segment }
            | Command::LockSegment { segment, .. } => self.check_segment_free(*segment),
            Command::Together { commands } => commands.iter().try_for_each(|command| self.check_free(command)),
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
        self.check_not_travelling()?;
        match self.busy.first() {
            Some((segment, _)) => self.check_segment_free(*segment),
            None => Ok(()),
        }
    }
}

/// Name of a case that has none yet.
const UNTITLED: &str = "Untitled case";
