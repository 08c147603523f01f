//! Jobs: work that takes over 100 ms runs on named worker threads; its result lands on the owner's thread.
//!
//! A job computes with a `Progress` and gives back a landing, a closure that the owner's `poll` runs. Cancel is a request;
//! the landing of a cancelled job is dropped, so nothing changes. A job that panics is reported as a sentence.
//! In the derive lane a job replaces the earlier one of the same key (latest wins).
//!
//! Source: PrusaSlicer's `Job` (process on a worker, finalize on the UI thread).

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::task::Progress;

/// Jobs that may wait in one lane.
const LANE_DEPTH: usize = 64;

/// Where a job waits and runs. Each lane has one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Edits of the document, one at a time.
    Edit,
    /// Things made from the document, latest wins.
    Derive,
    /// Loading, saving, exporting.
    Background,
    /// Looking through places: may take long, and nothing waits for it.
    Index,
}

impl Lane {
    const ALL: [Self; 4] = [Self::Edit, Self::Derive, Self::Background, Self::Index];

    fn thread_name(self) -> &'static str {
        match self {
            Self::Edit => "job-edit",
            Self::Derive => "job-derive",
            Self::Background => "job-background",
            Self::Index => "job-index",
        }
    }
}

/// Identity of a job of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// Runs on the owner's thread when the job is done.
pub type Landing<O> = Box<dyn FnOnce(&mut O) + Send>;

/// How a job ended without a landing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// It landed.
    Landed,
    /// Somebody stopped it, or a later job replaced it.
    Cancelled,
    /// It failed; a sentence.
    Failed(String),
}

/// A job as the status bar shows it.
#[derive(Debug, Clone)]
pub struct JobView {
    /// Identity, for a cancel.
    pub id: JobId,
    /// Where it runs.
    pub lane: Lane,
    /// What it does, in words.
    pub title: String,
    /// Phase and fraction; a handle to the live values.
    pub progress: Progress,
    /// When it was asked for.
    pub since: Instant,
}

type Work<O> = Box<dyn FnOnce(&Progress) -> Result<Landing<O>, JobError> + Send>;

struct Queued<O> {
    id: JobId,
    progress: Progress,
    work: Work<O>,
}

/// Why a job gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// It saw the cancel and stopped.
    #[error("cancelled")]
    Cancelled,
    /// A sentence for the person.
    #[error("{0}")]
    Failed(String),
}

impl From<crate::task::Cancelled> for JobError {
    fn from(_: crate::task::Cancelled) -> Self {
        Self::Cancelled
    }
}

struct Running {
    view: JobView,
    key: Option<String>,
}

type Outcome<O> = (JobId, Result<Landing<O>, JobError>);
type Waker = Arc<dyn Fn() + Send + Sync>;

/// The workers and what they have in hand. `O` is the owner that results land on.
pub struct Jobs<O> {
    lanes: Vec<(Lane, Sender<Queued<O>>)>,
    threads: Vec<JoinHandle<()>>,
    outcomes: Receiver<Outcome<O>>,
    running: Vec<Running>,
    next_id: u64,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl<O> std::fmt::Debug for Jobs<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

/// What `poll` found.
pub struct Finished<O> {
    /// Which job.
    pub id: JobId,
    /// Its title.
    pub title: String,
    /// How it ended.
    pub end: JobEnd,
    /// To be run on the owner when it landed.
    pub landing: Option<Landing<O>>,
}

impl<O: 'static> Jobs<O> {
    /// Starts the workers.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        // Room for one outcome of each job that waits or runs; a worker that finds it full waits for the next poll.
        let (outcome_sender, outcomes) = bounded(Lane::ALL.len() * (LANE_DEPTH + 2));
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let (mut lanes, mut threads) = (Vec::new(), Vec::new());
        for lane in Lane::ALL {
            let (sender, receiver) = bounded::<Queued<O>>(LANE_DEPTH);
            let (results, waker) = (outcome_sender.clone(), Arc::clone(&waker));
            let worker = move || run_lane(&receiver, &results, &waker);
            threads.push(std::thread::Builder::new().name(lane.thread_name().to_owned()).spawn(worker)?);
            lanes.push((lane, sender));
        }
        Ok(Self { lanes, threads, outcomes, running: Vec::new(), next_id: 1, waker })
    }

    /// Sets what is called, on a worker, whenever a result waits for `poll` (a repaint request).
    pub fn set_waker(&mut self, waker: Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    /// Queues a job. With a key, an earlier job of the same key is cancelled.
    ///
    /// # Errors
    /// When too many jobs wait in the lane.
    pub fn submit(
        &mut self,
        lane: Lane,
        key: Option<String>,
        title: impl Into<String>,
        work: impl FnOnce(&Progress) -> Result<Landing<O>, JobError> + Send + 'static,
    ) -> Result<JobId, JobError> {
        if let Some(key) = &key {
            self.running.iter().filter(|job| job.key.as_ref() == Some(key)).for_each(|job| job.view.progress.cancel());
        }
        let (id, progress) = (JobId(self.next_id), Progress::new());
        self.next_id += 1;
        let title = title.into();
        let queued = Queued { id, progress: progress.clone(), work: Box::new(work) };
        let (_, sender) = self.lanes.iter().find(|(found, _)| *found == lane).expect("every lane has a sender");
        match sender.try_send(queued) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(JobError::Failed(format!("too much is waiting already; {title} was not started")));
            }
            Err(TrySendError::Disconnected(_)) => {
                return Err(JobError::Failed(format!("the worker has stopped; {title} was not started")));
            }
        }
        self.running.push(Running { view: JobView { id, lane, title, progress, since: Instant::now() }, key });
        Ok(id)
    }

    /// Asks a job to stop. Its result, if it still comes, is dropped.
    pub fn cancel(&self, id: JobId) {
        self.running.iter().filter(|job| job.view.id == id).for_each(|job| job.view.progress.cancel());
    }

    /// Asks the jobs of a lane to stop.
    pub fn cancel_lane(&self, lane: Lane) {
        let of_lane = self.running.iter().filter(|job| job.view.lane == lane);
        of_lane.for_each(|job| job.view.progress.cancel());
    }

    /// What is queued or running, oldest first; cancelled jobs are left out.
    pub fn running(&self) -> impl Iterator<Item = &JobView> {
        self.running.iter().map(|job| &job.view).filter(|view| !view.progress.is_cancelled())
    }

    /// Whether a job with this key is queued or running.
    pub fn has_key(&self, key: &str) -> bool {
        self.running.iter().any(|job| job.key.as_deref() == Some(key) && !job.view.progress.is_cancelled())
    }

    /// Whether a job has not ended yet.
    pub fn is_running(&self, id: JobId) -> bool {
        self.running.iter().any(|job| job.view.id == id)
    }

    /// Takes the jobs that have ended since the last call. The caller runs their landings.
    pub fn poll(&mut self) -> Vec<Finished<O>> {
        let ended: VecDeque<Outcome<O>> = self.outcomes.try_iter().collect();
        ended.into_iter().filter_map(|outcome| self.finish(outcome)).collect()
    }

    /// Waits for one job to end and takes it; for headless use and tests.
    pub fn wait_next(&mut self) -> Option<Finished<O>> {
        if self.running.is_empty() {
            return None;
        }
        let outcome = self.outcomes.recv().ok()?;
        self.finish(outcome)
    }

    fn finish(&mut self, (id, result): Outcome<O>) -> Option<Finished<O>> {
        let place = self.running.iter().position(|job| job.view.id == id)?;
        let job = self.running.remove(place).view;
        let (end, landing) = match result {
            _ if job.progress.is_cancelled() => (JobEnd::Cancelled, None),
            Ok(landing) => (JobEnd::Landed, Some(landing)),
            Err(JobError::Cancelled) => (JobEnd::Cancelled, None),
            Err(JobError::Failed(why)) => (JobEnd::Failed(why), None),
        };
        Some(Finished { id, title: job.title, end, landing })
    }
}

impl<O> Drop for Jobs<O> {
    fn drop(&mut self) {
        self.running.iter().for_each(|job| job.view.progress.cancel());
        self.lanes.clear();
        for thread in self.threads.drain(..) {
            // A worker that panicked outside a job has nothing left to say.
            let _ended = thread.join();
        }
    }
}

fn run_lane<O>(queue: &Receiver<Queued<O>>, results: &Sender<Outcome<O>>, waker: &Mutex<Option<Waker>>) {
    while let Ok(job) = queue.recv() {
        let result = if job.progress.is_cancelled() {
            Err(JobError::Cancelled)
        } else {
            catch_unwind(AssertUnwindSafe(|| (job.work)(&job.progress)))
                .unwrap_or_else(|panic| Err(panic_error(&*panic)))
        };
        if results.send((job.id, result)).is_err() {
            return;
        }
        let wake = waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(wake) = wake {
            wake();
        }
    }
}

fn panic_error(panic: &(dyn std::any::Any + Send)) -> JobError {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let words = words.unwrap_or("no message");
    JobError::Failed(format!("a defect of the program stopped this work ({words}); nothing was changed"))
}
