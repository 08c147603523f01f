//! Deciding: from a command and the document to a change, or a sentence why not. Pure.
//!
//! In: the document as it is and a command. Out: the change; the document is not touched. Long decisions (masks) report to
//! a `Progress` and may run on a worker with a copy of the document, which shares all samples and voxels.
//! Not here: the algorithms (`ops::segment`), applying (`change`).

mod mask_edit;
mod mesh;
mod segment;

use crate::task::Progress;

use super::change::{Change, Edit};
use super::command::Command;
use super::document::{Document, VolumeId};
use super::measurement::{MeasurementId, MeasurementObject, MeasurementShape};
use super::refusal::Refusal;

pub use mask_edit::made_by_words;
pub(in crate::session) use mask_edit::{decide_delta, mask_delta};
pub(in crate::session) use mesh::read_models;
pub use segment::PALETTE;
pub(in crate::session) use segment::read_segments;

/// What a command does to this document.
///
/// # Errors
/// When the command cannot be carried out: a locked segment, an object that is gone, a value without meaning, or a cancel.
pub fn decide(document: &Document, command: &Command, progress: &Progress) -> Result<Change, Refusal> {
    match command {
        Command::RenameCase { name } => {
            let name = usable_name(name)?;
            if name == document.name() {
                return Err(Refusal::NoEffect("the case has this name"));
            }
            Ok(Change::one(Edit::CaseName(name)))
        }
        Command::AddVolume { .. } => Err(Refusal::BadValue("images are opened from their files")),
        Command::ReadSegments { .. } => Err(Refusal::BadValue("segments of a file are read from it")),
        Command::ReadModels { .. } => Err(Refusal::BadValue("models of a file are read from it")),
        Command::RenameVolume { volume, name } => rename_volume(document, *volume, name),
        Command::RemoveVolume { volume } => remove_volume(document, *volume),
        Command::AddSegment { .. }
        | Command::RenameSegment { .. }
        | Command::RecolorSegment { .. }
        | Command::ShowSegment { .. }
        | Command::SetSegmentOpacity { .. }
        | Command::SetSegmentOutline { .. }
        | Command::LockSegment { .. }
        | Command::ReorderSegment { .. }
        | Command::RemoveSegment { .. }
        | Command::DuplicateSegment { .. }
        | Command::SetSegmentState { .. }
        | Command::SetSegmentCode { .. } => segment::decide_segment(document, command),
        Command::EditMask { segment, edit, rule } => {
            mask_edit::decide_mask_edit(document, *segment, edit, *rule, progress)
        }
        Command::AddMesh { .. }
        | Command::SetMeshSteps { .. }
        | Command::UpdateMesh { .. }
        | Command::RenameMesh { .. }
        | Command::RecolorMesh { .. }
        | Command::ShowMesh { .. }
        | Command::RemoveMesh { .. } => mesh::decide_mesh(document, command),
        Command::AddMeasurement { volume, shape } => add_measurement(document, *volume, *shape),
        Command::EditMeasurement { measurement, shape } => {
            check_shape(shape)?;
            edit_measurement(document, *measurement, |object| object.shape = *shape)
        }
        Command::RenameMeasurement { measurement, name } => {
            let name = usable_name(name)?;
            edit_measurement(document, *measurement, |object| object.name = name)
        }
        Command::ShowMeasurement { measurement, visible } => {
            edit_measurement(document, *measurement, |object| object.visible = *visible)
        }
        Command::Together { commands } => together(document, commands, progress),
        Command::RemoveMeasurement { measurement } => {
            let index = measurement_index(document, *measurement)?;
            Ok(Change::one(Edit::Measurement { id: *measurement, index, value: None }))
        }
    }
}

/// Whether deciding this command may take long enough that it belongs on a worker.
pub fn takes_long(command: &Command) -> bool {
    use super::command::MaskEdit;
    match command {
        Command::EditMask { edit, .. } => !matches!(edit, MaskEdit::Stroke { .. } | MaskEdit::Clear),
        _ => false,
    }
}

/// A change that was decided on an earlier copy of the document, fitted to the document as it is now.
///
/// # Errors
/// When its segment is gone or was locked meanwhile.
pub(in crate::session) fn rebased(document: &Document, command: &Command, change: Change) -> Result<Change, Refusal> {
    let Command::EditMask { segment, edit, rule } = command else { return Ok(change) };
    let object = document.segment(*segment).ok_or(Refusal::NoSuchSegment)?;
    if object.segment.info.locked {
        return Err(Refusal::Locked { name: object.segment.info.name.clone() });
    }
    let delta = change.edits.into_iter().find_map(|edit| match edit {
        Edit::SegmentMask { delta, .. } => Some(delta),
        _ => None,
    });
    decide_delta(document, *segment, delta.unwrap_or_default(), edit, *rule)
}

/// Each command is decided on the document that those before it leave; copies share all samples and voxels.
fn together(document: &Document, commands: &[Command], progress: &Progress) -> Result<Change, Refusal> {
    let mut trial = document.clone();
    let mut edits = Vec::new();
    for command in commands {
        let change = match decide(&trial, command, progress) {
            Err(Refusal::NoEffect(_)) => continue,
            decided => decided?,
        };
        let _inverse = change.clone().apply(&mut trial);
        edits.extend(change.edits);
    }
    if edits.is_empty() { Err(Refusal::NoEffect("everything is as asked")) } else { Ok(Change { edits }) }
}

/// A name without spaces at its ends.
fn usable_name(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() { Err(Refusal::EmptyName) } else { Ok(name.chars().take(200).collect()) }
}

fn rename_volume(document: &Document, id: VolumeId, name: &str) -> Result<Change, Refusal> {
    let index = document.volumes().iter().position(|volume| volume.id == id).ok_or(Refusal::NoSuchVolume)?;
    let name = usable_name(name)?;
    let mut value = document.volumes()[index].clone();
    if value.head.name == name {
        return Err(Refusal::NoEffect("the volume has this name"));
    }
    value.head.name = name;
    // The revision stands for samples and place, which stay: meshes of the volume are not out of date.
    Ok(Change::one(Edit::Volume { id, index, value: Some(Box::new(value)) }))
}

fn remove_volume(document: &Document, id: VolumeId) -> Result<Change, Refusal> {
    let index = document.volumes().iter().position(|volume| volume.id == id).ok_or(Refusal::NoSuchVolume)?;
    let mut edits = Vec::new();
    // From the end, so that the indices stay true while the objects go.
    for (index, measurement) in document.measurements().iter().enumerate().rev() {
        if measurement.volume == id {
            edits.push(Edit::Measurement { id: measurement.id, index, value: None });
        }
    }
    for (index, object) in document.segments().iter().enumerate().rev() {
        if object.volume == id {
            if object.segment.info.locked {
                return Err(Refusal::Locked { name: object.segment.info.name.clone() });
            }
            edits.push(Edit::Segment { id: object.id(), index, value: None });
        }
    }
    edits.push(Edit::Volume { id, index, value: None });
    Ok(Change { edits })
}

fn check_shape(shape: &MeasurementShape) -> Result<(), Refusal> {
    let finite = match shape {
        MeasurementShape::Distance { ends_in_patient } => ends_in_patient.iter().all(|point| point.is_finite()),
        MeasurementShape::Angle { points_in_patient } => points_in_patient.iter().all(|point| point.is_finite()),
        MeasurementShape::Ellipse { center_in_patient, half_axes_in_patient } => {
            center_in_patient.is_finite()
                && half_axes_in_patient.iter().all(|axis| axis.is_finite() && axis.length() > 0.0)
        }
    };
    if finite { Ok(()) } else { Err(Refusal::BadValue("a measurement needs points inside the patient")) }
}

fn add_measurement(document: &Document, volume: VolumeId, shape: MeasurementShape) -> Result<Change, Refusal> {
    document.volume(volume).ok_or(Refusal::NoSuchVolume)?;
    check_shape(&shape)?;
    let word = match shape {
        MeasurementShape::Distance { .. } => "Distance",
        MeasurementShape::Angle { .. } => "Angle",
        MeasurementShape::Ellipse { .. } => "ROI",
    };
    let taken = |name: &str| document.measurements().iter().any(|measurement| measurement.name == name);
    let name = free_name(word, taken);
    let id = MeasurementId(document.next_id());
    let revision = document.next_revision();
    let value = MeasurementObject { id, name, volume, shape, visible: true, revision };
    Ok(Change::one(Edit::Measurement { id, index: document.measurements().len(), value: Some(Box::new(value)) }))
}

fn edit_measurement(
    document: &Document,
    id: MeasurementId,
    alter: impl FnOnce(&mut MeasurementObject),
) -> Result<Change, Refusal> {
    let index = measurement_index(document, id)?;
    let before = &document.measurements()[index];
    let mut value = before.clone();
    alter(&mut value);
    if value == *before {
        return Err(Refusal::NoEffect("the measurement is as asked"));
    }
    value.revision = document.next_revision();
    Ok(Change::one(Edit::Measurement { id, index, value: Some(Box::new(value)) }))
}

fn measurement_index(document: &Document, id: MeasurementId) -> Result<usize, Refusal> {
    document.measurements().iter().position(|object| object.id == id).ok_or(Refusal::NoSuchMeasurement)
}

/// "Word 1", "Word 2", ...: the first that is free.
fn free_name(word: &str, taken: impl Fn(&str) -> bool) -> String {
    let named = |number: u32| format!("{word} {number}");
    (1..u32::MAX).map(named).find(|name| !taken(name)).unwrap_or_else(|| word.to_owned())
}
