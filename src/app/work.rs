//! Work of the window that is no edit of the document: dialogs, scanning, loading, statistics, thumbnails, export.
//!
//! Each runs as a job and leaves an outcome; `MaquetteApp::logic` takes the outcomes once a frame.

use std::sync::{Arc, Mutex, PoisonError};

use crate::session::jobs::{JobEnd, JobError, JobId, JobView, Jobs, Landing, Lane};
use crate::task::Progress;

use super::outcome::Outcome;

/// The window's own jobs.
pub struct Work {
    jobs: Jobs<Vec<Outcome>>,
    early: Mailbox,
}

/// Where a running job leaves what can be shown before it ends.
#[derive(Clone)]
pub struct Mailbox {
    outcomes: Arc<Mutex<Vec<Outcome>>>,
    waker: Arc<dyn Fn() + Send + Sync>,
}

impl Mailbox {
    /// Leaves an outcome and wakes the window.
    pub fn leave(&self, outcome: Outcome) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
        (self.waker)();
    }
}

impl Work {
    /// Starts the workers.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(waker: Arc<dyn Fn() + Send + Sync>) -> std::io::Result<Self> {
        let mut jobs = Jobs::start()?;
        jobs.set_waker(Arc::clone(&waker));
        Ok(Self { jobs, early: Mailbox { outcomes: Arc::default(), waker } })
    }

    /// Queues a job; an earlier one with the same key is cancelled.
    ///
    /// # Errors
    /// When too much waits already.
    pub fn submit(
        &mut self,
        lane: Lane,
        key: &str,
        title: &str,
        work: impl FnOnce(&Progress) -> Result<Outcome, JobError> + Send + 'static,
    ) -> Result<JobId, JobError> {
        self.jobs.submit(lane, Some(key.to_owned()), title, move |progress| {
            let outcome = work(progress)?;
            let landing: Landing<Vec<Outcome>> = Box::new(move |outcomes| outcomes.push(outcome));
            Ok(landing)
        })
    }

    /// For jobs that show something before they end.
    pub fn mailbox(&self) -> Mailbox {
        self.early.clone()
    }

    /// What is running, oldest first.
    pub fn running(&self) -> impl Iterator<Item = &JobView> {
        self.jobs.running()
    }

    /// Whether a job has not ended yet.
    pub fn is_running(&self, id: JobId) -> bool {
        self.jobs.is_running(id)
    }

    /// Whether a job with this key has not ended yet.
    pub fn has(&self, key: &str) -> bool {
        self.jobs.has_key(key)
    }

    /// Asks a job to stop.
    pub fn cancel(&self, id: JobId) {
        self.jobs.cancel(id);
    }

    /// Outcomes since the last call, and the sentences of jobs that failed.
    pub fn take(&mut self) -> (Vec<Outcome>, Vec<String>) {
        let mut early = std::mem::take(&mut *self.early.outcomes.lock().unwrap_or_else(PoisonError::into_inner));
        let (outcomes, failures) = Self::sort(self.jobs.poll());
        early.extend(outcomes);
        (early, failures)
    }

    /// Waits for one job; for tests.
    pub fn wait(&mut self) -> Option<(Vec<Outcome>, Vec<String>)> {
        self.jobs.wait_next().map(|finished| Self::sort(vec![finished]))
    }

    fn sort(finished: Vec<crate::session::jobs::Finished<Vec<Outcome>>>) -> (Vec<Outcome>, Vec<String>) {
        let (mut outcomes, mut failures) = (Vec::new(), Vec::new());
        for job in finished {
            if let Some(landing) = job.landing {
                landing(&mut outcomes);
            }
            if let JobEnd::Failed(why) = job.end {
                failures.push(format!("{}: {why}", job.title));
            }
        }
        (outcomes, failures)
    }
}
