//! Changes as bytes: a JSON head with the blobs' lengths, then the blobs (bricks of masks).
//!
//! Samples are not written: a volume is its head, without patient identity, and is found again by the reader's `images`.

use serde::{Deserialize, Serialize};

use crate::domain::mask::{Mask, MaskDelta};
use crate::domain::segmentation::{Segment, SegmentId, SegmentInfo};
use crate::domain::series_info::SeriesInfo;
use crate::io::mask_bricks::{decode_delta, decode_mask, encode_delta, encode_mask};
use crate::session::change::{Change, Edit};
use crate::session::document::{FoundImages, Revision, SegmentObject, VolumeHead, VolumeId, VolumeObject};
use crate::session::measurement::{MeasurementId, MeasurementObject};
use crate::session::mesh_object::{MeshId, MeshObject};

/// Finds the samples of a volume again, with what its files say of it.
pub type FindImages<'a> = &'a dyn Fn(&VolumeHead) -> Option<FoundImages>;

#[derive(Debug, Serialize, Deserialize)]
enum WireEdit {
    CaseName(String),
    Volume { id: VolumeId, index: usize, value: Option<(Box<VolumeHead>, Revision)> },
    Segment { id: SegmentId, index: usize, value: Option<WireSegment> },
    SegmentInfo { id: SegmentId, info: Box<SegmentInfo>, revision: Revision },
    SegmentMask { id: SegmentId, dims: [u32; 3], bytes: usize, revision: Revision },
    SegmentPlace { id: SegmentId, index: usize },
    Mesh { id: MeshId, index: usize, value: Option<Box<MeshObject>> },
    Measurement { id: MeasurementId, index: usize, value: Option<Box<MeasurementObject>> },
}

#[derive(Debug, Serialize, Deserialize)]
struct WireSegment {
    volume: VolumeId,
    info: Box<SegmentInfo>,
    dims: [u32; 3],
    bytes: usize,
    revision: Revision,
    mask_revision: Revision,
}

/// The head of a volume without what tells who the patient is.
pub fn without_identity(head: &VolumeHead) -> VolumeHead {
    VolumeHead { info: SeriesInfo::default(), report: Vec::new(), ..head.clone() }
}

/// A change as bytes.
pub fn encode_change(change: &Change) -> Vec<u8> {
    let mut blobs = Vec::new();
    let edits: Vec<WireEdit> = change.edits.iter().map(|edit| to_wire(edit, &mut blobs)).collect();
    let head = serde_json::to_vec(&edits).expect("edits are plain data");
    let mut bytes = Vec::with_capacity(4 + head.len() + blobs.len());
    bytes.extend_from_slice(&(head.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(&blobs);
    bytes
}

/// Reads what [`encode_change`] wrote.
///
/// # Errors
/// When the bytes are damaged or a volume's images are not found, in words.
pub fn decode_change(bytes: &[u8], images: FindImages<'_>) -> Result<Change, String> {
    let damaged = || "a record is damaged".to_owned();
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
    let (head, mut blobs) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(damaged)?;
    let edits: Vec<WireEdit> = serde_json::from_slice(head).map_err(|_| damaged())?;
    let edits = edits.into_iter().map(|edit| from_wire(edit, &mut blobs, images));
    Ok(Change { edits: edits.collect::<Result<_, _>>()? })
}

/// The heads of the volumes that a change brings, so that their images can be loaded first.
pub fn volumes_of(bytes: &[u8]) -> Vec<VolumeHead> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Vec::new() };
    let head = rest.get(..u32::from_le_bytes(*length) as usize).unwrap_or_default();
    let edits: Vec<WireEdit> = serde_json::from_slice(head).unwrap_or_default();
    let brought = edits.into_iter().filter_map(|edit| match edit {
        WireEdit::Volume { value: Some((head, _)), .. } => Some(*head),
        _ => None,
    });
    brought.collect()
}

fn to_wire(edit: &Edit, blobs: &mut Vec<u8>) -> WireEdit {
    let mut put = |bytes: Vec<u8>| {
        blobs.extend_from_slice(&bytes);
        bytes.len()
    };
    match edit {
        Edit::CaseName(name) => WireEdit::CaseName(name.clone()),
        Edit::Volume { id, index, value } => {
            let value = value.as_ref().map(|object| (Box::new(without_identity(&object.head)), object.revision));
            WireEdit::Volume { id: *id, index: *index, value }
        }
        Edit::Segment { id, index, value } => {
            let value = value.as_ref().map(|object| WireSegment {
                volume: object.volume,
                info: Box::new(object.segment.info.clone()),
                dims: object.segment.mask.dims(),
                bytes: put(encode_mask(&object.segment.mask)),
                revision: object.revision,
                mask_revision: object.mask_revision,
            });
            WireEdit::Segment { id: *id, index: *index, value }
        }
        Edit::SegmentInfo { id, info, revision } => {
            WireEdit::SegmentInfo { id: *id, info: info.clone(), revision: *revision }
        }
        Edit::SegmentMask { id, dims, delta, revision } => {
            let bytes = put(encode_delta(*dims, delta));
            WireEdit::SegmentMask { id: *id, dims: *dims, bytes, revision: *revision }
        }
        Edit::SegmentPlace { id, index } => WireEdit::SegmentPlace { id: *id, index: *index },
        Edit::Mesh { id, index, value } => WireEdit::Mesh { id: *id, index: *index, value: value.clone() },
        Edit::Measurement { id, index, value } => {
            WireEdit::Measurement { id: *id, index: *index, value: value.clone() }
        }
    }
}

fn from_wire(edit: WireEdit, blobs: &mut &[u8], images: FindImages<'_>) -> Result<Edit, String> {
    let mut take = |count: usize| -> Result<&[u8], String> {
        let (blob, rest) = blobs.split_at_checked(count).ok_or_else(|| "a record is damaged".to_owned())?;
        *blobs = rest;
        Ok(blob)
    };
    Ok(match edit {
        WireEdit::CaseName(name) => Edit::CaseName(name),
        WireEdit::Volume { id, index, value } => {
            let found = value.map(|(mut head, revision)| {
                let found = images(&head).ok_or_else(|| format!("the images of {} were not found", head.name))?;
                let FoundImages { volume, info, report } = found;
                if volume.grid() != &head.grid {
                    return Err(format!("the images of {} are others than before", head.name));
                }
                (head.info, head.report) = (info, report);
                Ok(Box::new(VolumeObject { id, head: *head, volume, revision }))
            });
            Edit::Volume { id, index, value: found.transpose()? }
        }
        WireEdit::Segment { id, index, value } => {
            let value = match value {
                None => None,
                Some(wire) => Some(Box::new(segment_from_wire(id, wire, &mut take)?)),
            };
            Edit::Segment { id, index, value }
        }
        WireEdit::SegmentInfo { id, info, revision } => Edit::SegmentInfo { id, info, revision },
        WireEdit::SegmentMask { id, dims, bytes, revision } => {
            let (found, delta): ([u32; 3], MaskDelta) = decode_delta(take(bytes)?).map_err(|why| why.to_string())?;
            if found != dims {
                return Err("a record is damaged".to_owned());
            }
            Edit::SegmentMask { id, dims, delta, revision }
        }
        WireEdit::SegmentPlace { id, index } => Edit::SegmentPlace { id, index },
        WireEdit::Mesh { id, index, value } => Edit::Mesh { id, index, value },
        WireEdit::Measurement { id, index, value } => Edit::Measurement { id, index, value },
    })
}

fn segment_from_wire<'a>(
    id: SegmentId,
    wire: WireSegment,
    take: &mut impl FnMut(usize) -> Result<&'a [u8], String>,
) -> Result<SegmentObject, String> {
    let mask: Mask = decode_mask(wire.dims, take(wire.bytes)?).map_err(|why| why.to_string())?;
    Ok(SegmentObject {
        volume: wire.volume,
        segment: Segment { id, info: *wire.info, mask },
        revision: wire.revision,
        mask_revision: wire.mask_revision,
    })
}
