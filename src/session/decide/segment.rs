//! Deciding commands about segments as a whole: adding, naming, showing, ordering, removing.

use crate::domain::mask::Mask;
use crate::domain::segmentation::{Segment, SegmentId, SegmentInfo, SegmentState};

use super::{free_name, usable_name};
use crate::session::change::{Change, Edit};
use crate::session::command::Command;
use crate::session::document::{Document, SegmentObject, VolumeId};
use crate::session::refusal::Refusal;

/// Colours that new segments get in turn: neighbours differ in hue and lightness, also for colour-blind eyes.
/// Source: Okabe and Ito 2008 (colours), with a bone tone first because bone is what is made first.
pub const PALETTE: [[u8; 3]; 8] = [
    [241, 214, 145],
    [213, 94, 0],
    [86, 180, 233],
    [0, 158, 115],
    [240, 228, 66],
    [204, 121, 167],
    [0, 114, 178],
    [230, 159, 0],
];

pub(super) fn decide_segment(document: &Document, command: &Command) -> Result<Change, Refusal> {
    match command {
        Command::AddSegment { volume, name, color } => add(document, *volume, name, *color),
        Command::RenameSegment { segment, name } => {
            let name = usable_name(name)?;
            describe(document, *segment, |info| info.name = name)
        }
        Command::RecolorSegment { segment, color } => describe(document, *segment, |info| info.color = *color),
        Command::ShowSegment { segment, visible } => describe(document, *segment, |info| info.visible = *visible),
        Command::SetSegmentOpacity { segment, opacity } => {
            if !opacity.is_finite() {
                return Err(Refusal::BadValue("an opacity lies between 0 and 1"));
            }
            describe(document, *segment, |info| info.opacity = opacity.clamp(0.0, 1.0))
        }
        Command::SetSegmentOutline { segment, outline } => {
            if !(0.0..=4.0).contains(outline) {
                return Err(Refusal::BadValue("an outline is at most four times as wide as usual"));
            }
            describe(document, *segment, |info| info.outline = *outline)
        }
        Command::LockSegment { segment, locked } => describe(document, *segment, |info| info.locked = *locked),
        Command::SetSegmentState { segment, state } => describe(document, *segment, |info| info.state = *state),
        Command::SetSegmentCode { segment, code } => {
            let code = code.clone();
            describe(document, *segment, |info| info.code = code)
        }
        Command::ReorderSegment { segment, index } => reorder(document, *segment, *index),
        Command::RemoveSegment { segment } => remove(document, *segment),
        Command::DuplicateSegment { segment } => duplicate(document, *segment),
        _ => unreachable!("only commands about segments come here"),
    }
}

fn index_of(document: &Document, id: SegmentId) -> Result<usize, Refusal> {
    document.segments().iter().position(|object| object.id() == id).ok_or(Refusal::NoSuchSegment)
}

fn is_taken(document: &Document) -> impl Fn(&str) -> bool {
    |name| document.segments().iter().any(|object| object.segment.info.name == name)
}

fn add(document: &Document, volume: VolumeId, name: &str, color: Option<[u8; 3]>) -> Result<Change, Refusal> {
    let grid = document.volume(volume).ok_or(Refusal::NoSuchVolume)?.head.grid;
    let name = usable_name(name).unwrap_or_else(|_| free_name("Segment", is_taken(document)));
    let info = SegmentInfo {
        name,
        code: None,
        side: None,
        color: color.unwrap_or_else(|| next_color(document)),
        visible: true,
        opacity: 0.25,
        outline: crate::domain::segmentation::USUAL_OUTLINE,
        locked: false,
        state: SegmentState::ToDo,
        made_by: Vec::new(),
    };
    let id = SegmentId(document.next_id());
    let segment = Segment { id, info, mask: Mask::empty(grid.dims()) };
    let revision = document.next_revision();
    let object = SegmentObject { volume, segment, revision, mask_revision: revision };
    Ok(Change::one(Edit::Segment { id, index: document.segments().len(), value: Some(Box::new(object)) }))
}

/// Adds segments that were read from a file, at the end of the list, with names that no other segment has.
pub(in crate::session) fn read_segments(
    document: &Document,
    volume: VolumeId,
    segments: Vec<(SegmentInfo, Mask)>,
) -> Result<(Command, Change), Refusal> {
    let dims = document.volume(volume).ok_or(Refusal::NoSuchVolume)?.head.grid.dims();
    if segments.is_empty() {
        return Err(Refusal::NoEffect("the file holds no segment"));
    }
    if segments.iter().any(|(_, mask)| mask.dims() != dims) {
        return Err(Refusal::BadValue("the segments are not on the grid of these images"));
    }
    let revision = document.next_revision();
    let mut names: Vec<String> = Vec::new();
    let mut edits = Vec::new();
    for (n, (info, mask)) in segments.into_iter().enumerate() {
        let taken = |name: &str| is_taken(document)(name) || names.iter().any(|other| other == name);
        let name = match usable_name(&info.name) {
            Ok(name) if taken(&name) => free_name(&name, taken),
            Ok(name) => name,
            Err(_) => free_name("Segment", taken),
        };
        let id = SegmentId(document.next_id() + n as u32);
        let info = SegmentInfo { name: name.clone(), ..info };
        names.push(name);
        let object = SegmentObject { volume, segment: Segment { id, info, mask }, revision, mask_revision: revision };
        edits.push(Edit::Segment { id, index: document.segments().len() + n, value: Some(Box::new(object)) });
    }
    Ok((Command::ReadSegments { volume, names }, Change { edits }))
}

/// The colour of the palette that the fewest segments have, first one first.
fn next_color(document: &Document) -> [u8; 3] {
    let uses =
        |color: &[u8; 3]| document.segments().iter().filter(|object| object.segment.info.color == *color).count();
    PALETTE.into_iter().min_by_key(uses).expect("the palette has colours")
}

fn describe(document: &Document, id: SegmentId, alter: impl FnOnce(&mut SegmentInfo)) -> Result<Change, Refusal> {
    let before = &document.segment(id).ok_or(Refusal::NoSuchSegment)?.segment.info;
    let mut info = before.clone();
    alter(&mut info);
    if info == *before {
        return Err(Refusal::NoEffect("the segment is as asked"));
    }
    Ok(Change::one(Edit::SegmentInfo { id, info: Box::new(info), revision: document.next_revision() }))
}

fn reorder(document: &Document, id: SegmentId, index: usize) -> Result<Change, Refusal> {
    let place = index_of(document, id)?;
    let index = index.min(document.segments().len() - 1);
    if place == index {
        return Err(Refusal::NoEffect("the segment is at this place"));
    }
    Ok(Change::one(Edit::SegmentPlace { id, index }))
}

fn remove(document: &Document, id: SegmentId) -> Result<Change, Refusal> {
    let index = index_of(document, id)?;
    let info = &document.segments()[index].segment.info;
    if info.locked {
        return Err(Refusal::Locked { name: info.name.clone() });
    }
    Ok(Change::one(Edit::Segment { id, index, value: None }))
}

fn duplicate(document: &Document, id: SegmentId) -> Result<Change, Refusal> {
    let place = index_of(document, id)?;
    let source = &document.segments()[place];
    let mut object = source.clone();
    object.segment.id = SegmentId(document.next_id());
    let word = format!("{} copy", source.segment.info.name);
    let taken = is_taken(document);
    object.segment.info.name = if taken(&word) { free_name(&word, taken) } else { word };
    object.segment.info.color = next_color(document);
    object.segment.info.locked = false;
    object.segment.info.made_by.push(format!("Copy of {}", source.segment.info.name));
    object.revision = document.next_revision();
    object.mask_revision = object.revision;
    Ok(Change::one(Edit::Segment { id: object.id(), index: place + 1, value: Some(Box::new(object)) }))
}
