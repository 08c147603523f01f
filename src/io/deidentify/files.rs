//! Removes identity from DICOM files: one file, a folder of any depth or a ZIP archive, into new files with names that say
//! nothing. Archives inside a folder are looked into; nothing else of them is unpacked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dicom_dictionary_std::tags;
use dicom_object::FileMetaTableBuilder;

use crate::io::atomic_file::{AtomicFileError, write_atomically};
use crate::io::dicom::elements::{read_object, text};
use crate::io::import::{is_archive_of_images, list_images};
use crate::io::report::Report;
use crate::task::{Cancelled, Progress};

use super::{Options, deidentify};

/// A DICOM index file: names images and patients, is no image.
const DICOMDIR_CLASS: &str = "1.2.840.10008.1.3.10";

/// Why nothing, or not all, was written.
#[derive(Debug, thiserror::Error)]
pub enum DeidentifyError {
    /// Somebody stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The path leads nowhere.
    #[error("there is nothing at {}", .0.display())]
    NotFound(PathBuf),
    /// The target is inside the source, or is it.
    #[error("{} lies inside the folder that is read: choose another place", .0.display())]
    Inside(PathBuf),
    /// No file was DICOM.
    #[error("no DICOM file was found in {}", .0.display())]
    NoDicom(PathBuf),
    /// A file cannot be read.
    #[error("{} {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Completes the sentence.
        reason: String,
    },
    /// The medium refused.
    #[error(transparent)]
    Write(#[from] AtomicFileError),
}

/// What was done.
#[derive(Debug, Default)]
pub struct Deidentified {
    /// The files written.
    pub files: Vec<PathBuf>,
    /// What was left out, and what a person still has to look at.
    pub report: Report,
}

/// Removes identity from a file, or from all DICOM files of a folder or ZIP archive. Files of these become `series-1/IM00001.dcm` ... in
/// `target`; files that are no DICOM are not copied, and said.
///
/// # Errors
/// When there is nothing to read, a file cannot be written, or the work was cancelled. Single damaged files of a folder are no
/// error: they are left out, and said.
pub fn deidentify_path(
    source: &Path,
    target: &Path,
    options: &Options,
    progress: &Progress,
) -> Result<Deidentified, DeidentifyError> {
    progress.phase("Removing identity");
    let metadata = std::fs::metadata(source).map_err(|_| DeidentifyError::NotFound(source.to_path_buf()))?;
    let mut done = Deidentified::default();
    let is_archive = is_archive_of_images(source);
    if metadata.is_file() && !is_archive {
        let file = if target.is_dir() { target.join("IM00001.dcm") } else { target.to_path_buf() };
        refuse_inside(source, &file, false)?;
        let read = read(source, options, &mut done.report);
        let one = read.map_err(|reason| DeidentifyError::Read { path: source.to_path_buf(), reason })?;
        write(&file, one.object)?;
        done.files.push(file);
        return Ok(done);
    }
    refuse_inside(source, target, !is_archive)?;
    let all = list_images(source, &mut done.report, progress)?;
    let mut series: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut left_out = 0;
    for (index, path) in all.iter().enumerate() {
        progress.step(index, all.len())?;
        let Ok(one) = read(path, options, &mut done.report) else {
            left_out += 1;
            continue;
        };
        let number = series.len() + 1;
        let place = series.entry(one.series_uid).or_insert((number, 0));
        place.1 += 1;
        let folder = target.join(format!("series-{}", place.0));
        std::fs::create_dir_all(&folder).map_err(|source| AtomicFileError::Io { path: folder.clone(), source })?;
        let file = folder.join(format!("IM{:05}.dcm", place.1));
        write(&file, one.object)?;
        done.files.push(file);
    }
    if left_out > 0 {
        let plural = if left_out == 1 { "file was" } else { "files were" };
        done.report.refused(format!("{left_out} {plural} left out: no DICOM, an index of files, or damaged"));
    }
    if done.files.is_empty() { Err(DeidentifyError::NoDicom(source.to_path_buf())) } else { Ok(done) }
}

/// Writing over what is read, or into it, would lose the original or read its own output.
fn refuse_inside(source: &Path, target: &Path, is_folder: bool) -> Result<(), DeidentifyError> {
    let Ok(from) = source.canonicalize() else { return Ok(()) };
    let mut above = Some(target);
    while let Some(path) = above {
        if let Ok(to) = path.canonicalize() {
            let is_same = to == from;
            if is_same || (is_folder && to.starts_with(&from)) {
                return Err(DeidentifyError::Inside(target.to_path_buf()));
            }
            return Ok(());
        }
        above = path.parent();
    }
    Ok(())
}

struct One {
    object: dicom_object::DefaultDicomObject,
    /// Series before it was replaced: only tells files apart here.
    series_uid: String,
}

/// Reads a file and removes its identity; the error completes a sentence.
fn read(path: &Path, options: &Options, report: &mut Report) -> Result<One, String> {
    let (mut object, syntax) = read_object(path)?;
    if text(&object, tags::SOP_CLASS_UID).is_empty() || text(&object, tags::SOP_CLASS_UID) == DICOMDIR_CLASS {
        return Err("is an index of files, not an object".to_owned());
    }
    let series_uid = text(&object, tags::SERIES_INSTANCE_UID);
    report.extend(deidentify(&mut object, options));
    let meta = FileMetaTableBuilder::new().transfer_syntax(syntax);
    let object = object.with_meta(meta).map_err(|error| format!("cannot be written again: {error}"))?;
    Ok(One { object, series_uid })
}

fn write(path: &Path, object: dicom_object::DefaultDicomObject) -> Result<(), AtomicFileError> {
    write_atomically(path, |out| {
        let failed = |error: dicom_object::WriteError| AtomicFileError::Io {
            path: path.to_path_buf(),
            source: std::io::Error::other(error.to_string()),
        };
        object.write_all(out).map_err(failed)
    })
}
