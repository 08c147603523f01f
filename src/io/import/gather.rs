//! Puts what the files of a scan turned out to be together: images into series, series by series, so that what was found so
//! far can be told at any time without starting over.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::io::dicom::group_series;
use crate::io::dicom::header::SliceHeader;
use crate::io::report::Report;

use super::files::dicom_entry;
use super::found::Found;
use super::options::ImportOptions;
use super::walk::Stamp;
use super::{ImportError, SeriesEntry};

/// What a scan has found so far.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Series in the order of their first files.
    pub series: Vec<Listed>,
    /// Files that could not be reached so far.
    pub report: Report,
    /// Files looked at so far.
    pub done: usize,
    /// Files in all.
    pub total: usize,
    /// Files that had to be read; the others were known.
    pub read: usize,
}

/// A series of a listing.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The series as far as it is known.
    pub entry: Arc<SeriesEntry>,
    /// Every file of the folders that it lies in was looked at: no slice is to be expected any more.
    pub is_complete: bool,
}

/// The images of one series, and what they make.
#[derive(Default)]
struct Pile {
    headers: Vec<SliceHeader>,
    entries: Vec<Arc<SeriesEntry>>,
    /// Images came since the entries were made.
    is_stale: bool,
    /// One past the last file of the folders that it has files in.
    last_file: usize,
    first_file: usize,
}

/// The scan so far.
pub(super) struct Gather {
    options: ImportOptions,
    /// One past the last file of each folder.
    ends: HashMap<PathBuf, usize>,
    total: usize,
    piles: BTreeMap<(String, String), Pile>,
    singles: Vec<(usize, Arc<SeriesEntry>)>,
    /// Indices of CDs, and what they name.
    pub(super) directories: Vec<(PathBuf, Vec<String>)>,
    others: Vec<PathBuf>,
    bad: Vec<(PathBuf, String)>,
}

impl Gather {
    pub(super) fn new(options: ImportOptions, files: &[(PathBuf, Stamp)]) -> Self {
        let mut ends = HashMap::new();
        for (n, (path, _)) in files.iter().enumerate() {
            if let Some(folder) = path.parent() {
                match ends.get_mut(folder) {
                    Some(end) => *end = n + 1,
                    None => drop(ends.insert(folder.to_path_buf(), n + 1)),
                }
            }
        }
        Self {
            options,
            ends,
            total: files.len(),
            piles: BTreeMap::new(),
            singles: Vec::new(),
            directories: Vec::new(),
            others: Vec::new(),
            bad: Vec::new(),
        }
    }

    /// Takes the `n`-th file.
    pub(super) fn take(&mut self, n: usize, path: &Path, found: Found) {
        match found {
            Found::Slices(headers) => {
                let Some(first) = headers.first() else { return };
                let key = (first.file.info.study_uid.clone(), first.file.info.series_uid.clone());
                let pile = self.piles.entry(key).or_insert_with(|| Pile { first_file: n, ..Pile::default() });
                let end = path.parent().and_then(|folder| self.ends.get(folder)).copied().unwrap_or(self.total);
                pile.last_file = pile.last_file.max(end);
                pile.headers.extend(headers);
                pile.is_stale = true;
            }
            Found::Entry(entry) => self.singles.push((n, Arc::from(entry))),
            Found::Directory(names) => {
                self.others.push(path.to_path_buf());
                self.directories.push((path.to_path_buf(), names));
            }
            Found::NotAnImage => self.others.push(path.to_path_buf()),
            Found::Bad(reason) => self.bad.push((path.to_path_buf(), reason)),
        }
    }

    /// What was found in the first `done` files.
    pub(super) fn listing(&mut self, done: usize, read: usize, report: &Report) -> Listing {
        let mut series: Vec<(usize, Listed)> = Vec::new();
        for pile in self.piles.values_mut() {
            pile.freshen(self.options);
            let is_complete = pile.last_file <= done;
            let listed = pile.entries.iter().map(|entry| Listed { entry: Arc::clone(entry), is_complete });
            series.extend(listed.map(|listed| (pile.first_file, listed)));
        }
        let singles = self.singles.iter();
        series.extend(singles.map(|(n, entry)| (*n, Listed { entry: Arc::clone(entry), is_complete: true })));
        series.sort_by_key(|(n, _)| *n);
        let series = series.into_iter().map(|(_, listed)| listed).collect();
        Listing { series, report: report.clone(), done, total: self.total, read }
    }

    /// Files that are in no series, unreadable ones first, with the reason of these. A single file that was asked for by
    /// name and cannot be opened is an error.
    pub(super) fn left_out(&mut self, is_folder: bool) -> Result<Vec<(PathBuf, Option<String>)>, ImportError> {
        // The samples of a detached header lie beside it under any name.
        let detached: HashSet<&PathBuf> = self.singles.iter().flat_map(|(_, entry)| &entry.files).collect();
        self.others.retain(|path| !detached.contains(path));
        if !is_folder {
            if let Some((path, reason)) = self.bad.first() {
                return Err(ImportError::file(path, reason));
            }
            if let [path] = self.others.as_slice() {
                let reason = "is not an image file that this program reads (DICOM, NIfTI, NRRD or MetaImage)";
                return Err(ImportError::file(path, reason));
            }
        }
        let bad = std::mem::take(&mut self.bad).into_iter().map(|(path, reason)| (path, Some(reason)));
        Ok(bad.chain(std::mem::take(&mut self.others).into_iter().map(|path| (path, None))).collect())
    }

    /// All series.
    pub(super) fn into_entries(mut self) -> Vec<SeriesEntry> {
        let options = self.options;
        let singles = self.singles.drain(..).map(|(_, entry)| entry);
        let grouped = std::mem::take(&mut self.piles).into_values().flat_map(|pile| pile.into_entries(options));
        singles.chain(grouped).map(Arc::unwrap_or_clone).collect()
    }
}

impl Pile {
    fn freshen(&mut self, options: ImportOptions) {
        if std::mem::take(&mut self.is_stale) {
            self.entries = entries_of(self.headers.clone(), options);
        }
    }

    fn into_entries(self, options: ImportOptions) -> Vec<Arc<SeriesEntry>> {
        if self.is_stale { entries_of(self.headers, options) } else { self.entries }
    }
}

fn entries_of(headers: Vec<SliceHeader>, options: ImportOptions) -> Vec<Arc<SeriesEntry>> {
    group_series(headers, options).into_iter().map(|group| Arc::new(dicom_entry(group, options))).collect()
}

/// The series of files as they were at an earlier visit: nothing is read.
pub(crate) fn remembered(records: Vec<(PathBuf, Vec<u8>)>, options: ImportOptions) -> Listing {
    let files: Vec<(PathBuf, Stamp)> =
        records.iter().map(|(path, _)| (path.clone(), Stamp { size: 0, modified_ns: 0 })).collect();
    let found: Vec<Option<Found>> = records.par_iter().map(|(path, record)| Found::from_record(path, record)).collect();
    let mut gather = Gather::new(options, &files);
    for (n, ((path, _), found)) in files.iter().zip(found).enumerate() {
        if let Some(found) = found {
            gather.take(n, path, found);
        }
    }
    gather.listing(files.len(), 0, &Report::default())
}
