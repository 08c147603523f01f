//! `maquette info`: what a path holds, without opening a window.
//!
//! Prints no patient identity unless asked for the tags: its output ends up in logs.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;

use crate::domain::grid::Grid;
use crate::domain::mesh::topology::topology;
use crate::domain::volume::Volume;
use crate::io::case_file::{self, CaseFile};
use crate::ops::convert::{SegmentationFile, read_segments};
use crate::ops::load_models::{LoadedModels, read_models};
use crate::ops::open::{LoadedVolume, Report, Scan, SeriesEntry, SeriesKind, load, pick, scan_with, tags};
use crate::task::Progress;

use super::import_choices::ImportChoices;

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder, DICOM file, NIfTI, NRRD, MetaImage or case
    pub path: PathBuf,
    /// Series to look into, by its number in the list; the most sensible one when left out
    #[arg(long)]
    pub series: Option<usize>,
    /// Only list the series, read no images
    #[arg(long)]
    pub list: bool,
    /// List all DICOM tags of the series' first file, patient identity included
    #[arg(long)]
    pub tags: bool,
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    choices: ImportChoices,
}

/// A series of a scan, in numbers and words without the patient's identity.
#[derive(Serialize)]
pub(super) struct Series<'a> {
    index: usize,
    kind: SeriesKind,
    modality: &'a str,
    title: String,
    part: &'a str,
    slices: usize,
    dims: [u32; 3],
    spacing_mm: [f64; 3],
    files: usize,
    loadable: bool,
    can_be_mended: bool,
    leaning: bool,
    refusal: Option<&'a str>,
    score: u64,
    report: &'a Report,
}

impl<'a> Series<'a> {
    pub(super) fn of((index, entry): (usize, &'a SeriesEntry)) -> Self {
        Self {
            index,
            kind: entry.kind,
            modality: &entry.info.modality,
            title: entry.title(),
            part: &entry.part,
            slices: entry.slice_count(),
            dims: entry.dims(),
            spacing_mm: entry.spacing_mm(),
            files: entry.files.len(),
            loadable: entry.is_loadable(),
            can_be_mended: entry.can_be_mended(),
            leaning: entry.is_leaning(),
            refusal: entry.refusal.as_deref(),
            score: entry.score,
            report: &entry.report,
        }
    }
}

/// Size and place, as numbers that other programs print too. Patient space is DICOM LPS, mm.
#[derive(Serialize)]
struct Geometry {
    dims: [u32; 3],
    spacing_mm: [f64; 3],
    origin_in_patient: [f64; 3],
    /// Rows of the 3 x 4 matrix patient from voxel.
    patient_from_voxel: [[f64; 4]; 3],
    left_handed: bool,
}

impl Geometry {
    fn of(grid: &Grid) -> Self {
        let affine = grid.patient_from_voxel();
        let row = |axis: usize| {
            let [x, y, z] = [affine.matrix3.x_axis[axis], affine.matrix3.y_axis[axis], affine.matrix3.z_axis[axis]];
            [x, y, z, affine.translation[axis]]
        };
        Self {
            dims: grid.dims(),
            spacing_mm: grid.spacing_mm().to_array(),
            origin_in_patient: affine.translation.to_array(),
            patient_from_voxel: [row(0), row(1), row(2)],
            left_handed: grid.is_left_handed(),
        }
    }
}

#[derive(Serialize)]
struct Selected<'a> {
    index: usize,
    geometry: Geometry,
    unit: &'static str,
    range: (f64, f64),
    /// Centre of the first voxel with the largest value.
    largest_at_in_patient: [f64; 3],
    rescale: crate::domain::volume::Rescale,
    memory_mb: f64,
    content_hash: &'a str,
    report: &'a Report,
}

impl<'a> Selected<'a> {
    fn of(index: usize, loaded: &'a LoadedVolume) -> Self {
        let volume = &loaded.volume;
        Self {
            index,
            geometry: Geometry::of(volume.grid()),
            unit: volume.quantity().unit(),
            range: volume.value_range(),
            largest_at_in_patient: largest_at_in_patient(volume),
            rescale: volume.rescale(),
            memory_mb: volume.samples().len() as f64 * 2.0 / f64::from(1 << 20),
            content_hash: loaded.content_hash(),
            report: &loaded.report,
        }
    }
}

fn largest_at_in_patient(volume: &Volume) -> [f64; 3] {
    let grid = volume.grid();
    let rising = volume.rescale().slope > 0.0;
    let samples = volume.samples();
    let extreme = if rising { samples.iter().max() } else { samples.iter().min() };
    let offset = samples.iter().position(|sample| Some(sample) == extreme).unwrap_or(0);
    let [ni, nj, _] = grid.dims().map(|n| n as usize);
    let voxel = [offset % ni, offset / ni % nj, offset / (ni * nj)].map(|n| n as f64);
    grid.patient_from_voxel().transform_point3(voxel.into()).to_array()
}

/// Says what a path holds.
///
/// # Errors
/// When nothing there can be opened.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let progress = Progress::new();
    if args.path.extension().is_some_and(|extension| extension == case_file::EXTENSION) {
        return print_case(args, &case_file::read_case(&args.path)?, out);
    }
    let found = scan_with(&args.path, args.choices.options(), &progress)?;
    if args.tags {
        return print_tags(&found, args, out);
    }
    if args.list {
        return if args.json { print_json(args, &found, None, None, out) } else { print_series(&found, None, out) };
    }
    let entry = pick(&found, args.series)?;
    let index = args.series.unwrap_or(0);
    if entry.kind == SeriesKind::Segmentation {
        let segmentation = read_segments(&entry.files[0], &progress)?;
        return print_segmentation(args, &found, &segmentation, out);
    }
    if entry.kind == SeriesKind::Model {
        let models = read_models(&entry.files[0], &progress)?;
        return print_models(args, &found, &models, out);
    }
    let loaded = match load(entry, &progress, &|_| {}) {
        Ok(loaded) => loaded,
        Err(error) => {
            if args.json {
                print_json(args, &found, None, None, out)?;
            } else {
                print_series(&found, None, out)?;
            }
            return Err(error).context("the series cannot be opened");
        }
    };
    let selected = Selected::of(index, &loaded);
    if args.json {
        return print_json(args, &found, Some(&selected), None, out);
    }
    print_series(&found, Some(index), out)?;
    print_selected(&selected, out)
}

fn print_json(
    args: &Args,
    found: &Scan,
    selected: Option<&Selected<'_>>,
    more: Option<(&str, serde_json::Value)>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let series: Vec<Series<'_>> = found.entries.iter().enumerate().map(Series::of).collect();
    let mut object = serde_json::json!({
        "path": args.path, "series": series, "selected": selected, "report": found.report,
        "use": crate::cli::NOT_FOR_DIAGNOSTIC_USE,
    });
    if let Some((key, value)) = more {
        object[key] = value;
    }
    Ok(writeln!(out, "{object}")?)
}

pub(super) fn print_series(found: &Scan, selected: Option<usize>, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{:>3} {:<4} {:>6}  {:<18} {:<24} description", "#", "mod", "slices", "voxels", "spacing mm")?;
    for (index, entry) in found.entries.iter().enumerate() {
        let [ni, nj, nk] = entry.dims();
        let [x, y, z] = entry.spacing_mm();
        let mark = if selected == Some(index) { '*' } else { ' ' };
        let modality = match entry.kind {
            SeriesKind::Dicom => entry.info.modality.as_str(),
            SeriesKind::Nifti => "nii",
            SeriesKind::Nrrd => "nrrd",
            SeriesKind::MetaImage => "mha",
            SeriesKind::Segmentation => "seg",
            SeriesKind::Contours => "rts",
            SeriesKind::Model => "m3d",
        };
        let (voxels, spacing) = match entry.grid {
            Some(_) => (format!("{ni} x {nj} x {nk}"), format!("{x:.3} x {y:.3} x {z:.3}")),
            None => Default::default(),
        };
        let slices = entry.slice_count();
        writeln!(out, "{mark}{index:>2} {modality:<4} {slices:>6}  {voxels:<18} {spacing:<24} {}", entry.title())?;
        if let Some(refusal) = &entry.refusal {
            writeln!(out, "      cannot be opened: {refusal}")?;
            if entry.can_be_mended() {
                writeln!(
                    out,
                    "      --gaps fill makes missing slices up between their neighbours; --gaps split opens even runs"
                )?;
            }
        }
    }
    print_report(&found.report, out)
}

fn print_report(report: &Report, out: &mut dyn Write) -> anyhow::Result<()> {
    for line in &report.lines {
        writeln!(out, "{}: {}", format!("{:?}", line.severity).to_lowercase(), line.text)?;
    }
    Ok(())
}

fn print_selected(selected: &Selected<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let Geometry { origin_in_patient: [x, y, z], patient_from_voxel, .. } = &selected.geometry;
    writeln!(out, "\nseries {}", selected.index)?;
    writeln!(out, "origin      ({x:.4}, {y:.4}, {z:.4}) mm, patient LPS, centre of the first voxel")?;
    for (axis, name) in ["i", "j", "k"].into_iter().enumerate() {
        let [x, y, z] = [0, 1, 2].map(|row: usize| patient_from_voxel[row][axis]);
        writeln!(out, "step in {name}   ({x:.4}, {y:.4}, {z:.4}) mm")?;
    }
    let ((low, high), unit) = (selected.range, selected.unit);
    writeln!(out, "values      {low} to {high} {unit}")?;
    let [x, y, z] = selected.largest_at_in_patient;
    writeln!(out, "largest at  ({x:.3}, {y:.3}, {z:.3}) mm")?;
    writeln!(out, "memory      {:.1} MiB", selected.memory_mb)?;
    writeln!(out, "hash        {}", selected.content_hash)?;
    print_report(selected.report, out)?;
    Ok(writeln!(out, "{}.", crate::cli::NOT_FOR_DIAGNOSTIC_USE)?)
}

fn print_segmentation(
    args: &Args,
    found: &Scan,
    segmentation: &SegmentationFile,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let voxel_ml = segmentation.grid.voxel_volume_mm3() / 1000.0;
    if args.json {
        let segments = segmentation.segments.iter().map(|(info, mask)| {
            let voxels = mask.voxel_count();
            serde_json::json!({"name": info.name, "voxels": voxels, "ml": voxels as f64 * voxel_ml, "color": info.color})
        });
        let geometry = Geometry::of(&segmentation.grid);
        let value = serde_json::json!({"geometry": geometry, "segments": segments.collect::<Vec<_>>(), "report": segmentation.report});
        return print_json(args, found, None, Some(("segmentation", value)), out);
    }
    print_series(found, args.series.or(Some(0)), out)?;
    writeln!(out, "\n{:<32} {:>12} {:>12}", "segment", "voxels", "ml")?;
    for (info, mask) in &segmentation.segments {
        let voxels = mask.voxel_count();
        writeln!(out, "{:<32} {voxels:>12} {:>12.3}", info.name, voxels as f64 * voxel_ml)?;
    }
    print_report(&segmentation.report, out)
}

/// The models of a file: their names, size and soundness.
fn print_models(args: &Args, found: &Scan, loaded: &LoadedModels, out: &mut dyn Write) -> anyhow::Result<()> {
    let rows = loaded.models.iter().map(|model| (model, model.mesh.volume_mm3() / 1000.0, topology(&model.mesh)));
    if args.json {
        let models = rows.map(|(model, ml, topology)| {
            serde_json::json!({
                "name": model.name, "triangles": model.mesh.triangles.len(), "ml": ml, "color": model.color,
                "topology": topology,
            })
        });
        let models: Vec<serde_json::Value> = models.collect();
        let value = serde_json::json!({"models": models, "origin": loaded.origin, "report": loaded.report});
        return print_json(args, found, None, Some(("model", value)), out);
    }
    print_series(found, args.series.or(Some(0)), out)?;
    writeln!(out, "\n{:<32} {:>12} {:>12}", loaded.origin, "triangles", "ml")?;
    for (model, ml, topology) in rows {
        let count = model.mesh.triangles.len();
        writeln!(out, "{:<32} {count:>12} {ml:>12.3}  {}", model.name, topology.sentence())?;
    }
    print_report(&loaded.report, out)
}

/// What is in a case: no identity, no pixels.
fn print_case(args: &Args, case: &CaseFile, out: &mut dyn Write) -> anyhow::Result<()> {
    let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let kind = |value: &serde_json::Value| {
        value["shape"].as_object().and_then(|shape| shape.keys().next().cloned()).unwrap_or_default().to_lowercase()
    };
    let voxel_ml = |id: u32| {
        let volume = case.volumes.iter().find(|volume| volume.id == id);
        volume.map_or(0.0, |volume| volume.grid.voxel_volume_mm3() / 1000.0)
    };
    if args.json {
        let volumes = case.volumes.iter().map(|volume| {
            serde_json::json!({
                "name": volume.name, "modality": volume.info.modality, "geometry": Geometry::of(&volume.grid),
                "unit": volume.quantity.unit(), "embedded": volume.embedded.is_some(), "report": volume.report,
                "content_hash": volume.content_hash,
            })
        });
        let segments = case.segments.iter().map(|segment| {
            let voxels = segment.mask.voxel_count();
            serde_json::json!({
                "name": segment.info.name, "voxels": voxels, "ml": voxels as f64 * voxel_ml(segment.volume),
                "color": segment.info.color,
            })
        });
        let meshes = case.meshes.iter().map(|mesh| serde_json::json!({"name": text(&mesh.description, "name")}));
        let measurements =
            case.measurements.iter().map(|one| serde_json::json!({"name": text(one, "name"), "kind": kind(one)}));
        let case = serde_json::json!({
            "volumes": volumes.collect::<Vec<_>>(), "segments": segments.collect::<Vec<_>>(),
            "meshes": meshes.collect::<Vec<_>>(), "measurements": measurements.collect::<Vec<_>>(),
        });
        let object = serde_json::json!({"path": args.path, "case": case, "use": crate::cli::NOT_FOR_DIAGNOSTIC_USE});
        return Ok(writeln!(out, "{object}")?);
    }
    for volume in &case.volumes {
        let [ni, nj, nk] = volume.grid.dims();
        let place = if volume.embedded.is_some() { "in the file" } else { "linked" };
        writeln!(out, "volume       {} {} ({ni} x {nj} x {nk}, {place})", volume.info.modality, volume.name)?;
        volume.report.iter().try_for_each(|line| writeln!(out, "             {line}"))?;
    }
    for segment in &case.segments {
        let voxels = segment.mask.voxel_count();
        let ml = voxels as f64 * voxel_ml(segment.volume);
        writeln!(out, "segment      {:<32} {voxels:>12} voxels {ml:>12.3} ml", segment.info.name)?;
    }
    for mesh in &case.meshes {
        writeln!(out, "mesh         {}", text(&mesh.description, "name"))?;
    }
    for one in &case.measurements {
        writeln!(out, "measurement  {} ({})", text(one, "name"), kind(one))?;
    }
    Ok(writeln!(out, "{}.", crate::cli::NOT_FOR_DIAGNOSTIC_USE)?)
}

fn print_tags(found: &Scan, args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let file = pick(found, args.series)?.files.first().context("the series has no file")?;
    let rows = tags(file).with_context(|| format!("the tags of {} cannot be read", file.display()))?;
    if args.json {
        return Ok(writeln!(out, "{}", serde_json::to_string(&rows)?)?);
    }
    for row in rows {
        let indent = "  ".repeat(row.depth as usize);
        writeln!(out, "{indent}{} {} {:<32} {}", row.tag, row.vr, row.name, row.value)?;
    }
    Ok(())
}
