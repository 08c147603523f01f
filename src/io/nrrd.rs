//! NRRD: volumes in and out, attached (`.nrrd`) and detached (`.nhdr`), and segmentations as 3D Slicer writes them
//! (`.seg.nrrd`).
//!
//! Space: the header's `space` is turned into patient space (DICOM LPS, mm); written files say `left-posterior-superior`.
//! Source: teem.sourceforge.net/nrrd/format.html; segment keys as documented for 3D Slicer's Segmentations module.
//! Not here: block types, bzip2, more than one component per voxel in volumes.

pub mod header;
pub mod segmentation;
pub mod volume;

use crate::io::atomic_file::AtomicFileError;
use crate::task::Cancelled;

pub use segmentation::{SegmentationFile, read_segmentation, write_segmentation};
pub use volume::write_volume;

/// Why a file was not written. Nothing is half written.
#[derive(Debug, thiserror::Error)]
pub enum NrrdWriteError {
    /// Somebody stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The medium refused.
    #[error(transparent)]
    File(#[from] AtomicFileError),
    /// The medium refused while the file was being filled.
    #[error("cannot write the file: {0}")]
    Io(#[from] std::io::Error),
    /// Label values have 16 bits.
    #[error("there are more segments than a label volume can hold")]
    TooManySegments,
}
