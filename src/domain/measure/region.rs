//! The samples of a volume inside an ellipse on a plane.
//!
//! Which samples count:
//! - **The plane runs along the grid** (its normal is perpendicular to two voxel axes): the voxels of the layer nearest to
//!   the plane whose centres lie inside the ellipse, edge included. These are stored samples, nothing is interpolated.
//! - **The plane is oblique**: a square lattice on the plane, centred in the ellipse, along its half axes, with the smallest
//!   voxel spacing as its step; lattice points inside the ellipse, each with the trilinearly interpolated sample. `count` is
//!   then the number of lattice points, not of voxels. Values are rounded to a thousandth of a sample step.
//!
//! Points outside the volume do not count.

use glam::DVec3;

use crate::domain::volume::{Rescale, Volume};

use super::statistics::{SampleStatistics, SampleSums};

/// Statistics of the values inside the ellipse; `None` when no sample is inside.
pub(super) fn ellipse_statistics(
    center_in_patient: DVec3,
    half_axes_in_patient: [DVec3; 2],
    volume: &Volume,
) -> Option<SampleStatistics> {
    let ellipse = Ellipse::new(center_in_patient, half_axes_in_patient)?;
    match ellipse.layer_axis(volume) {
        Some(axis) => layer_sums(&ellipse, axis, volume).statistics(volume.rescale()),
        None => oblique_statistics(&ellipse, volume),
    }
}

struct Ellipse {
    center: DVec3,
    axes: [DVec3; 2],
    normal: DVec3,
}

impl Ellipse {
    /// `None` when the axes span no area.
    fn new(center: DVec3, axes: [DVec3; 2]) -> Option<Self> {
        let normal = axes[0].cross(axes[1]).try_normalize()?;
        center.is_finite().then_some(Self { center, axes, normal })
    }

    /// Whether the projection of a point onto the plane lies inside.
    fn contains(&self, point: DVec3) -> bool {
        let offset = point - self.center;
        let across: f64 = self.axes.iter().map(|axis| (offset.dot(*axis) / axis.length_squared()).powi(2)).sum();
        across <= 1.0 + 1e-9
    }

    /// The voxel axis whose layers are parallel to the plane, if there is one.
    fn layer_axis(&self, volume: &Volume) -> Option<usize> {
        let axes = volume.grid().patient_from_voxel().matrix3;
        let axes = [axes.x_axis, axes.y_axis, axes.z_axis].map(DVec3::normalize);
        (0..3).find(|&layer| (0..3).filter(|&axis| axis != layer).all(|axis| axes[axis].dot(self.normal).abs() < 1e-4))
    }
}

fn layer_sums(ellipse: &Ellipse, layer_axis: usize, volume: &Volume) -> SampleSums {
    let grid = volume.grid();
    let (dims, voxel_from_patient) = (grid.dims(), grid.voxel_from_patient());
    let center = voxel_from_patient.transform_point3(ellipse.center);
    let half = ellipse.axes.map(|axis| voxel_from_patient.transform_vector3(axis));
    let mut sums = SampleSums::NONE;
    let (mut first, mut last) = ([0_u32; 3], [0_u32; 3]);
    for axis in 0..3 {
        let reach = if axis == layer_axis { 0.0 } else { half[0][axis].hypot(half[1][axis]) + 1.0 };
        let (low, high) = ((center[axis] - reach).round(), (center[axis] + reach).round());
        let (low, high) = (low.max(0.0), high.min(f64::from(dims[axis]) - 1.0));
        if low > high {
            return sums;
        }
        (first[axis], last[axis]) = (low as u32, high as u32);
    }
    for k in first[2]..=last[2] {
        for j in first[1]..=last[1] {
            for i in first[0]..=last[0] {
                let voxel = DVec3::new(f64::from(i), f64::from(j), f64::from(k));
                if ellipse.contains(grid.patient_from_voxel().transform_point3(voxel)) {
                    sums.add(volume.samples()[grid.index(i, j, k)]);
                }
            }
        }
    }
    sums
}

fn oblique_statistics(ellipse: &Ellipse, volume: &Volume) -> Option<SampleStatistics> {
    let step = volume.grid().spacing_mm().min_element();
    let directions = ellipse.axes.map(DVec3::normalize);
    let counts = ellipse.axes.map(|axis| (axis.length() / step).floor().min(20_000.0) as i32);
    let voxel_from_patient = volume.grid().voxel_from_patient();
    let mut values = Vec::new();
    for b in -counts[1]..=counts[1] {
        for a in -counts[0]..=counts[0] {
            let offset = directions[0] * (f64::from(a) * step) + directions[1] * (f64::from(b) * step);
            let point = ellipse.center + offset;
            if ellipse.contains(point) {
                values.extend(trilinear_sample(volume, voxel_from_patient.transform_point3(point)));
            }
        }
    }
    statistics_of(&values, volume.rescale())
}

fn statistics_of(samples: &[f64], rescale: Rescale) -> Option<SampleStatistics> {
    if samples.is_empty() {
        return None;
    }
    let count = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / count;
    let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
    let sd = if samples.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
    let min = samples.iter().copied().fold(f64::INFINITY, f64::min);
    let max = samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (a, b) = (rescale.value(min), rescale.value(max));
    Some(SampleStatistics {
        count: samples.len() as u64,
        mean: rescale.value(mean),
        sd: sd * rescale.slope.abs(),
        min: a.min(b),
        max: a.max(b),
    })
}

/// The interpolated sample at a voxel position; `None` outside the outermost voxel centres by more than half a voxel,
/// within which the border sample holds.
fn trilinear_sample(volume: &Volume, voxel: DVec3) -> Option<f64> {
    let dims = volume.grid().dims();
    let (mut low, mut high, mut part) = ([0_u32; 3], [0_u32; 3], [0.0; 3]);
    for axis in 0..3 {
        let last = f64::from(dims[axis]) - 1.0;
        if voxel[axis] < -0.5 || voxel[axis] > last + 0.5 {
            return None;
        }
        let inside = voxel[axis].clamp(0.0, last);
        low[axis] = inside.floor() as u32;
        high[axis] = (low[axis] + 1).min(dims[axis] - 1);
        part[axis] = inside - inside.floor();
    }
    let mut sum = 0.0;
    for corner in 0..8_usize {
        let mut weight = 1.0;
        let mut at = [0_u32; 3];
        for axis in 0..3 {
            let upper = corner >> axis & 1 == 1;
            weight *= if upper { part[axis] } else { 1.0 - part[axis] };
            at[axis] = if upper { high[axis] } else { low[axis] };
        }
        if weight > 0.0 {
            sum += weight * f64::from(volume.samples()[volume.grid().index(at[0], at[1], at[2])]);
        }
    }
    Some(sum)
}
