//! Looks through places for studies: what the study browser and `maquette scan` both call.
//!
//! In: a folder, a drive, a ZIP or a DICOMDIR, and the index of earlier visits, if there is one. Out: listings while it is
//! looked through, the scan at its end, small pictures, and the list as patients, studies and series ([`tree`]).
//! Holds patient identity: for the screen of the lab.
//! What the index remembers is only listed by: before a series is opened, [`fresh`] reads its files again, so a record that
//! went stale can never put pixels into a wrong place.

pub mod tree;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::task::Progress;

use crate::io::import::{self, is_archive_of_images, replan, scan_files};
pub use crate::io::import::{
    GrayImage, ImportError, ImportOptions, Listed, Listing, Look, Memory, Scan, SeriesEntry, SeriesKind, scan_place,
};
pub use crate::io::study_index::{IndexError, Place, StudyIndex};

/// Side of the pictures in the browser, pixels.
pub const PICTURE_PX: u32 = 128;

/// Where the index of this user lies; `None` where the system has no such folder.
pub fn default_index() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "maquette")?;
    Some(folders.state_dir().unwrap_or_else(|| folders.data_local_dir()).join("studies.sqlite"))
}

/// Looks through a place. `on_listing` is told now and then what was found so far.
///
/// # Errors
/// When there is nothing at the path, nothing in it is an image, or the work was cancelled; what was read until then is in
/// the index, so the next visit goes on from there.
pub fn visit(
    place: &Path,
    index: Option<&StudyIndex>,
    on_listing: &(dyn Fn(Listing) + Sync),
    progress: &Progress,
) -> Result<Scan, ImportError> {
    let place = absolute(place);
    // A single file is read as quickly as looked up, and is no place to come back to.
    let index = index.filter(|_| place.is_dir() || is_archive_of_images(&place));
    let how = Look {
        options: ImportOptions::default(),
        memory: index.map(|index| index as &dyn Memory),
        on_listing: Some(on_listing),
    };
    let scan = scan_place(&place, &how, progress)?;
    if let Some(index) = index {
        let visited_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        let (series, files) = (scan.entries.len(), scan.file_count);
        index.note_visit(&Place { path: place, series, files, visited_s });
    }
    Ok(scan)
}

/// The list of a place as it was at the last visit, at once; empty when there was none.
pub fn known(place: &Path, index: &StudyIndex) -> Listing {
    index.known(&absolute(place), ImportOptions::default())
}

/// The picture of a series: of the index, else made of its middle slice and kept there. Reads one file: call it on a worker.
pub fn picture(entry: &SeriesEntry, index: Option<&StudyIndex>) -> Option<GrayImage> {
    let middle = entry.files.get(entry.files.len() / 2)?;
    if let Some(found) = index.and_then(|index| index.picture(middle, &entry.part)) {
        return Some(found);
    }
    let made = import::thumbnail(entry, PICTURE_PX)?;
    if let Some(index) = index {
        index.keep_picture(middle, &entry.part, &made);
    }
    Some(made)
}

/// A series of a list, its files read again, with those of the other parts of the same series; then what `options` make of
/// it, the part of that name.
///
/// # Errors
/// When its files are not what they were: the place has to be looked at again.
pub fn fresh(
    series: &[Arc<SeriesEntry>],
    chosen: usize,
    options: ImportOptions,
    part: &str,
    progress: &Progress,
) -> Result<SeriesEntry, ImportError> {
    let entry = &series[chosen];
    let key = |entry: &SeriesEntry| (entry.info.study_uid.clone(), entry.info.series_uid.clone());
    let wanted = key(entry);
    let files: BTreeSet<&PathBuf> = if wanted.1.is_empty() {
        entry.files.iter().collect()
    } else {
        series.iter().filter(|other| key(other) == wanted).flat_map(|other| &other.files).collect()
    };
    let files: Vec<PathBuf> = files.into_iter().cloned().collect();
    let found = scan_files(&files, ImportOptions::default(), progress)?;
    let changed = || {
        let title = entry.title();
        ImportError::Refused(format!(
            "the files of {title} were changed since they were listed: look at the place again"
        ))
    };
    let same = |other: &&SeriesEntry| other.part == entry.part && other.files == entry.files;
    let mut found = found.iter().find(same).cloned().ok_or_else(changed)?;
    if options != ImportOptions::default() {
        let mended = replan(&found, options);
        found = mended.into_iter().find(|other| other.part == part).ok_or_else(changed)?;
    }
    if options == ImportOptions::default() {
        // What was said of files that are in no list (repeated objects) still holds.
        found.report.extend(entry.report.clone());
    }
    Ok(found)
}

/// Where a case finds a series of a list again: its file, the archive that it lies in, or the folder that holds all its files.
pub fn source_of(series: &[Arc<SeriesEntry>], chosen: usize) -> PathBuf {
    let entry = &series[chosen];
    let uid = &entry.info.series_uid;
    let is_part = |other: &&Arc<SeriesEntry>| !uid.is_empty() && other.info.series_uid == *uid;
    let parts: Vec<&Arc<SeriesEntry>> = series.iter().filter(is_part).collect();
    let files: Vec<&PathBuf> = if parts.is_empty() {
        entry.files.iter().collect()
    } else {
        parts.iter().flat_map(|part| &part.files).collect()
    };
    let Some((first, rest)) = files.split_first() else { return PathBuf::new() };
    // A header and its samples are found by the header.
    let alone = rest.is_empty() || entry.kind != SeriesKind::Dicom;
    let mut place: &Path = if alone { first } else { first.parent().unwrap_or(first) };
    while !alone && !rest.iter().all(|file| file.starts_with(place)) {
        place = place.parent().unwrap_or(Path::new(""));
    }
    place.ancestors().find(|place| place.exists()).unwrap_or(place).to_path_buf()
}

/// A path that means the same from every folder. The index of a CD (DICOMDIR) stands for its folder.
pub fn absolute(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let is_index = whole.file_name().is_some_and(|name| name.eq_ignore_ascii_case("DICOMDIR")) && whole.is_file();
    match whole.parent() {
        Some(folder) if is_index => folder.to_path_buf(),
        _ => whole,
    }
}
