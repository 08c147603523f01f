//! Looks through folders for images: every file once, symbolic links followed but never in circles.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::domain::grid::Grid;
use crate::domain::series_info::SeriesInfo;
use crate::io::dicom::header::{FileHeader, SliceHeader, read_headers};
use crate::io::dicom::layout::LayoutError;
use crate::io::dicom::{DicomGroup, DicomPlan, HeaderError, group_series};
use crate::io::dicom_seg;
use crate::io::metaimage;
use crate::io::nifti;
use crate::io::nrrd;
use crate::io::report::Report;
use crate::task::{Cancelled, Progress};

use super::options::{FILLED, ImportOptions, UPRIGHT};
use super::research::{ResearchPlan, stem};
use super::{ImportError, Plan, Scan, SeriesEntry, SeriesKind};

/// Folders inside folders that are followed.
const MAX_DEPTH: usize = 64;
/// Files that are named one by one in a report; the rest is counted.
const NAMED_FILES: usize = 5;
/// A DICOM index file: names images, is none.
const DICOMDIR_CLASS: &str = "1.2.840.10008.1.3.10";

/// Lists the image series at a path: a folder (any depth) or one file.
///
/// # Errors
/// When there is nothing at the path, nothing in it is an image, or the work was cancelled. Single bad files of a folder
/// are no error: they are in the report.
pub fn scan(path: &Path, progress: &Progress) -> Result<Scan, ImportError> {
    scan_with(path, ImportOptions::default(), progress)
}

/// The same with choices on what to do with missing slices and tilted gantries.
///
/// # Errors
/// As [`scan`].
pub fn scan_with(path: &Path, options: ImportOptions, progress: &Progress) -> Result<Scan, ImportError> {
    progress.phase("Looking for images");
    let mut report = Report::default();
    let is_folder = match std::fs::metadata(path) {
        Ok(metadata) => metadata.is_dir(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ImportError::NotFound(path.to_path_buf()));
        }
        Err(error) => return Err(ImportError::file(path, &format!("cannot be read: {error}"))),
    };
    let files = if is_folder { list_files(path, &mut report, progress)? } else { vec![path.to_path_buf()] };
    progress.phase("Reading headers");
    let (done, total) = (AtomicUsize::new(0), files.len());
    let found: Vec<Found> = files
        .par_iter()
        .map(|file| {
            progress.step(done.fetch_add(1, Ordering::Relaxed), total)?;
            Ok(look(file))
        })
        .collect::<Result<_, Cancelled>>()?;
    let (mut entries, left_out) = sort_out(found, is_folder, options, &mut report)?;
    if entries.is_empty() {
        let found: Vec<&str> = report.lines.iter().map(|line| line.text.as_str()).collect();
        let more = if found.is_empty() { String::new() } else { format!(": {}", found.join("; ")) };
        return Err(ImportError::NoImages { path: path.to_path_buf(), more });
    }
    entries.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.files.cmp(&b.files)));
    Ok(Scan { entries, report, left_out })
}

/// The series that an entry becomes with other choices: with missing slices filled in, split at them, or brought upright.
/// The entry itself where the choices change nothing.
pub fn replan(entry: &SeriesEntry, options: ImportOptions) -> Vec<SeriesEntry> {
    let headers = match &entry.plan {
        Plan::Broken(headers) => headers.clone(),
        Plan::Dicom(plan) => plan.slices.clone(),
        Plan::Refused | Plan::Research(_) => return vec![entry.clone()],
    };
    group_series(headers, options).into_iter().map(|group| dicom_entry(group, options)).collect()
}

/// What one file turned out to be.
enum Found {
    Slices(Vec<SliceHeader>),
    Entry(Box<SeriesEntry>),
    /// Something else that lies around in image folders.
    NotAnImage(PathBuf),
    Bad(PathBuf, String),
}

fn look(path: &Path) -> Found {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let of = |found: Result<SeriesEntry, ImportError>| match found {
        Ok(entry) => Found::Entry(Box::new(entry)),
        Err(error) => Found::Bad(path.to_path_buf(), reason_of(path, error)),
    };
    let ends_with = |ends: [&str; 2]| ends.iter().any(|end| name.ends_with(end));
    if ends_with([".nii", ".nii.gz"]) {
        return of(nifti_entry(path));
    }
    if ends_with([".nrrd", ".nhdr"]) {
        return of(nrrd_entry(path));
    }
    if ends_with([".mha", ".mhd"]) {
        return of(metaimage_entry(path));
    }
    match read_headers(path) {
        Ok(headers) if headers.iter().any(|header| header.file.sop_class == DICOMDIR_CLASS) => {
            Found::NotAnImage(path.to_path_buf())
        }
        Ok(headers) if headers.iter().any(|header| dicom_seg::is_segmentation(&header.file.sop_class)) => {
            Found::Entry(Box::new(dicom_segmentation_entry(path, &headers[0].file)))
        }
        Ok(headers) => Found::Slices(headers),
        Err(HeaderError::Layout(LayoutError::NotDicom)) if !claims_dicom(path) => Found::NotAnImage(path.to_path_buf()),
        Err(error) => Found::Bad(path.to_path_buf(), error.to_string()),
    }
}

fn claims_dicom(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    matches!(extension.as_str(), "dcm" | "dicom" | "ima")
}

/// Series, and the files that were left out with the reason.
type Sorted = (Vec<SeriesEntry>, Vec<(PathBuf, String)>);

fn sort_out(
    found: Vec<Found>,
    is_folder: bool,
    options: ImportOptions,
    report: &mut Report,
) -> Result<Sorted, ImportError> {
    let (mut slices, mut entries, mut others, mut bad) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for file in found {
        match file {
            Found::Slices(headers) => slices.extend(headers),
            Found::Entry(entry) => entries.push(*entry),
            Found::NotAnImage(path) => others.push(path),
            Found::Bad(path, reason) if is_folder => bad.push((path, reason)),
            Found::Bad(path, reason) => return Err(ImportError::file(&path, &reason)),
        }
    }
    // The samples of a detached header lie beside it under any name.
    let detached: HashSet<PathBuf> = entries.iter().flat_map(|entry| entry.files.iter().cloned()).collect();
    others.retain(|path| !detached.contains(path));
    if let ([path], false) = (others.as_slice(), is_folder) {
        return Err(ImportError::file(
            path,
            "is not an image file that this program reads (DICOM, NIfTI, NRRD or MetaImage)",
        ));
    }
    name_the_rest(&others, &bad, report);
    let alone = !is_folder && slices.len() == 1;
    entries.extend(group_series(slices, options).into_iter().map(|group| dicom_entry(group, options)));
    if let (true, [entry]) = (alone, entries.as_mut_slice()) {
        entry.report.warning("only this one file was opened; open its folder for the whole series");
    }
    let others = others.into_iter().map(|path| (path, "is no image".to_owned()));
    Ok((entries, bad.into_iter().chain(others).collect()))
}

/// Says which files were left out.
fn name_the_rest(others: &[PathBuf], bad: &[(PathBuf, String)], report: &mut Report) {
    for (path, reason) in bad.iter().take(NAMED_FILES) {
        report.refused(format!("{} {reason}", path.display()));
    }
    if bad.len() > NAMED_FILES {
        report.refused(format!("{} more files could not be read", bad.len() - NAMED_FILES));
    }
    if !others.is_empty() {
        let names: Vec<_> = others.iter().take(NAMED_FILES).map(|path| path.display().to_string()).collect();
        let more = if others.len() > NAMED_FILES { ", ..." } else { "" };
        let plural = if others.len() == 1 { "file is" } else { "files are" };
        report.refused(format!("{} {plural} no image: {}{more}", others.len(), names.join(", ")));
    }
}

/// The reason of an error without the file's name, which the report puts in front.
fn reason_of(path: &Path, error: ImportError) -> String {
    match error {
        ImportError::File { path: other, reason } if other != path => {
            format!("needs {}, which {reason}", other.display())
        }
        ImportError::File { reason, .. } => reason,
        other => other.to_string(),
    }
}

fn nifti_entry(path: &Path) -> Result<SeriesEntry, ImportError> {
    let (plan, report) = nifti::inspect(path)?;
    Ok(research_entry(path, SeriesKind::Nifti, plan, report))
}

fn nrrd_entry(path: &Path) -> Result<SeriesEntry, ImportError> {
    let contents = nrrd::volume::inspect(path)?;
    let is_segmentation = contents.is_segmentation();
    Ok(maybe_segments(path, SeriesKind::Nrrd, is_segmentation, contents.plan, contents.report))
}

fn metaimage_entry(path: &Path) -> Result<SeriesEntry, ImportError> {
    let contents = metaimage::inspect(path)?;
    let is_segmentation = contents.is_segmentation();
    Ok(maybe_segments(path, SeriesKind::MetaImage, is_segmentation, contents.plan, contents.report))
}

/// A DICOM segmentation: opened onto images. Its grid is found when it is read.
fn dicom_segmentation_entry(path: &Path, file: &FileHeader) -> SeriesEntry {
    SeriesEntry {
        info: file.info.clone(),
        part: String::new(),
        kind: SeriesKind::Segmentation,
        grid: None,
        files: vec![path.to_path_buf()],
        report: Report::default(),
        refusal: Some(format!("{} is a segmentation: open its images first, then load it onto them", path.display())),
        score: 0,
        plan: Plan::Refused,
    }
}

/// The entry of a file that may hold segments, or several values for each voxel.
fn maybe_segments(
    path: &Path,
    kind: SeriesKind,
    is_segmentation: bool,
    plan: ResearchPlan,
    report: Report,
) -> SeriesEntry {
    let kind = if is_segmentation { SeriesKind::Segmentation } else { kind };
    let has_components = plan.components > 1;
    let mut entry = research_entry(path, kind, plan, report);
    if is_segmentation || has_components {
        let reason = if is_segmentation {
            "is a segmentation: open its images first, then load it onto them"
        } else {
            "holds several values for each voxel; only grey values can be shown"
        };
        entry.refusal = Some(format!("{} {reason}", path.display()));
        entry.score = 0;
        entry.plan = Plan::Refused;
    }
    entry
}

fn research_entry(path: &Path, kind: SeriesKind, plan: ResearchPlan, report: Report) -> SeriesEntry {
    let info = SeriesInfo { series_description: stem(path), ..SeriesInfo::default() };
    let mut files = vec![path.to_path_buf()];
    if plan.data_file != path {
        files.push(plan.data_file.clone());
    }
    let grid = Some(plan.grid);
    let score = score(true, "", "", grid.as_ref(), plan.grid.dims()[2] as usize);
    let plan = Plan::Research(Box::new(plan));
    SeriesEntry { info, part: String::new(), kind, grid, files, report, refusal: None, score, plan }
}

fn dicom_entry(group: DicomGroup, options: ImportOptions) -> SeriesEntry {
    let DicomGroup { headers, mut part, stack, report, can_mend } = group;
    let first = &headers[0];
    let info = first.file.info.clone();
    let mut files: Vec<PathBuf> = headers.iter().map(|header| header.file.path.clone()).collect();
    files.dedup();
    let (format, image_type) = (&first.file.format, first.file.image_type.to_ascii_uppercase());
    let (columns, rows, images) = (format.columns, format.rows, headers.len());
    let plan = stack.and_then(|stack| {
        let slices = stack.filling.as_ref().map_or(images, Vec::len) as u32;
        let grid = Grid::new([columns, rows, slices], stack.patient_from_voxel).map_err(|error| error.to_string())?;
        Ok((stack.filling, grid))
    });
    let (plan, refusal) = match plan {
        Ok((filling, leaning)) => (Plan::Dicom(Box::new(DicomPlan::new(headers, filling, leaning, options))), None),
        Err(reason) if can_mend => (Plan::Broken(headers), Some(reason)),
        Err(reason) => (Plan::Refused, Some(reason)),
    };
    let grid = if let Plan::Dicom(plan) = &plan { Some(plan.grid()) } else { None };
    if let Plan::Dicom(plan) = &plan {
        let marks = [(plan.filling.is_some(), FILLED), (plan.is_straightened(), UPRIGHT)];
        let marks = marks.iter().filter(|(holds, _)| *holds).map(|(_, mark)| *mark);
        part = [part.as_str()].into_iter().filter(|part| !part.is_empty()).chain(marks).collect::<Vec<_>>().join(", ");
    }
    let score = score(refusal.is_none(), &info.modality, &image_type, grid.as_ref(), images);
    SeriesEntry { info, part, kind: SeriesKind::Dicom, grid, files, report, refusal, score, plan }
}

/// Loadable before refused, CT and MR before others, originals before localizers and derived images, then by slices,
/// axial ones counted a little more.
fn score(is_loadable: bool, modality: &str, image_type: &str, grid: Option<&Grid>, slices: usize) -> u64 {
    let is_main = matches!(modality, "CT" | "MR" | "PT");
    let is_scout = image_type.contains("LOCALIZER") || image_type.contains("SCOUT");
    let is_derived = image_type.starts_with("DERIVED") || image_type.contains("SECONDARY");
    let is_axial = grid.is_some_and(|grid| {
        let axes = grid.patient_from_voxel().matrix3;
        axes.z_axis.normalize().z.abs() > 0.7
    });
    let slices = slices as u64 * 10 + if is_axial { slices as u64 * 2 } else { 0 };
    [is_loadable, is_main, !is_scout, !is_derived].iter().fold(0, |score, &holds| score * 2 + u64::from(holds))
        * 10_000_000
        + slices.min(9_999_999)
}

/// All files of a folder, of any depth, sorted.
pub(crate) fn list_files(folder: &Path, report: &mut Report, progress: &Progress) -> Result<Vec<PathBuf>, Cancelled> {
    let (mut files, mut seen, mut queue) = (Vec::new(), HashSet::new(), vec![(folder.to_path_buf(), 0)]);
    while let Some((folder, depth)) = queue.pop() {
        progress.check()?;
        let Ok(identity) = folder.canonicalize() else { continue };
        if depth > MAX_DEPTH || !seen.insert(identity) {
            continue;
        }
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                report.refused(format!("{} cannot be read: {error}", folder.display()));
                continue;
            }
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => queue.push((path, depth + 1)),
                // Pipes and devices are no files: reading them may never end.
                Ok(metadata) if metadata.is_file() => files.push(path),
                Ok(_) => {}
                Err(error) => report.refused(format!("{} cannot be read: {error}", path.display())),
            }
        }
    }
    files.sort();
    Ok(files)
}
