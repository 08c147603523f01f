//! The stages of a case's journey that work: each shows its tools; a dot says how far it is.

use crate::domain::segmentation::SegmentState;
use crate::session::document::Document;
use crate::session::mesh_object::MeshStatus;
use crate::tools::options::ToolKind;

/// A stage along the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Looking and measuring.
    #[default]
    Images,
    /// Making segments.
    Segment,
    /// Making models.
    Mesh,
}

/// How far a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was done.
    ToDo,
    /// Something is unfinished or out of date.
    Attention,
    /// All of it is done.
    Done,
}

impl Standing {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ToDo => "to do",
            Self::Attention => "needs attention",
            Self::Done => "done",
        }
    }
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 3] = [Self::Images, Self::Segment, Self::Mesh];

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Images => "Images",
            Self::Segment => "Segment",
            Self::Mesh => "Mesh",
        }
    }

    /// Whether the rail shows a tool in this stage.
    pub fn has_tool(self, tool: ToolKind) -> bool {
        self == Self::Segment || !tool.edits_segment()
    }

    /// How far the case is in this stage.
    pub fn standing(self, document: &Document) -> Standing {
        match self {
            Self::Images => {
                let volumes = document.volumes();
                let doubts = volumes.iter().any(|volume| !volume.head.report.is_empty());
                standing_of(volumes.is_empty(), doubts)
            }
            Self::Segment => {
                let segments = document.segments();
                let unfinished = segments.iter().any(|object| object.segment.info.state != SegmentState::Done);
                standing_of(segments.is_empty(), unfinished)
            }
            Self::Mesh => {
                let meshes = document.meshes();
                let stale = |mesh| document.mesh_status(mesh) != MeshStatus::UpToDate || mesh.built.is_none();
                standing_of(meshes.is_empty(), meshes.iter().any(stale))
            }
        }
    }
}

fn standing_of(empty: bool, attention: bool) -> Standing {
    match (empty, attention) {
        (true, _) => Standing::ToDo,
        (false, true) => Standing::Attention,
        (false, false) => Standing::Done,
    }
}
