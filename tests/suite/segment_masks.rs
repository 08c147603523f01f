//! Mask algorithms against plain ones on dense arrays: strokes, thresholds, connected parts, holes, limits.

use glam::{DAffine3, DMat3, DVec3};
use maquette::domain::grid::Grid;
use maquette::domain::mask::components::{Components, Connectivity, component_at, largest_component};
use maquette::domain::mask::holes::{HoleScope, fill_holes};
use maquette::domain::mask::limits::EditLimits;
use maquette::domain::mask::stamp::{Brush, BrushShape, Edit, stroke_delta};
use maquette::domain::mask::threshold::{ValueRange, threshold};
use maquette::domain::mask::{Mask, MaskDelta};
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::task::Progress;
use proptest::prelude::*;

use super::segment_grids::{any_grid, noise_mask, noise_volume, voxels};

/// Distance in mm from a point to a segment, after taking out the part along `normal`.
fn distance_mm(point: DVec3, from: DVec3, to: DVec3, normal: Option<DVec3>) -> f64 {
    let flat = |v: DVec3| normal.map_or(v, |n| v - n * v.dot(n));
    let (offset, path) = (flat(point - from), flat(to - from));
    let t = if path.length_squared() > 0.0 { (offset.dot(path) / path.length_squared()).clamp(0.0, 1.0) } else { 0.0 };
    (offset - path * t).length()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_sphere_stroke_takes_the_voxels_within_its_radius(
        grid in any_grid(48),
        points in prop::collection::vec(prop::array::uniform3(-0.2..1.2_f64), 1..4),
        radius_mm in 0.1..14.0_f64,
        erase in any::<bool>(),
        seed in any::<u32>(),
    ) {
        let dims = grid.dims();
        let place = |p: &[f64; 3]| grid.patient_from_voxel().transform_point3(DVec3::from(*p) * DVec3::from(dims.map(f64::from)));
        let path: Vec<DVec3> = points.iter().map(place).collect();
        let brush = Brush { shape: BrushShape::Sphere, radius_mm };
        let edit = if erase { Edit::Erase } else { Edit::Add };
        let before = noise_mask(dims, seed, 3);
        let mut after = before.clone();
        after.apply(stroke_delta(&before, &grid, &path, brush, edit, &EditLimits::NONE));
        let spacing = grid.patient_from_voxel().matrix3;
        let half_diagonal = (spacing.x_axis.length() + spacing.y_axis.length() + spacing.z_axis.length()) / 2.0;
        for [i, j, k] in voxels(dims) {
            let center = grid.patient_from_voxel().transform_point3(DVec3::new(i.into(), j.into(), k.into()));
            let pieces = path.windows(2).map(|ends| distance_mm(center, ends[0], ends[1], None));
            let distance = pieces.fold(distance_mm(center, path[0], path[0], None), f64::min);
            if (distance - radius_mm).abs() < 1e-6 || (radius_mm < half_diagonal && distance <= half_diagonal) {
                continue; // the edge may fall either way; a tiny brush also takes the voxels under its path
            }
            let expected = if distance <= radius_mm { !erase } else { before.contains(i, j, k) };
            prop_assert_eq!(after.contains(i, j, k), expected, "voxel {:?} at {} of {} mm", [i, j, k], distance, radius_mm);
        }
    }

    #[test]
    fn a_disc_paints_one_layer(
        grid in any_grid(40),
        axis in 0..3_usize,
        ends in prop::array::uniform2(prop::array::uniform3(0.1..0.9_f64)),
        radius_mm in 3.0..9.0_f64,
    ) {
        let dims = grid.dims();
        let axes = grid.patient_from_voxel().matrix3;
        let axes = [axes.x_axis, axes.y_axis, axes.z_axis];
        // The plane of two voxel axes: also on sheared grids, where its normal is not the third axis.
        let normal = axes[(axis + 1) % 3].cross(axes[(axis + 2) % 3]).normalize();
        let place = |p: [f64; 3]| DVec3::from(p) * DVec3::from(dims.map(f64::from));
        let (from, mut to) = (place(ends[0]), place(ends[1]));
        to[axis] = from[axis];
        let path = [from, to].map(|voxel| grid.patient_from_voxel().transform_point3(voxel));
        let layer = from[axis].round();
        prop_assume!((from[axis] - from[axis].floor() - 0.5).abs() > 1e-6);
        let brush = Brush { shape: BrushShape::Disc { normal_in_patient: normal }, radius_mm };
        let mut mask = Mask::empty(dims);
        mask.apply(stroke_delta(&mask.clone(), &grid, &path, brush, Edit::Add, &EditLimits::NONE));
        for voxel in voxels(dims) {
            let [i, j, k] = voxel;
            let center = grid.patient_from_voxel().transform_point3(DVec3::from(voxel.map(f64::from)));
            let distance = distance_mm(center, path[0], path[1], Some(normal));
            if (distance - radius_mm).abs() < 1e-6 {
                continue;
            }
            let tiny = mask.contains(i, j, k) && distance <= axes.iter().map(|axis| axis.length()).sum::<f64>() / 2.0;
            let expected = f64::from(voxel[axis]) == layer && (distance <= radius_mm || tiny);
            prop_assert_eq!(mask.contains(i, j, k), expected, "voxel {:?}, layer {}, {} mm", voxel, layer, distance);
        }
    }

    #[test]
    fn a_stroke_of_any_brush_is_one_connected_track(
        grid in any_grid(40),
        points in prop::collection::vec(prop::array::uniform3(0.05..0.95_f64), 2..6),
        radius_mm in 0.0..3.0_f64,
    ) {
        let dims = grid.dims();
        let place = |p: &[f64; 3]| grid.patient_from_voxel().transform_point3((DVec3::from(*p) * DVec3::from(dims.map(f64::from))).floor());
        let path: Vec<DVec3> = points.iter().map(place).collect();
        let brush = Brush { shape: BrushShape::Sphere, radius_mm };
        let mut mask = Mask::empty(dims);
        mask.apply(stroke_delta(&mask.clone(), &grid, &path, brush, Edit::Add, &EditLimits::NONE));
        let parts = Components::of(&mask, Connectivity::Corners, &Progress::new()).expect("not cancelled");
        prop_assert_eq!(parts.count(), 1);
        for point in path {
            let voxel = grid.voxel_from_patient().transform_point3(point).round();
            prop_assert!(mask.contains(voxel.x as u32, voxel.y as u32, voxel.z as u32));
        }
    }

    #[test]
    fn limits_hold_for_every_voxel(seed in any::<u32>(), lower in -900..500_i32, width in 0..800_i32, erase in any::<bool>()) {
        let volume = noise_volume([45, 37, 20], seed);
        let (dims, grid) = (volume.grid().dims(), *volume.grid());
        let [before, first, second] = [1, 2, 3].map(|n| noise_mask(dims, seed ^ n, 2 + n));
        let range = ValueRange::new(lower.into(), (lower + width).into());
        let others = [&first, &second];
        let limits = EditLimits { values: Some((&volume, range)), protected: &others };
        let edit = if erase { Edit::Erase } else { Edit::Add };
        let brush = Brush { shape: BrushShape::Sphere, radius_mm: 12.0 };
        let center = [grid.center_in_patient()];
        let stroke = |limits: &EditLimits<'_>| {
            let mut after = before.clone();
            after.apply(stroke_delta(&before, &grid, &center, brush, edit, limits));
            after
        };
        let (free, limited) = (stroke(&EditLimits::NONE), stroke(&limits));
        prop_assert_eq!(&limited, &{
            let mut after = before.clone();
            after.apply(limits.delta_to(&before, &free));
            after
        });
        for [i, j, k] in voxels(dims) {
            let allowed = range.contains(volume.value(i, j, k)) && (erase || !(first.contains(i, j, k) || second.contains(i, j, k)));
            let expected = if allowed { free.contains(i, j, k) } else { before.contains(i, j, k) };
            prop_assert_eq!(limited.contains(i, j, k), expected);
        }
    }

    #[test]
    fn threshold_is_the_plain_comparison(seed in any::<u32>(), a in -1500..1500_i32, b in -1500..1500_i32, slope in prop::sample::select(vec![1.0, -1.0, 0.5, 2.0])) {
        let plain = noise_volume([70, 41, 33], seed);
        let rescale = Rescale { slope, intercept: -24.0 };
        let volume = Volume::new(*plain.grid(), plain.samples().to_vec(), rescale, Quantity::Hounsfield);
        let range = ValueRange::new(a.into(), b.into());
        let expected = Mask::from_fn(volume.grid().dims(), |i, j, k| range.contains(volume.value(i, j, k)));
        let cold = threshold(&volume, range, &Progress::new()).expect("not cancelled");
        volume.cells();
        let warm = threshold(&volume, range, &Progress::new()).expect("not cancelled");
        prop_assert_eq!(&cold, &expected);
        prop_assert_eq!(&warm, &expected);
    }

    #[test]
    fn connected_parts_are_those_of_a_flood(dims in prop::array::uniform3(1..40_u32), seed in any::<u32>(), rarity in 1..5_u32, corners in any::<bool>()) {
        let mask = noise_mask(dims, seed, rarity);
        let connectivity = if corners { Connectivity::Corners } else { Connectivity::Faces };
        let progress = Progress::new();
        let parts = Components::of(&mask, connectivity, &progress).expect("not cancelled");
        let (labels, sizes) = flood_parts(&mask, corners);
        let mut by_size = sizes.clone();
        by_size.sort_unstable_by(|a, b| b.cmp(a));
        prop_assert_eq!(parts.voxel_counts(), &by_size[..]);
        let mut pairs = std::collections::BTreeMap::new();
        for (index, [i, j, k]) in voxels(dims).enumerate() {
            match (parts.part_at(i, j, k), labels[index]) {
                (None, None) => {}
                (Some(part), Some(label)) => prop_assert_eq!(*pairs.entry(label).or_insert(part), part),
                (part, label) => prop_assert!(false, "{:?} against {:?}", part, label),
            }
        }
        let largest = largest_component(&mask, connectivity, &progress).expect("not cancelled");
        prop_assert_eq!(largest.voxel_count(), by_size.first().copied().unwrap_or(0));
        let first = voxels(dims).find(|&[i, j, k]| mask.contains(i, j, k));
        if let Some(voxel) = first {
            let part = component_at(&mask, voxel, connectivity, &progress).expect("not cancelled").expect("a part");
            prop_assert_eq!(part, Mask::from_fn(dims, |i, j, k| labels[index_of(dims, [i, j, k])] == Some(0)));
        }
    }

    #[test]
    fn holes_are_background_that_a_flood_from_the_border_misses(dims in prop::array::uniform3(1..36_u32), seed in any::<u32>(), scope in 0..4_usize) {
        // Dense noise closes many holes in.
        let sparse = noise_mask(dims, seed, 2);
        let mask = sparse.combined(&noise_mask(dims, seed ^ 0x77, 3), |a, b| a | b);
        let scope_of = if scope == 3 { HoleScope::Volume } else { HoleScope::Slices { axis: scope } };
        let filled = fill_holes(&mask, scope_of, &Progress::new()).expect("not cancelled");
        prop_assert_eq!(filled, filled_by_flood(&mask, scope));
    }

    #[test]
    fn a_stroke_of_many_dabs_is_undone_by_one_record(seed in any::<u32>(), points in prop::collection::vec(prop::array::uniform3(0.0..60.0_f64), 2..12)) {
        let grid = Grid::axis_aligned([64, 64, 64], DVec3::ONE, DVec3::ZERO).expect("valid grid");
        let before = noise_mask(grid.dims(), seed, 4);
        let brush = Brush { shape: BrushShape::Sphere, radius_mm: 4.0 };
        let path: Vec<DVec3> = points.iter().map(|&p| DVec3::from(p)).collect();
        let (mut mask, mut undo, mut redo) = (before.clone(), MaskDelta::default(), MaskDelta::default());
        for ends in path.windows(2) {
            let dab = stroke_delta(&mask, &grid, ends, brush, Edit::Add, &EditLimits::NONE);
            redo.absorb_later_edit(dab.clone());
            undo.absorb_later_inverse(mask.apply(dab));
        }
        let whole = stroke_delta(&before, &grid, &path, brush, Edit::Add, &EditLimits::NONE);
        prop_assert_eq!(&redo, &whole, "dab by dab gives the same as the whole path");
        mask.apply(undo);
        prop_assert_eq!(mask, before);
    }
}

fn index_of(dims: [u32; 3], [i, j, k]: [u32; 3]) -> usize {
    (i + dims[0] * (j + dims[1] * k)) as usize
}

/// Part of each voxel by flood fill, numbered by first voxel, and the sizes.
fn flood_parts(mask: &Mask, corners: bool) -> (Vec<Option<usize>>, Vec<u64>) {
    let dims = mask.dims();
    let mut labels = vec![None; dims.iter().product::<u32>() as usize];
    let mut sizes = Vec::new();
    for start in voxels(dims) {
        if !mask.contains(start[0], start[1], start[2]) || labels[index_of(dims, start)].is_some() {
            continue;
        }
        labels[index_of(dims, start)] = Some(sizes.len());
        let (mut open, mut size) = (vec![start], 0);
        while let Some(voxel) = open.pop() {
            size += 1;
            for next in neighbours(dims, voxel, corners) {
                if mask.contains(next[0], next[1], next[2]) && labels[index_of(dims, next)].is_none() {
                    labels[index_of(dims, next)] = Some(sizes.len());
                    open.push(next);
                }
            }
        }
        sizes.push(size);
    }
    (labels, sizes)
}

fn neighbours(dims: [u32; 3], voxel: [u32; 3], corners: bool) -> Vec<[u32; 3]> {
    let mut found = Vec::new();
    for step in 0..27_i32 {
        let delta = [step % 3 - 1, step / 3 % 3 - 1, step / 9 - 1];
        let distance = delta.iter().map(|d| d.abs()).sum::<i32>();
        if distance == 0 || (distance > 1 && !corners) {
            continue;
        }
        let next: [u32; 3] = std::array::from_fn(|axis| voxel[axis].wrapping_add_signed(delta[axis]));
        if (0..3).all(|axis| next[axis] < dims[axis]) {
            found.push(next);
        }
    }
    found
}

/// The mask and the background that cannot be reached from the border; `closed_axis` 3 floods in the volume.
fn filled_by_flood(mask: &Mask, closed_axis: usize) -> Mask {
    let dims = mask.dims();
    let mut outside = vec![false; dims.iter().product::<u32>() as usize];
    let at_border = |voxel: &[u32; 3]| {
        (0..3).any(|axis| axis != closed_axis && (voxel[axis] == 0 || voxel[axis] + 1 == dims[axis]))
    };
    let background = |voxel: &[u32; 3]| !mask.contains(voxel[0], voxel[1], voxel[2]);
    let mut open: Vec<[u32; 3]> = voxels(dims).filter(|voxel| at_border(voxel) && background(voxel)).collect();
    for &voxel in &open {
        outside[index_of(dims, voxel)] = true;
    }
    while let Some(voxel) = open.pop() {
        for next in neighbours(dims, voxel, false) {
            let in_slice = closed_axis == 3 || next[closed_axis] == voxel[closed_axis];
            if in_slice && background(&next) && !outside[index_of(dims, next)] {
                outside[index_of(dims, next)] = true;
                open.push(next);
            }
        }
    }
    Mask::from_fn(dims, |i, j, k| !outside[index_of(dims, [i, j, k])])
}

#[test]
fn strokes_that_miss_the_grid_or_are_not_finite_change_nothing() {
    let shear = DMat3::from_cols(DVec3::X, DVec3::new(0.3, 2.0, 0.0), DVec3::new(0.0, 0.7, 3.0));
    let grid = Grid::new([33, 20, 9], DAffine3::from_mat3_translation(shear, DVec3::splat(50.0))).expect("valid grid");
    let mask = Mask::from_fn(grid.dims(), |i, j, _| i > j);
    let brush = Brush { shape: BrushShape::Sphere, radius_mm: 5.0 };
    let far = [DVec3::splat(-500.0), DVec3::new(-500.0, 900.0, 0.0)];
    let nothing = [vec![], far.to_vec(), vec![DVec3::NAN], vec![DVec3::splat(60.0), DVec3::INFINITY]];
    for path in nothing {
        assert!(stroke_delta(&mask, &grid, &path, brush, Edit::Erase, &EditLimits::NONE).is_empty(), "{path:?}");
    }
    let broken = Brush { shape: BrushShape::Sphere, radius_mm: f64::NAN };
    assert!(stroke_delta(&mask, &grid, &[DVec3::splat(60.0)], broken, Edit::Add, &EditLimits::NONE).is_empty());
    let huge = Brush { shape: BrushShape::Sphere, radius_mm: 1e6 };
    let mut all = mask.clone();
    all.apply(stroke_delta(&mask, &grid, &[DVec3::splat(60.0)], huge, Edit::Add, &EditLimits::NONE));
    assert_eq!(all, Mask::from_fn(grid.dims(), |_, _, _| true));
}

#[test]
fn a_cancelled_search_says_so() {
    let progress = Progress::new();
    progress.cancel();
    let mask = noise_mask([40, 40, 40], 1, 2);
    assert!(Components::of(&mask, Connectivity::Faces, &progress).is_err());
    assert!(fill_holes(&mask, HoleScope::Volume, &progress).is_err());
    let volume = noise_volume([40, 40, 40], 1);
    assert!(threshold(&volume, ValueRange::new(0.0, 1.0), &progress).is_err());
}
