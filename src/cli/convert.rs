//! `maquette convert`: images and segments from one format into another, in the same place with the same values.
//!
//! Prints no patient identity; what it writes has none either, unless asked for.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::segmentation::SegmentInfo;
use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::Volume;
use crate::io::case_file;
use crate::ops::convert::{
    self, Converted, DicomContent, NiftiVersion, SegKind, SegmentOptions, SegmentationFile, SourceImages, Target,
};
use crate::ops::deidentify::series_info;
use crate::ops::open::{Report, SeriesEntry, SeriesKind, load, open, pick, scan};
use crate::session::case::open_case;
use crate::task::Progress;

/// What to convert into what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder, DICOM file, NIfTI, NRRD, MetaImage, segmentation, contours, model (.stl, .obj) or case
    pub path: PathBuf,
    /// .nii, .nii.gz, .nrrd, .nhdr, .seg.nrrd, .mha, .mhd, .dcm for a DICOM segmentation, or a folder for DICOM images
    pub out: PathBuf,
    /// Series to read, by its number in `maquette info`; the most sensible one when left out
    #[arg(long)]
    pub series: Option<usize>,
    /// Take the segments of a case, or the values of a label volume as segments
    #[arg(long)]
    pub segments: bool,
    /// Images that segments belong to: they are brought onto their grid, and a DICOM segmentation refers to them
    #[arg(long, value_name = "PATH")]
    pub images: Option<PathBuf>,
    /// Which DICOM segmentation
    #[arg(long, value_enum, default_value = "binary")]
    pub kind: Kind,
    /// Keep the patient's identity in DICOM files: for the archive of the hospital itself
    #[arg(long)]
    pub identified: bool,
    /// Write NIfTI-2 where NIfTI is asked for
    #[arg(long)]
    pub nifti2: bool,
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// Which DICOM segmentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// One bit for each voxel and segment: what every program reads.
    Binary,
    /// One byte for each voxel and segment.
    Fractional,
    /// One number for each voxel, since 2024: segments must not overlap.
    Labelmap,
    /// Contours on slices: an RT structure set.
    Rtstruct,
}

impl From<Kind> for SegKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Binary | Kind::Rtstruct => Self::Binary,
            Kind::Fractional => Self::Fractional,
            Kind::Labelmap => Self::LabelMap,
        }
    }
}

/// What was read.
enum Content {
    Volume(Arc<Volume>, Box<SeriesInfo>),
    Segments(Box<Grid>, Vec<(SegmentInfo, Mask)>),
}

/// Reads, writes, and says what was written.
///
/// # Errors
/// When the input cannot be read, or the output's format cannot hold it or cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let progress = Progress::new();
    let content = convert::dicom_content(&args.path);
    let ends = |end: &str| args.path.extension().is_some_and(|found| found.eq_ignore_ascii_case(end));
    if content == Some(DicomContent::Model) || ends("stl") || ends("obj") {
        return of_model(args, &progress, out);
    }
    // Asked before anything is read: that takes long.
    let target = Target::of(&args.out).map_err(anyhow::Error::msg)?;
    let is_contours = content == Some(DicomContent::Contours);
    let (mut content, mut report) = if is_contours { filled(args, &progress)? } else { read(args, &progress)? };
    let source = match &args.images {
        Some(images) => onto_images(&mut content, images, args, &mut report, &progress)?,
        None => SourceImages { is_deidentified: !args.identified, ..SourceImages::default() },
    };
    let version = if args.nifti2 { NiftiVersion::Two } else { NiftiVersion::One };
    let failed = || format!("{} was not written", args.out.display());
    let (written, grid) = match &content {
        Content::Volume(volume, info) => {
            if Target::wants_segments(&args.out) {
                bail!("{} holds images, no segments; if its values are labels, say --segments", args.path.display());
            }
            // Names, dates and numbers of the patient do not leave with an export.
            let info = if args.identified { (**info).clone() } else { series_info(info) };
            let written = convert::write_volume(&args.out, target, version, volume, &info, &progress);
            (written.with_context(failed)?, *volume.grid())
        }
        Content::Segments(grid, segments) => {
            let as_contours = args.kind == Kind::Rtstruct;
            let options = SegmentOptions { version, kind: args.kind.into(), as_contours, source: Some(&source) };
            let written = convert::write_segments(&args.out, target, &options, grid, segments, &progress);
            (written.with_context(failed)?, **grid)
        }
    };
    let Converted { files, report: more } = written;
    report.extend(more);
    print(args, &content, &grid, &files, &report, out)
}

/// Contours are filled on the images that they were drawn on.
fn filled(args: &Args, progress: &Progress) -> anyhow::Result<(Content, Report)> {
    let images = args.images.as_ref().context("contours need the images that they were drawn on: use --images PATH")?;
    let loaded = open(images, args.series, progress, &|_| {})?;
    let read = convert::read_contours(&args.path, loaded.volume.grid(), progress)?;
    Ok((Content::Segments(Box::new(read.grid), read.segments), read.report))
}

/// A model from one format into another, in the same place.
fn of_model(args: &Args, progress: &Progress, out: &mut dyn Write) -> anyhow::Result<()> {
    let (mesh, mut report) = convert::read_mesh(&args.path).map_err(anyhow::Error::msg)?;
    let source = match &args.images {
        Some(images) => {
            let loaded = open(images, args.series, progress, &|_| {})?;
            let slices = loaded.volume.grid().dims()[2] as usize;
            report.extend(loaded.report);
            SourceImages::of(&loaded.info, &loaded.source.files, slices)
        }
        None => SourceImages::default(),
    };
    let source = if args.identified { source } else { source.deidentified() };
    convert::write_mesh(&args.out, &mesh, "Model", &source).map_err(anyhow::Error::msg)?;
    let triangles = mesh.triangles.len();
    if args.json {
        let object = serde_json::json!({
            "path": args.path, "written": [&args.out], "triangles": triangles, "report": report,
            "use": crate::cli::NOT_FOR_DIAGNOSTIC_USE,
        });
        return Ok(writeln!(out, "{object}")?);
    }
    for line in &report.lines {
        writeln!(out, "{}", line.text)?;
    }
    writeln!(out, "written: {} ({triangles} triangles)", args.out.display())?;
    Ok(writeln!(out, "{}.", crate::cli::NOT_FOR_DIAGNOSTIC_USE)?)
}

/// Brings segments onto the grid of the images that they belong to.
fn onto_images(
    content: &mut Content,
    images: &Path,
    args: &Args,
    report: &mut Report,
    progress: &Progress,
) -> anyhow::Result<SourceImages> {
    let Content::Segments(grid, segments) = content else {
        bail!("--images is for segments; {} holds images", args.path.display());
    };
    let loaded = open(images, args.series, progress, &|_| {})?;
    let target = *loaded.volume.grid();
    let file = SegmentationFile { grid: **grid, segments: std::mem::take(segments), report: Report::default() };
    if !file.grid.same_space(&target) {
        report.warning("the segments were brought onto the grid of the images: the nearest voxel decides");
    }
    (**grid, *segments) = (target, file.on_grid(&target)?);
    let slices = target.dims()[2] as usize;
    let source = SourceImages::of(&loaded.info, &loaded.source.files, slices);
    Ok(if args.identified { source } else { source.deidentified() })
}

fn read(args: &Args, progress: &Progress) -> anyhow::Result<(Content, Report)> {
    let wants_segments = args.segments || Target::wants_segments(&args.out);
    if args.path.extension().is_some_and(|end| end.eq_ignore_ascii_case(case_file::EXTENSION)) {
        return of_case(args, wants_segments, progress);
    }
    let found = scan(&args.path, progress)?;
    let entry = pick(&found, args.series)?;
    let mut report = found.report.clone();
    let is_label_volume = args.segments && entry.kind != SeriesKind::Dicom;
    let content = if entry.kind == SeriesKind::Segmentation || is_label_volume {
        of_segmentation(entry, &mut report, progress)?
    } else {
        let loaded = load(entry, progress, &|_| {})?;
        report.extend(loaded.report);
        Content::Volume(Arc::new(loaded.volume), Box::new(loaded.info))
    };
    Ok((content, report))
}

fn of_segmentation(entry: &SeriesEntry, report: &mut Report, progress: &Progress) -> anyhow::Result<Content> {
    let read = convert::read_segments(&entry.files[0], progress)?;
    report.extend(read.report);
    Ok(Content::Segments(Box::new(read.grid), read.segments))
}

fn of_case(args: &Args, wants_segments: bool, progress: &Progress) -> anyhow::Result<(Content, Report)> {
    let at = args.series.unwrap_or(0);
    if wants_segments {
        // Segments need no images.
        let case = case_file::read_case(&args.path)?;
        let count = case.volumes.len();
        let volume = case.volumes.get(at).with_context(|| format!("the case has no volume {at}, only {count}"))?;
        let of_volume = case.segments.iter().filter(|segment| segment.volume == volume.id);
        let segments: Vec<_> = of_volume.map(|segment| (segment.info.clone(), segment.mask.clone())).collect();
        if segments.is_empty() {
            bail!("volume {at} of the case has no segments");
        }
        return Ok((Content::Segments(Box::new(volume.grid), segments), Report::default()));
    }
    let opened = open_case(&args.path, None, progress)?;
    let volumes = opened.document.volumes();
    let volume = volumes.get(at).with_context(|| format!("the case has no volume {at}, only {}", volumes.len()))?;
    Ok((Content::Volume(Arc::clone(&volume.volume), Box::new(volume.head.info.clone())), Report::default()))
}

fn print(
    args: &Args,
    content: &Content,
    grid: &Grid,
    files: &[PathBuf],
    report: &Report,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let dims = grid.dims();
    let names: Vec<&str> = match content {
        Content::Volume(..) => Vec::new(),
        Content::Segments(_, segments) => segments.iter().map(|(info, _)| info.name.as_str()).collect(),
    };
    if args.json {
        let object = serde_json::json!({
            "path": args.path, "written": files, "dims": dims, "spacing_mm": grid.spacing_mm().to_array(),
            "segments": names, "report": report, "use": crate::cli::NOT_FOR_DIAGNOSTIC_USE,
        });
        return Ok(writeln!(out, "{object}")?);
    }
    for line in &report.lines {
        writeln!(out, "{}", line.text)?;
    }
    let [ni, nj, nk] = dims;
    match content {
        Content::Volume(..) => writeln!(out, "{ni} x {nj} x {nk} voxels")?,
        Content::Segments(..) => writeln!(out, "{} segments: {}", names.len(), names.join(", "))?,
    }
    let first: Option<&Path> = files.first().map(PathBuf::as_path);
    let shown = if files.len() > 4 { args.out.as_path() } else { first.unwrap_or(&args.out) };
    let plural = if files.len() == 1 { "file" } else { "files" };
    writeln!(out, "written: {} ({} {plural})", shown.display(), files.len())?;
    Ok(writeln!(out, "{}.", crate::cli::NOT_FOR_DIAGNOSTIC_USE)?)
}
