//! `maquette segment`: voxels of a value range as a segment, cleaned up, written as `.seg.nrrd`, a label map or a DICOM
//! segmentation.
//!
//! The steps are done in one fixed order, whatever the order of the options: threshold, open, largest part, small parts,
//! close, holes, margin.

use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, bail};

use crate::domain::mask::Mask;
use crate::domain::mask::components::Connectivity;
use crate::domain::mask::holes::HoleScope;
use crate::domain::mask::threshold::ValueRange;
use crate::domain::measure::{SegmentStatistics, segment_statistics};
use crate::domain::segmentation::{SegmentInfo, SegmentState};
use crate::domain::volume::Volume;
use crate::ops::convert::{SegmentOptions, SourceImages, Target, write_segments};
use crate::ops::open::open_with;
use crate::ops::segment::{self, Combination, Smoothing, Subject};
use crate::task::Progress;

use super::import_choices::ImportChoices;

/// Colour of a segment that nobody has coloured: bone.
const COLOR: [u8; 3] = [241, 214, 145];

/// What to segment, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder, DICOM file, NIfTI or NRRD
    pub path: PathBuf,
    /// Values of the segment, both ends inside, e.g. 226..3071, 226.. or -700..225
    #[arg(long, value_name = "LOWER..UPPER", allow_hyphen_values = true)]
    pub threshold: ThresholdRange,
    /// Lose what is thinner than twice this, mm
    #[arg(long, value_name = "MM", value_parser = parse_radius_mm)]
    pub open: Option<f64>,
    /// Keep only the largest connected part
    #[arg(long)]
    pub largest: bool,
    /// Remove connected parts smaller than this, mm3
    #[arg(long, value_name = "MM3")]
    pub remove_smaller: Option<f64>,
    /// Fill gaps narrower than twice this, mm
    #[arg(long, value_name = "MM", value_parser = parse_radius_mm)]
    pub close: Option<f64>,
    /// Fill holes that are closed in on all sides
    #[arg(long)]
    pub fill_holes: bool,
    /// Grow by this, mm; shrink when negative
    #[arg(long, value_name = "MM", allow_hyphen_values = true)]
    pub grow: Option<f64>,
    /// Name of the segment
    #[arg(long, default_value = "Segment")]
    pub name: String,
    /// File to write: bone.seg.nrrd, .nii.gz or .mha, or .dcm for a DICOM segmentation of the series
    #[arg(long)]
    pub out: PathBuf,
    /// Keep the patient's identity in a DICOM segmentation: for the archive of the hospital itself
    #[arg(long)]
    pub identified: bool,
    /// Series to read, by its number in `maquette info`; the most sensible one when left out
    #[arg(long)]
    pub series: Option<usize>,
    /// Where slices are missing or leaning
    #[command(flatten)]
    pub choices: ImportChoices,
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// A range as typed: `lower..upper`, either end may be left open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdRange {
    lower: Option<f64>,
    upper: Option<f64>,
}

/// The widest opening and closing, mm: gaps of a body are narrower, and a wider ball needs memory for the air around it.
const MOST_RADIUS_MM: f64 = 100.0;

fn parse_radius_mm(text: &str) -> Result<f64, String> {
    let allowed = |radius: &f64| (0.0..=MOST_RADIUS_MM).contains(radius);
    text.parse().ok().filter(allowed).ok_or_else(|| format!("a distance from 0 to {MOST_RADIUS_MM} mm"))
}

impl FromStr for ThresholdRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (lower, upper) = text.split_once("..").ok_or("write it as LOWER..UPPER, e.g. 226..3071")?;
        let end = |text: &str| match text.trim().trim_start_matches('=') {
            "" => Ok(None),
            number => match number.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Some(value)),
                _ => Err(format!("'{number}' is no number")),
            },
        };
        let range = Self { lower: end(lower)?, upper: end(upper)? };
        match (range.lower, range.upper) {
            (None, None) => Err("one end at least is needed, e.g. 226..".to_owned()),
            (Some(lower), Some(upper)) if lower > upper => Err(format!("{lower} is above {upper}")),
            _ => Ok(range),
        }
    }
}

impl ThresholdRange {
    /// The range with its open ends at the ends of the volume's values. A typed end beyond those stays the end of the range,
    /// which then holds no voxel: turned round it would hold some.
    fn on(self, volume: &Volume) -> ValueRange {
        let (low, high) = volume.value_range();
        let lower = self.lower.unwrap_or_else(|| self.upper.map_or(low, |upper| low.min(upper)));
        ValueRange { lower, upper: self.upper.unwrap_or(high.max(lower)) }
    }
}

/// Segments, writes, and says what came out.
///
/// # Errors
/// When the images cannot be read, no voxel is left, or the file cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let progress = Progress::new();
    // Asked before anything is read: that takes long.
    let target = Target::of(&args.out).map_err(anyhow::Error::msg)?;
    let loaded = open_with(&args.path, args.series, args.choices.options(), &progress, &|_| {})?;
    let volume = &loaded.volume;
    let (mask, steps) = segmented(args, volume, &progress)?;
    let statistics = segment_statistics(&mask, volume);
    let info = SegmentInfo {
        name: args.name.clone(),
        code: None,
        side: None,
        color: COLOR,
        visible: true,
        opacity: 0.5,
        outline: crate::domain::segmentation::USUAL_OUTLINE,
        locked: false,
        state: SegmentState::InWork,
        made_by: steps,
    };
    let source = SourceImages::of(&loaded.info, &loaded.source.files, volume.grid().dims()[2] as usize);
    let source = if args.identified { source } else { source.deidentified() };
    let options = SegmentOptions { source: Some(&source), ..SegmentOptions::default() };
    let segments = [(info, mask)];
    write_segments(&args.out, target, &options, volume.grid(), &segments, &progress)
        .with_context(|| format!("the segmentation was not written to {}", args.out.display()))?;
    let [(info, _)] = segments;
    print(args, &info, &statistics, volume, out)
}

/// The mask, and the steps that made it in words.
fn segmented(args: &Args, volume: &Volume, progress: &Progress) -> anyhow::Result<(Mask, Vec<String>)> {
    let (unit, range) = (volume.quantity().unit(), args.threshold.on(volume));
    let mut mask = Mask::empty(volume.grid().dims());
    let mut steps = Vec::new();
    let found = segment::threshold(&Subject::new(&mask, volume), range, Combination::Replace, progress)?;
    mask.apply(found);
    steps.push(format!("Threshold {}...{} {unit}", range.lower, range.upper).trim_end().to_owned());
    if mask.is_empty() {
        let (low, high) = volume.value_range();
        bail!("no voxel has a value from {} to {}: values run from {low} to {high} {unit}", range.lower, range.upper);
    }
    type Step<'a> =
        (bool, String, Box<dyn Fn(&Subject<'_>) -> Result<crate::domain::mask::MaskDelta, segment::SegmentError> + 'a>);
    let (open, close) = (args.open.unwrap_or(0.0), args.close.unwrap_or(0.0));
    let (smallest, grow) = (args.remove_smaller.unwrap_or(0.0), args.grow.unwrap_or(0.0));
    let faces = Connectivity::Faces;
    let all: [Step<'_>; 6] = [
        (
            args.open.is_some(),
            format!("Open {open} mm"),
            Box::new(|s| segment::smooth(s, Smoothing::Opening, open, progress)),
        ),
        (args.largest, "Keep largest part".to_owned(), Box::new(|s| segment::keep_largest(s, faces, progress))),
        (
            args.remove_smaller.is_some(),
            format!("Remove parts under {smallest} mm3"),
            Box::new(|s| segment::remove_small(s, smallest, faces, progress)),
        ),
        (
            args.close.is_some(),
            format!("Close {close} mm"),
            Box::new(|s| segment::smooth(s, Smoothing::Closing, close, progress)),
        ),
        (args.fill_holes, "Fill holes".to_owned(), Box::new(|s| segment::fill_holes(s, HoleScope::Volume, progress))),
        (
            args.grow.is_some(),
            if grow < 0.0 { format!("Shrink {} mm", -grow) } else { format!("Grow {grow} mm") },
            Box::new(|s| segment::margin(s, grow, progress)),
        ),
    ];
    for (_, words, step) in all.into_iter().filter(|(wanted, ..)| *wanted) {
        let delta = step(&Subject::new(&mask, volume))?;
        mask.apply(delta);
        steps.push(words);
        if mask.is_empty() {
            bail!("nothing is left of the segment after: {}", steps.join(", "));
        }
    }
    Ok((mask, steps))
}

fn print(
    args: &Args,
    info: &SegmentInfo,
    statistics: &SegmentStatistics,
    volume: &Volume,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let unit = volume.quantity().unit();
    if args.json {
        let value = serde_json::json!({
            "path": args.path, "out": args.out, "name": info.name, "steps": info.made_by, "dims": volume.grid().dims(),
            "voxels": statistics.voxel_count, "volume_ml": statistics.volume_ml, "unit": unit, "values": statistics.samples,
            "use": crate::cli::NOT_FOR_DIAGNOSTIC_USE,
        });
        return Ok(writeln!(out, "{value}")?);
    }
    writeln!(out, "{}: {} voxels, {:.2} ml", info.name, statistics.voxel_count, statistics.volume_ml)?;
    if let Some(values) = statistics.samples {
        let text = format!(
            "values {:.1} +- {:.1} {unit}, from {} to {} {unit}",
            values.mean, values.sd, values.min, values.max
        );
        writeln!(out, "{}", text.trim_end())?;
    }
    writeln!(out, "made by: {}", info.made_by.join(", "))?;
    writeln!(out, "written: {}", args.out.display())?;
    Ok(writeln!(out, "{}.", crate::cli::NOT_FOR_DIAGNOSTIC_USE)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_people_write_them() {
        let range = |lower, upper| Ok(ThresholdRange { lower, upper });
        assert_eq!("226..3071".parse(), range(Some(226.0), Some(3071.0)));
        assert_eq!("-700..=-20.5".parse(), range(Some(-700.0), Some(-20.5)));
        assert_eq!("300..".parse(), range(Some(300.0), None));
        assert_eq!("..-200".parse(), range(None, Some(-200.0)));
        for wrong in ["", "..", "300", "a..b", "5..1", "nan..3", "1..inf"] {
            assert!(wrong.parse::<ThresholdRange>().is_err(), "{wrong}");
        }
    }
}
