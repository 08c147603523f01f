//! Why a command is not carried out, as a sentence for the person who gave it.

/// A command was refused; the document is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The volume is not in the document.
    #[error("this volume is no longer in the case")]
    NoSuchVolume,
    /// The segment is not in the document.
    #[error("this segment is no longer in the case")]
    NoSuchSegment,
    /// The mesh is not in the document.
    #[error("this mesh is no longer in the case")]
    NoSuchMesh,
    /// The measurement is not in the document.
    #[error("this measurement is no longer in the case")]
    NoSuchMeasurement,
    /// The segment is locked.
    #[error("{name} is locked; unlock it to change its voxels")]
    Locked {
        /// Name of the segment.
        name: String,
    },
    /// Another operation is changing the object.
    #[error("{name} is being changed; wait for it or cancel it")]
    Busy {
        /// Name of the object.
        name: String,
    },
    /// Two segments of different volumes.
    #[error("{name} belongs to another volume; both segments need the same grid")]
    OtherGrid {
        /// Name of the other segment.
        name: String,
    },
    /// A name without letters.
    #[error("a name is needed")]
    EmptyName,
    /// A number that makes no sense.
    #[error("{0}")]
    BadValue(&'static str),
    /// The command would change nothing.
    #[error("nothing to change: {0}")]
    NoEffect(&'static str),
    /// A stroke is under way.
    #[error("finish or abort the present stroke first")]
    InGesture,
    /// The history is being gone through.
    #[error("wait until the history has arrived at the step, or cancel that")]
    Travelling,
    /// Nothing left to undo.
    #[error("there is nothing to undo")]
    NothingToUndo,
    /// Nothing left to redo.
    #[error("there is nothing to redo")]
    NothingToRedo,
    /// Older steps could not be read back from the disk.
    #[error("the step cannot be read back from the journal ({0}); the case is unchanged")]
    JournalUnreadable(String),
    /// Somebody stopped it.
    #[error("cancelled; nothing was changed")]
    Cancelled,
    /// The work failed.
    #[error("{0}")]
    Failed(String),
}

impl From<crate::task::Cancelled> for Refusal {
    fn from(_: crate::task::Cancelled) -> Self {
        Self::Cancelled
    }
}
