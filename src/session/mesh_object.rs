//! Meshes of the document: a source and a list of steps; the triangles are derived from them and can be rebuilt.
//!
//! Not here: building the triangles (`super::modelling` through `ops::surface`), or telling whether they are out of date
//! (`Document::mesh_status`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::deviation::Deviation;
use crate::domain::mesh::topology::Topology;
use crate::domain::segmentation::SegmentId;

pub use crate::domain::mesh::smooth::SmoothMethod;

use super::document::{Revision, VolumeId};
use super::imported_model::ImportedModel;

/// Identity of a mesh, unique in a document and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MeshId(pub u32);

/// What a mesh is the surface of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MeshSource {
    /// The voxels of a segment, as they were at a revision of its mask.
    Segment {
        /// The segment.
        segment: SegmentId,
        /// Revision of its mask.
        revision: Revision,
    },
    /// The places of a volume that have a value.
    IsoValue {
        /// The volume.
        volume: VolumeId,
        /// Revision of the volume.
        revision: Revision,
        /// The value, in the volume's quantity (HU for CT).
        value: f64,
    },
    /// A model that was read from a file.
    Imported {
        /// The volume that it was laid onto.
        volume: VolumeId,
        /// Its triangles.
        model: ImportedModel,
    },
}

impl MeshSource {
    /// What it is, as the parameters of an export say it: without the triangles of a model.
    pub fn describe(&self) -> serde_json::Value {
        match self {
            Self::Imported { model, .. } => serde_json::json!({ "Imported": { "from": model.origin() } }),
            other => serde_json::json!(other),
        }
    }
}

/// One step from the raw surface to the mesh, in the order in which they are done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum MeshStep {
    /// Moves vertices so that the surface is smoother.
    Smooth {
        /// How.
        method: SmoothMethod,
        /// Number of passes.
        passes: u32,
        /// Pass band, 0 (all smoothed) to 2 (nothing).
        pass_band: f64,
    },
    /// Keeps the connected part with the most triangles.
    LargestPart,
}

impl MeshStep {
    /// The step in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Smooth { method: SmoothMethod::WindowedSinc, passes, .. } => {
                format!("Smooth (sinc, {passes} passes)")
            }
            Self::Smooth { method: SmoothMethod::Taubin, passes, .. } => format!("Smooth (Taubin, {passes} passes)"),
            Self::LargestPart => "Largest part".to_owned(),
        }
    }
}

/// What was measured of a mesh when it was built: what the steps did to it, and whether it can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeshFigures {
    /// Enclosed volume before the steps, mm3.
    pub source_volume_mm3: f64,
    /// Enclosed volume, mm3.
    pub volume_mm3: f64,
    /// Surface area, mm2.
    pub area_mm2: f64,
    /// Distance of the mesh from the raw surface; `None` when no step moved it.
    pub deviation: Option<Deviation>,
    /// Faults, parts, closedness.
    pub topology: Topology,
}

impl MeshFigures {
    /// Largest distance that a step moved the surface, mm; 0 when none did.
    pub fn largest_deviation_mm(&self) -> f64 {
        self.deviation.map_or(0.0, |deviation| deviation.largest_mm)
    }

    /// Root mean square of that distance, mm.
    pub fn rms_deviation_mm(&self) -> f64 {
        self.deviation.map_or(0.0, |deviation| deviation.rms_mm)
    }

    /// Whether it encloses a volume without a gap.
    pub fn is_closed(&self) -> bool {
        self.topology.is_closed()
    }

    /// What the steps did to the volume, per cent.
    pub fn volume_change_percent(&self) -> f64 {
        if self.source_volume_mm3 == 0.0 { 0.0 } else { (self.volume_mm3 / self.source_volume_mm3 - 1.0) * 100.0 }
    }
}

/// The triangles of a mesh and what was measured of them.
#[derive(Debug, Clone)]
pub struct BuiltMesh {
    /// The triangles.
    pub triangles: Arc<TriangleMesh>,
    /// What was measured.
    pub figures: MeshFigures,
}

/// A mesh of the document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MeshObject {
    /// Identity.
    pub id: MeshId,
    /// Name for people.
    pub name: String,
    /// What it is the surface of.
    pub source: MeshSource,
    /// What was done to the raw surface, first step first.
    pub steps: Vec<MeshStep>,
    /// Display colour, sRGB.
    pub color: [u8; 3],
    /// Whether it is drawn.
    pub visible: bool,
    /// Moves when anything above changes.
    pub revision: Revision,
    /// Moves when the source or the steps change: the triangles belong to this.
    pub build_revision: Revision,
    /// The triangles; derived, `None` until they are built.
    #[serde(skip)]
    pub built: Option<BuiltMesh>,
}

impl MeshObject {
    /// Whether it was read from a file instead of being made of the images.
    pub fn is_imported(&self) -> bool {
        matches!(self.source, MeshSource::Imported { .. })
    }

    /// Whether both are made in the same way and look the same; the triangles, being derived, are not compared.
    pub fn same_recipe(&self, other: &Self) -> bool {
        self.id == other.id
            && self.name == other.name
            && self.source == other.source
            && self.steps == other.steps
            && self.color == other.color
            && self.visible == other.visible
            && self.revision == other.revision
            && self.build_revision == other.build_revision
    }
}

/// Whether a mesh still shows its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshStatus {
    /// It does.
    UpToDate,
    /// The source was changed after the mesh was made.
    OutOfDate,
    /// The source is no longer in the document.
    SourceGone,
}

impl MeshStatus {
    /// Words for the object list; empty when all is well.
    pub fn words(self) -> &'static str {
        match self {
            Self::UpToDate => "",
            Self::OutOfDate => "out of date",
            Self::SourceGone => "source removed",
        }
    }
}
