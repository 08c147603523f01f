//! `maquette surface`: the surface of an iso value or of a segment, smoothed if wanted, written as binary STL.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::components::largest_part;
use crate::domain::mesh::smooth::{SmoothOptions, SmoothReport, smooth};
use crate::domain::mesh::topology::topology;
use crate::domain::segmentation::SegmentInfo;
use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::Volume;
use crate::io::case_file;
use crate::io::provenance::ImageSource;
use crate::io::report::Report;
use crate::ops::backend::Backend;
use crate::ops::convert::{SourceImages, read_segments, write_mesh};
use crate::ops::export::{ExportReport, MeshExport, MeshSpace, export_mesh};
use crate::ops::open::{SeriesKind, load, pick, scan_with};
use crate::ops::render::is_dicom_name;
use crate::ops::surface::{extract_iso, extract_segment};
use crate::session::case::open_case;
use crate::task::Progress;

use super::import_choices::ImportChoices;

/// Most passes of smoothing.
const MAX_PASSES: i64 = 1000;

/// Of what, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder, DICOM file, NIfTI, NRRD, a segmentation (.seg.nrrd), or a case
    pub path: PathBuf,
    /// Value of the surface, in values of the images (HU for CT): inside is what is greater
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true, conflicts_with = "segment")]
    pub iso: Option<f64>,
    /// Segment of a segmentation or a case, by its name; may be left out where there is only one
    #[arg(long, value_name = "NAME")]
    pub segment: Option<String>,
    /// Passes of windowed-sinc smoothing
    #[arg(long, value_name = "PASSES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=MAX_PASSES))]
    pub smooth: u32,
    /// Keep only the part with the largest volume
    #[arg(long)]
    pub largest: bool,
    /// Where to compute
    #[arg(long, default_value = "auto", value_parser = Backend::NAMES)]
    pub backend: String,
    /// STL file to write; a JSON file that describes it goes beside it. A name that ends in .dcm makes a DICOM Encapsulated STL
    /// that refers to the images, without the patient's identity and without a JSON file
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Axes of the STL file: lps (DICOM) or ras
    #[arg(long, default_value = "lps", value_parser = ["lps", "ras"])]
    pub space: String,
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

/// A mesh with where it comes from.
struct Model {
    mesh: TriangleMesh,
    name: String,
    source: Option<ImageSource>,
    /// The same images, as a DICOM file refers to them: without the patient.
    images: SourceImages,
    /// How it was made, in words.
    steps: Vec<String>,
    /// What the importer said.
    report: Report,
}

/// Extracts, cleans, smooths, writes, and says what came out.
///
/// # Errors
/// When the data cannot be read, the surface is empty, or the file cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let progress = Progress::new();
    let mut model = extract(args, &progress)?;
    if args.largest {
        model.mesh = largest_part(&model.mesh);
        model.steps.push("Keep largest part".to_owned());
    }
    let mut smoothing = None;
    if args.smooth > 0 {
        let options = SmoothOptions { iterations: args.smooth, ..SmoothOptions::default() };
        let (smoothed, report) = smooth(&model.mesh, &options, &progress)?;
        model.mesh = smoothed;
        model.steps.push(format!("Smooth, windowed sinc, {} passes, pass band {}", args.smooth, options.pass_band));
        smoothing = Some(report);
    }
    let is_dicom = args.out.as_deref().is_some_and(is_dicom_name);
    if let (Some(path), true) = (&args.out, is_dicom) {
        write_mesh(path, &model.mesh, &model.name, &model.images).map_err(anyhow::Error::msg)?;
        if !args.json {
            writeln!(out, "written: {}", path.display())?;
        }
    }
    let written = args.out.as_deref().filter(|_| !is_dicom).map(|path| write(args, path, &model)).transpose()?;
    let written = written.as_ref();
    if args.json { print_json(args, &model, smoothing, written, out) } else { print(&model, smoothing, written, out) }
}

fn extract(args: &Args, progress: &Progress) -> anyhow::Result<Model> {
    if args.path.extension().is_some_and(|end| end.eq_ignore_ascii_case(case_file::EXTENSION)) {
        return extract_from_case(args, progress);
    }
    let found = scan_with(&args.path, args.choices.options(), progress)?;
    let entry = pick(&found, args.series)?;
    if entry.kind == SeriesKind::Segmentation {
        if args.iso.is_some() {
            bail!("{} is a segmentation: it has segments, no values; use --segment NAME", args.path.display());
        }
        let file = read_segments(&entry.files[0], progress)?;
        let names: Vec<&str> = file.segments.iter().map(|(info, _)| info.name.as_str()).collect();
        let at = segment_index(&names, args.segment.as_deref())?;
        let (info, mask) = &file.segments[at];
        let model = of_segment(info, mask, &file.grid, progress)?;
        return Ok(Model { report: file.report.clone(), ..model });
    }
    if args.segment.is_some() {
        bail!("{} holds images, no segments; use --iso VALUE, or give a .seg.nrrd", args.path.display());
    }
    // Asked before the images are read: that takes long.
    let iso = wanted_value(args)?;
    let loaded = load(entry, progress, &|_| {})?;
    let mut report = found.report.clone();
    report.extend(loaded.report);
    let model = of_value(args, iso, &loaded.volume, &loaded.info, progress)?;
    let slices = loaded.volume.grid().dims()[2] as usize;
    let images = SourceImages::of(&loaded.info, &loaded.source.files, slices).deidentified();
    Ok(Model { images, report, ..model })
}

/// From a case: a segment needs no images, a value does.
fn extract_from_case(args: &Args, progress: &Progress) -> anyhow::Result<Model> {
    if args.iso.is_some() {
        let opened = open_case(&args.path, None, progress)?;
        let volumes = opened.document.volumes();
        let at = args.series.unwrap_or(0);
        let volume = volumes.get(at).with_context(|| format!("the case has no volume {at}, only {}", volumes.len()))?;
        return of_value(args, wanted_value(args)?, &volume.volume, &volume.head.info, progress);
    }
    let case = case_file::read_case(&args.path)?;
    let names: Vec<&str> = case.segments.iter().map(|segment| segment.info.name.as_str()).collect();
    let segment = &case.segments[segment_index(&names, args.segment.as_deref())?];
    let volume = case.volumes.iter().find(|volume| volume.id == segment.volume);
    let volume = volume.with_context(|| format!("the images of the segment {} are missing", segment.info.name))?;
    of_segment(&segment.info, &segment.mask, &volume.grid, progress)
}

fn wanted_value(args: &Args) -> anyhow::Result<f64> {
    match args.iso {
        Some(iso) if iso.is_finite() => Ok(iso),
        Some(_) => bail!("the value of the surface must be a number"),
        None => bail!("of which value? Use --iso VALUE, e.g. --iso 300 for bone on CT"),
    }
}

fn of_value(args: &Args, iso: f64, volume: &Volume, info: &SeriesInfo, progress: &Progress) -> anyhow::Result<Model> {
    let backend: Backend = args.backend.parse().map_err(anyhow::Error::msg)?;
    let mesh = extract_iso(volume, iso, backend, None, progress)?;
    let value = format!("{iso} {}", volume.quantity().unit()).trim_end().to_owned();
    if mesh.triangles.is_empty() {
        let (low, high) = volume.value_range();
        bail!("there is no surface at {value}: the values run from {low} to {high}");
    }
    Ok(Model {
        mesh,
        name: format!("Surface at {value}"),
        source: Some(ImageSource::new(volume, info)),
        images: SourceImages { info: info.clone(), ..SourceImages::default() }.deidentified(),
        steps: vec![format!("Surface at {value}")],
        report: Report::default(),
    })
}

fn of_segment(info: &SegmentInfo, mask: &Mask, grid: &Grid, progress: &Progress) -> anyhow::Result<Model> {
    if mask.is_empty() {
        bail!("the segment {} has no voxels", info.name);
    }
    let mesh = extract_segment(mask, grid, progress)?;
    let mut steps = info.made_by.clone();
    steps.push(format!("Surface of segment {}", info.name));
    let images = SourceImages { is_deidentified: true, ..SourceImages::default() };
    Ok(Model { mesh, name: info.name.clone(), source: None, images, steps, report: Report::default() })
}

/// The segment that was asked for, or the only one.
fn segment_index(names: &[&str], wanted: Option<&str>) -> anyhow::Result<usize> {
    let list = names.join(", ");
    match wanted {
        Some(name) => {
            let exact = names.iter().position(|found| *found == name);
            let same_letters = || names.iter().position(|found| found.to_lowercase() == name.to_lowercase());
            exact.or_else(same_letters).with_context(|| format!("there is no segment '{name}'; there are: {list}"))
        }
        None if names.len() == 1 => Ok(0),
        None if names.is_empty() => bail!("the segmentation holds no segment"),
        None => bail!("which segment? Use --segment NAME; there are: {list}"),
    }
}

fn write(args: &Args, path: &Path, model: &Model) -> anyhow::Result<ExportReport> {
    let space = if args.space == "ras" { MeshSpace::Ras } else { MeshSpace::Lps };
    let parameters = json!({
        "iso": args.iso, "segment": args.segment, "smooth_passes": args.smooth, "largest_part": args.largest,
    });
    let export = MeshExport {
        mesh: &model.mesh,
        name: &model.name,
        source: model.source.as_ref(),
        steps: &model.steps,
        parameters: &parameters,
        out_of_date: false,
    };
    Ok(export_mesh(path, &export, space)?)
}

fn print_json(
    args: &Args,
    model: &Model,
    smoothing: Option<SmoothReport>,
    written: Option<&ExportReport>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mesh = &model.mesh;
    let bounds = mesh.bounds_in_patient().map(|(lower, upper)| [lower.to_array(), upper.to_array()]);
    let object = json!({
        "path": args.path, "name": model.name, "steps": model.steps, "report": model.report,
        "vertices": mesh.positions_in_patient.len(), "triangles": mesh.triangles.len(),
        "volume_ml": mesh.volume_mm3() / 1000.0, "area_mm2": mesh.area_mm2(), "bounds_in_patient": bounds,
        "topology": topology(mesh), "smoothing": smoothing, "written": written,
        "use": crate::cli::NOT_FOR_DIAGNOSTIC_USE,
    });
    Ok(writeln!(out, "{object}")?)
}

fn print(
    model: &Model,
    smoothing: Option<SmoothReport>,
    written: Option<&ExportReport>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for line in &model.report.lines {
        writeln!(out, "{}", line.text)?;
    }
    let mesh = &model.mesh;
    writeln!(out, "{}: {:.2} ml. {}", model.name, mesh.volume_mm3() / 1000.0, topology(mesh).sentence())?;
    if let Some((lower, upper)) = mesh.bounds_in_patient() {
        let size = upper - lower;
        writeln!(out, "size: {:.1} x {:.1} x {:.1} mm", size.x, size.y, size.z)?;
    }
    if let Some(report) = smoothing {
        writeln!(
            out,
            "smoothing: volume {:+.2} %, largest deviation {:.2} mm, RMS {:.3} mm",
            report.volume_change_percent(),
            report.deviation.largest_mm,
            report.deviation.rms_mm
        )?;
    }
    writeln!(out, "made by: {}", model.steps.join(", "))?;
    match written {
        Some(report) => {
            report.warnings.iter().try_for_each(|warning| writeln!(out, "{warning}"))?;
            for file in &report.files {
                let space = file.space.name();
                writeln!(out, "written: {} ({} bytes, binary STL, mm, {space})", file.path.display(), file.bytes)?;
                writeln!(out, "written: {}", file.sidecar.display())?;
            }
        }
        None => writeln!(out, "not written: no --out was given")?,
    }
    Ok(writeln!(out, "{}.", crate::cli::NOT_FOR_DIAGNOSTIC_USE)?)
}

#[cfg(test)]
mod tests {
    use super::segment_index;

    #[test]
    fn a_segment_is_found_by_its_name_or_because_it_is_the_only_one() {
        assert_eq!(segment_index(&["Bone", "bone"], Some("bone")).expect("exact"), 1);
        assert_eq!(segment_index(&["Bone", "Skin"], Some("SKIN")).expect("other letters"), 1);
        assert_eq!(segment_index(&["Bone"], None).expect("the only one"), 0);
        for (names, wanted) in [(&["Bone", "Skin"][..], None), (&[][..], None), (&["Bone"][..], Some("Skin"))] {
            assert!(segment_index(names, wanted).is_err());
        }
    }
}
