//! Segments: named, coloured, coded sets of voxels of one grid.

use serde::{Deserialize, Serialize};

use super::mask::Mask;

/// Identity of a segment, unique in a document and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SegmentId(pub u32);

/// A coded concept: DICOM's triplet of scheme, value, meaning (PS3.3 section 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Coding Scheme Designator, e.g. `SCT`.
    pub scheme: String,
    /// Code Value.
    pub value: String,
    /// Code Meaning.
    pub meaning: String,
}

/// How far the work on a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SegmentState {
    /// Nothing done yet.
    #[default]
    ToDo,
    /// Being worked on.
    InWork,
    /// Finished by the technologist.
    Done,
}

/// What a segment is, without its voxels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentInfo {
    /// Name for people.
    pub name: String,
    /// What it is, coded; `None` until somebody says.
    pub code: Option<Code>,
    /// Display colour, sRGB.
    pub color: [u8; 3],
    /// Whether it is drawn.
    pub visible: bool,
    /// Fill opacity, 0 to 1.
    pub opacity: f32,
    /// A locked segment refuses every edit of its voxels.
    pub locked: bool,
    /// How far the work is.
    pub state: SegmentState,
    /// The steps that made it, in words, oldest first ("Threshold 226...3071 HU", "Paint").
    pub made_by: Vec<String>,
}

/// One segment: what it is and its voxels.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Identity.
    pub id: SegmentId,
    /// What it is.
    pub info: SegmentInfo,
    /// Its voxels.
    pub mask: Mask,
}
