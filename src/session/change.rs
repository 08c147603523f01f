//! Changes: what a decided command does to a document. Applying one cannot fail and returns its inverse.
//!
//! In: edits that `super::decide` made for this very document. Out: the inverse, exact to the revision.
//! A change that was read from a file is first tried with [`Change::check`].

use crate::domain::mask::{MaskBrick, MaskDelta};
use crate::domain::segmentation::{SegmentId, SegmentInfo};

use super::document::{Document, Revision, SegmentObject, VolumeId, VolumeObject};
use super::measurement::{MeasurementId, MeasurementObject};
use super::mesh_object::{MeshId, MeshObject, MeshSource};

/// One alteration of one object. An object is put whole, at an index (`None` takes it away), or in part where whole would cost.
#[derive(Debug, Clone)]
pub enum Edit {
    /// Names the case.
    CaseName(String),
    /// Puts or takes away a volume.
    Volume {
        /// Which.
        id: VolumeId,
        /// Place in the list.
        index: usize,
        /// The volume afterwards.
        value: Option<Box<VolumeObject>>,
    },
    /// Puts or takes away a segment.
    Segment {
        /// Which.
        id: SegmentId,
        /// Place in the list.
        index: usize,
        /// The segment afterwards.
        value: Option<Box<SegmentObject>>,
    },
    /// Replaces the description of a segment.
    SegmentInfo {
        /// Which.
        id: SegmentId,
        /// The description afterwards.
        info: Box<SegmentInfo>,
        /// Its revision.
        revision: Revision,
    },
    /// Replaces bricks of a segment's mask.
    SegmentMask {
        /// Which.
        id: SegmentId,
        /// Voxels of its grid along i, j, k.
        dims: [u32; 3],
        /// The bricks.
        delta: MaskDelta,
        /// Revision of the mask afterwards.
        revision: Revision,
    },
    /// Moves a segment in the list.
    SegmentPlace {
        /// Which.
        id: SegmentId,
        /// Place afterwards.
        index: usize,
    },
    /// Puts or takes away a mesh.
    Mesh {
        /// Which.
        id: MeshId,
        /// Place in the list.
        index: usize,
        /// The mesh afterwards.
        value: Option<Box<MeshObject>>,
    },
    /// Puts or takes away a measurement.
    Measurement {
        /// Which.
        id: MeasurementId,
        /// Place in the list.
        index: usize,
        /// The measurement afterwards.
        value: Option<Box<MeasurementObject>>,
    },
}

/// Edits, done in order.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What is altered.
    pub edits: Vec<Edit>,
}

/// What listeners (renderers, surfaces) have to look at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// Voxels of a segment in these bricks.
    Mask {
        /// The segment.
        segment: SegmentId,
        /// Brick indices of its mask, rising; `None` for all.
        bricks: Option<Vec<u32>>,
    },
    /// Colour, visibility, order or presence of segments.
    SegmentTable,
    /// A volume came or went.
    Volumes,
    /// A mesh came, went or changed.
    Mesh(MeshId),
    /// A measurement came, went or changed.
    Measurements,
}

impl Change {
    /// A change of one edit.
    pub fn one(edit: Edit) -> Self {
        Self { edits: vec![edit] }
    }

    /// Alters the document and returns what puts it back.
    pub fn apply(self, document: &mut Document) -> Self {
        let mut inverse: Vec<Edit> = self.edits.into_iter().map(|edit| edit.apply(document)).collect();
        inverse.reverse();
        Self { edits: inverse }
    }

    /// What listeners have to look at again.
    pub fn touched(&self) -> Vec<Touched> {
        self.edits.iter().flat_map(Edit::touched).collect()
    }

    /// Bytes that keeping this change costs: bricks and samples that may be held by nothing else.
    pub fn memory_bytes(&self) -> usize {
        self.edits.iter().map(Edit::memory_bytes).sum()
    }

    /// Whether the journal can give this change back: samples of volumes are not in it.
    pub fn is_spillable(&self) -> bool {
        !self.edits.iter().any(|edit| matches!(edit, Edit::Volume { .. }))
    }

    /// Segments whose voxels this change alters.
    pub fn masks(&self) -> impl Iterator<Item = SegmentId> {
        self.edits.iter().filter_map(|edit| match edit {
            Edit::SegmentMask { id, .. } => Some(*id),
            _ => None,
        })
    }

    /// Whether this change was made for this document. Only changes from files need to be asked.
    ///
    /// # Errors
    /// When it names objects or bricks that are not there, in words.
    pub fn check(&self, document: &Document) -> Result<(), String> {
        // Later edits may lean on earlier ones, so each is tried on a copy; copies share all voxels.
        let mut trial = document.clone();
        for edit in &self.edits {
            edit.check(&trial)?;
            let _inverse = edit.clone().apply(&mut trial);
        }
        trial.check()
    }
}

/// Takes the element away, then puts the new one at `index`; returns where it was and what it was.
fn put<T>(list: &mut Vec<T>, is_it: impl Fn(&T) -> bool, index: usize, value: Option<T>) -> (usize, Option<T>) {
    let place = list.iter().position(is_it);
    let before = place.map(|place| list.remove(place));
    if let Some(value) = value {
        list.insert(index.min(list.len()), value);
    }
    (place.unwrap_or(index), before)
}

impl Edit {
    fn apply(self, document: &mut Document) -> Self {
        self.claim_numbers(document);
        match self {
            Self::CaseName(name) => Self::CaseName(std::mem::replace(&mut document.name, name)),
            Self::Volume { id, index, value } => {
                let (index, before) = put(&mut document.volumes, |v| v.id == id, index, value.map(|v| *v));
                Self::Volume { id, index, value: before.map(Box::new) }
            }
            Self::Segment { id, index, value } => {
                let (index, before) = put(&mut document.segments, |s| s.id() == id, index, value.map(|s| *s));
                Self::Segment { id, index, value: before.map(Box::new) }
            }
            Self::SegmentInfo { id, info, revision } => {
                let object = segment_mut(document, id);
                let info = std::mem::replace(&mut object.segment.info, *info);
                let revision = std::mem::replace(&mut object.revision, revision);
                Self::SegmentInfo { id, info: Box::new(info), revision }
            }
            Self::SegmentMask { id, dims, delta, revision } => {
                let object = segment_mut(document, id);
                let delta = object.segment.mask.apply(delta);
                let revision = std::mem::replace(&mut object.mask_revision, revision);
                Self::SegmentMask { id, dims, delta, revision }
            }
            Self::SegmentPlace { id, index } => {
                let place = document.segments.iter().position(|s| s.id() == id).expect("the segment was there");
                let object = document.segments.remove(place);
                document.segments.insert(index.min(document.segments.len()), object);
                Self::SegmentPlace { id, index: place }
            }
            Self::Mesh { id, index, value } => {
                let (index, before) = put(&mut document.meshes, |m| m.id == id, index, value.map(|m| *m));
                Self::Mesh { id, index, value: before.map(Box::new) }
            }
            Self::Measurement { id, index, value } => {
                let (index, before) = put(&mut document.measurements, |m| m.id == id, index, value.map(|m| *m));
                Self::Measurement { id, index, value: before.map(Box::new) }
            }
        }
    }

    /// Numbers and revisions that this edit brings are never given out again.
    fn claim_numbers(&self, document: &mut Document) {
        let (id, revision) = match self {
            Self::CaseName(_) | Self::SegmentPlace { .. } => return,
            Self::Volume { id, value, .. } => (id.0, value.as_ref().map_or(0, |v| v.revision.0)),
            Self::Segment { id, value, .. } => {
                (id.0, value.as_ref().map_or(0, |s| s.revision.0.max(s.mask_revision.0)))
            }
            Self::SegmentInfo { id, revision, .. } | Self::SegmentMask { id, revision, .. } => (id.0, revision.0),
            Self::Mesh { id, value, .. } => (id.0, value.as_ref().map_or(0, |m| m.revision.0.max(m.build_revision.0))),
            Self::Measurement { id, value, .. } => (id.0, value.as_ref().map_or(0, |m| m.revision.0)),
        };
        document.next_id = document.next_id.max(id.saturating_add(1));
        document.next_revision = document.next_revision.max(revision.saturating_add(1));
    }

    fn touched(&self) -> Vec<Touched> {
        match self {
            Self::CaseName(_) => Vec::new(),
            Self::Volume { .. } => vec![Touched::Volumes],
            Self::Segment { id, .. } => vec![Touched::SegmentTable, Touched::Mask { segment: *id, bricks: None }],
            Self::SegmentInfo { .. } | Self::SegmentPlace { .. } => vec![Touched::SegmentTable],
            Self::SegmentMask { id, delta, .. } => {
                let bricks = delta.bricks.iter().map(|(index, _)| *index).collect();
                vec![Touched::Mask { segment: *id, bricks: Some(bricks) }]
            }
            Self::Mesh { id, .. } => vec![Touched::Mesh(*id)],
            Self::Measurement { .. } => vec![Touched::Measurements],
        }
    }

    fn memory_bytes(&self) -> usize {
        let own = size_of::<Self>();
        own + match self {
            Self::SegmentMask { delta, .. } => delta_bytes(delta),
            Self::Segment { value: Some(object), .. } => object.segment.mask.memory_bytes(),
            Self::Volume { value: Some(object), .. } => size_of_val(object.volume.samples()),
            Self::Mesh { value: Some(object), .. } => match &object.source {
                MeshSource::Imported { model, .. } => model.memory_bytes(),
                _ => 0,
            },
            _ => 0,
        }
    }

    fn check(&self, document: &Document) -> Result<(), String> {
        match self {
            Self::SegmentInfo { id, .. } | Self::SegmentPlace { id, .. } if document.segment(*id).is_none() => {
                Err(format!("segment {} is not there", id.0))
            }
            Self::SegmentMask { id, dims, delta, .. } => {
                let object = document.segment(*id).ok_or_else(|| format!("segment {} is not there", id.0))?;
                if object.segment.mask.dims() != *dims {
                    return Err(format!("segment {} has another grid", id.0));
                }
                let count = object.segment.mask.bricks().len() as u32;
                let outside = delta.bricks.iter().any(|(index, _)| *index >= count);
                if outside { Err(format!("bricks outside the grid of segment {}", id.0)) } else { Ok(()) }
            }
            Self::Segment { id, value: Some(object), .. } if object.id() != *id => Err("mixed up numbers".to_owned()),
            _ => Ok(()),
        }
    }
}

fn segment_mut(document: &mut Document, id: SegmentId) -> &mut SegmentObject {
    document.segments.iter_mut().find(|segment| segment.id() == id).expect("the segment was there when it was decided")
}

/// Bytes of the bricks of a delta.
pub fn delta_bytes(delta: &MaskDelta) -> usize {
    let bits = delta.bricks.iter().filter(|(_, brick)| matches!(brick, MaskBrick::Bits(_))).count();
    bits * size_of::<crate::domain::mask::BrickBits>() + delta.bricks.len() * size_of::<(u32, MaskBrick)>()
}
