//! Commands on how slices and the 3D picture are drawn: they change the case's view state and nothing else.

use super::MaquetteApp;
use super::commands::CommandId;
use crate::session::view::Interpolation;

/// Told when six planes cut already.
const NO_ROOM: &str = "Six planes cut at most, and a slab counts for two. Remove a cut first.";

/// Told when nothing may lie over the slices.
const NOTHING_OVER: &str = "No other series of the case has the same patient and frame of reference as this one.";

impl MaquetteApp {
    /// Runs a command on how things are drawn; false when it is none.
    pub(in crate::app) fn run_look_command(&mut self, id: CommandId) -> bool {
        if let CommandId::ToggleFusion | CommandId::FusionWay(_) = id {
            self.run_fusion_command(id);
            return true;
        }
        // Colours are each volume's own: those of the view under the hand are meant.
        if let (CommandId::Invert | CommandId::Colors(_), Some(volume)) =
            (id, self.viewports.volume_under_hand(&self.session))
        {
            self.session.view.at_volume(volume, |view| match id {
                CommandId::Colors(map) => view.color_map = map,
                _ => view.inverted ^= true,
            });
            return true;
        }
        let view = &mut self.session.view;
        let has_room = match id {
            CommandId::ToggleInterpolation => {
                view.interpolation = match view.interpolation {
                    Interpolation::Linear | Interpolation::Cubic => Interpolation::Nearest,
                    Interpolation::Nearest => Interpolation::Linear,
                };
                true
            }
            CommandId::Interpolation(interpolation) => {
                view.interpolation = interpolation;
                true
            }
            CommandId::Mode(blend) => {
                view.look.blend = Some(blend);
                true
            }
            CommandId::ToggleParallel => {
                view.camera = view.camera.in_parallel(!view.camera.is_parallel());
                true
            }
            CommandId::TogglePlanes => {
                view.planes_in_3d ^= true;
                true
            }
            CommandId::StraightenPlanes => {
                view.straighten_planes();
                true
            }
            CommandId::LinkViews => {
                view.link(view.beside.unlinked);
                true
            }
            CommandId::LockPlanes => {
                view.lock_planes(!view.planes_locked);
                true
            }
            CommandId::ResetTransfer => {
                (view.look.edited, view.look.shift) = (None, 0.0);
                true
            }
            CommandId::AddCut(plane) => view.add_cut(plane),
            CommandId::CutSlab(plane) => view.toggle_cut_slab(plane),
            CommandId::RemoveCuts => {
                view.look.cuts.clear();
                view.look.slab = None;
                true
            }
            _ => return false,
        };
        if !has_room {
            self.notices.warn(NO_ROOM);
        }
        true
    }

    /// Commands on what lies over the slices; a way to see it brings it up.
    fn run_fusion_command(&mut self, id: CommandId) {
        let document = self.session.document().clone();
        let view = &mut self.session.view;
        let is_seen = view.active_volume.is_some_and(|below| view.fusion_over(below, &document).is_some());
        let could = match id {
            CommandId::FusionWay(_) if is_seen => true,
            _ => view.toggle_fusion(&document),
        };
        if let (CommandId::FusionWay(way), Some(fusion)) = (id, &mut view.fusion) {
            fusion.way = way;
        }
        if !could {
            self.notices.warn(NOTHING_OVER);
        }
    }

    /// Whether such a command is a choice, and chosen.
    pub(in crate::app) fn look_is_on(&self, id: CommandId) -> Option<bool> {
        let view = &self.session.view;
        match id {
            CommandId::Invert => Some(view.inverted),
            CommandId::ToggleInterpolation => Some(view.interpolation != Interpolation::Nearest),
            CommandId::Interpolation(interpolation) => Some(view.interpolation == interpolation),
            CommandId::Colors(map) => Some(view.color_map == map),
            CommandId::Mode(blend) => Some(view.blend() == blend),
            CommandId::ToggleParallel => Some(view.camera.is_parallel()),
            CommandId::TogglePlanes => Some(view.planes_in_3d),
            CommandId::ToggleFusion => Some(view.fusion.is_some_and(|fusion| fusion.on)),
            CommandId::FusionWay(way) => Some(view.fusion.is_some_and(|fusion| fusion.on && fusion.way == way)),
            CommandId::LinkViews => Some(!view.beside.unlinked),
            CommandId::LockPlanes => Some(view.planes_locked),
            CommandId::CutSlab(plane) => Some(view.look.slab.is_some_and(|slab| slab.plane == plane)),
            _ => None,
        }
    }
}
