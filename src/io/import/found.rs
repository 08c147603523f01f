//! What one file of a scan turned out to be, and the same as a few bytes that an index keeps for the next visit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::grid::Grid;
use crate::domain::series_info::SeriesInfo;
use crate::io::dicom::HeaderError;
use crate::io::dicom::directory::named_files;
use crate::io::dicom::header::{FileHeader, SliceHeader, read_headers};
use crate::io::dicom::layout::LayoutError;
use crate::io::dicom::real_world::Law;
use crate::io::dicom_model;
use crate::io::dicom_seg;
use crate::io::metaimage;
use crate::io::nifti;
use crate::io::nrrd;
use crate::io::report::Report;
use crate::io::rtstruct;
use crate::io::surface_segmentation::SURFACE_SEGMENTATION;

use super::research::{ResearchPlan, stem};
use super::{ImportError, Plan, SeriesEntry, SeriesKind, files::score};

/// A DICOM index file: names images, is none.
const DICOMDIR_CLASS: &str = "1.2.840.10008.1.3.10";

/// What one file turned out to be.
pub(super) enum Found {
    /// DICOM images.
    Slices(Vec<SliceHeader>),
    /// A file that is a series by itself, or a segmentation.
    Entry(Box<SeriesEntry>),
    /// An index of DICOM files, and what it names.
    Directory(Vec<String>),
    /// Something else that lies around in image folders.
    NotAnImage,
    /// Cannot be read; completes the sentence that begins with the file.
    Bad(String),
}

/// Reads what a file is.
pub(super) fn look(path: &Path) -> Found {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let of = |found: Result<SeriesEntry, ImportError>| match found {
        Ok(entry) => Found::Entry(Box::new(entry)),
        Err(error) => Found::Bad(reason_of(path, error)),
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
            named_files(path).map_or_else(|error| Found::Bad(error.to_string()), Found::Directory)
        }
        Ok(headers) => match headers.first().and_then(|header| companion(&header.file.sop_class)) {
            Some((kind, what)) => Found::Entry(Box::new(companion_entry(path, &headers[0].file, kind, what))),
            None => Found::Slices(headers),
        },
        Err(HeaderError::Layout(LayoutError::NotDicom)) if !claims_dicom(path) => Found::NotAnImage,
        Err(error) => Found::Bad(error.to_string()),
    }
}

fn claims_dicom(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    matches!(extension.as_str(), "dcm" | "dicom" | "ima")
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

/// What a DICOM object that belongs to images is: its kind, and its name with an article.
fn companion(sop_class: &str) -> Option<(SeriesKind, &'static str)> {
    Some(match sop_class {
        class if dicom_seg::is_segmentation(class) => (SeriesKind::Segmentation, "a segmentation"),
        rtstruct::RTSTRUCT => (SeriesKind::Contours, "a set of contours (RT structure set)"),
        SURFACE_SEGMENTATION => (SeriesKind::Model, "a model (surface segmentation)"),
        dicom_model::STL => (SeriesKind::Model, "a model (encapsulated STL)"),
        dicom_model::OBJ => (SeriesKind::Model, "a model (encapsulated OBJ)"),
        _ => return None,
    })
}

/// A DICOM object that is opened onto images. What exactly it holds is found when it is read.
fn companion_entry(path: &Path, file: &FileHeader, kind: SeriesKind, what: &str) -> SeriesEntry {
    SeriesEntry {
        info: file.info.clone(),
        part: String::new(),
        kind,
        grid: None,
        files: vec![path.to_path_buf()],
        report: Report::default(),
        refusal: Some(format!("{} is {what}: open its images first, then load it onto them", path.display())),
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

fn has_table(header: &SliceHeader) -> bool {
    header.lut.is_some() || header.real_world.iter().any(|map| matches!(map.law, Law::Table(_)))
}

/// The bytes of a [`Found`], as they are written.
#[derive(Serialize)]
enum Written<'a> {
    Slices(&'a FileHeader, &'a [SliceHeader]),
    Entry(Box<EntryRecord>),
    Directory(&'a [String]),
    NotAnImage,
}

/// The same as they are read.
#[derive(Deserialize)]
enum Read {
    Slices(Box<FileHeader>, Vec<SliceHeader>),
    Entry(Box<EntryRecord>),
    Directory(Vec<String>),
    NotAnImage,
}

#[derive(Serialize, Deserialize)]
struct EntryRecord {
    info: SeriesInfo,
    kind: SeriesKind,
    grid: Option<Grid>,
    report: Report,
    refusal: Option<String>,
    score: u64,
    plan: Option<ResearchPlan>,
    files: Vec<PathBuf>,
}

impl Found {
    /// As bytes for an index. `None` for what is read again at every visit.
    pub(super) fn record(&self) -> Option<Vec<u8>> {
        let written = match self {
            // Tables that frames share would be written for each.
            Self::Slices(headers) if headers.len() > 1 && headers.iter().any(has_table) => return None,
            Self::Slices(headers) => Written::Slices(&headers.first()?.file, headers),
            Self::Entry(entry) => Written::Entry(Box::new(EntryRecord {
                info: entry.info.clone(),
                kind: entry.kind,
                grid: entry.grid,
                report: entry.report.clone(),
                refusal: entry.refusal.clone(),
                score: entry.score,
                plan: if let Plan::Research(plan) = &entry.plan { Some((**plan).clone()) } else { None },
                files: entry.files.clone(),
            })),
            Self::Directory(names) => Written::Directory(names),
            Self::NotAnImage => Written::NotAnImage,
            // The medium may have failed, or a share was away: only another look can tell.
            Self::Bad(_) => return None,
        };
        serde_json::to_vec(&written).ok()
    }

    /// From the bytes of an index; `None` where they say nothing that holds today.
    pub(super) fn from_record(path: &Path, record: &[u8]) -> Option<Self> {
        Some(match serde_json::from_slice(record).ok()? {
            Read::Slices(mut file, mut slices) => {
                file.path = path.to_path_buf();
                let file = Arc::from(file);
                for slice in &mut slices {
                    slice.file = Arc::clone(&file);
                }
                Self::Slices(slices)
            }
            Read::Entry(record) => {
                // Samples in a file of their own may have changed though the header did not: these are read again.
                if record.files.iter().any(|file| file != path) {
                    return None;
                }
                let plan = record.plan.map_or(Plan::Refused, |plan| Plan::Research(Box::new(plan)));
                Self::Entry(Box::new(SeriesEntry {
                    info: record.info,
                    part: String::new(),
                    kind: record.kind,
                    grid: record.grid,
                    files: record.files,
                    report: record.report,
                    refusal: record.refusal,
                    score: record.score,
                    plan,
                }))
            }
            Read::Directory(names) => Self::Directory(names),
            Read::NotAnImage => Self::NotAnImage,
        })
    }
}
