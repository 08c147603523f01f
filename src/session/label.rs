//! The words for a command in the history panel and in "Undo ...".

use super::command::{Command, MaskEdit};
use super::decide::made_by_words;
use super::document::Document;
use super::measurement::MeasurementShape;

/// What a command does, in words, with the names that its objects have now.
pub fn label(document: &Document, command: &Command) -> String {
    let segment = |id| document.segment(id).map_or("segment", |object| object.segment.info.name.as_str());
    let mesh = |id| document.mesh(id).map_or("mesh", |object| object.name.as_str());
    let measurement = |id| document.measurement(id).map_or("measurement", |object| object.name.as_str());
    let volume = |id| document.volume(id).map_or("volume", |object| object.head.name.as_str());
    let shown = |visible: bool| if visible { "Show" } else { "Hide" };
    match command {
        Command::RenameCase { .. } => "Rename case".to_owned(),
        Command::AddVolume { name, .. } => format!("Open {name}"),
        Command::RenameVolume { name, .. } => format!("Rename volume to {name}"),
        Command::RemoveVolume { volume: id } => format!("Close {}", volume(*id)),
        Command::AddSegment { name, .. } => format!("Add segment {name}").trim_end().to_owned(),
        Command::ReadSegments { names, .. } => load_words("segment", names),
        Command::RenameSegment { segment: id, name } => format!("Rename {} to {name}", segment(*id)),
        Command::RecolorSegment { segment: id, .. } => format!("Colour {}", segment(*id)),
        Command::ShowSegment { segment: id, visible } => format!("{} {}", shown(*visible), segment(*id)),
        Command::SetSegmentOpacity { segment: id, .. } => format!("Opacity of {}", segment(*id)),
        Command::SetSegmentOutline { segment: id, .. } => format!("Outline of {}", segment(*id)),
        Command::LockSegment { segment: id, locked: true } => format!("Lock {}", segment(*id)),
        Command::LockSegment { segment: id, locked: false } => format!("Unlock {}", segment(*id)),
        Command::ReorderSegment { segment: id, .. } => format!("Move {} in the list", segment(*id)),
        Command::RemoveSegment { segment: id } => format!("Delete {}", segment(*id)),
        Command::DuplicateSegment { segment: id } => format!("Duplicate {}", segment(*id)),
        Command::SetSegmentState { segment: id, .. } => format!("State of {}", segment(*id)),
        Command::SetSegmentCode { segment: id, .. } => format!("Code of {}", segment(*id)),
        Command::EditMask { segment: id, edit, rule } => {
            let unit = document
                .segment(*id)
                .and_then(|object| document.volume(object.volume))
                .map_or("", |volume| volume.head.quantity.unit());
            let words = match edit {
                MaskEdit::Stroke { brush, .. } if brush.erase => "Erase".to_owned(),
                MaskEdit::Stroke { .. } => "Paint".to_owned(),
                _ => made_by_words(edit, *rule, unit),
            };
            format!("{words}: {}", segment(*id))
        }
        Command::ReadModels { names, .. } => load_words("model", names),
        Command::AddMesh { name, .. } => format!("Make mesh {name}").trim_end().to_owned(),
        Command::SetMeshSteps { mesh: id, .. } => format!("Refine {}", mesh(*id)),
        Command::UpdateMesh { mesh: id } => format!("Update {}", mesh(*id)),
        Command::RenameMesh { mesh: id, name } => format!("Rename {} to {name}", mesh(*id)),
        Command::RecolorMesh { mesh: id, .. } => format!("Colour {}", mesh(*id)),
        Command::ShowMesh { mesh: id, visible } => format!("{} {}", shown(*visible), mesh(*id)),
        Command::RemoveMesh { mesh: id } => format!("Delete {}", mesh(*id)),
        Command::AddMeasurement { shape, .. } => match shape {
            MeasurementShape::Distance { .. } => "Measure distance".to_owned(),
            MeasurementShape::Angle { .. } => "Measure angle".to_owned(),
            MeasurementShape::Ellipse { .. } => "Measure region".to_owned(),
        },
        Command::EditMeasurement { measurement: id, .. } => format!("Move {}", measurement(*id)),
        Command::RenameMeasurement { measurement: id, name } => format!("Rename {} to {name}", measurement(*id)),
        Command::ShowMeasurement { measurement: id, visible } => format!("{} {}", shown(*visible), measurement(*id)),
        Command::Together { commands } => {
            let mut labels = commands.iter().map(|command| label(document, command));
            match (labels.next(), commands.len()) {
                (Some(first), _) if matches!(commands[0], Command::SetSegmentCode { .. }) => first,
                (Some(first), 2..) => {
                    let verb = first.split(' ').next().unwrap_or_default();
                    format!("{verb} {} objects", commands.len())
                }
                (first, _) => first.unwrap_or_default(),
            }
        }
        Command::RemoveMeasurement { measurement: id } => format!("Delete {}", measurement(*id)),
    }
}

fn load_words(kind: &str, names: &[String]) -> String {
    match names {
        [name] => format!("Load {kind} {name}"),
        names => format!("Load {} {kind}s", names.len()),
    }
}
