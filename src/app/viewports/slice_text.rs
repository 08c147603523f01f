//! What the corner of a slice view says: position, window, and what lies over it.

use glam::DVec3;

use crate::app::numbers;
use crate::domain::grid::Grid;
use crate::domain::plane::Plane;
use crate::domain::window::Window;
use crate::session::Session;
use crate::session::view::fusion::{Fusion, FusionWay};
use crate::session::view::{SliceView, slice_index};

/// "W 400 L 40"; SUV and other small numbers with a decimal.
pub(super) fn window_text(window: Window) -> String {
    format!("W {} L {}", window_number(window.width), window_number(window.level))
}

/// "PET FDG 60 % · W 5.0 L 2.5": what lies over the slice.
pub(super) fn fusion_text(fusion: &Fusion, session: &Session) -> String {
    let name = session.document().volume(fusion.volume).map_or("", |object| object.head.name.as_str());
    let way = match fusion.way {
        FusionWay::Blend => format!(" {} %", numbers::decimal(f64::from(fusion.opacity) * 100.0, 0)),
        FusionWay::Swipe => " at the right".to_owned(),
        FusionWay::Blink => " in turns".to_owned(),
    };
    format!("{name}{way} \u{b7} {}", window_text(fusion.window))
}

fn window_number(value: f64) -> String {
    numbers::decimal(value, usize::from(value.abs() < 20.0))
}

/// "S 51.0 mm · 34/108": where a plane is, with the letter of the patient's side; how far a turned plane leans.
pub(super) fn position_text(slice: &SliceView, crosshair_in_patient: DVec3, grid: &Grid) -> String {
    let plane = slice.plane;
    if slice.is_oblique() {
        let leaning = slice.normal_in_patient().angle_between(plane.normal_in_patient()).to_degrees();
        return format!("oblique {}\u{b0}", numbers::decimal(leaning, 1));
    }
    if !reaches(grid, plane, crosshair_in_patient) {
        return "outside these images".to_owned();
    }
    let at = crosshair_in_patient[plane.normal_axis()];
    let letters = match plane {
        Plane::Axial => ["S", "I"],
        Plane::Sagittal => ["L", "R"],
        Plane::Coronal => ["P", "A"],
    };
    let slice = slice_index(grid, plane, crosshair_in_patient);
    let position = format!("{} {}", letters[usize::from(at < 0.0)], numbers::mm(at.abs()));
    format!("{position} \u{b7} {}/{}", slice.index + 1, slice.count)
}

/// Whether the slice through a point is one of a volume: linked to another volume, a view may be where its own has nothing.
fn reaches(grid: &Grid, plane: Plane, point_in_patient: DVec3) -> bool {
    let axis = grid.axis_along(plane.normal_in_patient());
    let voxel = grid.voxel_from_patient().transform_point3(point_in_patient)[axis];
    (-0.5..=f64::from(grid.dims()[axis]) - 0.5).contains(&voxel)
}
