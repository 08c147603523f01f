//! Several volumes of the case beside each other: which view shows which, and whether they move together.
//!
//! Space: patient (LPS, mm). Linked views share one crosshair, one pan and one zoom in patient space, whatever their grids
//! are: the same place of the patient lies at the same place of each view. Views that are not linked have a place for each
//! volume; that of the volume that is looked at stands in [`ViewState`] itself, those of the others here, so that everything
//! that works on the active volume works on its own place.
//!
//! Positions agree only within one frame of reference: volumes that say they have different ones are not linked until
//! somebody asks for it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::domain::color_map::ColorMap;
use crate::domain::plane::Plane;
use crate::domain::volume::Quantity;
use crate::session::document::{Document, VolumeId, VolumeObject};

use super::fusion::may_lie_over;
use super::{SliceView, ViewState};

/// Most views of volumes beside each other.
pub const MOST_SERIES: usize = 3;

/// A view that shows a volume of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesView {
    /// What it shows.
    pub volume: VolumeId,
    /// In which plane.
    pub plane: Plane,
    /// Whether what lies over the slices is seen in it too.
    #[serde(default)]
    pub fused: bool,
}

/// Where a volume is looked at while its view goes its own way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The point that its slice views go through.
    pub crosshair_in_patient: DVec3,
    /// Pan, zoom and turn of its slices.
    pub slices: [SliceView; 3],
}

/// Colours of the slices of one volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SliceColors {
    /// Colour map.
    pub map: ColorMap,
    /// From white to black.
    pub inverted: bool,
}

/// What is kept of volumes that stand beside the one that is looked at.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SideBySide {
    /// The views, from left to right.
    pub views: Vec<SeriesView>,
    /// The views do not move together.
    pub unlinked: bool,
    /// Places of the volumes that are not looked at, while the views are not linked.
    pub places: BTreeMap<VolumeId, Place>,
    /// Colours of the slices of the volumes that are not looked at.
    pub colors: BTreeMap<VolumeId, SliceColors>,
}

/// Whether positions in two volumes mean the same point of the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// One frame of reference.
    Same,
    /// At least one of them does not say.
    Unsaid,
    /// They name different frames of reference.
    Different,
}

/// Whether positions in two volumes agree, by what they say of themselves.
pub fn agreement(a: &VolumeObject, b: &VolumeObject) -> Agreement {
    let (first, second) = (&a.head.info.frame_of_reference_uid, &b.head.info.frame_of_reference_uid);
    match (first.is_empty() || second.is_empty(), first == second) {
        _ if a.id == b.id => Agreement::Same,
        (true, _) => Agreement::Unsaid,
        (false, true) => Agreement::Same,
        (false, false) => Agreement::Different,
    }
}

/// Whether positions in two volumes of a case may be drawn on each other: neither says that they do not agree.
pub fn may_share_space(document: &Document, a: VolumeId, b: VolumeId) -> bool {
    match (document.volume(a), document.volume(b)) {
        (Some(a), Some(b)) => agreement(a, b) != Agreement::Different,
        _ => a == b,
    }
}

impl ViewState {
    /// Colours of the slices of a volume.
    pub fn slice_colors(&self, volume: VolumeId) -> SliceColors {
        if self.active_volume == Some(volume) {
            return SliceColors { map: self.color_map, inverted: self.inverted };
        }
        self.beside.colors.get(&volume).copied().unwrap_or_default()
    }

    /// Everything as it is seen in a view of a volume: the place of that volume, its colours, no segment of another.
    pub fn seen_from(&self, volume: VolumeId) -> Cow<'_, Self> {
        if self.active_volume == Some(volume) {
            return Cow::Borrowed(self);
        }
        let mut seen = self.clone();
        seen.trade_places(volume);
        seen.active_segment = None;
        Cow::Owned(seen)
    }

    /// Changes the place and the colours of a volume, as if it were the one that is looked at.
    pub fn at_volume<R>(&mut self, volume: VolumeId, change: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.active_volume;
        self.trade_places(volume);
        let result = change(self);
        if let Some(before) = before {
            self.trade_places(before);
        }
        result
    }

    /// Puts the place and the colours of the active volume aside, and takes those of another.
    pub(super) fn trade_places(&mut self, next: VolumeId) {
        let Some(before) = self.active_volume else {
            if let Some(colors) = self.beside.colors.remove(&next) {
                (self.color_map, self.inverted) = (colors.map, colors.inverted);
            }
            self.active_volume = Some(next);
            return;
        };
        if before == next {
            return;
        }
        let colors = self.slice_colors(next);
        self.beside.colors.insert(before, SliceColors { map: self.color_map, inverted: self.inverted });
        self.beside.colors.remove(&next);
        (self.color_map, self.inverted) = (colors.map, colors.inverted);
        if self.beside.unlinked {
            let here = self.place();
            let there = self.beside.places.remove(&next).unwrap_or(here);
            self.beside.places.insert(before, here);
            (self.crosshair_in_patient, self.slices) = (there.crosshair_in_patient, there.slices);
        }
        self.active_volume = Some(next);
    }

    fn place(&self) -> Place {
        Place { crosshair_in_patient: self.crosshair_in_patient, slices: self.slices }
    }

    /// Lets the views move together from now on, or each for itself. They begin where they are.
    pub fn link(&mut self, linked: bool) {
        self.beside.unlinked = !linked;
        self.beside.places.clear();
    }

    /// Puts volumes beside each other, in this order; what was shown there before goes. Says whether their positions may be
    /// linked: not when they name different frames of reference or persons, then each view goes its own way.
    pub fn put_beside(&mut self, volumes: &[VolumeId], document: &Document) -> bool {
        let plane = self.beside.views.first().map_or(Plane::Axial, |view| view.plane);
        self.beside.views =
            volumes.iter().take(MOST_SERIES).map(|&volume| SeriesView { volume, plane, fused: false }).collect();
        let found: Vec<&VolumeObject> = volumes.iter().filter_map(|id| document.volume(*id)).collect();
        let one_body = |a: &VolumeObject, b: &VolumeObject| {
            agreement(a, b) != Agreement::Different && !a.head.info.is_of_another_person(&b.head.info)
        };
        let may_link = found.iter().all(|a| found.iter().all(|b| one_body(a, b)));
        self.link(may_link);
        if !may_link {
            self.part_places(document);
        }
        for object in found {
            self.meet(object);
        }
        may_link
    }

    /// Gives each volume that is shown beside another a place of its own: its middle.
    fn part_places(&mut self, document: &Document) {
        let others = self.beside.views.iter().map(|view| view.volume).filter(|id| Some(*id) != self.active_volume);
        for object in others.filter_map(|id| document.volume(id)).collect::<Vec<_>>() {
            let grid = &object.head.grid;
            let slices =
                Plane::ALL.map(|plane| SliceView::new(plane, DVec3::ZERO, 1.0).fitted(grid, glam::DVec2::splat(500.0)));
            let crosshair_in_patient = super::snap_to_slice(grid, grid.center_in_patient());
            self.beside.places.insert(object.id, Place { crosshair_in_patient, slices });
        }
    }

    /// Fills the views of a layout with as many volumes of the case: what they show already, then the volume that is looked
    /// at, then other phases of its series, then the others in order. Says whether they may be linked.
    pub fn fill_beside(&mut self, count: usize, document: &Document) -> bool {
        let there = |id: &VolumeId| document.volume(*id).is_some();
        let shown: Vec<VolumeId> = self.beside.views.iter().map(|view| view.volume).filter(there).collect();
        let series = |id: VolumeId| document.volume(id).map(|object| object.head.info.series_uid.as_str());
        let active = self.active_volume.and_then(series);
        let mut all: Vec<VolumeId> = document.volumes().iter().map(|object| object.id).collect();
        // Phases of one series first.
        all.sort_by_key(|id| series(*id) != active);
        let mut wanted: Vec<VolumeId> = Vec::new();
        for id in shown.iter().copied().chain(self.active_volume).chain(all) {
            if wanted.len() < count.min(MOST_SERIES) && !wanted.contains(&id) {
                wanted.push(id);
            }
        }
        // Views that are there already stay as they were set up.
        let is_set_up = self.beside.views.len() == count && shown.starts_with(&wanted);
        let may_link = is_set_up || self.put_beside(&wanted, document);
        self.fuse_beside(count, document);
        may_link
    }

    /// Where two volumes have three views, the third shows one over the other: PET beside CT beside both.
    fn fuse_beside(&mut self, count: usize, document: &Document) {
        let &[first, second] = self.beside.views.as_slice() else { return };
        let is_uptake =
            |view: SeriesView| document.volume(view.volume).is_some_and(|object| object.head.quantity == Quantity::Suv);
        let (below, over) = if is_uptake(first) && !is_uptake(second) { (second, first) } else { (first, second) };
        if count == 3 && may_lie_over(document, over.volume, below.volume) {
            self.beside.views.push(SeriesView { fused: true, ..below });
            self.lay_over(over.volume, document);
        }
    }

    /// Nothing of the volumes of a case that is left stays: another case gives out the same numbers again.
    pub fn leave_case(&mut self) {
        self.active_volume = None;
        self.active_segment = None;
        self.windows.clear();
        self.looks_aside.clear();
        self.colors_aside.clear();
        (self.color_map, self.inverted, self.fusion) = (ColorMap::default(), false, None);
        self.beside = SideBySide::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linked_volumes_share_a_place_and_keep_their_colours() {
        let mut view =
            ViewState { active_volume: Some(VolumeId(1)), color_map: ColorMap::Fire, ..ViewState::default() };
        view.at_volume(VolumeId(2), |other| {
            assert_eq!(other.color_map, ColorMap::Grey, "colours are each volume's own");
            other.inverted = true;
            other.crosshair_in_patient = DVec3::new(1.0, 2.0, 3.0);
        });
        assert_eq!((view.active_volume, view.color_map, view.inverted), (Some(VolumeId(1)), ColorMap::Fire, false));
        assert_eq!(view.crosshair_in_patient, DVec3::new(1.0, 2.0, 3.0), "the place is that of all");
        assert!(view.seen_from(VolumeId(2)).inverted && !view.seen_from(VolumeId(1)).inverted);
    }

    #[test]
    fn views_that_are_not_linked_go_their_own_way_and_begin_where_they_were() {
        let mut view = ViewState { active_volume: Some(VolumeId(1)), ..ViewState::default() };
        view.crosshair_in_patient = DVec3::X;
        view.link(false);
        view.at_volume(VolumeId(2), |other| {
            assert_eq!(other.crosshair_in_patient, DVec3::X);
            other.crosshair_in_patient = DVec3::Y;
            other.slices[0].mm_per_px = 0.1;
        });
        assert_eq!((view.crosshair_in_patient, view.slices[0].mm_per_px), (DVec3::X, 1.0));
        let seen = view.seen_from(VolumeId(2)).into_owned();
        assert_eq!((seen.crosshair_in_patient, seen.slices[0].mm_per_px), (DVec3::Y, 0.1));
        view.trade_places(VolumeId(2));
        assert_eq!(view.crosshair_in_patient, DVec3::Y, "looked at, it is where it was");
        assert_eq!(view.seen_from(VolumeId(1)).crosshair_in_patient, DVec3::X);
        view.link(true);
        assert_eq!(view.seen_from(VolumeId(1)).crosshair_in_patient, DVec3::Y, "linked again, all are there");
    }
}
