//! Progress and cancel: one small object that is passed into every long algorithm.
//!
//! The worker reports a phase and a fraction and asks now and then whether it should stop; the window reads both.
//! Pattern: manifold's `ExecutionContext`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The work was stopped because somebody asked for it; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// Shared view of a running piece of work. Cloning gives another handle to the same work.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    /// Fraction done, as the bits of an `f32` in 0..=1.
    fraction_bits: AtomicU32,
    phase: Mutex<&'static str>,
}

impl Progress {
    /// Progress of work that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names what is being done now, in words for a person, and sets the fraction to zero.
    pub fn phase(&self, name: &'static str) {
        *self.shared.phase.lock().unwrap_or_else(PoisonError::into_inner) = name;
        self.shared.fraction_bits.store(0, Ordering::Relaxed);
    }

    /// Reports `done` of `total` steps of this phase.
    ///
    /// # Errors
    /// When the work was cancelled: return at once, leaving everything as it was.
    pub fn step(&self, done: usize, total: usize) -> Result<(), Cancelled> {
        let fraction = if total == 0 { 1.0 } else { (done as f32 / total as f32).clamp(0.0, 1.0) };
        self.shared.fraction_bits.store(fraction.to_bits(), Ordering::Relaxed);
        self.check()
    }

    /// Asks whether to go on.
    ///
    /// # Errors
    /// When the work was cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Asks the work to stop; it does so at its next `check`.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked the work to stop.
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
    }

    /// Fraction of the present phase, 0 to 1.
    pub fn fraction(&self) -> f32 {
        f32::from_bits(self.shared.fraction_bits.load(Ordering::Relaxed))
    }

    /// Name of the present phase; empty before the first.
    pub fn current_phase(&self) -> &'static str {
        *self.shared.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
