//! Walking through the history: to a step far back or forward, a few steps each frame, so that the window never waits.
//!
//! In: how many steps are to be done in the end. Each step is a whole undo or redo, written to the journal like any other, so
//! a walk that is cancelled, or fails, stands at a step and nothing is half done. Meanwhile other changes are refused.

use std::time::{Duration, Instant};

use super::Session;
use super::notice::NoticeLevel;
use super::refusal::Refusal;

/// Time for steps in one frame of the window.
const FRAME: Duration = Duration::from_millis(20);

/// A walk under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Travel {
    /// Steps that are done at its end.
    pub to: usize,
    /// Steps that were done at its beginning.
    pub from: usize,
    /// Since when.
    pub since: Instant,
}

impl Travel {
    /// How far it is, 0 to 1.
    pub fn fraction(&self, done: usize) -> f32 {
        let whole = self.to.abs_diff(self.from).max(1);
        1.0 - self.to.abs_diff(done) as f32 / whole as f32
    }
}

impl Session {
    /// Goes to where this many steps are done. Short ways are gone at once, long ones by [`Session::tick`].
    ///
    /// # Errors
    /// When a stroke or a job is changing the document, or a step cannot be read back from the journal.
    pub fn start_travel(&mut self, to: usize) -> Result<(), Refusal> {
        self.check_history_free()?;
        let from = self.history.done_count();
        self.travel = Some(Travel { to: to.min(self.history.len()), from, since: Instant::now() });
        self.try_travelling()
    }

    /// The walk under way.
    pub fn travel(&self) -> Option<Travel> {
        self.travel
    }

    /// Stops where it is.
    pub fn stop_travel(&mut self) {
        self.travel = None;
    }

    pub(super) fn go_on_travelling(&mut self) {
        if let Err(refusal) = self.try_travelling() {
            self.notices.add(NoticeLevel::Error, refusal.to_string());
        }
    }

    fn try_travelling(&mut self) -> Result<(), Refusal> {
        let begin = Instant::now();
        while let Some(travel) = self.travel {
            let done = self.history.done_count();
            if done == travel.to {
                self.travel = None;
                self.build_missing_meshes();
                break;
            }
            let turned = if done < travel.to { self.turn_forward() } else { self.turn_back() };
            if let Err(refusal) = turned {
                self.travel = None;
                return Err(refusal);
            }
            if begin.elapsed() > FRAME {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn check_not_travelling(&self) -> Result<(), Refusal> {
        if self.travel.is_some() { Err(Refusal::Travelling) } else { Ok(()) }
    }
}
