//! Undo and redo without a bottom: steps are kept with what turns them back; old ones are left to the journal.
//!
//! In: decided changes. Out: the document before and after them. Each step holds in memory only the change that would be
//! applied next (the inverse while it is done, the forward change while it is undone). Over the byte budget the oldest
//! payloads are dropped, but only those that the journal has on disk; they are read back when undo reaches them.
//!
//! Source: habits of helix (`history.rs`: an edit with its inverse) and PrusaSlicer (`UndoRedo`: a budget in bytes).

use chrono::{DateTime, Utc};

use super::change::Change;
use super::document::Document;
use super::refusal::Refusal;

/// Bytes of undo payload kept in memory before the oldest is left to the journal.
pub const DEFAULT_BUDGET_BYTES: usize = 512 << 20;

/// Where steps that are no longer in memory can be read: the journal.
pub trait StepStore {
    /// Whether the step is safely on disk.
    fn holds(&self, step: u64) -> bool;
    /// Reads what undoes (`inverse`) or redoes the step.
    ///
    /// # Errors
    /// When it cannot be read, in words.
    fn read(&mut self, step: u64, inverse: bool) -> Result<Change, String>;
}

/// A store that holds nothing: without a journal every step stays in memory.
#[derive(Debug, Default)]
pub struct NoStore;

impl StepStore for NoStore {
    fn holds(&self, _step: u64) -> bool {
        false
    }

    fn read(&mut self, step: u64, _inverse: bool) -> Result<Change, String> {
        Err(format!("step {step} was not written"))
    }
}

/// A step as the history panel shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepView {
    /// Number of the step, rising, never used again.
    pub number: u64,
    /// What was done, in words.
    pub label: String,
    /// When.
    pub when: DateTime<Utc>,
    /// Whether it is in effect (not undone).
    pub done: bool,
}

#[derive(Debug)]
struct Step {
    number: u64,
    label: String,
    when: DateTime<Utc>,
    /// What is applied next; `None` when it has to be read from the journal.
    payload: Option<Change>,
    bytes: usize,
}

/// All steps of a session.
#[derive(Debug)]
pub struct History {
    steps: Vec<Step>,
    /// Steps below this index are done, the others undone.
    done: usize,
    next_number: u64,
    memory_bytes: usize,
    budget_bytes: usize,
}

impl Default for History {
    fn default() -> Self {
        Self::with_budget(DEFAULT_BUDGET_BYTES)
    }
}

impl History {
    /// An empty history that keeps at most about this much in memory.
    pub fn with_budget(budget_bytes: usize) -> Self {
        Self { steps: Vec::new(), done: 0, next_number: 1, memory_bytes: 0, budget_bytes }
    }

    /// Takes note of a change that was just applied; what was undone before is gone. Returns the step's number.
    pub fn push(&mut self, label: String, when: DateTime<Utc>, inverse: Change, store: &dyn StepStore) -> u64 {
        for step in self.steps.drain(self.done..) {
            self.memory_bytes -= step.payload.map_or(0, |_| step.bytes);
        }
        let number = self.next_number;
        self.next_number += 1;
        let bytes = inverse.memory_bytes();
        self.memory_bytes += bytes;
        self.steps.push(Step { number, label, when, payload: Some(inverse), bytes });
        self.done = self.steps.len();
        self.shrink(store);
        number
    }

    /// Takes note of a step that is on disk (read from a journal after a crash); its inverse is given only where the journal
    /// cannot give it back.
    pub(in crate::session) fn push_stored(
        &mut self,
        number: u64,
        label: String,
        when: DateTime<Utc>,
        inverse: Option<Change>,
    ) {
        for step in self.steps.drain(self.done..) {
            self.memory_bytes -= step.payload.map_or(0, |_| step.bytes);
        }
        let bytes = inverse.as_ref().map_or(0, Change::memory_bytes);
        self.memory_bytes += bytes;
        self.steps.push(Step { number, label, when, payload: inverse, bytes });
        self.done = self.steps.len();
        self.next_number = self.next_number.max(number + 1);
    }

    /// Turns back the last step that is done. Returns its number and the change that was applied.
    ///
    /// # Errors
    /// When there is none, or it cannot be read back.
    pub fn undo(&mut self, document: &mut Document, store: &mut dyn StepStore) -> Result<(u64, Change), Refusal> {
        let index = self.done.checked_sub(1).ok_or(Refusal::NothingToUndo)?;
        let applied = self.turn(index, document, store, true)?;
        self.done = index;
        Ok(applied)
    }

    /// Does the first step that was undone again. Returns its number and the change that was applied.
    ///
    /// # Errors
    /// When there is none, or it cannot be read back.
    pub fn redo(&mut self, document: &mut Document, store: &mut dyn StepStore) -> Result<(u64, Change), Refusal> {
        if self.done >= self.steps.len() {
            return Err(Refusal::NothingToRedo);
        }
        let applied = self.turn(self.done, document, store, false)?;
        self.done += 1;
        Ok(applied)
    }

    fn turn(
        &mut self,
        index: usize,
        document: &mut Document,
        store: &mut dyn StepStore,
        inverse: bool,
    ) -> Result<(u64, Change), Refusal> {
        let step = &mut self.steps[index];
        let payload = match step.payload.take() {
            Some(payload) => {
                self.memory_bytes -= step.bytes;
                payload
            }
            None => store.read(step.number, inverse).map_err(Refusal::JournalUnreadable)?,
        };
        let applied = payload.clone();
        let back = payload.apply(document);
        step.bytes = back.memory_bytes();
        step.payload = Some(back);
        self.memory_bytes += step.bytes;
        let number = step.number;
        self.shrink(store);
        Ok((number, applied))
    }

    /// Drops the payloads farthest from the present that the journal holds, until the budget is kept.
    pub fn shrink(&mut self, store: &dyn StepStore) {
        let (mut first, mut last) = (0, self.steps.len());
        while self.memory_bytes > self.budget_bytes && first < last {
            // The undone end is dropped first when it is farther from the present than the beginning.
            let index = if last - self.done > self.done - first.min(self.done) {
                last -= 1;
                last
            } else {
                first += 1;
                first - 1
            };
            let step = &mut self.steps[index];
            if step.payload.as_ref().is_some_and(Change::is_spillable) && store.holds(step.number) {
                step.payload = None;
                self.memory_bytes -= step.bytes;
            }
        }
    }

    /// What the next undo would turn back.
    pub fn undo_label(&self) -> Option<&str> {
        self.done.checked_sub(1).map(|index| self.steps[index].label.as_str())
    }

    /// What the next redo would do again.
    pub fn redo_label(&self) -> Option<&str> {
        self.steps.get(self.done).map(|step| step.label.as_str())
    }

    /// Number of steps that are done.
    pub fn done_count(&self) -> usize {
        self.done
    }

    /// All steps, oldest first.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = StepView> + '_ {
        self.steps.iter().enumerate().map(|(index, step)| StepView {
            number: step.number,
            label: step.label.clone(),
            when: step.when,
            done: index < self.done,
        })
    }

    /// Number of steps, done and undone.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether nothing was done yet.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Number of the last step that is done; 0 before the first. Tells whether anything happened since a save.
    pub fn position(&self) -> u64 {
        self.done.checked_sub(1).map_or(0, |index| self.steps[index].number)
    }

    /// Bytes of undo payload that may stay in memory.
    pub fn budget_bytes(&self) -> usize {
        self.budget_bytes
    }

    /// Sets how much may stay in memory; takes effect at the next step.
    pub fn set_budget(&mut self, bytes: usize) {
        self.budget_bytes = bytes;
    }

    /// Bytes of undo payload in memory.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}
