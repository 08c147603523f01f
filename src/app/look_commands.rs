//! Commands on how slices and the 3D picture are drawn: they change the case's view state and nothing else.

use super::MaquetteApp;
use super::commands::CommandId;
use crate::session::view::Interpolation;

/// Told when six planes cut already.
const NO_ROOM: &str = "Six planes cut at most, and a slab counts for two. Remove a cut first.";

impl MaquetteApp {
    /// Runs a command on how things are drawn; false when it is none.
    pub(in crate::app) fn run_look_command(&mut self, id: CommandId) -> bool {
        let view = &mut self.session.view;
        let has_room = match id {
            CommandId::Invert => {
                view.inverted ^= true;
                true
            }
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
            CommandId::Colors(map) => {
                view.color_map = map;
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
            CommandId::LinkViews => Some(!view.beside.unlinked),
            CommandId::LockPlanes => Some(view.planes_locked),
            CommandId::CutSlab(plane) => Some(view.look.slab.is_some_and(|slab| slab.plane == plane)),
            _ => None,
        }
    }
}
