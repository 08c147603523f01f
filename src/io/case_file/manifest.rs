//! The manifest of a case file, as it stands in JSON. Fields are only ever added.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::grid::Grid;
use crate::domain::segmentation::SegmentInfo;
use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::{Quantity, Rescale};

/// Name of the manifest's part.
pub(super) const MANIFEST: &str = "manifest.json";
/// Name of the history's part.
pub(super) const HISTORY: &str = "history.json";
/// What `format` says.
pub(super) const FORMAT: &str = "maquette-case";

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub format: String,
    pub version: u64,
    pub software: String,
    pub intended_use: String,
    pub name: String,
    pub next_id: u32,
    pub next_revision: u64,
    #[serde(default)]
    pub volumes: Vec<VolumeEntry>,
    #[serde(default)]
    pub segments: Vec<SegmentEntry>,
    #[serde(default)]
    pub meshes: Vec<MeshEntry>,
    #[serde(default)]
    pub measurements: Vec<Value>,
    #[serde(default)]
    pub view: Value,
    /// BLAKE3 hash of each part that this manifest speaks of.
    #[serde(default)]
    pub hashes: BTreeMap<String, String>,
    #[serde(flatten)]
    pub foreign: Map<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct VolumeEntry {
    pub id: u32,
    pub revision: u64,
    pub name: String,
    pub info: SeriesInfo,
    #[serde(default)]
    pub report: Vec<String>,
    pub path: PathBuf,
    /// The same relative to the folder of the case file, so that both can be moved together.
    #[serde(default)]
    pub relative_path: Option<PathBuf>,
    #[serde(default)]
    pub series: String,
    pub grid: Grid,
    pub quantity: Quantity,
    pub rescale: Rescale,
    pub content_hash: String,
    #[serde(default)]
    pub samples: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SegmentEntry {
    pub id: u32,
    pub volume: u32,
    pub revision: u64,
    pub mask_revision: u64,
    pub info: SegmentInfo,
    pub mask: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MeshEntry {
    pub id: u32,
    pub description: Value,
    #[serde(default)]
    pub triangles: Option<String>,
}
