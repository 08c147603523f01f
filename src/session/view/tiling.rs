//! How a person has arranged the views: splits and shares, by the names of the views. Kept with the case, and by the user as
//! named layouts. Not here: how it is drawn (`app::viewports::tiling_tree`).

use serde::{Deserialize, Serialize};

/// A part of the window and what is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tiling {
    /// One view, by name.
    View(String),
    /// Parts from left to right, with their shares of the width.
    Row(Vec<(f32, Tiling)>),
    /// Parts from top to bottom, with their shares of the height.
    Column(Vec<(f32, Tiling)>),
    /// Parts one over the other, with tabs.
    Tabs(Vec<Tiling>),
    /// Parts in rows of equal length.
    Grid {
        /// Parts in a row.
        columns: u32,
        /// The parts, row by row.
        parts: Vec<Tiling>,
        /// Shares of the width.
        column_shares: Vec<f32>,
        /// Shares of the height.
        row_shares: Vec<f32>,
    },
}

impl Tiling {
    /// Names of all views in it.
    pub fn views(&self) -> Vec<&str> {
        match self {
            Self::View(name) => vec![name],
            Self::Row(parts) | Self::Column(parts) => parts.iter().flat_map(|(_, part)| part.views()).collect(),
            Self::Tabs(parts) | Self::Grid { parts, .. } => parts.iter().flat_map(Self::views).collect(),
        }
    }
}

/// A layout under a name of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedLayout {
    /// What it is called.
    pub name: String,
    /// The arrangement that it was made of.
    pub arrangement: String,
    /// What was made of it; `None`: the arrangement as it is.
    pub tiling: Option<Tiling>,
}
