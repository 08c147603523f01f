//! Slice views on the CPU: the backend without a GPU, and the truth that the GPU renderer is tested against.
//!
//! In: a volume, masks of one grid, a frame in patient space. Out: values (f64 trilinear) or an sRGB picture.
//! CPU twin of `shaders/render/slice.wgsl`; every plane goes through `voxel_from_patient`, so that sheared, left-handed and
//! oblique grids come out right. A voxel reaches half a spacing beyond its centre; outside there is nothing (black).

use glam::{DVec2, DVec3};
use rayon::prelude::*;

use super::color_map::ColorMap;
use super::grid::Grid;
use super::slice::{
    FrameInVoxels, FusionStyle, Interpolation, NEAREST_BIAS, RangePreview, SegmentLayer, Slab, SlabMode, SliceFrame,
    SliceStyle,
};
use super::volume::Volume;

/// Directions in which a segment's outline looks for its end, in units of the outline's width.
const OUTLINE_DIRECTIONS: [DVec2; 8] = [
    DVec2::new(1.0, 0.0),
    DVec2::new(-1.0, 0.0),
    DVec2::new(0.0, 1.0),
    DVec2::new(0.0, -1.0),
    DVec2::new(0.707, 0.707),
    DVec2::new(-0.707, 0.707),
    DVec2::new(0.707, -0.707),
    DVec2::new(-0.707, -0.707),
];

/// The voxel nearest to a place in voxel coordinates; `None` outside the grid.
#[inline]
pub fn nearest_voxel(grid: &Grid, voxel: DVec3) -> Option<[u32; 3]> {
    let nearest = (voxel + 0.5 + NEAREST_BIAS).floor();
    let dims = grid.dims();
    let inside = (0..3).all(|axis| nearest[axis] >= 0.0 && nearest[axis] < f64::from(dims[axis]));
    inside.then_some([nearest.x as u32, nearest.y as u32, nearest.z as u32])
}

/// Trilinear value at a place in voxel coordinates; in the outer half voxel the border value goes on; `None` outside.
#[inline]
pub fn trilinear(volume: &Volume, voxel: DVec3) -> Option<f64> {
    let grid = volume.grid();
    let dims = grid.dims();
    let inside = (0..3).all(|axis| voxel[axis] >= -0.5 && voxel[axis] < f64::from(dims[axis]) - 0.5);
    if !inside {
        return None;
    }
    let base = voxel.floor();
    let part = voxel - base;
    let clamped = |axis: usize, step: i64| (base[axis] as i64 + step).clamp(0, i64::from(dims[axis]) - 1) as u32;
    let (i, j, k) = ([0, 1].map(|s| clamped(0, s)), [0, 1].map(|s| clamped(1, s)), [0, 1].map(|s| clamped(2, s)));
    let sample = |a: usize, b: usize, c: usize| f64::from(volume.samples()[grid.index(i[a], j[b], k[c])]);
    let mix = |a: f64, b: f64, t: f64| a + (b - a) * t;
    let row = |b: usize, c: usize| mix(sample(0, b, c), sample(1, b, c), part.x);
    let layer = |c: usize| mix(row(0, c), row(1, c), part.y);
    Some(volume.rescale().value(mix(layer(0), layer(1), part.z)))
}

/// Value at a place in voxel coordinates; `None` outside.
#[inline]
pub fn value_at(volume: &Volume, voxel: DVec3, interpolation: Interpolation) -> Option<f64> {
    match interpolation {
        Interpolation::Nearest => nearest_voxel(volume.grid(), voxel).map(|[i, j, k]| volume.value(i, j, k)),
        Interpolation::Linear => trilinear(volume, voxel),
        Interpolation::Cubic => tricubic(volume, voxel),
    }
}

/// Catmull-Rom weights of four neighbours for a place between the middle two, 0 to 1.
fn cubic_weights(t: f64) -> [f64; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [0.5 * (-t3 + 2.0 * t2 - t), 0.5 * (3.0 * t3 - 5.0 * t2 + 2.0), 0.5 * (-3.0 * t3 + 4.0 * t2 + t), 0.5 * (t3 - t2)]
}

/// Tricubic value at a place in voxel coordinates; border values go on outside; `None` beyond the outer half voxel.
#[inline]
pub fn tricubic(volume: &Volume, voxel: DVec3) -> Option<f64> {
    let grid = volume.grid();
    let dims = grid.dims();
    if (0..3).any(|axis| voxel[axis] < -0.5 || voxel[axis] >= f64::from(dims[axis]) - 0.5) {
        return None;
    }
    let base = voxel.floor();
    let weights = (voxel - base).to_array().map(cubic_weights);
    let places: [[u32; 4]; 3] = std::array::from_fn(|axis| {
        let last = i64::from(dims[axis]) - 1;
        std::array::from_fn(|n| (base[axis] as i64 + n as i64 - 1).clamp(0, last) as u32)
    });
    let mut sum = 0.0;
    for (k, in_k) in places[2].into_iter().zip(weights[2]) {
        for (j, in_j) in places[1].into_iter().zip(weights[1]) {
            for (i, in_i) in places[0].into_iter().zip(weights[0]) {
                sum += f64::from(volume.samples()[grid.index(i, j, k)]) * (in_i * in_j * in_k);
            }
        }
    }
    Some(volume.rescale().value(sum))
}

/// Value of a slab around a place in voxel coordinates; samples outside have no say.
fn slab_value(
    volume: &Volume,
    voxel: DVec3,
    normal_per_mm: DVec3,
    slab: &Slab,
    interpolation: Interpolation,
) -> Option<f64> {
    let spacing_mm = 1.0 / normal_per_mm.abs().max_element().max(1e-9);
    let (count, step_mm) = slab.samples(spacing_mm);
    let first_mm = -slab.thickness_mm / 2.0;
    let values = (0..count)
        .filter_map(|n| value_at(volume, voxel + normal_per_mm * (first_mm + step_mm * f64::from(n)), interpolation));
    match slab.mode {
        SlabMode::Maximum => values.reduce(f64::max),
        SlabMode::Minimum => values.reduce(f64::min),
        SlabMode::Mean => {
            let (sum, n) = values.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
            (n > 0).then(|| sum / f64::from(n))
        }
    }
}

/// Values of a plane, row by row from the upper left; `None` outside the volume.
pub fn resample(
    volume: &Volume,
    frame: &SliceFrame,
    interpolation: Interpolation,
    slab: Option<&Slab>,
) -> Vec<Option<f64>> {
    let voxels = frame.in_voxels(volume.grid());
    let [width, height] = frame.size_px.map(|n| n as usize);
    let mut values = vec![None; width * height];
    values.par_chunks_mut(width.max(1)).enumerate().for_each(|(y, row)| {
        for (x, value) in row.iter_mut().enumerate() {
            let voxel = voxel_of(&voxels, frame, pixel_center(x, y));
            *value = match slab {
                Some(slab) => slab_value(volume, voxel, voxels.normal_per_mm, slab, interpolation),
                None => value_at(volume, voxel, interpolation),
            };
        }
    });
    values
}

/// An sRGB picture (RGBA, opaque) of a plane, a second volume laid over the first as the style says, with segments laid over
/// both; `segment_grid` is the grid of all masks.
///
/// # Panics
/// When a mask is not of `segment_grid`.
pub fn render(
    volume: Option<&Volume>,
    over: Option<&Volume>,
    segment_grid: &Grid,
    segments: &[SegmentLayer<'_>],
    frame: &SliceFrame,
    style: &SliceStyle,
) -> Vec<[u8; 4]> {
    assert!(segments.iter().all(|layer| layer.mask.dims() == segment_grid.dims()), "masks of the grid given");
    let [width, height] = frame.size_px.map(|n| n as usize);
    let values = volume.map(|volume| resample(volume, frame, style.interpolation, style.slab.as_ref()));
    let fused = over.zip(style.fusion).map(|(over, fusion)| Fused::new(over, fusion, frame, style));
    let mut layers: Vec<SegmentLayer<'_>> = segments.iter().filter(|layer| layer.style.visible).copied().collect();
    layers.sort_by_key(|layer| layer.id);
    let overlay = Overlay { frame, voxels: frame.in_voxels(segment_grid), grid: segment_grid, layers };
    let preview = volume.zip(style.preview).map(|(volume, preview)| (volume, frame.in_voxels(volume.grid()), preview));
    let colors = style.color_map.table();
    let mut picture = vec![[0, 0, 0, 255]; width * height];
    picture.par_chunks_mut(width.max(1)).enumerate().for_each(|(y, row)| {
        for (x, pixel) in row.iter_mut().enumerate() {
            let value = values.as_ref().and_then(|values| values[x + width * y]);
            let mut color = value.map_or(DVec3::ZERO, |value| {
                let [r, g, b, _] = colors[ColorMap::entry(style.gray(value))];
                unit_color([r, g, b])
            });
            let point_px = pixel_center(x, y);
            if let Some(fused) = &fused {
                color = fused.over(color, (x, y));
            }
            if let Some((volume, voxels, preview)) = &preview {
                let voxel = voxel_of(voxels, frame, point_px);
                if in_preview(volume, voxel, preview) {
                    color = color.lerp(unit_color(preview.color), f64::from(preview.opacity));
                }
            }
            color = overlay.over(color, point_px, f64::from(style.outline_px));
            let byte = |channel: f64| (channel.clamp(0.0, 1.0) * 255.0).round() as u8;
            *pixel = [byte(color.x), byte(color.y), byte(color.z), 255];
        }
    });
    picture
}

/// A second volume over the first.
struct Fused {
    values: Vec<Option<f64>>,
    style: FusionStyle,
    size_px: [u32; 2],
}

impl Fused {
    /// Sampled where and as the first one is.
    fn new(over: &Volume, fusion: FusionStyle, frame: &SliceFrame, style: &SliceStyle) -> Self {
        let values = resample(over, frame, style.interpolation, style.slab.as_ref());
        Self { values, style: fusion, size_px: frame.size_px }
    }

    fn over(&self, below: DVec3, (x, y): (usize, usize)) -> DVec3 {
        let width = self.size_px[0] as usize;
        let left = pixel_center(x, y).x < f64::from(self.style.from) * width as f64;
        let Some(value) = self.values[x + width * y].filter(|_| !left) else { return below };
        let gray = self.style.window.gray(value);
        let [r, g, b, _] = self.style.color_map.table()[ColorMap::entry(gray)];
        below.lerp(unit_color([r, g, b]), self.style.opacity_of(gray))
    }
}

fn pixel_center(x: usize, y: usize) -> DVec2 {
    DVec2::new(x as f64 + 0.5, y as f64 + 0.5)
}

fn voxel_of(voxels: &FrameInVoxels, frame: &SliceFrame, point_px: DVec2) -> DVec3 {
    let offset = point_px - frame.center_px();
    voxels.center + voxels.right_per_px * offset.x + voxels.down_per_px * offset.y
}

fn unit_color(color: [u8; 3]) -> DVec3 {
    DVec3::from(color.map(f64::from)) / 255.0
}

/// Whether the voxel at a place would be taken by a threshold: the voxel's own value decides, not an interpolated one.
fn in_preview(volume: &Volume, voxel: DVec3, preview: &RangePreview) -> bool {
    nearest_voxel(volume.grid(), voxel).is_some_and(|[i, j, k]| {
        let sample = volume.samples()[volume.grid().index(i, j, k)];
        let range = volume.rescale().sample_range(preview.lower, preview.upper);
        range.is_some_and(|(first, last)| (first..=last).contains(&sample))
    })
}

/// The visible segments, in drawing order, where the view is.
struct Overlay<'a> {
    frame: &'a SliceFrame,
    voxels: FrameInVoxels,
    grid: &'a Grid,
    layers: Vec<SegmentLayer<'a>>,
}

impl Overlay<'_> {
    fn contains(&self, layer: &SegmentLayer<'_>, point_px: DVec2) -> bool {
        nearest_voxel(self.grid, voxel_of(&self.voxels, self.frame, point_px))
            .is_some_and(|[i, j, k]| layer.mask.contains(i, j, k))
    }

    /// Fills first, all outlines over them.
    fn over(&self, below: DVec3, point_px: DVec2, outline_px: f64) -> DVec3 {
        let mut color = below;
        let here: Vec<_> = self.layers.iter().filter(|layer| self.contains(layer, point_px)).collect();
        for layer in &here {
            color = color.lerp(unit_color(layer.style.color), f64::from(layer.style.opacity.clamp(0.0, 1.0)));
        }
        if outline_px > 0.0 {
            let ends = |layer: &SegmentLayer<'_>| {
                let reach_px = outline_px * f64::from(layer.style.outline);
                reach_px > 0.0 && OUTLINE_DIRECTIONS.iter().any(|&to| !self.contains(layer, point_px + to * reach_px))
            };
            if let Some(layer) = here.iter().rev().find(|layer| ends(layer)) {
                color = unit_color(layer.style.color);
            }
        }
        color
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mask::Mask;
    use crate::domain::plane::Plane;
    use crate::domain::segmentation::SegmentId;
    use crate::domain::slice::SegmentStyle;
    use crate::domain::volume::{Quantity, Rescale};
    use crate::domain::window::Window;
    use glam::{DAffine3, DMat3};

    fn ramp() -> Volume {
        // Gantry tilt: rows of slices shift along y with k.
        let axes = DMat3::from_cols(DVec3::X, DVec3::Y, DVec3::new(0.0, 0.5, 2.0));
        let grid = Grid::new([8, 8, 8], DAffine3 { matrix3: axes, translation: DVec3::ZERO }).unwrap();
        let samples = (0..512).map(|n| (n % 8 + 10 * (n / 8 % 8) + 100 * (n / 64)) as i16).collect();
        Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield)
    }

    #[test]
    fn a_linear_field_is_exact_in_every_oblique_plane() {
        let volume = ramp();
        let frame = SliceFrame {
            center_in_patient: volume.grid().center_in_patient(),
            right_in_patient: DVec3::new(1.0, 1.0, 0.0).normalize(),
            down_in_patient: DVec3::new(-1.0, 1.0, 1.0).normalize(),
            mm_per_px: 0.37,
            size_px: [9, 7],
        };
        let values = resample(&volume, &frame, Interpolation::Linear, None);
        for y in 0..7 {
            for x in 0..9 {
                let point = frame.point_in_patient(pixel_center(x, y));
                let voxel = volume.grid().voxel_from_patient().transform_point3(point);
                let expected = voxel.dot(DVec3::new(1.0, 10.0, 100.0));
                assert!((values[x + 9 * y].unwrap() - expected).abs() < 1e-9, "{x} {y}");
            }
        }
    }

    #[test]
    fn cubic_goes_through_the_samples_and_keeps_slopes() {
        let volume = ramp();
        let grid = *volume.grid();
        for voxel in [DVec3::new(3.0, 4.0, 2.0), DVec3::new(0.0, 0.0, 7.0)] {
            let [i, j, k] = voxel.to_array().map(|n| n as u32);
            assert!((tricubic(&volume, voxel).unwrap() - volume.value(i, j, k)).abs() < 1e-9);
        }
        let between = DVec3::new(3.3, 2.6, 4.8);
        assert!((tricubic(&volume, between).unwrap() - between.dot(DVec3::new(1.0, 10.0, 100.0))).abs() < 1e-9);
        assert!(tricubic(&volume, DVec3::new(-0.6, 1.0, 1.0)).is_none() && grid.dims() == [8; 3]);
        assert!((cubic_weights(0.37).iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_slab_takes_the_largest_smallest_or_mean() {
        let volume = ramp();
        let frame = SliceFrame::of_plane(Plane::Axial, volume.grid().center_in_patient(), 1.0, [1, 1]);
        let value = |mode| {
            let slab = Slab { thickness_mm: 4.0, mode };
            resample(&volume, &frame, Interpolation::Linear, Some(&slab))[0].unwrap()
        };
        let plain = resample(&volume, &frame, Interpolation::Linear, None)[0].unwrap();
        assert!((value(SlabMode::Mean) - plain).abs() < 1e-9, "the mean of a linear field is its middle");
        // 2 mm along z is one layer on and half a row back.
        assert!((value(SlabMode::Maximum) - plain - 95.0).abs() < 1e-9);
        assert!((value(SlabMode::Minimum) - plain + 95.0).abs() < 1e-9);
    }

    #[test]
    fn segments_are_filled_and_outlined() {
        let volume = ramp();
        let grid = Grid::axis_aligned([40, 40, 4], DVec3::ONE, DVec3::ZERO).unwrap();
        let mask = Mask::from_fn([40, 40, 4], |i, j, _| (10..30).contains(&i) && (10..30).contains(&j));
        let style = SegmentStyle::new([255, 0, 0], 0.25);
        let layer = SegmentLayer { id: SegmentId(1), mask: &mask, style };
        let frame = SliceFrame::fitting(Plane::Axial, &grid, DVec3::ONE, [40, 40]);
        let slice_style = SliceStyle::new(Window::new(1000.0, -10_000.0));
        let picture = render(Some(&volume), None, &grid, &[layer], &frame, &slice_style);
        let at = |x: usize, y: usize| picture[x + 40 * y];
        assert_eq!(at(10, 20), [255, 0, 0, 255], "outline");
        assert_eq!(at(20, 20)[0] - at(20, 20)[1], 64, "fill of a quarter");
        assert_eq!(at(9, 20), [0, 0, 0, 255], "outside");
    }
}
