//! How the 3D view draws its volume beyond the preset: way of drawing, value of the surface, shift, edited colours, cuts.
//!
//! Space: patient (LPS, mm); values are those of the volume. The preset's name stands in [`super::ViewState`]; what is said
//! here comes on top of it, and goes when another preset is chosen. Kept with the case file like all of the view.

use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::domain::clip::{ClipPlane, ClipPlanes, MAX_CLIP_PLANES};
use crate::domain::plane::Plane;
use crate::domain::projection::ramp_for;
use crate::domain::transfer::{Blend, TransferFunction, default_for, fitted_to, preset};
use crate::domain::volume::Volume;

use super::{FIRST_SLAB_MM, ViewState};

/// A plane that cuts the volume in 3D.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    /// Where its handle is, mm.
    pub through_in_patient: DVec3,
    /// Unit vector toward what stays.
    pub normal_in_patient: DVec3,
    /// Whether it cuts.
    pub on: bool,
}

impl Cut {
    /// The plane; `None` when the normal has no length.
    pub fn plane(&self) -> Option<ClipPlane> {
        ClipPlane::through(self.through_in_patient, self.normal_in_patient)
    }

    /// Position along the normal, mm from the patient's origin.
    pub fn position_mm(&self) -> f64 {
        self.through_in_patient.dot(self.normal_in_patient)
    }

    /// Moved along its normal to a position.
    #[must_use]
    pub fn at_position(self, position_mm: f64) -> Self {
        let moved_mm = position_mm - self.position_mm();
        Self { through_in_patient: self.through_in_patient + self.normal_in_patient * moved_mm, ..self }
    }

    /// The other side stays.
    #[must_use]
    pub fn flipped(self) -> Self {
        Self { normal_in_patient: -self.normal_in_patient, ..self }
    }
}

/// Only a slab around a slice view's plane is drawn in 3D; it follows the plane.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CutSlab {
    /// The slice view.
    pub plane: Plane,
    /// Thickness, mm.
    pub thickness_mm: f64,
}

/// What is drawn otherwise than the preset says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeLook {
    /// Way of drawing; `None`: that of the preset.
    pub blend: Option<Blend>,
    /// Value of the surface; `None`: that of the preset.
    pub iso_value: Option<f64>,
    /// How far colours and opacities are moved towards higher values.
    pub shift: f64,
    /// Colours and opacities in place of the preset's.
    pub edited: Option<TransferFunction>,
    /// Planes that cut.
    pub cuts: Vec<Cut>,
    /// The slab that stays.
    pub slab: Option<CutSlab>,
}

impl VolumeLook {
    /// The same cuts, everything else as a preset says.
    #[must_use]
    pub fn with_cuts_only(self) -> Self {
        Self { cuts: self.cuts, slab: self.slab, ..Self::default() }
    }

    /// The same without cuts.
    #[must_use]
    pub fn without_cuts(self) -> Self {
        Self { cuts: Vec::new(), slab: None, ..self }
    }

    /// The same with the cuts of another: they stand in the patient, whichever volume is seen.
    #[must_use]
    pub fn with_cuts_of(self, other: &Self) -> Self {
        Self { cuts: other.cuts.clone(), slab: other.slab, ..self }
    }

    /// How many planes may be added: a slab takes two places.
    pub fn free_cuts(&self) -> usize {
        MAX_CLIP_PLANES.saturating_sub(self.cuts.len() + 2 * usize::from(self.slab.is_some()))
    }

    /// Whether a slab can be cut to: it has one, or there is room for two planes.
    pub fn has_room_for_slab(&self) -> bool {
        self.slab.is_some() || self.free_cuts() >= 2
    }

    /// All planes that cut; `slab` is the slab's plane as (a point of it, its normal).
    pub fn clip_planes(&self, slab: Option<(DVec3, DVec3)>) -> ClipPlanes {
        let start = match (self.slab, slab) {
            (Some(cut), Some((point, normal))) => ClipPlanes::slab(point, normal, cut.thickness_mm),
            _ => ClipPlanes::default(),
        };
        self.cuts.iter().filter(|cut| cut.on).filter_map(Cut::plane).fold(start, ClipPlanes::with)
    }

    /// Colours and opacities before the shift, and before the way of drawing has its say: what the editor shows.
    pub fn base(&self, preset_name: &str, volume: &Volume) -> TransferFunction {
        match (&self.edited, preset(preset_name)) {
            (Some(edited), _) => edited.clone(),
            (None, Some(found)) => fitted_to(found, volume),
            (None, None) => default_for(volume),
        }
    }

    /// The transfer function that is drawn.
    pub fn transfer_function(&self, preset_name: &str, volume: &Volume) -> TransferFunction {
        let base = self.base(preset_name, volume);
        let blend = self.blend.unwrap_or(base.blend);
        let projects = matches!(blend, Blend::MaximumIntensity | Blend::MinimumIntensity | Blend::Average);
        // The opacities of a preset for surfaces say nothing to a projection: it gets a ramp of grey of its own.
        let colors = if projects && blend != base.blend { ramp_for(blend, volume) } else { base.clone() };
        let iso_value = self.iso_value.unwrap_or(base.iso_value);
        TransferFunction { blend, iso_value, ..colors.shifted(self.shift) }
    }
}

impl ViewState {
    /// Draws the volume as a preset says; what was edited is put aside, the cuts stay.
    pub fn choose_preset(&mut self, name: &str) {
        if let (Some(_), Some(volume)) = (&self.look.edited, self.active_volume) {
            self.colors_aside.insert(volume, (self.preset.clone(), self.look.clone()));
        }
        name.clone_into(&mut self.preset);
        self.look = std::mem::take(&mut self.look).with_cuts_only();
    }

    /// Brings back the edited colours that a preset took the place of last; what is edited now is put aside instead. Says
    /// whether there were any.
    pub fn restore_colors(&mut self) -> bool {
        let Some(volume) = self.active_volume else { return false };
        let Some((preset, look)) = self.colors_aside.remove(&volume) else { return false };
        if self.look.edited.is_some() {
            self.colors_aside.insert(volume, (self.preset.clone(), self.look.clone()));
        }
        (self.preset, self.look) = (preset, look.with_cuts_of(&self.look));
        true
    }

    /// The colours and opacities that the 3D view draws.
    pub fn transfer_function(&self, volume: &Volume) -> TransferFunction {
        self.look.transfer_function(&self.preset, volume)
    }

    /// How the 3D view draws: what was chosen, else what the preset says.
    pub fn blend(&self) -> Blend {
        let of_preset = || preset(&self.preset).map_or(Blend::Composite, |preset| preset.blend);
        let edited = self.look.edited.as_ref().map(|transfer| transfer.blend);
        self.look.blend.or(edited).unwrap_or_else(of_preset)
    }

    /// What the colours and opacities of the 3D view are called.
    pub fn colors_name(&self) -> String {
        match &self.look.edited {
            Some(edited) => format!("{} (edited)", edited.name),
            None => self.preset.clone(),
        }
    }

    /// The planes that cut the volume in 3D.
    pub fn clip_planes(&self) -> ClipPlanes {
        let normal = |slab: CutSlab| self.slice(slab.plane).normal_in_patient();
        self.look.clip_planes(self.look.slab.map(|slab| (self.crosshair_in_patient, normal(slab))))
    }

    /// Cuts the volume in 3D along a slice view's plane: what lies between it and the eye goes. Says whether there was room.
    pub fn add_cut(&mut self, plane: Plane) -> bool {
        if self.look.free_cuts() == 0 {
            return false;
        }
        let normal = self.slice(plane).normal_in_patient();
        let away = if normal.dot(self.camera.direction_in_patient) < 0.0 { -normal } else { normal };
        self.look.cuts.push(Cut { through_in_patient: self.crosshair_in_patient, normal_in_patient: away, on: true });
        true
    }

    /// Draws only a slab around a slice view's plane in 3D, or all again. Says whether there was room.
    pub fn toggle_cut_slab(&mut self, plane: Plane) -> bool {
        if !self.look.has_room_for_slab() {
            return false;
        }
        let thickness_mm = self.look.slab.map_or(FIRST_SLAB_MM * 2.0, |slab| slab.thickness_mm);
        let same = self.look.slab.is_some_and(|slab| slab.plane == plane);
        self.look.slab = (!same).then_some(CutSlab { plane, thickness_mm });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grid::Grid;
    use crate::domain::volume::{Quantity, Rescale};

    fn ct() -> Volume {
        let grid = Grid::axis_aligned([2, 2, 2], DVec3::ONE, DVec3::ZERO).expect("a grid");
        let samples = vec![0, 500, 1000, 1100, 1200, 1500, 2000, 4000];
        Volume::new(grid, samples, Rescale { slope: 1.0, intercept: -1024.0 }, Quantity::Hounsfield)
    }

    #[test]
    fn the_preset_shows_unless_something_else_is_said() {
        let volume = ct();
        let bone = preset("CT-Bone").expect("CT-Bone");
        let mut look = VolumeLook::default();
        assert_eq!(&look.transfer_function("CT-Bone", &volume), bone);
        look.shift = 100.0;
        let moved = look.transfer_function("CT-Bone", &volume);
        assert!((moved.opacity_at(741.4) - bone.opacity_at(641.4)).abs() < 1e-9);
        look.blend = Some(Blend::Isosurface);
        look.iso_value = Some(226.0);
        let surface = look.transfer_function("CT-Bone", &volume);
        assert_eq!((surface.blend, surface.iso_value), (Blend::Isosurface, 226.0), "a typed value is not shifted");
        look.blend = Some(Blend::MaximumIntensity);
        assert_eq!(
            look.transfer_function("CT-Bone", &volume).shifted(-100.0).opacity,
            vec![(-100.0, 0.0), (1500.0, 1.0)]
        );
    }

    #[test]
    fn six_planes_at_most_and_a_slab_counts_twice() {
        let cut = Cut { through_in_patient: DVec3::ZERO, normal_in_patient: DVec3::X, on: true };
        let mut look = VolumeLook { cuts: vec![cut; 4], ..VolumeLook::default() };
        assert!(look.free_cuts() == 2 && look.has_room_for_slab());
        look.slab = Some(CutSlab { plane: Plane::Axial, thickness_mm: 10.0 });
        assert_eq!(look.free_cuts(), 0);
        let planes = look.clip_planes(Some((DVec3::ZERO, DVec3::Z)));
        assert_eq!(planes.iter().count(), 6);
        assert!(planes.keeps(DVec3::new(1.0, 0.0, 4.9)) && !planes.keeps(DVec3::new(1.0, 0.0, 5.1)));
        assert!(!planes.keeps(DVec3::new(-1.0, 0.0, 0.0)));
        look.cuts.iter_mut().for_each(|cut| cut.on = false);
        assert_eq!(look.clip_planes(None).iter().count(), 0, "what is off does not cut");
    }

    #[test]
    fn a_cut_moves_along_its_normal_and_turns_round() {
        let cut = Cut { through_in_patient: DVec3::new(3.0, 7.0, 1.0), normal_in_patient: DVec3::Y, on: true };
        let moved = cut.at_position(20.0);
        assert_eq!(moved.through_in_patient, DVec3::new(3.0, 20.0, 1.0));
        let plane = moved.flipped().plane().expect("a plane");
        assert!(plane.height_mm(DVec3::Y * 19.0) > 0.0 && plane.height_mm(DVec3::Y * 21.0) < 0.0);
    }
}
