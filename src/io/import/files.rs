//! Looks through a place for images: every file once, or from the memory of an index where it was not changed.
//!
//! In: a folder, an archive, an index of a CD or one file. Out: [`Scan`]; before that, where somebody asks for it, listings
//! of what was found so far, so that a series can be opened while the rest is looked at.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::domain::grid::Grid;
use crate::io::dicom::{DicomGroup, DicomPlan, directory, group_series};
use crate::io::report::Report;
use crate::task::{Cancelled, Progress};

use super::found::{Found, look};
use super::gather::{Gather, Listing};
use super::options::{FILLED, ImportOptions, UPRIGHT};
use super::walk::{Stamp, alone, is_archive_of_images, walk};
use super::{ImportError, Plan, Scan, SeriesEntry, SeriesKind};

/// Files that are named one by one in a report; the rest is counted.
const NAMED_FILES: usize = 5;
/// Files between two looks at the clock.
const FILES_AT_A_TIME: usize = 64;
/// Listings come this far apart, and further where making one takes long.
const BETWEEN_LISTINGS: Duration = Duration::from_millis(200);

/// Remembers what files turned out to be, from visit to visit.
pub trait Memory: Sync {
    /// What was kept of a file with this stamp.
    fn recall(&self, path: &Path, stamp: Stamp) -> Option<Vec<u8>>;
    /// Keeps what a file turned out to be.
    fn keep(&self, path: &Path, stamp: Stamp, record: Vec<u8>);
    /// Writes what was kept so far.
    fn flush(&self);
    /// The place was walked to its end and holds these files, sorted: what is kept of others in it can go.
    fn keep_only(&self, place: &Path, files: &[(PathBuf, Stamp)]);
}

/// How a place is looked at.
#[derive(Clone, Copy, Default)]
pub struct Look<'a> {
    /// What to do with missing slices and tilted gantries.
    pub options: ImportOptions,
    /// What is known from earlier visits.
    pub memory: Option<&'a dyn Memory>,
    /// Is told now and then what was found so far.
    pub on_listing: Option<&'a (dyn Fn(Listing) + Sync)>,
}

/// Lists the image series at a path: a folder (any depth), an archive (ZIP), an index of a CD (DICOMDIR, which stands for
/// its folder) or one file.
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
    scan_place(path, &Look { options, ..Look::default() }, progress)
}

/// The same with a memory of earlier visits, telling what was found so far.
///
/// # Errors
/// As [`scan`].
pub fn scan_place(path: &Path, how: &Look<'_>, progress: &Progress) -> Result<Scan, ImportError> {
    progress.phase("Looking for images");
    let mut report = Report::default();
    let (place, is_folder) = place_of(path)?;
    let files = if place.is_dir() { walk(&place, &mut report, progress)? } else { alone(&place, &mut report) };
    progress.phase("Reading headers");
    let mut gather = Gather::new(how.options, &files);
    let read = read_all(&files, how, &mut gather, &report, progress);
    if let Some(memory) = how.memory {
        memory.flush();
    }
    let read_count = read?;
    if let Some(memory) = how.memory {
        memory.keep_only(&place, &files);
    }
    for (index, names) in &gather.directories {
        name_missing(index, &directory::missing(index, names, files.iter().map(|(file, _)| file)), &mut report);
    }
    let left_out = gather.left_out(is_folder)?;
    name_the_rest(&left_out, &mut report);
    let mut entries = gather.into_entries();
    if let (true, [(file, _)], [entry]) = (!is_folder, files.as_slice(), entries.as_mut_slice())
        && entry.kind == SeriesKind::Dicom
        && entry.files.len() == 1
        && entry.files[0] == *file
        && entry.slice_count() <= 1
    {
        entry.report.warning("only this one file was opened; open its folder for the whole series");
    }
    if entries.is_empty() {
        let found: Vec<&str> = report.lines.iter().map(|line| line.text.as_str()).collect();
        let more = if found.is_empty() { String::new() } else { format!(": {}", found.join("; ")) };
        return Err(ImportError::NoImages { path: path.to_path_buf(), more });
    }
    entries.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.files.cmp(&b.files)));
    let left_out = left_out.into_iter().map(|(path, reason)| (path, reason.unwrap_or_else(|| NO_IMAGE.to_owned())));
    Ok(Scan { entries, report, left_out: left_out.collect(), file_count: files.len(), read_count })
}

/// The series of certain files, read anew.
///
/// # Errors
/// When the work was cancelled, or a file of them cannot be opened.
pub fn scan_files(
    files: &[PathBuf],
    options: ImportOptions,
    progress: &Progress,
) -> Result<Vec<SeriesEntry>, ImportError> {
    progress.phase("Reading headers");
    let files: Vec<(PathBuf, Stamp)> = files.iter().map(|path| (path.clone(), Stamp::default())).collect();
    let mut gather = Gather::new(options, &files);
    read_all(&files, &Look { options, ..Look::default() }, &mut gather, &Report::default(), progress)?;
    if let Some((path, Some(reason))) = gather.left_out(true)?.first() {
        return Err(ImportError::file(path, reason));
    }
    Ok(gather.into_entries())
}

/// Why a file that is simply something else is left out.
const NO_IMAGE: &str = "is no image";

/// What to look at for a path, and whether that is more than one file.
fn place_of(path: &Path) -> Result<(PathBuf, bool), ImportError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok((path.to_path_buf(), true)),
        Ok(_) if is_archive_of_images(path) => Ok((path.to_path_buf(), true)),
        Ok(_) => match (look(path), path.parent()) {
            (Found::Directory(_), Some(folder)) => {
                let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                Ok((here.to_path_buf(), true))
            }
            _ => Ok((path.to_path_buf(), false)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(ImportError::NotFound(path.to_path_buf())),
        Err(error) => Err(ImportError::file(path, &format!("cannot be read: {error}"))),
    }
}

/// Finds out what every file is; gives the number of those that were not known.
fn read_all(
    files: &[(PathBuf, Stamp)],
    how: &Look<'_>,
    gather: &mut Gather,
    report: &Report,
    progress: &Progress,
) -> Result<usize, Cancelled> {
    let (done, read) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let one = |(path, stamp): &(PathBuf, Stamp)| {
        progress.step(done.fetch_add(1, Ordering::Relaxed), files.len())?;
        let known = how.memory.and_then(|memory| memory.recall(path, *stamp));
        if let Some(found) = known.and_then(|record| Found::from_record(path, &record)) {
            return Ok(found);
        }
        read.fetch_add(1, Ordering::Relaxed);
        let found = look(path);
        if let (Some(memory), Some(record)) = (how.memory, found.record()) {
            memory.keep(path, *stamp, record);
        }
        Ok(found)
    };
    let at_a_time = if how.on_listing.is_some() { FILES_AT_A_TIME } else { files.len().max(1) };
    let (mut said_at, mut wait, mut taken) = (Instant::now(), BETWEEN_LISTINGS, 0);
    for some in files.chunks(at_a_time) {
        let found = some.par_iter().map(one).collect::<Result<Vec<Found>, Cancelled>>()?;
        for ((path, _), found) in some.iter().zip(found) {
            gather.take(taken, path, found);
            taken += 1;
        }
        if let Some(tell) = how.on_listing.filter(|_| said_at.elapsed() >= wait && taken < files.len()) {
            let begun = Instant::now();
            tell(gather.listing(taken, read.load(Ordering::Relaxed), report));
            wait = BETWEEN_LISTINGS.max(begun.elapsed() * 4);
            said_at = Instant::now();
        }
    }
    Ok(read.into_inner())
}

fn name_missing(index: &Path, names: &[String], report: &mut Report) {
    if names.is_empty() {
        return;
    }
    let some = names.iter().take(NAMED_FILES).cloned().collect::<Vec<_>>().join(", ");
    let more = if names.len() > NAMED_FILES { ", ..." } else { "" };
    let plural = if names.len() == 1 { "file that is" } else { "files that are" };
    let index = index.display();
    report.refused(format!("{index} names {} {plural} not there: {some}{more}", names.len()));
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

/// Says which files were left out.
fn name_the_rest(left_out: &[(PathBuf, Option<String>)], report: &mut Report) {
    let bad: Vec<_> = left_out.iter().filter_map(|(path, reason)| reason.as_ref().map(|why| (path, why))).collect();
    let others: Vec<_> = left_out.iter().filter(|(_, reason)| reason.is_none()).map(|(path, _)| path).collect();
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

pub(super) fn dicom_entry(group: DicomGroup, options: ImportOptions) -> SeriesEntry {
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
pub(super) fn score(is_loadable: bool, modality: &str, image_type: &str, grid: Option<&Grid>, slices: usize) -> u64 {
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
