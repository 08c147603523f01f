//! Label maps: volumes whose samples name segments, in whatever file format.
//!
//! In: samples with their labels (name, colour, value, layer). Out: one mask for each label; and the other way round,
//! [`LabelMap`] gives the samples of each slice. Segments that overlap go to different layers, where the format has any.
//! A volume that says nothing of its labels is read too: each value that occurs is one segment.
//!
//! Not here: how a format writes names and colours (`slicer_keys` for NRRD and MetaImage, `nifti::label_table`).

pub mod slicer_keys;

use std::collections::BTreeMap;
use std::path::Path;

use glam::DVec3;

use crate::domain::grid::{Grid, VoxelBox};
use crate::domain::mask::{MASK_BRICK, Mask};
use crate::domain::segmentation::{SegmentInfo, SegmentState};
use crate::io::import::ImportError;
use crate::io::import::research::{ResearchPlan, stem};
use crate::io::import::samples::ReadSamples;
use crate::io::report::Report;
use crate::task::Progress;

/// Label values of a plain label volume that are taken as segments.
const MAX_PLAIN_LABELS: usize = 255;
/// Fill opacity of segments read from files, which do not say.
pub const OPACITY: f32 = 0.25;

/// What a segmentation file holds.
#[derive(Debug)]
pub struct SegmentationFile {
    /// Size and place of the masks.
    pub grid: Grid,
    /// The segments in the order of the file.
    pub segments: Vec<(SegmentInfo, Mask)>,
    /// What was repaired or is doubtful.
    pub report: Report,
}

impl SegmentationFile {
    /// The segments on another grid that lies in the same place: the nearest voxel decides.
    ///
    /// # Errors
    /// When the two grids do not meet.
    pub fn on_grid(&self, grid: &Grid) -> Result<Vec<(SegmentInfo, Mask)>, ImportError> {
        if self.grid.same_space(grid) {
            return Ok(self.segments.clone());
        }
        let (lower, upper) = self.grid.bounds_in_patient();
        let (other_lower, other_upper) = grid.bounds_in_patient();
        if !(lower.cmplt(other_upper).all() && other_lower.cmplt(upper).all()) {
            let text = "the segmentation lies elsewhere in the patient than the images: they do not belong together";
            return Err(ImportError::Refused(text.to_owned()));
        }
        let source_from_target = self.grid.voxel_from_patient() * grid.patient_from_voxel();
        let place = |mask: &Mask| {
            let Some(bounds) = mask.bounds() else { return Mask::empty(grid.dims()) };
            let reach = [bounds.min, bounds.max].map(|n| DVec3::new(n[0].into(), n[1].into(), n[2].into()) - 0.5);
            Mask::from_fn(grid.dims(), |i, j, k| {
                let at = source_from_target.transform_point3(DVec3::new(i.into(), j.into(), k.into()));
                let inside = at.cmpge(reach[0]).all() && at.cmplt(reach[1]).all();
                inside && mask.contains(at.x.round() as u32, at.y.round() as u32, at.z.round() as u32)
            })
        };
        Ok(self.segments.iter().map(|(info, mask)| (info.clone(), place(mask))).collect())
    }
}

/// One segment as a file describes it.
#[derive(Debug, Clone)]
pub struct Label {
    /// What it is.
    pub info: SegmentInfo,
    /// The value that its voxels have.
    pub value: i64,
    /// The layer that they are in.
    pub layer: u64,
}

impl Label {
    /// A label with the name and colour that a file gives it.
    pub fn new(name: String, color: [u8; 3], value: i64, file: &str) -> Self {
        let info = SegmentInfo {
            name,
            code: None,
            side: None,
            color,
            visible: true,
            opacity: OPACITY,
            outline: crate::domain::segmentation::USUAL_OUTLINE,
            locked: false,
            state: SegmentState::default(),
            made_by: vec![format!("Read from {file}")],
        };
        Self { info, value, layer: 0 }
    }
}

/// Reads the samples of a plan as segments. `labels` are those that the file describes; when there are none, every value
/// that occurs is one.
///
/// # Errors
/// When the samples cannot be read, or no label is described and too many values occur.
pub fn read_segments(
    path: &Path,
    plan: &ResearchPlan,
    labels: Vec<Label>,
    mut report: Report,
    progress: &Progress,
) -> Result<SegmentationFile, ImportError> {
    let layers = plan.components;
    let read = plan.read(&mut report, progress)?;
    // Steps of more than one between samples: labels would run together.
    if read.rescale.slope.abs() > plan.rescale.slope.abs().max(1.0) * (1.0 + 1e-9) {
        return Err(ImportError::file(
            path,
            "has label values further apart than 65 535, which are not read as segments",
        ));
    }
    let value = |sample: i16| read.rescale.value(f64::from(sample)).round() as i64;
    let dims = plan.grid.dims();
    let found = occurring(&read.samples, dims, layers as usize);
    let found: BTreeMap<(u64, i64), VoxelBox> =
        found.into_iter().map(|((layer, sample), bounds)| ((layer as u64, value(sample)), bounds)).collect();
    let labels = if labels.is_empty() { plain_labels(&found, path)? } else { labels };
    let known: Vec<(u64, i64)> = labels.iter().map(|label| (label.layer, label.value)).collect();
    let unnamed = found.keys().filter(|key| key.1 != 0 && !known.contains(key)).count();
    if unnamed > 0 {
        report.warning(format!("{unnamed} label values have no segment and were left out"));
    }
    let mut segments = Vec::new();
    for (index, label) in labels.into_iter().enumerate() {
        progress.step(index, known.len())?;
        segments.push((label.info, mask_of_label(&read, dims, layers, (label.layer, label.value), &found)));
    }
    Ok(SegmentationFile { grid: plan.grid, segments, report })
}

fn mask_of_label(
    read: &ReadSamples,
    dims: [u32; 3],
    layers: u64,
    (layer, value): (u64, i64),
    found: &BTreeMap<(u64, i64), VoxelBox>,
) -> Mask {
    let Some(bounds) = found.get(&(layer, value)) else { return Mask::empty(dims) };
    let sample = read.rescale.sample(value as f64).round() as i16;
    mask_of(&read.samples, dims, layers as usize, layer as usize, sample, bounds)
}

/// The samples that occur in each layer, with the box around them.
fn occurring(samples: &[i16], dims: [u32; 3], layers: usize) -> BTreeMap<(usize, i16), VoxelBox> {
    let mut found: BTreeMap<(usize, i16), VoxelBox> = BTreeMap::new();
    for (row, line) in samples.chunks(dims[0] as usize * layers).enumerate() {
        let (j, k) = (row as u32 % dims[1], row as u32 / dims[1]);
        for layer in 0..layers {
            // Runs of one value are the rule: the box is widened once for each.
            let mut run = (0, line[layer]);
            for i in 0..=dims[0] {
                let sample = line.get(i as usize * layers + layer).copied();
                if sample != Some(run.1) {
                    let span = VoxelBox { min: [run.0, j, k], max: [i, j + 1, k + 1] };
                    found.entry((layer, run.1)).and_modify(|bounds| *bounds = bounds.union(&span)).or_insert(span);
                    run = (i, sample.unwrap_or_default());
                }
            }
        }
    }
    found
}

fn mask_of(samples: &[i16], dims: [u32; 3], layers: usize, layer: usize, sample: i16, bounds: &VoxelBox) -> Mask {
    let row_len = dims[0] as usize * layers;
    Mask::from_row_words(dims, |bi, j, k| {
        let first = bi * MASK_BRICK;
        let outside = j < bounds.min[1] || j >= bounds.max[1] || k < bounds.min[2] || k >= bounds.max[2];
        if outside || first >= bounds.max[0] || first + MASK_BRICK <= bounds.min[0] {
            return 0;
        }
        let row = &samples[(j as usize + dims[1] as usize * k as usize) * row_len..][..row_len];
        let count = MASK_BRICK.min(dims[0] - first);
        (0..count).fold(0, |word, bit| word | u32::from(row[(first + bit) as usize * layers + layer] == sample) << bit)
    })
}

fn plain_labels(found: &BTreeMap<(u64, i64), VoxelBox>, path: &Path) -> Result<Vec<Label>, ImportError> {
    let values: Vec<(u64, i64)> = found.keys().copied().filter(|key| key.1 != 0).collect();
    if values.len() > MAX_PLAIN_LABELS {
        return Err(ImportError::file(path, "holds too many different values to be a segmentation"));
    }
    let file = stem(path);
    let label = |(index, (layer, value)): (usize, (u64, i64))| {
        let name = if values.len() == 1 { file.clone() } else { format!("{file} {value}") };
        Label { layer, ..Label::new(name, plain_color(index), value, &file) }
    };
    Ok(values.iter().copied().enumerate().map(label).collect())
}

/// Colours that can be told apart: hues a golden angle apart.
pub fn plain_color(index: usize) -> [u8; 3] {
    let hue = (index as f32 * 0.618_034 + 0.1).fract() * 6.0;
    [0.0_f32, 4.0, 2.0].map(|shift| {
        let part = ((hue + shift) % 6.0 - 3.0).abs() - 1.0;
        (90.0 + 140.0 * part.clamp(0.0, 1.0)) as u8
    })
}

/// Why segments do not fit a label map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelMapError {
    /// One value for each voxel.
    #[error("the segments {0} and {1} overlap, which this format cannot hold; .seg.nrrd can")]
    Overlap(String, String),
    /// Label values have 16 bits.
    #[error("there are more segments than a label volume can hold")]
    TooManySegments,
}

/// Segments of one grid as label values in layers.
#[derive(Debug)]
pub struct LabelMap<'a> {
    segments: &'a [(&'a SegmentInfo, &'a Mask)],
    placed: Vec<Place>,
    dims: [u32; 3],
}

/// Where the voxels of a segment are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The layer.
    pub layer: usize,
    /// The value there.
    pub value: u16,
}

impl<'a> LabelMap<'a> {
    /// Each segment in the first layer where it meets no other; values count from 1 in each layer.
    ///
    /// # Errors
    /// When there are more segments in a layer than values.
    ///
    /// # Panics
    /// When a mask is not of the grid.
    pub fn new(grid: &Grid, segments: &'a [(&'a SegmentInfo, &'a Mask)]) -> Result<Self, LabelMapError> {
        assert!(segments.iter().all(|(_, mask)| mask.dims() == grid.dims()), "masks of the grid");
        Ok(Self { segments, placed: place_in_layers(segments)?, dims: grid.dims() })
    }

    /// All segments in one layer.
    ///
    /// # Errors
    /// When two overlap, or there are more than values.
    ///
    /// # Panics
    /// When a mask is not of the grid.
    pub fn flat(grid: &Grid, segments: &'a [(&'a SegmentInfo, &'a Mask)]) -> Result<Self, LabelMapError> {
        let map = Self::new(grid, segments)?;
        let Some(second) = map.placed.iter().position(|place| place.layer > 0) else { return Ok(map) };
        let meets = |other: &(&SegmentInfo, &Mask)| !other.1.combined(segments[second].1, |a, b| a & b).is_empty();
        let first = segments[..second].iter().position(meets).unwrap_or_default();
        Err(LabelMapError::Overlap(segments[first].0.name.clone(), segments[second].0.name.clone()))
    }

    /// The segments with their places.
    pub fn placed(&self) -> impl Iterator<Item = (&'a SegmentInfo, &'a Mask, Place)> {
        self.segments.iter().zip(&self.placed).map(|((info, mask), place)| (*info, *mask, *place))
    }

    /// Number of layers, at least 1.
    pub fn layers(&self) -> usize {
        self.placed.iter().map(|place| place.layer + 1).max().unwrap_or(1)
    }

    /// Whether values need 16 bits; else 8 are enough.
    pub fn is_wide(&self) -> bool {
        self.placed.iter().any(|place| place.value > u16::from(u8::MAX))
    }

    /// Hands out the bytes of each slice (8 bits, or 16 little endian where [`Self::is_wide`]), layers fastest.
    ///
    /// # Errors
    /// Those of `take`, or when cancelled.
    pub fn for_each_slice<E: From<crate::task::Cancelled>>(
        &self,
        progress: &Progress,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let layers = self.layers();
        let mut labels = vec![0_u16; self.dims[0] as usize * self.dims[1] as usize * layers];
        let mut bytes = Vec::new();
        for k in 0..self.dims[2] {
            progress.step(k as usize, self.dims[2] as usize)?;
            labels.fill(0);
            for (_, mask, place) in self.placed() {
                put_slice(mask, k, place, layers, &mut labels);
            }
            bytes.clear();
            if self.is_wide() {
                bytes.extend(labels.iter().flat_map(|label| label.to_le_bytes()));
            } else {
                bytes.extend(labels.iter().map(|&label| label as u8));
            }
            take(&bytes)?;
        }
        Ok(())
    }
}

/// Each segment in the first layer where it meets no other.
fn place_in_layers(segments: &[(&SegmentInfo, &Mask)]) -> Result<Vec<Place>, LabelMapError> {
    let mut layers: Vec<(Mask, u16)> = Vec::new();
    let mut placed = Vec::new();
    for (_, mask) in segments {
        let free = layers.iter().position(|(taken, _)| taken.combined(mask, |a, b| a & b).is_empty());
        let layer = free.unwrap_or_else(|| {
            layers.push((Mask::empty(mask.dims()), 0));
            layers.len() - 1
        });
        let (taken, last) = &mut layers[layer];
        *taken = taken.combined(mask, |a, b| a | b);
        *last = last.checked_add(1).ok_or(LabelMapError::TooManySegments)?;
        placed.push(Place { layer, value: *last });
    }
    Ok(placed)
}

fn put_slice(mask: &Mask, k: u32, place: Place, layers: usize, labels: &mut [u16]) {
    let [ni, nj, _] = mask.dims();
    for j in 0..nj {
        for bi in 0..mask.brick_dims()[0] {
            let mut word = mask.row_word(bi, j, k);
            while word != 0 {
                let i = bi * MASK_BRICK + word.trailing_zeros();
                labels[(i as usize + ni as usize * j as usize) * layers + place.layer] = place.value;
                word &= word - 1;
            }
        }
    }
}
