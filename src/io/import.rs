//! Finds image series and reads them into volumes, whatever the format.
//!
//! [`scan`] looks at a folder or file, reading headers only, and lists what could be opened, the sensible one first;
//! [`load`] reads one of them. A file that cannot be read never stops the others: it is named in the report.
//!
//! Space: volumes come out in patient space (DICOM LPS, mm) whatever convention the file has.
//! Not here: the formats themselves (`dicom`, `nifti`, `nrrd`, `metaimage`).

pub mod files;
mod found;
mod gather;
pub mod options;
pub mod requantise;
pub mod research;
pub mod samples;
pub mod thumbnail;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::domain::grid::Grid;
use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::{Rescale, Volume};
use crate::io::dicom::header::SliceHeader;
use crate::io::dicom::read::lone_slice;
use crate::io::dicom::strip::SliceStrip;
use crate::io::dicom::{DicomPlan, load_series, read_slice};
use crate::io::report::Report;
use crate::task::{Cancelled, Progress};

use research::ResearchPlan;

pub use files::{Look, Memory, replan, scan, scan_files, scan_place, scan_with};
pub(crate) use gather::remembered;
pub use gather::{Listed, Listing};
pub use options::{Gaps, ImportOptions};
pub use thumbnail::{GrayImage, thumbnail};
pub use walk::Stamp;
pub(crate) use walk::{is_archive_of_images, list_images};

/// Why nothing was opened. Every text is a sentence for a person and names the file.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Somebody stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The path leads nowhere.
    #[error("there is nothing at {}", .0.display())]
    NotFound(PathBuf),
    /// A folder without images.
    #[error("no images were found in {}{more}", path.display())]
    NoImages {
        /// The folder or file.
        path: PathBuf,
        /// What was found instead.
        more: String,
    },
    /// One file is at fault.
    #[error("{} {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; completes the sentence that begins with the file.
        reason: String,
    },
    /// The series cannot be a volume.
    #[error("{0}")]
    Refused(String),
    /// Too large for this machine.
    #[error("the volume needs {megabytes} MB of memory, which this computer does not have free")]
    Memory {
        /// Size of the samples.
        megabytes: usize,
    },
}

impl ImportError {
    /// One file is at fault, and why.
    pub fn file(path: &Path, reason: &(impl ToString + ?Sized)) -> Self {
        Self::File { path: path.to_path_buf(), reason: reason.to_string() }
    }
}

/// What a series is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeriesKind {
    /// A DICOM image series, one file for each slice.
    Dicom,
    /// NIfTI-1 or NIfTI-2.
    Nifti,
    /// NRRD, attached or detached.
    Nrrd,
    /// MetaImage, in one file or two.
    MetaImage,
    /// A segmentation (DICOM SEG, `.seg.nrrd`): opened onto images, not by itself.
    Segmentation,
    /// Contours (an RT structure set): opened onto images.
    Contours,
    /// Models (surface segmentation, encapsulated STL or OBJ): opened onto images.
    Model,
}

/// How to read a series; made by the scan.
#[derive(Debug, Clone)]
enum Plan {
    /// Cannot be read.
    Refused,
    /// Could be read if missing slices were filled in or the series was split.
    Broken(Vec<SliceHeader>),
    Dicom(Box<DicomPlan>),
    Research(Box<ResearchPlan>),
}

/// One thing that a scan found.
#[derive(Debug, Clone)]
pub struct SeriesEntry {
    /// What the files say of themselves.
    pub info: SeriesInfo,
    /// What tells this part from others of the same series ("cardiac phase 30"); empty for a whole series.
    pub part: String,
    /// How it is stored.
    pub kind: SeriesKind,
    /// Size and place; `None` where that is not known.
    pub grid: Option<Grid>,
    /// Its files, in slice order where there is one.
    pub files: Vec<PathBuf>,
    /// What was repaired or is doubtful so far.
    pub report: Report,
    /// Why it cannot be loaded; `None` when it can.
    pub refusal: Option<String>,
    /// How likely this is what a person wants; entries are sorted by it, highest first.
    pub score: u64,
    plan: Plan,
}

impl SeriesEntry {
    /// Whether [`load`] will try.
    pub fn is_loadable(&self) -> bool {
        self.refusal.is_none()
    }

    /// Whether it goes onto open images instead of being opened by itself.
    pub fn joins_images(&self) -> bool {
        matches!(self.kind, SeriesKind::Segmentation | SeriesKind::Contours | SeriesKind::Model)
    }

    /// Voxels along i, j, k; zeros where not known.
    pub fn dims(&self) -> [u32; 3] {
        self.grid.map_or([0; 3], |grid| grid.dims())
    }

    /// Slices; the number of files where the size is not known.
    pub fn slice_count(&self) -> usize {
        self.grid.map_or(self.files.len(), |grid| grid.dims()[2] as usize)
    }

    /// Whether it was refused only because slices are missing or uneven: [`replan`] can fill them in or split it.
    pub fn can_be_mended(&self) -> bool {
        matches!(self.plan, Plan::Broken(_))
    }

    /// Whether the slices lean because the gantry was tilted: [`replan`] can bring them upright.
    pub fn is_leaning(&self) -> bool {
        matches!(&self.plan, Plan::Dicom(plan) if plan.is_leaning())
    }

    /// Where its slices lie, for a person to see; `None` where they are no stack of images.
    pub fn strip(&self) -> Option<SliceStrip> {
        match &self.plan {
            Plan::Broken(headers) => SliceStrip::of(headers, None),
            Plan::Dicom(plan) => SliceStrip::of(&plan.slices, plan.filling.as_deref()),
            Plan::Refused | Plan::Research(_) => None,
        }
    }

    /// Distance between voxel centres, mm; zeros where not known.
    pub fn spacing_mm(&self) -> [f64; 3] {
        self.grid.map_or([0.0; 3], |grid| grid.spacing_mm().to_array())
    }

    /// Name for people: the series description, else the file's name, with its part.
    pub fn title(&self) -> String {
        let file_name = || self.files.first().and_then(|path| path.file_name()).unwrap_or_default();
        let name = match self.info.series_description.as_str() {
            "" => file_name().to_string_lossy().into_owned(),
            description => description.to_owned(),
        };
        if self.part.is_empty() { name } else { format!("{name} ({})", self.part) }
    }
}

/// All that a scan found.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// Series, the sensible one first; those that cannot be loaded last.
    pub entries: Vec<SeriesEntry>,
    /// Files that were left out and why.
    pub report: Report,
    /// Every file that was left out, with the reason; completes the sentence that begins with the file.
    pub left_out: Vec<(PathBuf, String)>,
    /// Files that were looked at.
    pub file_count: usize,
    /// Files that had to be read; the others were known from an earlier visit.
    pub read_count: usize,
}

/// One slice, early: to be shown while the rest is read.
#[derive(Debug, Clone)]
pub struct SlicePreview {
    /// Slice index.
    pub k: u32,
    /// Slices in all.
    pub slice_count: u32,
    /// Samples in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Distance between columns, between rows, mm.
    pub spacing_mm: [f64; 2],
    /// Samples, row by row.
    pub samples: Vec<i16>,
    /// Their meaning.
    pub rescale: Rescale,
}

/// Where a volume came from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VolumeSource {
    /// Its files in slice order.
    pub files: Vec<PathBuf>,
}

/// A volume with all that is known of it.
#[derive(Debug)]
pub struct LoadedVolume {
    /// The samples and their place.
    pub volume: Volume,
    /// What the files say.
    pub info: SeriesInfo,
    /// What was repaired or is doubtful.
    pub report: Report,
    /// Where it came from.
    pub source: VolumeSource,
    content_hash: OnceLock<String>,
}

impl LoadedVolume {
    /// Hash of samples and geometry, see the function of that name. Made when it is first asked for, because it is one more
    /// pass over the volume and most commands never ask: call it on a worker.
    pub fn content_hash(&self) -> &str {
        self.content_hash.get_or_init(|| content_hash(&self.volume))
    }
}

/// Reads a series. `on_slice` is called from worker threads with a few early slices, the middle one first.
///
/// # Errors
/// When the entry was refused, a file is damaged, memory is short, or the work was cancelled.
pub fn load(
    entry: &SeriesEntry,
    progress: &Progress,
    on_slice: &(dyn Fn(SlicePreview) + Sync),
) -> Result<LoadedVolume, ImportError> {
    if let Some(reason) = &entry.refusal {
        return Err(ImportError::Refused(reason.clone()));
    }
    let (mut report, mut info) = (entry.report.clone(), entry.info.clone());
    if matches!(&entry.plan, Plan::Dicom(plan) if !plan.keeps_windows()) {
        info.windows.clear();
    }
    let volume = match &entry.plan {
        Plan::Refused | Plan::Broken(_) => {
            return Err(ImportError::Refused("this cannot be opened as images".to_owned()));
        }
        Plan::Dicom(plan) => load_series(plan, &mut report, progress, on_slice)?,
        Plan::Research(plan) => plan.load(&mut report, progress, on_slice)?,
    };
    progress.check()?;
    let source = VolumeSource { files: entry.files.clone() };
    Ok(LoadedVolume { volume, info, report, source, content_hash: OnceLock::new() })
}

/// Reads the middle slice of an entry by itself; `None` where that is not possible.
pub fn middle_slice(entry: &SeriesEntry) -> Option<SlicePreview> {
    match &entry.plan {
        Plan::Refused => None,
        Plan::Broken(headers) => headers.get(headers.len() / 2).and_then(lone_slice),
        Plan::Dicom(plan) => read_slice(plan, plan.slices.len() / 2).ok(),
        Plan::Research(plan) => plan.middle_slice(),
    }
}

/// Hash (BLAKE3, hex) of what a volume holds: size, affine, rescale, quantity and samples. The same images give the
/// same hash wherever they lie and in whatever order their files are named.
pub fn content_hash(volume: &Volume) -> String {
    use rayon::prelude::*;
    let [ni, nj, _] = volume.grid().dims();
    let slices: Vec<blake3::Hash> = volume
        .samples()
        .par_chunks(ni as usize * nj as usize)
        .map(|slice| blake3::hash(bytemuck::cast_slice(slice)))
        .collect();
    let mut hasher = blake3::Hasher::new();
    for n in volume.grid().dims() {
        hasher.update(&n.to_le_bytes());
    }
    let affine = volume.grid().patient_from_voxel().to_cols_array();
    let rescale = [volume.rescale().slope, volume.rescale().intercept];
    for number in affine.iter().chain(&rescale) {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(volume.quantity().unit().as_bytes());
    for hash in &slices {
        hasher.update(hash.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
