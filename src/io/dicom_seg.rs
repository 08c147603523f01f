//! DICOM segmentations: Segmentation (BINARY, FRACTIONAL) and Label Map Segmentation (LABELMAP) in and out.
//!
//! In: a file. Out: [`SegmentationFile`], masks on the file's own grid, with names, colours and codes; `on_grid` brings them
//! onto the images. The other way: segments of a grid, and what is known of the images, become one file that refers to them.
//! Space: patient space (DICOM LPS, mm) from each frame's position and orientation.
//!
//! Source: DICOM PS3.3 A.51, A.90, C.8.20; C.10.7.1.1 for colours. Not here: surfaces, height maps.

pub mod codes;
pub mod color;
pub mod frames;
pub mod read;
pub mod source;
pub mod write;

use crate::io::label_map::SegmentationFile;

pub use read::read;
pub use source::SourceImages;
pub use write::{SegKind, write};

/// Segmentation Storage.
pub const SEGMENTATION: &str = "1.2.840.10008.5.1.4.1.1.66.4";
/// Label Map Segmentation Storage.
pub const LABEL_MAP: &str = "1.2.840.10008.5.1.4.1.1.66.7";

/// Whether a SOP class is a segmentation that is read here.
pub fn is_segmentation(sop_class: &str) -> bool {
    matches!(sop_class, SEGMENTATION | LABEL_MAP)
}

/// What a DICOM segmentation holds, and what it belongs to.
#[derive(Debug)]
pub struct DicomSegmentation {
    /// The segments on their own grid.
    pub file: SegmentationFile,
    /// *Frame of Reference UID*; empty where absent.
    pub frame_of_reference_uid: String,
    /// *Series Instance UID* of the images, where the file names them.
    pub referenced_series_uid: Option<String>,
}
