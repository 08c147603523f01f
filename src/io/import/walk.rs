//! Lists the files of a place: a folder of any depth, symbolic links followed but never in circles, archives looked into.
//!
//! Bounded: depth, number of files; what is beyond is said. A folder that cannot be read never stops the others.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::io::archive::{self, Archive};
use crate::io::report::Report;
use crate::task::{Cancelled, Progress};

/// Folders inside folders that are followed.
const MAX_DEPTH: usize = 64;
/// Files of one place that are looked at.
const MAX_FILES: usize = 2_000_000;
/// Files of archives and folders that are named one by one in a report; the rest is counted.
const NAMED: usize = 5;

/// What tells whether a file was changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// When it was written, ns since 1970; of a file in an archive that of the archive. 0 where the system does not say.
    pub modified_ns: i64,
}

impl Stamp {
    fn new(size: u64, modified: Option<SystemTime>) -> Self {
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self { size, modified_ns: since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0) }
    }

    fn of(metadata: &std::fs::Metadata) -> Self {
        Self::new(metadata.len(), metadata.modified().ok())
    }
}

/// All files of a folder, of any depth, sorted, those in archives included.
pub(super) fn walk(
    folder: &Path,
    report: &mut Report,
    progress: &Progress,
) -> Result<Vec<(PathBuf, Stamp)>, Cancelled> {
    let (plain, mut archives) = list(folder, report, progress)?;
    let mut files = plain;
    archives.sort();
    for (path, stamp) in archives {
        progress.check()?;
        files.extend(in_archive(&path, stamp, report));
    }
    files.sort();
    if files.len() > MAX_FILES {
        report.refused(format!("{} holds more than {MAX_FILES} files: the rest was not looked at", folder.display()));
        files.truncate(MAX_FILES);
    }
    Ok(files)
}

/// One file by itself: an archive gives the files in it.
pub(super) fn alone(path: &Path, report: &mut Report) -> Vec<(PathBuf, Stamp)> {
    let stamp = std::fs::metadata(path).map_or(Stamp::new(0, None), |metadata| Stamp::of(&metadata));
    if is_archive_of_images(path) {
        let mut files = in_archive(path, stamp, report);
        files.sort();
        return files;
    }
    vec![(path.to_path_buf(), stamp)]
}

/// Whether a file is looked into: an archive by name or content, but no case.
pub(crate) fn is_archive_of_images(path: &Path) -> bool {
    let is_case = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("maquette"));
    path.is_file() && !is_case && (archive::is_archive(path) || archive::begins_like_archive(path))
}

fn in_archive(path: &Path, stamp: Stamp, report: &mut Report) -> Vec<(PathBuf, Stamp)> {
    let archive = match Archive::list(path) {
        Ok(archive) => archive,
        Err(error) => {
            report.refused(format!("{} {error}", path.display()));
            return Vec::new();
        }
    };
    for (name, reason) in archive.left_out.iter().take(NAMED) {
        report.refused(format!("{name} in {} {reason}", path.display()));
    }
    if archive.left_out.len() > NAMED {
        let more = archive.left_out.len() - NAMED;
        report.refused(format!("{more} more files in {} were left out", path.display()));
    }
    let files = archive.files().into_iter();
    files.map(|(path, size)| (path, Stamp { size, modified_ns: stamp.modified_ns })).collect()
}

/// All files of a folder of any depth or of an archive, sorted, those in archives of the folder included.
pub(crate) fn list_images(place: &Path, report: &mut Report, progress: &Progress) -> Result<Vec<PathBuf>, Cancelled> {
    let files = if place.is_dir() { walk(place, report, progress)? } else { alone(place, report) };
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

type Stamped = Vec<(PathBuf, Stamp)>;

/// Files, and archives among them apart.
fn list(folder: &Path, report: &mut Report, progress: &Progress) -> Result<(Stamped, Stamped), Cancelled> {
    let (mut files, mut archives) = (Vec::new(), Vec::new());
    let (mut seen, mut queue) = (HashSet::new(), vec![(folder.to_path_buf(), 0)]);
    let mut unreadable = 0;
    let mut say = |path: &Path, error: &std::io::Error, report: &mut Report| {
        unreadable += 1;
        if unreadable <= NAMED {
            report.refused(format!("{} cannot be read: {error}", path.display()));
        }
    };
    while let Some((folder, depth)) = queue.pop() {
        progress.check()?;
        let Ok(identity) = folder.canonicalize() else { continue };
        if !seen.insert(identity) || files.len() > MAX_FILES {
            continue;
        }
        if depth > MAX_DEPTH {
            report.refused(format!("{} lies too deep: folders beyond {MAX_DEPTH} are not looked at", folder.display()));
            continue;
        }
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                say(&folder, &error, report);
                continue;
            }
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => queue.push((path, depth + 1)),
                // Pipes and devices are no files: reading them may never end.
                Ok(metadata) if metadata.is_file() => {
                    let list = if archive::is_archive(&path) { &mut archives } else { &mut files };
                    list.push((path, Stamp::of(&metadata)));
                }
                Ok(_) => {}
                Err(error) => say(&path, &error, report),
            }
        }
    }
    if unreadable > NAMED {
        report.refused(format!("{} more files and folders cannot be read", unreadable - NAMED));
    }
    files.sort();
    Ok((files, archives))
}
