//! Deciding edits of a segment's voxels: the new mask is computed, bounded by the edit rule, and kept as a delta.

use crate::domain::mask::{Mask, MaskDelta};
use crate::domain::segmentation::{SegmentId, SegmentState};
use crate::domain::volume::Volume;
use crate::session::change::{Change, Edit};
use crate::session::command::{BooleanOp, Combine, EditRule, MaskEdit};
use crate::session::document::{Document, Revision, SegmentObject};
use crate::session::refusal::Refusal;
use crate::task::Progress;

pub(super) fn decide_mask_edit(
    document: &Document,
    id: SegmentId,
    edit: &MaskEdit,
    rule: EditRule,
    progress: &Progress,
) -> Result<Change, Refusal> {
    let object = document.segment(id).ok_or(Refusal::NoSuchSegment)?;
    if object.segment.info.locked {
        return Err(Refusal::Locked { name: object.segment.info.name.clone() });
    }
    let volume = &document.volume(object.volume).ok_or(Refusal::NoSuchVolume)?.volume;
    let wanted = edited(document, object, volume, edit, progress)?;
    let bounded = bound(document, object, volume, wanted, rule);
    mask_change(document, object, &bounded, edit, rule)
}

/// The change from the mask that the segment has to `target`, with the step noted in the segment's description.
fn mask_change(
    document: &Document,
    object: &SegmentObject,
    target: &Mask,
    edit: &MaskEdit,
    rule: EditRule,
) -> Result<Change, Refusal> {
    delta_change(document, object, object.segment.mask.delta_to(target), edit, rule)
}

/// The change of a delta that is already known (a stroke that was shown while it was drawn).
pub(in crate::session) fn decide_delta(
    document: &Document,
    id: SegmentId,
    delta: MaskDelta,
    edit: &MaskEdit,
    rule: EditRule,
) -> Result<Change, Refusal> {
    delta_change(document, document.segment(id).ok_or(Refusal::NoSuchSegment)?, delta, edit, rule)
}

fn delta_change(
    document: &Document,
    object: &SegmentObject,
    delta: MaskDelta,
    edit: &MaskEdit,
    rule: EditRule,
) -> Result<Change, Refusal> {
    if delta.bricks.is_empty() {
        return Err(Refusal::NoEffect("no voxel is different"));
    }
    let revision = document.next_revision();
    let mut edits = vec![Edit::SegmentMask { id: object.id(), dims: object.segment.mask.dims(), delta, revision }];
    let unit = document.volume(object.volume).map_or("", |volume| volume.head.quantity.unit());
    edits.extend(note_step(object, edit, rule, unit, revision));
    Ok(Change { edits })
}

/// Notes the step in the segment's description; a run of equal steps (strokes) is noted once.
fn note_step(object: &SegmentObject, edit: &MaskEdit, rule: EditRule, unit: &str, revision: Revision) -> Option<Edit> {
    let mut info = object.segment.info.clone();
    let words = made_by_words(edit, rule, unit);
    if info.made_by.last() != Some(&words) {
        info.made_by.push(words);
    }
    if info.state == SegmentState::ToDo {
        info.state = SegmentState::InWork;
    }
    (info != object.segment.info).then(|| Edit::SegmentInfo { id: object.id(), info: Box::new(info), revision })
}

/// The edit in words, with its parameters, for "how was this made".
pub fn made_by_words(edit: &MaskEdit, rule: EditRule, unit: &str) -> String {
    let step = match edit {
        MaskEdit::Threshold { lower, upper, .. } => format!("Threshold {lower}...{upper} {unit}"),
        MaskEdit::Stroke { brush, .. } if brush.erase => "Erase".to_owned(),
        MaskEdit::Stroke { .. } => "Paint".to_owned(),
        MaskEdit::Scissors { .. } => "Scissors".to_owned(),
        MaskEdit::KeepLargest => "Keep largest part".to_owned(),
        MaskEdit::RemovePart { .. } => "Remove part".to_owned(),
        MaskEdit::RemoveSmall { min_volume_mm3 } => format!("Remove parts under {min_volume_mm3} mm3"),
        MaskEdit::FillHoles => "Fill holes".to_owned(),
        MaskEdit::Margin { distance_mm } if *distance_mm < 0.0 => format!("Shrink {} mm", -distance_mm),
        MaskEdit::Margin { distance_mm } => format!("Grow {distance_mm} mm"),
        MaskEdit::Boolean { op, .. } => match op {
            BooleanOp::Copy => "Copy segment",
            BooleanOp::Union => "Add segment",
            BooleanOp::Subtract => "Subtract segment",
            BooleanOp::Intersect => "Intersect with segment",
            BooleanOp::Invert => "Invert",
        }
        .to_owned(),
        MaskEdit::Clear => "Clear".to_owned(),
    };
    let step = step.trim_end().to_owned();
    match rule.only_within {
        Some((lower, upper)) => format!("{step}, only within {lower}...{upper} {unit}").trim_end().to_owned(),
        None => step,
    }
}

/// The mask that the edit asks for, before the rule bounds it.
fn edited(
    document: &Document,
    object: &SegmentObject,
    volume: &Volume,
    edit: &MaskEdit,
    progress: &Progress,
) -> Result<Mask, Refusal> {
    let mask = &object.segment.mask;
    match edit {
        MaskEdit::Threshold { lower, upper, combine } => {
            if !(lower <= upper && lower.is_finite() && upper.is_finite()) {
                return Err(Refusal::BadValue("the lower threshold must not be above the upper one"));
            }
            progress.phase("Threshold");
            progress.check()?;
            let found = within(volume, *lower, *upper);
            Ok(match combine {
                Combine::Replace => found,
                Combine::Add => mask.combined(&found, |a, b| a | b),
                Combine::Subtract => mask.combined(&found, |a, b| a & !b),
                Combine::Intersect => mask.combined(&found, |a, b| a & b),
            })
        }
        MaskEdit::Boolean { op, other } => boolean(document, object, *op, *other),
        MaskEdit::Clear => Ok(Mask::empty(mask.dims())),
        _ => Err(Refusal::BadValue("this edit is not available yet")),
    }
}

fn within(volume: &Volume, lower: f64, upper: f64) -> Mask {
    let (samples, grid) = (volume.samples(), volume.grid());
    let dims = grid.dims();
    let Some((low, high)) = volume.rescale().sample_range(lower, upper) else { return Mask::empty(dims) };
    Mask::from_row_words(dims, |bi, j, k| {
        let first = bi * 32;
        let start = grid.index(first, j, k);
        let row = &samples[start..start + 32.min(dims[0] - first) as usize];
        row.iter().enumerate().fold(0, |word, (bit, s)| word | u32::from((low..=high).contains(s)) << bit)
    })
}

fn boolean(document: &Document, object: &SegmentObject, op: BooleanOp, other: SegmentId) -> Result<Mask, Refusal> {
    let mask = &object.segment.mask;
    if op == BooleanOp::Invert {
        return Ok(mask.combined(mask, |a, _| !a));
    }
    let other = document.segment(other).ok_or(Refusal::NoSuchSegment)?;
    if other.volume != object.volume {
        return Err(Refusal::OtherGrid { name: other.segment.info.name.clone() });
    }
    let other = &other.segment.mask;
    Ok(match op {
        BooleanOp::Copy => other.clone(),
        BooleanOp::Union => mask.combined(other, |a, b| a | b),
        BooleanOp::Subtract => mask.combined(other, |a, b| a & !b),
        BooleanOp::Intersect => mask.combined(other, |a, b| a & b),
        BooleanOp::Invert => unreachable!("handled above"),
    })
}

/// Takes back what the rule does not allow: voxels of other segments, and voxels outside the value range.
fn bound(document: &Document, object: &SegmentObject, volume: &Volume, wanted: Mask, rule: EditRule) -> Mask {
    let before = &object.segment.mask;
    let mut result = wanted;
    if let Some((lower, upper)) = rule.only_within {
        let allowed = within(volume, lower, upper);
        let changeable = result.combined(&allowed, |wanted, allowed| wanted & allowed);
        let kept = before.combined(&allowed, |before, allowed| before & !allowed);
        result = changeable.combined(&kept, |a, b| a | b);
    }
    if rule.protect_others {
        for other in document.segments_of(object.volume).filter(|other| other.id() != object.id()) {
            if !other.segment.mask.is_empty() {
                let added = result.combined(before, |after, before| after & !before);
                let taken = added.combined(&other.segment.mask, |added, other| added & other);
                result = result.combined(&taken, |result, taken| result & !taken);
            }
        }
    }
    result
}
