//! The document: what one case holds. Plain data with identities and revisions; nothing here computes.
//!
//! In: the edits of a [`super::change::Change`], the only way to alter it. Out: read access for tools, panels and views.
//! Space: patient space is DICOM LPS in mm, as everywhere.
//!
//! Invariants (checked by [`Document::check`]): ids are unique and never used again; every segment belongs to a volume of
//! the document and its mask has that volume's dims; a revision names one content: undo brings content and revision back
//! together, so caches may be keyed by (id, revision).
//! Not here: view state (`view`), undo (`history`), files (`io::case_file`).

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::grid::Grid;
use crate::domain::segmentation::{Segment, SegmentId};
use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::{Quantity, Volume};

use super::measurement::{MeasurementId, MeasurementObject};
use super::mesh_object::{MeshId, MeshObject, MeshSource, MeshStatus};

/// Identity of a volume, unique in a document and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VolumeId(pub u32);

/// Names one content of one object; a later change of the object gets a larger number, undo brings the old one back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Revision(pub u64);

/// BLAKE3 hash of an object's content, as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct ContentHash(pub String);

/// Where the images of a volume came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImageSource {
    /// Folder or file that was opened.
    pub path: PathBuf,
    /// *Series Instance UID* (0020,000E) or another name of the series inside `path`; empty when it holds one.
    pub series: String,
}

/// What a volume is, without its samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeHead {
    /// Name for people, without patient identity.
    pub name: String,
    /// What the series says of itself (holds patient identity).
    pub info: SeriesInfo,
    /// What the importer repaired or refused, one sentence each.
    pub report: Vec<String>,
    /// Where the images came from.
    pub source: ImageSource,
    /// Size and place.
    pub grid: Grid,
    /// What the values measure.
    pub quantity: Quantity,
    /// Hash of the samples and their rescale; empty while nobody has computed it.
    pub content_hash: ContentHash,
}

/// Images that were found again: what the journal and the case file do not hold themselves.
#[derive(Debug, Clone)]
pub struct FoundImages {
    /// The samples.
    pub volume: Arc<Volume>,
    /// What the series says of itself (holds patient identity).
    pub info: SeriesInfo,
    /// What the importer repaired or refused, one sentence each.
    pub report: Vec<String>,
}

/// A volume of the document.
#[derive(Debug, Clone)]
pub struct VolumeObject {
    /// Identity.
    pub id: VolumeId,
    /// What it is.
    pub head: VolumeHead,
    /// Its samples.
    pub volume: Arc<Volume>,
    /// Moves when the head or the samples change.
    pub revision: Revision,
}

/// A segment of the document.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentObject {
    /// The volume whose grid the mask has.
    pub volume: VolumeId,
    /// Identity, description and voxels.
    pub segment: Segment,
    /// Moves when the description changes.
    pub revision: Revision,
    /// Moves when the voxels change.
    pub mask_revision: Revision,
}

impl SegmentObject {
    /// Identity.
    pub fn id(&self) -> SegmentId {
        self.segment.id
    }
}

/// One case.
#[derive(Debug, Clone, Default)]
pub struct Document {
    pub(in crate::session) name: String,
    pub(in crate::session) volumes: Vec<VolumeObject>,
    pub(in crate::session) segments: Vec<SegmentObject>,
    pub(in crate::session) meshes: Vec<MeshObject>,
    pub(in crate::session) measurements: Vec<MeasurementObject>,
    /// First number that no object has had.
    pub(in crate::session) next_id: u32,
    /// First revision that no content has had.
    pub(in crate::session) next_revision: u64,
}

impl Document {
    /// An empty case.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), next_id: 1, next_revision: 1, ..Self::default() }
    }

    /// Name of the case for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All volumes in the order in which they are listed.
    pub fn volumes(&self) -> &[VolumeObject] {
        &self.volumes
    }

    /// The volume of an id.
    pub fn volume(&self, id: VolumeId) -> Option<&VolumeObject> {
        self.volumes.iter().find(|volume| volume.id == id)
    }

    /// All segments in the order in which they are listed, those of every volume.
    pub fn segments(&self) -> &[SegmentObject] {
        &self.segments
    }

    /// The segments that belong to a volume, in order.
    pub fn segments_of(&self, volume: VolumeId) -> impl Iterator<Item = &SegmentObject> {
        self.segments.iter().filter(move |segment| segment.volume == volume)
    }

    /// The segment of an id.
    pub fn segment(&self, id: SegmentId) -> Option<&SegmentObject> {
        self.segments.iter().find(|segment| segment.id() == id)
    }

    /// All meshes in the order in which they are listed.
    pub fn meshes(&self) -> &[MeshObject] {
        &self.meshes
    }

    /// The mesh of an id.
    pub fn mesh(&self, id: MeshId) -> Option<&MeshObject> {
        self.meshes.iter().find(|mesh| mesh.id == id)
    }

    /// All measurements in the order in which they are listed.
    pub fn measurements(&self) -> &[MeasurementObject] {
        &self.measurements
    }

    /// The measurement of an id.
    pub fn measurement(&self, id: MeasurementId) -> Option<&MeasurementObject> {
        self.measurements.iter().find(|measurement| measurement.id == id)
    }

    /// Whether a mesh still shows its source, and if not, why.
    pub fn mesh_status(&self, mesh: &MeshObject) -> MeshStatus {
        match &mesh.source {
            MeshSource::Segment { segment, revision } => match self.segment(*segment) {
                None => MeshStatus::SourceGone,
                Some(found) if found.mask_revision != *revision => MeshStatus::OutOfDate,
                Some(_) => MeshStatus::UpToDate,
            },
            MeshSource::IsoValue { volume, revision, .. } => match self.volume(*volume) {
                None => MeshStatus::SourceGone,
                Some(found) if found.revision != *revision => MeshStatus::OutOfDate,
                Some(_) => MeshStatus::UpToDate,
            },
            MeshSource::Imported { volume, .. } if self.volume(*volume).is_none() => MeshStatus::SourceGone,
            MeshSource::Imported { .. } => MeshStatus::UpToDate,
        }
    }

    /// Number that the next new object will have.
    pub fn next_id(&self) -> u32 {
        self.next_id
    }

    /// Revision that the next new content will have.
    pub fn next_revision(&self) -> Revision {
        Revision(self.next_revision)
    }

    /// Finds a contradiction in the document, in words.
    ///
    /// # Errors
    /// When an invariant of this module does not hold; that is a bug or a damaged file.
    pub fn check(&self) -> Result<(), String> {
        let mut ids: Vec<u32> = self.volumes.iter().map(|volume| volume.id.0).collect();
        ids.extend(self.segments.iter().map(|segment| segment.id().0));
        ids.extend(self.meshes.iter().map(|mesh| mesh.id.0));
        ids.extend(self.measurements.iter().map(|measurement| measurement.id.0));
        if let Some(id) = ids.iter().find(|&&id| id >= self.next_id) {
            return Err(format!("object {id} has a number that was not given out"));
        }
        ids.sort_unstable();
        if let Some([id, _]) = ids.array_windows().find(|[a, b]| a == b) {
            return Err(format!("two objects have the number {id}"));
        }
        for object in &self.segments {
            let name = &object.segment.info.name;
            let Some(volume) = self.volume(object.volume) else {
                return Err(format!("segment {name} belongs to a volume that is not there"));
            };
            if object.segment.mask.dims() != volume.head.grid.dims() {
                return Err(format!("the mask of segment {name} has not the size of its volume"));
            }
            if object.revision.0.max(object.mask_revision.0) >= self.next_revision {
                return Err(format!("segment {name} has a revision that was not given out"));
            }
        }
        for volume in &self.volumes {
            if volume.volume.grid() != &volume.head.grid {
                return Err(format!("volume {} lies elsewhere than its description says", volume.head.name));
            }
        }
        for measurement in &self.measurements {
            if self.volume(measurement.volume).is_none() {
                return Err(format!("measurement {} belongs to a volume that is not there", measurement.name));
            }
        }
        Ok(())
    }

    /// Whether both hold the same case: content and revisions, but not which numbers have been given out.
    pub fn same_content(&self, other: &Self) -> bool {
        let same_volume = |a: &VolumeObject, b: &VolumeObject| {
            let same_samples = Arc::ptr_eq(&a.volume, &b.volume)
                || (a.volume.samples() == b.volume.samples() && a.volume.rescale() == b.volume.rescale());
            a.id == b.id && a.revision == b.revision && a.head == b.head && same_samples
        };
        self.name == other.name
            && self.segments == other.segments
            && self.meshes.len() == other.meshes.len()
            && self.meshes.iter().zip(&other.meshes).all(|(a, b)| a.same_recipe(b))
            && self.measurements == other.measurements
            && self.volumes.len() == other.volumes.len()
            && self.volumes.iter().zip(&other.volumes).all(|(a, b)| same_volume(a, b))
    }

    /// Bytes held by samples and masks.
    pub fn memory_bytes(&self) -> usize {
        let samples: usize = self.volumes.iter().map(|volume| size_of_val(volume.volume.samples())).sum();
        samples + self.segments.iter().map(|segment| segment.segment.mask.memory_bytes()).sum::<usize>()
    }
}
