//! Gestures: a stroke shows in the document while the button is down and becomes one undo step at release.
//!
//! In: mask deltas, dab by dab, computed by the tool through `ops::segment`. Out: at release one change from the mask
//! before the stroke to the mask after it, with a command that carries the whole stroke; on abort the mask and its
//! revision as they were. Each dab gets a revision of its own, so caches see it.

use crate::domain::mask::{Mask, MaskDelta};
use crate::domain::segmentation::SegmentId;

use super::change::{Change, Edit, Touched};
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
