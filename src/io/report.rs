//! What a reader repaired, doubts or refused, as sentences for a person.
//!
//! A reader that can go on fills a report instead of failing; the window and `maquette info` show every line.
//! Lines may name files: show them to the lab, do not log them.

use serde::{Deserialize, Serialize};

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something was put right; the result is exact.
    Repaired,
    /// The result can be used, but a person should know this.
    Warning,
    /// Something was left out.
    Refused,
}

/// One sentence of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    /// How grave it is.
    pub severity: Severity,
    /// The sentence.
    pub text: String,
}

/// All that a reader has to say, in the order of reading.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Report {
    /// The sentences.
    pub lines: Vec<ReportLine>,
}

impl Report {
    /// Notes that something was put right.
    pub fn repaired(&mut self, text: impl Into<String>) {
        self.push(Severity::Repaired, text.into());
    }

    /// Notes a doubt.
    pub fn warning(&mut self, text: impl Into<String>) {
        self.push(Severity::Warning, text.into());
    }

    /// Notes that something was left out.
    pub fn refused(&mut self, text: impl Into<String>) {
        self.push(Severity::Refused, text.into());
    }

    /// Adds a line, once: the same sentence is not said again.
    pub fn push(&mut self, severity: Severity, text: String) {
        let line = ReportLine { severity, text };
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    /// Adds the lines of another report.
    pub fn extend(&mut self, other: Self) {
        for line in other.lines {
            self.push(line.severity, line.text);
        }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The gravest line's severity; `None` when there is nothing to say.
    pub fn worst(&self) -> Option<Severity> {
        self.lines.iter().map(|line| line.severity).max()
    }
}
