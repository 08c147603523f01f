//! Gestures: a stroke shows in the document while the button is down and becomes one undo step at release.
//!
//! In: mask deltas, dab by dab, computed by the tool through `ops::segment`. Out: at release one change from the mask
//! before the stroke to the mask after it, with a command that carries the whole stroke; on abort the mask and its
//! revision as they were. Each dab gets a revision of its own, so caches see it.

use glam::DVec3;

use crate::domain::mask::{Mask, MaskDelta};
use crate::domain::segmentation::SegmentId;
use crate::task::Progress;

use super::Session;
use super::change::{Change, Edit, Touched};
use super::command::{Brush, Command, EditRule, MaskEdit};
use super::decide;
use super::document::{Document, Revision};
use super::refusal::Refusal;

/// A stroke under way.
#[derive(Debug)]
pub struct Gesture {
    segment: SegmentId,
    mask_before: Mask,
    revision_before: Revision,
}

impl Gesture {
    /// Begins a stroke on a segment.
    ///
    /// # Errors
    /// When the segment is gone or locked.
    pub fn begin(document: &Document, segment: SegmentId) -> Result<Self, Refusal> {
        let object = document.segment(segment).ok_or(Refusal::NoSuchSegment)?;
        if object.segment.info.locked {
            return Err(Refusal::Locked { name: object.segment.info.name.clone() });
        }
        Ok(Self { segment, mask_before: object.segment.mask.clone(), revision_before: object.mask_revision })
    }

    /// The segment it changes.
    pub fn segment(&self) -> SegmentId {
        self.segment
    }

    /// The mask before the stroke.
    pub fn mask_before(&self) -> &Mask {
        &self.mask_before
    }

    /// Shows one dab in the document.
    pub(in crate::session) fn dab(&self, document: &mut Document, delta: MaskDelta) -> Vec<Touched> {
        if delta.bricks.is_empty() {
            return Vec::new();
        }
        let revision = document.next_revision();
        let dims = self.mask_before.dims();
        let change = Change::one(Edit::SegmentMask { id: self.segment, dims, delta, revision });
        let touched = change.touched();
        let _inverse = change.apply(document);
        touched
    }

    /// Puts everything back.
    pub(in crate::session) fn abort(self, document: &mut Document) -> Vec<Touched> {
        let Some(object) = document.segment(self.segment) else { return Vec::new() };
        let delta = object.segment.mask.delta_to(&self.mask_before);
        let (dims, revision) = (self.mask_before.dims(), self.revision_before);
        let change = Change::one(Edit::SegmentMask { id: self.segment, dims, delta, revision });
        let touched = change.touched();
        let _inverse = change.apply(document);
        touched
    }

    /// Puts the mask back as it was before and returns the delta of the whole stroke, to be applied as one change.
    pub(in crate::session) fn finish(self, document: &mut Document) -> MaskDelta {
        let Some(object) = document.segment(self.segment) else { return MaskDelta::default() };
        let delta = self.mask_before.delta_to(&object.segment.mask);
        let _touched = self.abort(document);
        delta
    }
}

impl Session {
    /// Begins a stroke on a segment.
    ///
    /// # Errors
    /// When the segment is gone, locked or busy, or another stroke is under way.
    pub fn begin_gesture(&mut self, segment: SegmentId) -> Result<(), Refusal> {
        self.check_segment_free(segment)?;
        if self.gesture.is_some() {
            return Err(Refusal::InGesture);
        }
        self.gesture = Some(Gesture::begin(&self.document, segment)?);
        Ok(())
    }

    /// Shows one dab of the stroke in the document. Returns whether a stroke is under way.
    pub fn dab(&mut self, delta: MaskDelta) -> bool {
        let Some(gesture) = &self.gesture else { return false };
        self.touched.extend(gesture.dab(&mut self.document, delta));
        true
    }

    /// Goes on with the stroke under way: along a path of points in patient space (one point is a dab).
    ///
    /// # Errors
    /// When no stroke is under way, or the brush has no size.
    pub fn stroke(&mut self, path_in_patient: &[DVec3], brush: Brush, rule: EditRule) -> Result<(), Refusal> {
        let gesture = self.gesture.as_ref().ok_or(Refusal::NoEffect("no stroke is under way"))?;
        let object = self.document.segment(gesture.segment).ok_or(Refusal::NoSuchSegment)?;
        let edit = MaskEdit::Stroke { points_in_patient: path_in_patient.to_vec(), brush };
        let delta = decide::mask_delta(&self.document, object, &edit, rule, &Progress::new())?;
        self.dab(delta);
        Ok(())
    }

    /// The stroke under way.
    pub fn gesture(&self) -> Option<&Gesture> {
        self.gesture.as_ref()
    }

    /// Ends the stroke: it becomes one step. The edit carries the parameters of the whole stroke.
    ///
    /// # Errors
    /// When no stroke is under way or no voxel was changed; then there is no step.
    pub fn end_gesture(&mut self, edit: MaskEdit, rule: EditRule) -> Result<(), Refusal> {
        let gesture = self.gesture.take().ok_or(Refusal::NoEffect("no stroke is under way"))?;
        let segment = gesture.segment();
        let delta = gesture.finish(&mut self.document);
        let change = decide::decide_delta(&self.document, segment, delta, &edit, rule)?;
        self.perform(Command::EditMask { segment, edit, rule }, change);
        Ok(())
    }

    /// Aborts the stroke and restores what was there. Returns whether one was under way.
    pub fn abort_gesture(&mut self) -> bool {
        let Some(gesture) = self.gesture.take() else { return false };
        self.touched.extend(gesture.abort(&mut self.document));
        true
    }
}
