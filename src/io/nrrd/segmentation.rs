//! Segmentations as 3D Slicer keeps them (`.seg.nrrd`): label values in one or more layers, named and coloured by keys.
//!
//! Segments that overlap go to different layers, an axis in front of i. Written whole or not at all.
//! A plain label volume is read too: each value that occurs is one segment.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use glam::DVec3;

use crate::domain::grid::{Grid, VoxelBox};
use crate::domain::mask::{MASK_BRICK, Mask};
use crate::domain::segmentation::{Code, SegmentInfo, SegmentState};
use crate::io::atomic_file::write_atomically;
use crate::io::import::ImportError;
use crate::io::import::research::stem;
use crate::io::report::Report;
use crate::task::Progress;

use super::NrrdWriteError;
use super::header::escape;
use super::volume::{inspect, write_head};

/// Label values of a plain label volume that are taken as segments.
const MAX_PLAIN_LABELS: usize = 255;
/// Fill opacity of segments read from files, which do not say.
const OPACITY: f32 = 0.25;

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

/// One segment as the keys of a file describe it.
struct Label {
    info: SegmentInfo,
    value: i64,
    layer: u64,
}

/// Reads a `.seg.nrrd`, or a label volume, with its segments.
///
/// # Errors
/// When the file is damaged, or is no segmentation.
pub fn read_segmentation(path: &Path, progress: &Progress) -> Result<SegmentationFile, ImportError> {
    let contents = inspect(path)?;
    let layers = contents.plan.components;
    let mut report = contents.report.clone();
    let read = contents.plan.read(&mut report, progress)?;
    let value = |sample: i16| read.rescale.value(f64::from(sample)).round() as i64;
    let found = occurring(&read.samples, contents.plan.grid.dims(), layers as usize);
    let found: BTreeMap<(u64, i64), VoxelBox> =
        found.into_iter().map(|((layer, sample), bounds)| ((layer as u64, value(sample)), bounds)).collect();
    let labels = if contents.is_segmentation() {
        labels_of_keys(&contents.header.keys, &stem(path), &mut report)
    } else {
        plain_labels(&found, path)?
    };
    let known: Vec<(u64, i64)> = labels.iter().map(|label| (label.layer, label.value)).collect();
    let unnamed = found.keys().filter(|key| key.1 != 0 && !known.contains(key)).count();
    if unnamed > 0 {
        report.warning(format!("{unnamed} label values have no segment and were left out"));
    }
    let dims = contents.plan.grid.dims();
    let mut segments = Vec::new();
    for (index, label) in labels.into_iter().enumerate() {
        progress.step(index, known.len())?;
        let mask = match found.get(&(label.layer, label.value)) {
            Some(bounds) => {
                let sample = read.rescale.sample(label.value as f64).round() as i16;
                mask_of(&read.samples, dims, layers as usize, label.layer as usize, sample, bounds)
            }
            None => Mask::empty(dims),
        };
        segments.push((label.info, mask));
    }
    Ok(SegmentationFile { grid: contents.plan.grid, segments, report })
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

fn labels_of_keys(keys: &BTreeMap<String, String>, file: &str, report: &mut Report) -> Vec<Label> {
    let mut labels = Vec::new();
    for index in 0.. {
        let key = |name: &str| keys.get(&format!("Segment{index}_{name}"));
        let Some(id) = key("ID").or_else(|| key("Name")) else { break };
        let tags = key("Tags").map(String::as_str).unwrap_or_default();
        let number = |name: &str| key(name).and_then(|text| text.trim().parse::<i64>().ok());
        let Some(value) = number("LabelValue").or(Some(i64::from(index) + 1)) else { break };
        let layer = number("Layer").and_then(|layer| u64::try_from(layer).ok()).unwrap_or(0);
        let name = key("Name").unwrap_or(id).clone();
        if key("LabelValue").is_none() {
            report.warning(format!("segment {name} has no label value; {value} was taken"));
        }
        let info = SegmentInfo {
            name,
            code: terminology(tags),
            color: key("Color").and_then(|text| color(text)).unwrap_or([128, 174, 128]),
            visible: true,
            opacity: OPACITY,
            locked: false,
            state: state(tags),
            made_by: vec![format!("Read from {file}")],
        };
        labels.push(Label { info, value, layer });
    }
    labels
}

fn plain_labels(found: &BTreeMap<(u64, i64), VoxelBox>, path: &Path) -> Result<Vec<Label>, ImportError> {
    let values: Vec<(u64, i64)> = found.keys().copied().filter(|key| key.1 != 0).collect();
    if values.len() > MAX_PLAIN_LABELS {
        return Err(ImportError::file(path, "holds too many different values to be a segmentation"));
    }
    let file = stem(path);
    let label = |(index, (layer, value)): (usize, (u64, i64))| {
        let info = SegmentInfo {
            name: if values.len() == 1 { file.clone() } else { format!("{file} {value}") },
            code: None,
            color: plain_color(index),
            visible: true,
            opacity: OPACITY,
            locked: false,
            state: SegmentState::default(),
            made_by: vec![format!("Read from {file}")],
        };
        Label { info, value, layer }
    };
    Ok(values.iter().copied().enumerate().map(label).collect())
}

/// Colours that can be told apart: hues a golden angle apart.
fn plain_color(index: usize) -> [u8; 3] {
    let hue = (index as f32 * 0.618_034 + 0.1).fract() * 6.0;
    [0.0_f32, 4.0, 2.0].map(|shift| {
        let part = ((hue + shift) % 6.0 - 3.0).abs() - 1.0;
        (90.0 + 140.0 * part.clamp(0.0, 1.0)) as u8
    })
}

fn color(text: &str) -> Option<[u8; 3]> {
    let parts: Vec<f32> = text.split_whitespace().map_while(|part| part.parse().ok()).collect();
    parts.first_chunk::<3>().map(|rgb| rgb.map(|part| (part.clamp(0.0, 1.0) * 255.0).round() as u8))
}

/// The type of `TerminologyEntry:context~category~type~modifier~...`, each `scheme^value^meaning`.
fn terminology(tags: &str) -> Option<Code> {
    let entry = tags.split('|').find_map(|tag| tag.strip_prefix("TerminologyEntry:"))?;
    let mut parts = entry.split('~').nth(2)?.split('^');
    let (scheme, value, meaning) = (parts.next()?, parts.next()?, parts.next()?);
    // Slicer's "Tissue" is what it writes when nobody chose anything.
    (!value.is_empty() && value != "85756007").then(|| Code {
        scheme: scheme.to_owned(),
        value: value.to_owned(),
        meaning: meaning.to_owned(),
    })
}

const STATES: [(&str, SegmentState); 3] =
    [("notstarted", SegmentState::ToDo), ("inprogress", SegmentState::InWork), ("completed", SegmentState::Done)];

fn state(tags: &str) -> SegmentState {
    let status = tags.split('|').find_map(|tag| tag.strip_prefix("Segmentation.Status:")).unwrap_or_default();
    STATES.iter().find(|(name, _)| *name == status).map_or(SegmentState::default(), |(_, state)| *state)
}

/// Writes segments of one grid, overlapping or not.
///
/// # Errors
/// When the medium refuses; nothing is half written.
///
/// # Panics
/// When a mask is not of the grid.
pub fn write_segmentation(path: &Path, grid: &Grid, segments: &[(&SegmentInfo, &Mask)]) -> Result<(), NrrdWriteError> {
    assert!(segments.iter().all(|(_, mask)| mask.dims() == grid.dims()), "masks of the grid");
    let placed = place_in_layers(segments);
    let layers = placed.iter().map(|place| place.layer + 1).max().unwrap_or(1);
    let most = placed.iter().map(|place| place.value).max().unwrap_or(1);
    let is_wide = most > u32::from(u8::MAX);
    if most > u32::from(u16::MAX) {
        return Err(NrrdWriteError::TooManySegments);
    }
    write_atomically(path, |out| -> Result<(), NrrdWriteError> {
        let kind = if is_wide { "unsigned short" } else { "unsigned char" };
        write_head(out, grid, kind, (layers > 1).then_some(layers))?;
        write_keys(out, grid, segments, &placed)?;
        writeln!(out)?;
        let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
        let [ni, nj, nk] = grid.dims();
        let mut labels = vec![0_u16; ni as usize * nj as usize * layers];
        for k in 0..nk {
            labels.fill(0);
            for ((_, mask), place) in segments.iter().zip(&placed) {
                put_slice(mask, k, place, layers, &mut labels);
            }
            if is_wide {
                labels.iter().try_for_each(|label| packer.write_all(&label.to_le_bytes()))?;
            } else {
                let bytes: Vec<u8> = labels.iter().map(|&label| label as u8).collect();
                packer.write_all(&bytes)?;
            }
        }
        packer.finish()?;
        Ok(())
    })
}

struct Place {
    layer: usize,
    value: u32,
}

/// Each segment in the first layer where it meets no other.
fn place_in_layers(segments: &[(&SegmentInfo, &Mask)]) -> Vec<Place> {
    let mut layers: Vec<(Mask, u32)> = Vec::new();
    let mut placed = Vec::new();
    for (_, mask) in segments {
        let free = layers.iter().position(|(taken, _)| taken.combined(mask, |a, b| a & b).is_empty());
        let layer = free.unwrap_or_else(|| {
            layers.push((Mask::empty(mask.dims()), 0));
            layers.len() - 1
        });
        let (taken, last) = &mut layers[layer];
        *taken = taken.combined(mask, |a, b| a | b);
        *last += 1;
        placed.push(Place { layer, value: *last });
    }
    placed
}

fn put_slice(mask: &Mask, k: u32, place: &Place, layers: usize, labels: &mut [u16]) {
    let [ni, nj, _] = mask.dims();
    for j in 0..nj {
        for bi in 0..mask.brick_dims()[0] {
            let mut word = mask.row_word(bi, j, k);
            while word != 0 {
                let i = bi * MASK_BRICK + word.trailing_zeros();
                labels[(i as usize + ni as usize * j as usize) * layers + place.layer] = place.value as u16;
                word &= word - 1;
            }
        }
    }
}

fn write_keys(
    out: &mut dyn Write,
    grid: &Grid,
    segments: &[(&SegmentInfo, &Mask)],
    placed: &[Place],
) -> io::Result<()> {
    for (index, ((info, mask), place)) in segments.iter().zip(placed).enumerate() {
        let [red, green, blue] = info.color.map(|part| f64::from(part) / 255.0);
        let bounds = mask.bounds().unwrap_or(VoxelBox { min: [0; 3], max: [0; 3] });
        let extent: Vec<String> =
            (0..3).map(|axis| format!("{} {}", bounds.min[axis], i64::from(bounds.max[axis]) - 1)).collect();
        let status = STATES.iter().find(|(_, state)| *state == info.state).map_or("notstarted", |(name, _)| name);
        let code = match &info.code {
            Some(code) => [&code.scheme, &code.value, &code.meaning].map(|part| part.replace(['^', '~', '|'], " ")),
            None => ["SCT", "85756007", "Tissue"].map(str::to_owned),
        };
        let category = if info.code.is_some() { "SCT^123037004^Anatomical Structure" } else { "SCT^85756007^Tissue" };
        let terms = format!(
            "Segmentation category and type - 3D Slicer General Anatomy list~{category}~{}~^^~Anatomic codes - DICOM master list~^^~^^",
            code.join("^")
        );
        let keys = [
            ("Color", format!("{red:.6} {green:.6} {blue:.6}")),
            ("ColorAutoGenerated", "0".to_owned()),
            ("Extent", extent.join(" ")),
            ("ID", format!("Segment_{}", index + 1)),
            ("LabelValue", place.value.to_string()),
            ("Layer", place.layer.to_string()),
            ("Name", escape(&info.name)),
            ("NameAutoGenerated", "0".to_owned()),
            ("Tags", escape(&format!("Segmentation.Status:{status}|TerminologyEntry:{terms}|"))),
        ];
        for (key, value) in keys {
            writeln!(out, "Segment{index}_{key}:={value}")?;
        }
    }
    let [ni, nj, nk] = grid.dims();
    writeln!(out, "Segmentation_ContainedRepresentationNames:=Binary labelmap|")?;
    writeln!(out, "Segmentation_ConversionParameters:=")?;
    writeln!(out, "Segmentation_MasterRepresentation:=Binary labelmap")?;
    writeln!(out, "Segmentation_ReferenceImageExtent:=0 {} 0 {} 0 {}", ni - 1, nj - 1, nk - 1)?;
    writeln!(out, "Segmentation_ReferenceImageExtentOffset:=0 0 0")
}
