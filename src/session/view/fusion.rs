//! Another volume of the case over the slices of the one that is looked at: PET on CT above all.
//!
//! Space: patient (LPS, mm); what lies over a slice is sampled where the slice is. A volume that names another frame of
//! reference, or another person, is never laid over: its place would be a guess.

use serde::{Deserialize, Serialize};

use crate::domain::color_map::ColorMap;
use crate::domain::slice::FusionStyle;
use crate::domain::volume::Quantity;
use crate::domain::window::Window;
use crate::session::document::{Document, VolumeId, VolumeObject};

use super::ViewState;
use super::side_by_side::{Agreement, agreement};

/// How the two are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum FusionWay {
    /// One shines through the other.
    #[default]
    Blend,
    /// A divider that can be dragged: one at its left, the other at its right.
    Swipe,
    /// One after the other, in turns.
    Blink,
}

/// Seconds that each of the two is seen in turns.
pub const BLINK_SECS: f64 = 0.7;

/// What lies over the slices, and how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fusion {
    /// The volume.
    pub volume: VolumeId,
    /// Its window there.
    pub window: Window,
    /// Its colours there.
    pub color_map: ColorMap,
    /// How much it covers, 0 to 1.
    pub opacity: f32,
    /// How the two are told apart.
    pub way: FusionWay,
    /// Where the divider is, as a part of the view's width from the left.
    pub divider: f32,
    /// Whether it is seen.
    pub on: bool,
}

impl Fusion {
    /// The usual for what a volume measures. PET in fire from 0 to 5 SUV, low values clear (the range is that of OHIF's
    /// default PET preset); what has a radiation-like modality likewise over its own window; anything else grey by halves.
    pub fn usual(object: &VolumeObject) -> Self {
        let is_uptake =
            object.head.quantity == Quantity::Suv || ["PT", "NM"].contains(&object.head.info.modality.as_str());
        let window = super::default_window(&object.head.info.windows, &object.volume);
        Self {
            volume: object.id,
            window,
            color_map: if is_uptake { ColorMap::Fire } else { ColorMap::Grey },
            opacity: if is_uptake { 0.6 } else { 0.5 },
            way: FusionWay::Blend,
            divider: 0.5,
            on: true,
        }
    }

    /// How a slice draws it; `None` while it is the other one's turn. `now_secs` is any clock.
    pub fn style(&self, now_secs: f64) -> Option<FusionStyle> {
        let its_turn = (now_secs / BLINK_SECS).rem_euclid(2.0) >= 1.0;
        let alone =
            FusionStyle { window: self.window, color_map: self.color_map, opacity: 1.0, fades: false, from: 0.0 };
        match self.way {
            FusionWay::Blend => {
                // Grey has no end that means nothing: black is a value too.
                let fades = self.color_map != ColorMap::Grey;
                Some(FusionStyle { opacity: self.opacity, fades, ..alone })
            }
            FusionWay::Swipe => Some(FusionStyle { from: self.divider, ..alone }),
            FusionWay::Blink => its_turn.then_some(alone),
        }
    }
}

/// Whether a volume may lie over another: same body, no other frame of reference.
pub fn may_lie_over(document: &Document, over: VolumeId, below: VolumeId) -> bool {
    match (document.volume(over), document.volume(below)) {
        (Some(over), Some(below)) => {
            over.id != below.id
                && agreement(over, below) != Agreement::Different
                && !over.head.info.is_of_another_person(&below.head.info)
        }
        _ => false,
    }
}

impl ViewState {
    /// What lies over the slices of a volume now.
    pub fn fusion_over(&self, below: VolumeId, document: &Document) -> Option<Fusion> {
        self.fusion.filter(|fusion| fusion.on && may_lie_over(document, fusion.volume, below))
    }

    /// Lays a volume over the others, as it was laid before, else as usual.
    pub fn lay_over(&mut self, volume: VolumeId, document: &Document) {
        let before = self.fusion.filter(|fusion| fusion.volume == volume);
        let usual = || document.volume(volume).map(Fusion::usual);
        self.fusion = before.map(|fusion| Fusion { on: true, ..fusion }).or_else(usual);
    }

    /// Shows or hides what lies over the slices; the first time it is the volume that lies over others most often, PET, else
    /// the next of the case. Says whether there was one that may lie over the active one.
    pub fn toggle_fusion(&mut self, document: &Document) -> bool {
        let Some(below) = self.active_volume else { return false };
        if let Some(fusion) = &mut self.fusion
            && may_lie_over(document, fusion.volume, below)
        {
            fusion.on = !fusion.on;
            return true;
        }
        self.fuse_first(below, document)
    }

    /// Lays over a volume what lies over others most often, PET, else the next of the case. Says whether there was one.
    pub fn fuse_first(&mut self, below: VolumeId, document: &Document) -> bool {
        let fitting = document.volumes().iter().filter(|object| may_lie_over(document, object.id, below));
        let chosen = fitting.min_by_key(|object| object.head.quantity != Quantity::Suv).map(|object| object.id);
        if let Some(chosen) = chosen {
            self.lay_over(chosen, document);
        }
        chosen.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swipe_shows_the_other_image_itself_and_a_blink_takes_turns() {
        let fusion = Fusion {
            volume: VolumeId(2),
            window: Window::new(5.0, 2.5),
            color_map: ColorMap::Fire,
            opacity: 0.6,
            way: FusionWay::Blend,
            divider: 0.3,
            on: true,
        };
        let blend = fusion.style(0.0).expect("seen");
        assert!(blend.fades && blend.opacity == 0.6 && blend.from == 0.0);
        assert!(!Fusion { color_map: ColorMap::Grey, ..fusion }.style(0.0).expect("seen").fades);
        let swipe = Fusion { way: FusionWay::Swipe, ..fusion }.style(0.0).expect("seen");
        assert!(!swipe.fades && swipe.opacity == 1.0 && swipe.from == 0.3);
        let blink = Fusion { way: FusionWay::Blink, ..fusion };
        let turns = [0.1, 0.9, 1.5, 2.3].map(|part| blink.style(part * BLINK_SECS).is_some());
        assert_eq!(turns, [false, false, true, false]);
    }
}
