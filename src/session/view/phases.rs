//! Volumes of a case that show one body at several moments: the phases of a heart beat, the passes of a contrast agent.
//!
//! In: the document. Out: which volumes belong together, in order of time, and stepping from one to another, so that nothing
//! changes but the moment: place, window, colours and 3D look stay.
//! Phases of one series are told apart by the scan (`io::dicom::phases`), which names each part of the series.

use crate::domain::grid::Grid;
use crate::session::Session;
use crate::session::document::{Document, VolumeId, VolumeObject};

/// Two grids are one when no corner is moved further than this part of a voxel.
const SAME_GRID: f64 = 0.01;

/// The volumes of the series of `id` that lie where it lies, itself among them, in order of time; it alone where there is no
/// other moment.
pub fn phases_of(document: &Document, id: VolumeId) -> Vec<VolumeId> {
    let Some(object) = document.volume(id) else { return Vec::new() };
    let is_phase = |other: &&VolumeObject| {
        other.id == id
            || (!object.head.info.series_uid.is_empty()
                && other.head.info.series_uid == object.head.info.series_uid
                && is_same_grid(&other.head.grid, &object.head.grid))
    };
    let mut phases: Vec<(Vec<u64>, VolumeId)> = document
        .volumes()
        .iter()
        .filter(is_phase)
        .map(|other| (numbers_behind(&other.head.source.series, &other.head.info.series_uid), other.id))
        .collect();
    phases.sort();
    phases.into_iter().map(|(_, id)| id).collect()
}

fn is_same_grid(a: &Grid, b: &Grid) -> bool {
    let last = a.dims().map(|n| f64::from(n - 1));
    let b_from_a = b.voxel_from_patient() * a.patient_from_voxel();
    a.dims() == b.dims()
        && [[0.0; 3], last].into_iter().all(|corner| {
            let corner = glam::DVec3::from_array(corner);
            b_from_a.transform_point3(corner).distance(corner) < SAME_GRID
        })
}

/// The numbers in the name of a part of a series ("30 %", "phase 2 of 10"), in order; the UID has no say.
fn numbers_behind(series: &str, series_uid: &str) -> Vec<u64> {
    let part = series.strip_prefix(series_uid).unwrap_or(series);
    let numbers = part.split(|letter: char| !letter.is_ascii_digit()).filter(|digits| !digits.is_empty());
    numbers.filter_map(|digits| digits.parse().ok()).collect()
}

impl Session {
    /// Looks at another phase from where the eye is, with the window, the colours and the 3D look of the present one. Says whether
    /// it could: not while a stroke is under way, and not for a volume that is no phase of this one.
    pub fn show_phase(&mut self, id: VolumeId) -> bool {
        let Some(from) = self.view.active_volume else { return false };
        if !phases_of(self.document(), from).contains(&id) {
            return false;
        }
        let (window, crosshair_in_patient) = (self.view.window(from), self.view.crosshair_in_patient);
        let (color_map, inverted) = (self.view.color_map, self.view.inverted);
        let (preset, look) = (self.view.preset.clone(), self.view.look.clone());
        self.look_at_volume(id);
        if self.view.active_volume != Some(id) {
            return false;
        }
        self.view.crosshair_in_patient = crosshair_in_patient;
        self.view.windows.insert(id, window);
        (self.view.color_map, self.view.inverted) = (color_map, inverted);
        (self.view.preset, self.view.look) = (preset, look);
        true
    }

    /// Goes so many phases on, around from the last to the first.
    pub fn step_phase(&mut self, by: isize) -> bool {
        let Some(from) = self.view.active_volume else { return false };
        let phases = phases_of(self.document(), from);
        let Some(at) = phases.iter().position(|id| *id == from) else { return false };
        let next = (at as isize + by).rem_euclid(phases.len() as isize) as usize;
        self.show_phase(phases[next])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_series_are_put_in_order_of_their_numbers() {
        let order = |part: &str| numbers_behind(&format!("1.2.3 {part}"), "1.2.3");
        assert!(order("5 %") < order("30 %") && order("30 %") < order("100 %"));
        assert!(order("phase 9 of 10") < order("phase 10 of 10"));
        assert_eq!(order(""), Vec::<u64>::new());
    }
}
