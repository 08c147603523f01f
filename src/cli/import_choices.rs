//! Options of every subcommand that opens images: what to do where they do not make an even, upright stack.

use crate::ops::open::{Gaps, ImportOptions};

/// Choices for the importer.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct ImportChoices {
    /// Where slices are missing or unevenly spaced: refuse, make them up between their neighbours, or split there
    #[arg(long, value_enum, default_value_t = GapChoice::Stop)]
    gaps: GapChoice,
    /// Bring the slices of a tilted gantry upright instead of keeping them leaning
    #[arg(long)]
    straighten: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum GapChoice {
    #[default]
    Stop,
    Fill,
    Split,
}

impl ImportChoices {
    /// The same for the importer.
    pub fn options(self) -> ImportOptions {
        let gaps = match self.gaps {
            GapChoice::Stop => Gaps::Stop,
            GapChoice::Fill => Gaps::Fill,
            GapChoice::Split => Gaps::Split,
        };
        ImportOptions { gaps, straighten: self.straighten }
    }
}
