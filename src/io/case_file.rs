//! The case file: one versioned container (zip) with everything that a case is.
//!
//! Parts: `manifest.json` (what there is, with the BLAKE3 hash of every other part), `masks/ID.bricks` (bricks of a
//! segment), `images/ID.samples` (little-endian i16, only when embedded; else images are found by path and content hash),
//! `meshes/ID.triangles` (only where they cannot be rebuilt), `history.json`. Everything that this version does not know,
//! parts and keys of the manifest alike, is kept and written again. The file holds the patient's identity: it is the lab's own.
//!
//! In and out: [`CaseFile`], a plain value; what meshes, measurements and views are is the session's business (JSON here).
//! Reading trusts nothing: sizes, hashes, names and numbers are checked before memory is asked for.
//! Not here: loading linked images (`import`), documents (`session::case`).

mod manifest;
mod read;
mod write;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::mesh::TriangleMesh;
use crate::domain::segmentation::SegmentInfo;
use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::{Quantity, Rescale, Volume};
use crate::io::atomic_file::AtomicFileError;

pub use read::read_case;
pub use write::write_case;

/// Ending of case files, without the dot.
pub const EXTENSION: &str = "maquette";
/// Version of the container that this program writes; every older one is read.
pub const FORMAT_VERSION: u32 = 1;

/// A case as a value.
#[derive(Debug, Clone, Default)]
pub struct CaseFile {
    /// Name of the case.
    pub name: String,
    /// First number that no object has had.
    pub next_id: u32,
    /// First revision that no content has had.
    pub next_revision: u64,
    /// Volumes in their order.
    pub volumes: Vec<CaseVolume>,
    /// Segments in their order.
    pub segments: Vec<CaseSegment>,
    /// Meshes in their order.
    pub meshes: Vec<CaseMesh>,
    /// Measurements in their order.
    pub measurements: Vec<Value>,
    /// How the case was looked at.
    pub view: Value,
    /// The commands that were carried out, with who and when.
    pub history: Value,
    /// What this version does not know.
    pub foreign: Foreign,
}

/// A volume of a case.
#[derive(Debug, Clone)]
pub struct CaseVolume {
    /// Number of the object.
    pub id: u32,
    /// Revision of its content.
    pub revision: u64,
    /// Name for people.
    pub name: String,
    /// What the series says of itself.
    pub info: SeriesInfo,
    /// What the importer repaired.
    pub report: Vec<String>,
    /// Folder or file of the images; absolute, or relative to the folder of the case file.
    pub path: PathBuf,
    /// The series inside `path`.
    pub series: String,
    /// Size and place.
    pub grid: Grid,
    /// What the values measure.
    pub quantity: Quantity,
    /// What a sample means.
    pub rescale: Rescale,
    /// Hash of the samples and their meaning, as [`crate::io::import::content_hash`] gives it.
    pub content_hash: String,
    /// The samples, when they are in the file.
    pub embedded: Option<Arc<Volume>>,
}

/// A segment of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseSegment {
    /// Number of the object.
    pub id: u32,
    /// Number of the volume that it belongs to.
    pub volume: u32,
    /// Revision of its description.
    pub revision: u64,
    /// Revision of its voxels.
    pub mask_revision: u64,
    /// What it is.
    pub info: SegmentInfo,
    /// Its voxels.
    pub mask: Mask,
}

/// A mesh of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseMesh {
    /// Number of the object; names the part with its triangles.
    pub id: u32,
    /// Source, steps and looks.
    pub description: Value,
    /// The triangles, where they cannot be rebuilt.
    pub triangles: Option<Arc<TriangleMesh>>,
}

/// What a case file holds that this version does not know.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Foreign {
    /// Parts: name and bytes.
    pub parts: Vec<(String, Vec<u8>)>,
    /// Keys of the manifest.
    pub keys: Map<String, Value>,
}

/// Why a case was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum CaseFileError {
    /// The system refused.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no zip, or cut off.
    #[error("{} is not a case file, or is cut off", .0.display())]
    NotACase(PathBuf),
    /// Made by a later program.
    #[error("{} was made by a newer version of this program (format {version}; this one knows {FORMAT_VERSION})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// A part is damaged, missing or too large, or its numbers make no sense.
    #[error("{} cannot be opened: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which part and why; completes the sentence.
        reason: String,
    },
    /// It could not be written; an older file is as it was.
    #[error(transparent)]
    Write(#[from] AtomicFileError),
}
