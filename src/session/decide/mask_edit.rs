//! Deciding edits of a segment's voxels: `ops::segment` computes what changes within the edit rule, as a delta.

use crate::domain::mask::components::Connectivity;
use crate::domain::mask::holes::HoleScope;
use crate::domain::mask::limits::EditLimits;
use crate::domain::mask::scissors::{CutSide, Scissors, Slab};
use crate::domain::mask::stamp;
use crate::domain::mask::threshold::ValueRange;
use crate::domain::mask::{Mask, MaskDelta};
use crate::domain::segmentation::{SegmentId, SegmentState};
use crate::domain::volume::Volume;
use crate::ops::segment::{self, Combination, SegmentError, Subject};
use crate::session::change::{Change, Edit};
use crate::session::command::{BooleanOp, Brush, BrushShape, Combine, EditRule, MaskEdit};
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
    let delta = mask_delta(document, object, edit, rule, progress)?;
    delta_change(document, object, delta, edit, rule)
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

/// What an edit changes in a segment's mask, within the rule.
pub(in crate::session) fn mask_delta(
    document: &Document,
    object: &SegmentObject,
    edit: &MaskEdit,
    rule: EditRule,
    progress: &Progress,
) -> Result<MaskDelta, Refusal> {
    let volume = &document.volume(object.volume).ok_or(Refusal::NoSuchVolume)?.volume;
    let protected: Vec<&Mask> = if rule.protect_others {
        let others = document.segments_of(object.volume).filter(|other| other.id() != object.id());
        others.map(|other| &other.segment.mask).filter(|mask| !mask.is_empty()).collect()
    } else {
        Vec::new()
    };
    let values = rule.only_within.map(|(lower, upper)| (&**volume, ValueRange::new(lower, upper)));
    let limits = EditLimits { values, protected: &protected };
    let subject = Subject { mask: &object.segment.mask, volume, limits };
    compute(document, object, &subject, edit, progress)
}

fn compute(
    document: &Document,
    object: &SegmentObject,
    subject: &Subject<'_>,
    edit: &MaskEdit,
    progress: &Progress,
) -> Result<MaskDelta, Refusal> {
    let faces = Connectivity::Faces;
    Ok(match edit {
        MaskEdit::Threshold { lower, upper, combine } => {
            if !(lower <= upper && lower.is_finite() && upper.is_finite()) {
                return Err(Refusal::BadValue("the lower threshold must not be above the upper one"));
            }
            segment::threshold(subject, ValueRange::new(*lower, *upper), combination(*combine), progress)?
        }
        MaskEdit::Stroke { points_in_patient, brush } => {
            let (brush, add) = brush_of(*brush)?;
            segment::paint(subject, points_in_patient, brush, add)
        }
        MaskEdit::Scissors { outline_in_ndc, clip_from_patient, cut_inside, half_depth_mm, fill } => {
            let slab = half_depth_mm.map(|half| slab_of(*clip_from_patient, half)).transpose()?;
            let cut = Scissors {
                outline_in_ndc: outline_in_ndc.clone(),
                clip_from_patient: *clip_from_patient,
                side: if *cut_inside { CutSide::Inside } else { CutSide::Outside },
                edit: if *fill { stamp::Edit::Add } else { stamp::Edit::Erase },
                slab,
            };
            segment::scissors(subject, &cut, progress)?
        }
        MaskEdit::KeepLargest => segment::keep_largest(subject, faces, progress)?,
        MaskEdit::RemovePart { point_in_patient } => {
            let voxel = voxel_at(subject.volume, *point_in_patient).ok_or(SegmentError::NothingThere)?;
            segment::remove_part_at(subject, voxel, faces, progress)?
        }
        MaskEdit::RemoveSmall { min_volume_mm3 } => {
            if !(min_volume_mm3.is_finite() && *min_volume_mm3 > 0.0) {
                return Err(Refusal::BadValue("the smallest volume must be above 0 mm3"));
            }
            segment::remove_small(subject, *min_volume_mm3, faces, progress)?
        }
        MaskEdit::FillHoles => segment::fill_holes(subject, HoleScope::Volume, progress)?,
        MaskEdit::Margin { distance_mm } => {
            if !(distance_mm.is_finite() && *distance_mm != 0.0 && distance_mm.abs() <= 200.0) {
                return Err(Refusal::BadValue("a margin lies between -200 and 200 mm and is not 0"));
            }
            segment::margin(subject, *distance_mm, progress)?
        }
        MaskEdit::Boolean { op: BooleanOp::Invert, .. } => segment::invert(subject),
        MaskEdit::Boolean { op, other } => {
            let other = document.segment(*other).ok_or(Refusal::NoSuchSegment)?;
            if other.volume != object.volume {
                return Err(Refusal::OtherGrid { name: other.segment.info.name.clone() });
            }
            let how = match op {
                BooleanOp::Copy | BooleanOp::Invert => Combination::Replace,
                BooleanOp::Union => Combination::Union,
                BooleanOp::Subtract => Combination::Difference,
                BooleanOp::Intersect => Combination::Intersection,
            };
            // The other segment is named on purpose, so it does not protect itself.
            segment::combine(&unprotected_from(subject, &other.segment.mask), &other.segment.mask, how)
        }
        MaskEdit::Clear => segment::combine(subject, &Mask::empty(subject.mask.dims()), Combination::Replace),
    })
}

/// The subject without limits by other segments, when `other` is among those that protect themselves.
fn unprotected_from<'a>(subject: &Subject<'a>, other: &Mask) -> Subject<'a> {
    let named = subject.limits.protected.iter().any(|mask| std::ptr::eq(*mask, other));
    if named { Subject { limits: EditLimits { protected: &[], ..subject.limits }, ..*subject } } else { *subject }
}

fn combination(combine: Combine) -> Combination {
    match combine {
        Combine::Replace => Combination::Replace,
        Combine::Add => Combination::Union,
        Combine::Subtract => Combination::Difference,
        Combine::Intersect => Combination::Intersection,
    }
}

fn brush_of(brush: Brush) -> Result<(stamp::Brush, stamp::Edit), Refusal> {
    if !(brush.radius_mm.is_finite() && brush.radius_mm > 0.0) {
        return Err(Refusal::BadValue("a brush needs a radius above 0 mm"));
    }
    let shape = match brush.shape {
        BrushShape::Sphere => stamp::BrushShape::Sphere,
        BrushShape::Disc(plane) => stamp::BrushShape::Disc { normal_in_patient: plane.normal_in_patient() },
        BrushShape::TiltedDisc { normal_in_patient } => {
            let normal_in_patient = normal_in_patient.try_normalize();
            let normal_in_patient = normal_in_patient.ok_or(Refusal::BadValue("a disc needs a direction"))?;
            stamp::BrushShape::Disc { normal_in_patient }
        }
    };
    let edit = if brush.erase { stamp::Edit::Erase } else { stamp::Edit::Add };
    Ok((stamp::Brush { shape, radius_mm: brush.radius_mm }, edit))
}

/// The slab around the middle depth of a view: there a slice view has its slice.
fn slab_of(clip_from_patient: glam::DMat4, half_thickness_mm: f64) -> Result<Slab, Refusal> {
    let patient_from_clip = clip_from_patient.inverse();
    let [near, center_in_patient, far] =
        [0.0, 0.5, 1.0].map(|depth| patient_from_clip.project_point3(glam::DVec3::new(0.0, 0.0, depth)));
    let normal = (far - near).try_normalize();
    let usable = half_thickness_mm.is_finite() && half_thickness_mm > 0.0 && center_in_patient.is_finite();
    let normal_in_patient = normal.filter(|_| usable).ok_or(Refusal::BadValue("the cut needs a depth above 0 mm"))?;
    Ok(Slab { center_in_patient, normal_in_patient, half_thickness_mm })
}

/// The voxel that holds a point.
fn voxel_at(volume: &Volume, point_in_patient: glam::DVec3) -> Option<[u32; 3]> {
    let dims = volume.grid().dims();
    let voxel = volume.grid().voxel_from_patient().transform_point3(point_in_patient).round();
    let inside = (0..3).all(|axis| voxel[axis] >= 0.0 && voxel[axis] < f64::from(dims[axis]));
    inside.then_some([voxel.x as u32, voxel.y as u32, voxel.z as u32])
}

impl From<SegmentError> for Refusal {
    fn from(error: SegmentError) -> Self {
        match error {
            SegmentError::Cancelled(_) => Self::Cancelled,
            nothing @ SegmentError::NothingThere => Self::Failed(nothing.to_string()),
        }
    }
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
    let dims = object.segment.mask.dims();
    let mut edits = vec![Edit::SegmentMask { id: object.id(), dims, delta, revision }];
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
