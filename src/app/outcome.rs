//! What the window's own jobs leave behind.

use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::measure::SampleStatistics;
use crate::domain::picture::Picture;
use crate::domain::segmentation::SegmentId;
use crate::domain::volume::Volume;
use crate::ops::browse::{Listing, Place};
use crate::ops::load_models::LoadedModels;
use crate::ops::load_segments::{Holds, LoadedSegments};
use crate::ops::open::{GrayImage, LoadedVolume, Scan, SlicePreview, TagRow};
use crate::session::document::{Revision, VolumeId};
use crate::session::journal::Restorable;

use super::browser::{Knowledge, SeriesKey};
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
    /// What a place holds, as far as it is known: from the index of earlier visits, or so far.
    Listed(PathBuf, Listing, Knowledge),
    /// A place was looked through.
    Scanned(PathBuf, Scan),
    /// A path was dropped onto an open case, and what it holds.
    Dropped(PathBuf, Holds),
    /// Segments were read, while the case of this number was open, onto a volume of it.
    Segments(u64, VolumeId, LoadedSegments),
    /// Models were read, while the case of this number was open, onto a volume of it.
    Models(u64, VolumeId, LoadedModels),
    /// Places that were visited.
    Places(Vec<Place>),
    /// A series was read: where from, its name for people and in its path, itself.
    Loaded(PathBuf, String, String, Box<LoadedVolume>),
    /// The sample was made.
    Sample(Arc<Volume>),
    /// Picture of a preset, by name.
    Picture(String, Picture),
    /// Picture of a series of the browser; none where it has none.
    Thumbnail(SeriesKey, Option<GrayImage>),
    /// A slice of the series that is being read.
    EarlySlice(SlicePreview),
    /// Tags of a file.
    Tags(VolumeId, Vec<TagRow>),
    /// Sessions that ended without being closed.
    Restorable(Vec<Restorable>),
    /// The job did all by itself.
    Nothing,
}

/// Figures of a segment that take a look at every voxel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Values inside; `None` for an empty segment.
    pub samples: Option<SampleStatistics>,
    /// Number of connected parts (voxels that share a face).
    pub parts: usize,
}
