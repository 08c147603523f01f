//! NRRD: volumes in and out, attached (`.nrrd`) and detached (`.nhdr`), and segmentations as 3D Slicer writes them
//! (`.seg.nrrd`).
//!
//! Space: the header's `space` is turned into patient space (DICOM LPS, mm); written files say `left-posterior-superior`.
//! Source: teem.sourceforge.net/nrrd/format.html; segment keys as documented for 3D Slicer's Segmentations module.
//! Not here: block types, bzip2, more than one component per voxel in volumes.

pub mod header;
pub mod segmentation;
pub mod volume;

pub use crate::io::label_map::SegmentationFile;
pub use segmentation::{read_segmentation, write_segmentation};
pub use volume::write_volume;
