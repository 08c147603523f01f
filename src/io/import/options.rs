//! What the user chose about images that do not make an even, upright stack by themselves.

use serde::{Deserialize, Serialize};

/// What to do with missing slices and uneven spacing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gaps {
    /// Refuse the series and say where the hole is.
    #[default]
    Stop,
    /// Make the slices up between their neighbours, evenly spaced; the report says which and the case keeps it.
    Fill,
    /// Open each even run of slices as a series of its own.
    Split,
}

/// Choices of an import; the default changes nothing and refuses what is unsafe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ImportOptions {
    /// Missing slices and uneven spacing.
    pub gaps: Gaps,
    /// Bring the slices of a tilted gantry upright, instead of keeping them leaning as they are.
    pub straighten: bool,
}

/// What the part of a series says when slices were filled in.
pub const FILLED: &str = "missing slices filled in";
/// What it says when leaning slices were brought upright.
pub const UPRIGHT: &str = "brought upright";
/// How it begins when the series was split at missing slices.
pub const RUN: &str = "slices from";

impl ImportOptions {
    /// The choices by which a series got its name, so that a case finds the same series again.
    pub fn marked_in(series_name: &str) -> Self {
        let gaps = match series_name {
            name if name.contains(FILLED) => Gaps::Fill,
            name if name.contains(RUN) => Gaps::Split,
            _ => Gaps::Stop,
        };
        Self { gaps, straighten: series_name.contains(UPRIGHT) }
    }
}
