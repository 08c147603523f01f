//! What the window's own jobs leave behind.

use std::path::PathBuf;

use crate::domain::measure::SampleStatistics;
use crate::domain::segmentation::SegmentId;
use crate::session::document::{Revision, VolumeId};

use super::open_flow::PickedFor;
use super::widgets::histogram::Bars;

/// Result of a job.
pub enum Outcome {
    /// Figures of a segment.
    Figures(SegmentId, Revision, Figures),
    /// Histogram of a volume.
    Bars(VolumeId, Bars),
    /// A dialog gave a path.
    Picked(PickedFor, PathBuf),
    /// A dialog closed without one: given up, or this desktop has no dialogs.
    NotPicked(PickedFor),
}

/// Figures of a segment that take a look at every voxel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Values inside; `None` for an empty segment.
    pub samples: Option<SampleStatistics>,
    /// Number of connected parts (voxels that share a face).
    pub parts: usize,
}
