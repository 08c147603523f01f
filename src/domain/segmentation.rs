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

/// Side of the body that a segment is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Side {
    Right,
    Left,
    Both,
}

impl Side {
    /// Its code: SNOMED CT value and meaning (DICOM CID 247, laterality).
    pub fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::Right => ("24028007", "Right"),
            Self::Left => ("7771000", "Left"),
            Self::Both => ("51440002", "Right and left"),
        }
    }

    /// The side of a code value, of SNOMED CT or of the older SNOMED that DICOM used.
    pub fn of_code(value: &str) -> Option<Self> {
        Some(match value {
            "24028007" | "G-A100" => Self::Right,
            "7771000" | "G-A101" => Self::Left,
            "51440002" | "G-A102" => Self::Both,
            _ => return None,
        })
    }
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
    /// Which side of the body, where somebody has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Display colour, sRGB.
    pub color: [u8; 3],
    /// Whether it is drawn.
    pub visible: bool,
    /// Fill opacity, 0 to 1.
    pub opacity: f32,
    /// Width of its outline on slices, as a multiple of the view's; 0 for none.
    #[serde(default = "usual_outline")]
    pub outline: f32,
    /// A locked segment refuses every edit of its voxels.
    pub locked: bool,
    /// How far the work is.
    pub state: SegmentState,
    /// The steps that made it, in words, oldest first ("Threshold 226...3071 HU", "Paint").
    pub made_by: Vec<String>,
}

/// The outline of segments that nobody has given another, and of those of older files.
pub const USUAL_OUTLINE: f32 = 1.0;

fn usual_outline() -> f32 {
    USUAL_OUTLINE
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
