//! Scissors against a plain projection of every voxel.

use glam::{DMat4, DVec2, DVec3, Vec4Swizzles};
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::mask::limits::EditLimits;
use maquette::domain::mask::scissors::{CutSide, Scissors, Slab, clip_from_patient_of_plane, scissors_delta};
use maquette::domain::mask::stamp::Edit;
use maquette::task::Progress;
use proptest::prelude::*;

use super::segment_grids::{any_grid, noise_mask, voxels};

/// Even-odd by a ray straight up; the distance to the outline besides.
fn inside_and_distance(outline: &[DVec2], point: DVec2) -> (bool, f64) {
    let (mut inside, mut distance) = (false, f64::INFINITY);
    for (n, &from) in outline.iter().enumerate() {
        let to = outline[(n + 1) % outline.len()];
        if (from.x > point.x) != (to.x > point.x) {
            let y = from.y + (to.y - from.y) * (point.x - from.x) / (to.x - from.x);
            inside ^= y > point.y;
        }
        let along = to - from;
        let t = ((point - from).dot(along) / along.length_squared().max(1e-300)).clamp(0.0, 1.0);
        distance = distance.min(point.distance(from + along * t));
    }
    (inside, distance)
}

fn cut(mask: &Mask, grid: &Grid, scissors: &Scissors) -> Mask {
    let mut after = mask.clone();
    let delta = scissors_delta(mask, grid, scissors, &EditLimits::NONE, &Progress::new()).expect("not cancelled");
    after.apply(delta);
    after
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_cut_takes_the_voxels_that_project_inside(
        grid in any_grid(70),
        outline in prop::collection::vec(prop::array::uniform2(-0.8..0.8_f64), 3..14),
        eye in prop::array::uniform3(-1.0..1.0_f64),
        distance in 0.2..4.0_f64,
        perspective in any::<bool>(),
        outside in any::<bool>(),
        fill in any::<bool>(),
        slab in prop::option::of(0.02..0.5_f64),
        seed in any::<u32>(),
    ) {
        let (lower, upper) = grid.bounds_in_patient();
        let (center, size) = (grid.center_in_patient(), (upper - lower).length());
        let direction = DVec3::from(eye).try_normalize().unwrap_or(DVec3::X);
        let up = if direction.z.abs() > 0.9 { DVec3::X } else { DVec3::Z };
        let view = glam::dcamera::rh::view::look_at_mat4(center + direction * distance * size, center, up);
        let projection = if perspective {
            glam::dcamera::rh::proj::directx::perspective(0.6, 1.3, 0.01 * size, 10.0 * size)
        } else {
            glam::dcamera::rh::proj::directx::orthographic(-0.4 * size, 0.4 * size, -0.3 * size, 0.3 * size, -5.0 * size, 5.0 * size)
        };
        let scissors = Scissors {
            outline_in_ndc: outline.into_iter().map(DVec2::from).collect(),
            clip_from_patient: projection * view,
            side: if outside { CutSide::Outside } else { CutSide::Inside },
            edit: if fill { Edit::Add } else { Edit::Erase },
            slab: slab.map(|part| Slab { center_in_patient: center, normal_in_patient: direction, half_thickness_mm: part * size }),
        };
        let before = noise_mask(grid.dims(), seed, 2);
        let after = cut(&before, &grid, &scissors);
        for voxel in voxels(grid.dims()) {
            let point = grid.patient_from_voxel().transform_point3(DVec3::from(voxel.map(f64::from)));
            let clip = scissors.clip_from_patient * point.extend(1.0);
            let (inside, edge) = inside_and_distance(&scissors.outline_in_ndc, clip.xy() / clip.w);
            let depth = scissors.slab.map_or(-1.0, |slab| (point - center).dot(direction).abs() - slab.half_thickness_mm);
            if edge < 1e-7 || clip.w.abs() < 1e-6 || depth.abs() < 1e-7 {
                continue;
            }
            let chosen = ((clip.w > 0.0 && inside) != outside) && depth < 0.0;
            let expected = if chosen { fill } else { before.contains(voxel[0], voxel[1], voxel[2]) };
            prop_assert_eq!(after.contains(voxel[0], voxel[1], voxel[2]), expected, "voxel {:?}", voxel);
        }
    }
}

#[test]
fn a_square_on_a_slice_cuts_a_square_column() {
    let grid = Grid::axis_aligned([40, 50, 60], DVec3::new(1.0, 1.0, 2.0), DVec3::ZERO).expect("valid grid");
    let full = Mask::from_fn(grid.dims(), |_, _, _| true);
    let square = [(9.5, 19.5), (29.5, 19.5), (29.5, 39.5), (9.5, 39.5)];
    let scissors = Scissors {
        outline_in_ndc: square.map(|(x, y)| DVec2::new(x, -y)).to_vec(),
        clip_from_patient: clip_from_patient_of_plane(DVec3::new(0.0, 0.0, 60.0), DVec3::X, DVec3::Y),
        side: CutSide::Inside,
        edit: Edit::Erase,
        slab: None,
    };
    let in_square = |i: u32, j: u32| (10..30).contains(&i) && (20..40).contains(&j);
    assert_eq!(cut(&full, &grid, &scissors), Mask::from_fn(grid.dims(), |i, j, _| !in_square(i, j)));
    let keep = Scissors { side: CutSide::Outside, ..scissors.clone() };
    assert_eq!(cut(&full, &grid, &keep), Mask::from_fn(grid.dims(), |i, j, _| in_square(i, j)));
    let slab =
        Slab { center_in_patient: DVec3::new(0.0, 0.0, 60.0), normal_in_patient: DVec3::Z, half_thickness_mm: 1.0 };
    let one_slice = Scissors { slab: Some(slab), ..scissors };
    let expected = Mask::from_fn(grid.dims(), |i, j, k| !(in_square(i, j) && k == 30));
    assert_eq!(cut(&full, &grid, &one_slice), expected, "only the slice whose centre lies within 1 mm");
}

#[test]
fn a_broken_outline_cuts_nothing() {
    let grid = Grid::axis_aligned([40, 40, 40], DVec3::ONE, DVec3::ZERO).expect("valid grid");
    let mask = noise_mask(grid.dims(), 3, 2);
    let broken = [
        vec![],
        vec![DVec2::ZERO, DVec2::ONE],
        vec![DVec2::ZERO, DVec2::ONE, DVec2::NAN],
        vec![DVec2::ZERO, DVec2::ONE, DVec2::new(f64::INFINITY, 0.0)],
    ];
    for outline_in_ndc in broken {
        let scissors = Scissors {
            outline_in_ndc,
            clip_from_patient: DMat4::IDENTITY,
            side: CutSide::Outside,
            edit: Edit::Erase,
            slab: None,
        };
        assert_eq!(cut(&mask, &grid, &scissors), mask, "{:?}", scissors.outline_in_ndc);
    }
}
