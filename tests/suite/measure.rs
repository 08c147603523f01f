//! Distances, angles and regions of interest against what can be worked out by hand or voxel by voxel.

use glam::DVec3;
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::measure::{MeasurementShape, Reading, SampleStatistics, evaluate, segment_statistics};
use maquette::domain::volume::{Quantity, Rescale, Volume};
use proptest::prelude::*;

use super::segment_grids::{any_grid, hash, noise_mask, noise_volume, voxels};

fn statistics(values: &[f64]) -> Option<SampleStatistics> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (!values.is_empty()).then(|| SampleStatistics {
        count: values.len() as u64,
        mean,
        sd: if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 },
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

fn close(a: Option<SampleStatistics>, b: Option<SampleStatistics>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            let near = |x: f64, y: f64| (x - y).abs() <= 1e-7 * (1.0 + y.abs());
            a.count == b.count && near(a.mean, b.mean) && near(a.sd, b.sd) && near(a.min, b.min) && near(a.max, b.max)
        }
        (a, b) => a == b,
    }
}

fn region(shape: &MeasurementShape, volume: &Volume) -> (f64, Option<SampleStatistics>) {
    match evaluate(shape, volume) {
        Reading::Region { area_mm2, samples } => (area_mm2, samples),
        other => panic!("a region was asked for: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn segment_statistics_are_those_of_its_voxels(grid in any_grid(40), seed in any::<u32>(), rarity in 1..9_u32, slope in prop::sample::select(vec![1.0, -0.5, 3.0])) {
        let samples = voxels(grid.dims()).map(|voxel| hash(seed, voxel) as i16).collect();
        let volume = Volume::new(grid, samples, Rescale { slope, intercept: -1000.0 }, Quantity::Arbitrary);
        let mask = noise_mask(grid.dims(), seed ^ 1, rarity);
        let inside = voxels(grid.dims()).filter(|&[i, j, k]| mask.contains(i, j, k));
        let values: Vec<f64> = inside.map(|[i, j, k]| volume.value(i, j, k)).collect();
        let found = segment_statistics(&mask, &volume);
        prop_assert_eq!(found.voxel_count, values.len() as u64);
        prop_assert!((found.volume_ml - values.len() as f64 * grid.voxel_volume_mm3() / 1000.0).abs() < 1e-9);
        prop_assert!(close(found.samples, statistics(&values)), "{:?} {:?}", found.samples, statistics(&values));
    }

    #[test]
    fn a_region_along_the_grid_reads_the_voxels_inside_it(grid in any_grid(40), axis in 0..3_usize, at in prop::array::uniform3(-0.1..1.1_f64), half in prop::array::uniform2(0.5..20.0_f64), seed in any::<u32>()) {
        let samples = voxels(grid.dims()).map(|voxel| (hash(seed, voxel) % 2000) as i16).collect();
        let volume = Volume::new(grid, samples, Rescale { slope: 1.0, intercept: -1000.0 }, Quantity::Hounsfield);
        let axes = grid.patient_from_voxel().matrix3;
        let axes = [axes.x_axis, axes.y_axis, axes.z_axis];
        let normal = axes[(axis + 1) % 3].cross(axes[(axis + 2) % 3]).normalize();
        let first = axes[(axis + 1) % 3].normalize();
        let second = normal.cross(first);
        let voxel = DVec3::from(at) * DVec3::from(grid.dims().map(f64::from));
        prop_assume!((voxel[axis] - voxel[axis].floor() - 0.5).abs() > 1e-6);
        // Sheared grids have layers too, but only one axis of a region lies along a voxel axis there; rows lean against it.
        let right_angles = axes[axis].normalize().dot(normal).abs() > 1.0 - 1e-9;
        prop_assume!(right_angles);
        let center = grid.patient_from_voxel().transform_point3(voxel);
        let shape = MeasurementShape::Ellipse { center_in_patient: center, half_axes_in_patient: [first * half[0], second * half[1]] };
        let inside = voxels(grid.dims()).filter(|voxel_at| {
            let offset = grid.patient_from_voxel().transform_point3(DVec3::from(voxel_at.map(f64::from))) - center;
            f64::from(voxel_at[axis]) == voxel[axis].round() && (offset.dot(first) / half[0]).powi(2) + (offset.dot(second) / half[1]).powi(2) <= 1.0
        });
        let values: Vec<f64> = inside.map(|[i, j, k]| volume.value(i, j, k)).collect();
        let (area_mm2, found) = region(&shape, &volume);
        prop_assert!((area_mm2 - std::f64::consts::PI * half[0] * half[1]).abs() < 1e-9 * area_mm2);
        prop_assert!(close(found, statistics(&values)), "{:?} {:?}", found, statistics(&values));
    }
}

#[test]
fn lengths_and_angles() {
    let volume = noise_volume([4, 4, 4], 1);
    let read = |shape: MeasurementShape| evaluate(&shape, &volume);
    let point = DVec3::new;
    let ends_in_patient = [point(1.0, 2.0, 3.0), point(4.0, 6.0, 15.0)];
    assert_eq!(read(MeasurementShape::Distance { ends_in_patient }), Reading::Distance { length_mm: 13.0 });
    let angle = |a, b, c| match read(MeasurementShape::Angle { points_in_patient: [a, b, c] }) {
        Reading::Angle { degrees } => degrees,
        other => panic!("an angle was asked for: {other:?}"),
    };
    let origin = point(5.0, 5.0, 5.0);
    let degrees = |a, c| angle(origin + a, origin, origin + c).expect("an angle");
    assert!((degrees(point(2.0, 0.0, 0.0), point(0.0, 0.0, 7.0)) - 90.0).abs() < 1e-12);
    assert!((degrees(point(1.0, 0.0, 0.0), point(-3.0, 0.0, 0.0)) - 180.0).abs() < 1e-12);
    assert!(
        (degrees(point(1.0, 0.0, 0.0), point(1.0, 1e-6, 0.0)) - 1e-6_f64.to_degrees()).abs() < 1e-12,
        "small angles keep their digits"
    );
    assert_eq!(angle(origin, origin, point(0.0, 0.0, 0.0)), None, "a leg without length");
}

#[test]
fn an_oblique_region_reads_interpolated_values() {
    // A linear field is interpolated exactly: the mean over a symmetric region is the value in its middle.
    let grid = Grid::axis_aligned([60, 60, 40], DVec3::new(1.0, 1.0, 2.0), DVec3::ZERO).expect("valid grid");
    let samples = voxels(grid.dims()).map(|[i, j, k]| (10 * i + 4 * j + 6 * k) as i16).collect();
    let volume = Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield);
    let center = DVec3::new(30.3, 28.9, 41.2);
    let (a, b) = (DVec3::new(1.0, 1.0, 0.5).normalize(), DVec3::new(1.0, -1.0, 0.0).normalize());
    let shape = MeasurementShape::Ellipse { center_in_patient: center, half_axes_in_patient: [a * 12.0, b * 9.0] };
    let (_, samples) = region(&shape, &volume);
    let samples = samples.expect("inside the volume");
    assert!((samples.mean - (303.0 + 4.0 * 28.9 + 3.0 * 41.2)).abs() < 1e-6, "{samples:?}");
    let expected = std::f64::consts::PI * 12.0 * 9.0;
    assert!((samples.count as f64 - expected).abs() < 0.03 * expected, "one point for each mm2");
    let steepest = (10.0 * a.x + 4.0 * a.y + 3.0 * a.z) * 12.0;
    assert!(samples.max - samples.min > 1.8 * steepest && samples.sd > 0.0);
}

#[test]
fn regions_without_samples_say_so() {
    let volume = noise_volume([20, 20, 20], 3);
    let ellipse = |center: DVec3, a: DVec3, b: DVec3| {
        region(&MeasurementShape::Ellipse { center_in_patient: center, half_axes_in_patient: [a, b] }, &volume)
    };
    let far = ellipse(DVec3::splat(900.0), DVec3::X, DVec3::Y);
    assert!((far.0 - std::f64::consts::PI).abs() < 1e-12 && far.1.is_none());
    let flat = ellipse(DVec3::ZERO, DVec3::X, DVec3::ZERO);
    assert_eq!(flat, (0.0, None), "a line has no area");
    let far_oblique = ellipse(DVec3::splat(900.0), DVec3::new(1.0, 1.0, 0.0), DVec3::new(1.0, -1.0, 1.0));
    assert!(far_oblique.1.is_none());
    assert!(segment_statistics(&Mask::empty([20, 20, 20]), &volume).samples.is_none());
}
