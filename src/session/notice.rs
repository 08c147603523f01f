//! Notices: what the session tells the person without being asked (toasts). Never holds patient identity.

use std::time::Instant;

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Something was repaired, left out or is at risk.
    Warning,
    /// Something failed.
    Error,
}

/// One notice.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Number, rising.
    pub number: u64,
    /// How much it matters.
    pub level: NoticeLevel,
    /// A sentence: what happened, what was kept, what can be done.
    pub text: String,
    /// When it came up.
    pub since: Instant,
}

/// The notices of a session, newest last.
#[derive(Debug, Default)]
pub struct Notices {
    list: Vec<Notice>,
    next_number: u64,
}

impl Notices {
    /// At most this many are kept.
    const KEPT: usize = 200;

    /// Adds one.
    pub fn add(&mut self, level: NoticeLevel, text: impl Into<String>) {
        self.next_number += 1;
        let notice = Notice { number: self.next_number, level, text: text.into(), since: Instant::now() };
        self.list.push(notice);
        if self.list.len() > Self::KEPT {
            self.list.remove(0);
        }
    }

    /// All that are kept, oldest first.
    pub fn all(&self) -> &[Notice] {
        &self.list
    }

    /// Takes all off the list, oldest first.
    pub fn take(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.list)
    }

    /// Takes one off the list.
    pub fn dismiss(&mut self, number: u64) {
        self.list.retain(|notice| notice.number != number);
    }
}
