//! Cases: between the document and the case file; opening as a job (saving is `super::save`).
//!
//! Opening finds linked images again through `ops::open` and takes only those whose content hash is what it was.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::domain::phantom::thorax;
use crate::domain::segmentation::{Segment, SegmentId};
use crate::io::case_file::{self, CaseFile, CaseFileError, CaseMesh, CaseSegment, CaseVolume, Foreign};
use crate::ops::open;
use crate::task::{Cancelled, Progress};

use super::Session;
use super::command::Envelope;
use super::document::{
    ContentHash, Document, FoundImages, ImageSource, Revision, SegmentObject, VolumeHead, VolumeId, VolumeObject,
};
use super::jobs::{JobError, JobId, Landing, Lane};
use super::measurement::MeasurementObject;
use super::mesh_object::{BuiltMesh, MeshFigures, MeshObject, MeshStatus};
use super::notice::NoticeLevel;
use super::refusal::Refusal;
use super::view::ViewState;

pub use crate::io::case_file::EXTENSION;

/// Why a case was not opened or saved.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file.
    #[error(transparent)]
    File(#[from] CaseFileError),
    /// The images that it links to.
    #[error("the images of {name} were not found ({why}); put them back at {} or open the case with their folder", path.display())]
    Images {
        /// Name of the volume.
        name: String,
        /// Where they were.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The parts do not fit each other.
    #[error("{} cannot be opened: {reason}", path.display())]
    Inconsistent {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// Somebody stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// A case as it was opened.
#[derive(Debug)]
pub struct OpenedCase {
    /// The document.
    pub document: Document,
    /// How it was looked at.
    pub view: ViewState,
    /// The commands that made it.
    pub record: Vec<Envelope>,
    foreign: Foreign,
}

/// A series by path and name, found again.
///
/// # Errors
/// When nothing there has the content that it had, in words.
pub fn find_images(head: &VolumeHead, progress: &Progress) -> Result<FoundImages, String> {
    if head.source.path.as_os_str().is_empty() {
        return remake_sample(head, progress);
    }
    let choices = open::ImportOptions::marked_in(&head.source.series);
    let scan = open::scan_with(&head.source.path, choices, progress).map_err(|error| error.to_string())?;
    let named = |entry: &&open::SeriesEntry| series_name(entry) == head.source.series;
    // The series of that name first; another one only if its content is the same (files may have been renamed).
    let same_dims = |entry: &&open::SeriesEntry| entry.is_loadable() && entry.dims() == head.grid.dims();
    let (first, rest): (Vec<_>, Vec<_>) = scan.entries.iter().filter(same_dims).partition(named);
    let mut why = "there is no series of that size".to_owned();
    for entry in first.into_iter().chain(rest) {
        let loaded = match open::load(entry, progress, &|_| {}) {
            Ok(loaded) => loaded,
            Err(open::ImportError::Cancelled(cancelled)) => return Err(cancelled.to_string()),
            Err(error) => {
                why = error.to_string();
                continue;
            }
        };
        if head.content_hash.0.is_empty() || loaded.content_hash() == head.content_hash.0 {
            let report = loaded.report.lines.into_iter().map(|line| line.text).collect();
            return Ok(FoundImages { volume: Arc::new(loaded.volume), info: loaded.info, report });
        }
        "the images there are others than before".clone_into(&mut why);
    }
    Err(why)
}

/// The middle file of the series of a volume, for its tags.
///
/// # Errors
/// When the images are nowhere or of a kind without tags, in words.
pub fn middle_file(head: &VolumeHead, progress: &Progress) -> Result<PathBuf, String> {
    let scan = open::scan(&head.source.path, progress).map_err(|error| error.to_string())?;
    let entry = scan.entries.iter().find(|entry| series_name(entry) == head.source.series);
    let file = entry.and_then(|entry| entry.files.get(entry.files.len() / 2).cloned());
    file.ok_or_else(|| "the files of these images were not found".to_owned())
}

/// Images without a path were made by the program itself: the sample is made again.
fn remake_sample(head: &VolumeHead, progress: &Progress) -> Result<FoundImages, String> {
    let grid = thorax::grid(head.grid.dims()).map_err(|error| error.to_string())?;
    if grid != head.grid {
        return Err("they were never in a file".to_owned());
    }
    let volume = thorax::volume(&grid, progress).map_err(|error| error.to_string())?;
    Ok(FoundImages { volume: Arc::new(volume), info: thorax::series_info(), report: Vec::new() })
}

/// Name of a series inside its path: its UID and part.
pub fn series_name(entry: &open::SeriesEntry) -> String {
    if entry.part.is_empty() {
        entry.info.series_uid.clone()
    } else {
        format!("{} {}", entry.info.series_uid, entry.part)
    }
}

/// The head of a volume that was loaded from `path`.
pub fn head_of(loaded: &open::LoadedVolume, name: String, path: &Path, series: String) -> VolumeHead {
    VolumeHead {
        name,
        info: loaded.info.clone(),
        report: loaded.report.lines.iter().map(|line| line.text.clone()).collect(),
        source: ImageSource { path: std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()), series },
        grid: *loaded.volume.grid(),
        quantity: loaded.volume.quantity(),
        content_hash: ContentHash(loaded.content_hash().to_owned()),
    }
}

/// The document as a case file's value. Triangles go in where they could not be rebuilt from what is in the document.
pub(super) fn to_case(
    document: &Document,
    view: &ViewState,
    record: &[Envelope],
    foreign: Foreign,
    embed: bool,
) -> CaseFile {
    let volume = |object: &VolumeObject| CaseVolume {
        id: object.id.0,
        revision: object.revision.0,
        name: object.head.name.clone(),
        info: object.head.info.clone(),
        report: object.head.report.clone(),
        path: object.head.source.path.clone(),
        series: object.head.source.series.clone(),
        grid: object.head.grid,
        quantity: object.head.quantity,
        rescale: object.volume.rescale(),
        content_hash: object.head.content_hash.0.clone(),
        // Images that lie nowhere on disk (the built-in sample) would be lost with the window.
        embedded: (embed || object.head.source.path.as_os_str().is_empty()).then(|| Arc::clone(&object.volume)),
    };
    let segment = |object: &SegmentObject| CaseSegment {
        id: object.id().0,
        volume: object.volume.0,
        revision: object.revision.0,
        mask_revision: object.mask_revision.0,
        info: object.segment.info.clone(),
        mask: object.segment.mask.clone(),
    };
    let mesh = |object: &MeshObject| {
        let mut description = json(object);
        let kept = object.built.as_ref().filter(|_| document.mesh_status(object) != MeshStatus::UpToDate);
        if let (Some(built), Value::Object(keys)) = (kept, &mut description) {
            keys.insert("figures".to_owned(), json(&built.figures));
        }
        CaseMesh { id: object.id.0, description, triangles: kept.map(|built| Arc::clone(&built.triangles)) }
    };
    CaseFile {
        name: document.name().to_owned(),
        next_id: document.next_id(),
        next_revision: document.next_revision().0,
        volumes: document.volumes().iter().map(volume).collect(),
        segments: document.segments().iter().map(segment).collect(),
        meshes: document.meshes().iter().map(mesh).collect(),
        measurements: document.measurements().iter().map(json).collect(),
        view: json(view),
        history: json(&record),
        foreign,
    }
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("plain data")
}

/// Opens a case. `images` replaces the folder of linked images when they have moved.
///
/// # Errors
/// When the file is damaged or newer, or the images are gone or others than before.
pub fn open_case(path: &Path, images: Option<&Path>, progress: &Progress) -> Result<OpenedCase, CaseError> {
    progress.phase("Opening the case");
    let case = case_file::read_case(path)?;
    progress.check()?;
    let inconsistent = |reason: String| CaseError::Inconsistent { path: path.to_path_buf(), reason };
    let mut document = Document::new(case.name);
    (document.next_id, document.next_revision) = (case.next_id, case.next_revision);
    for volume in case.volumes {
        document.volumes.push(open_volume(volume, images, progress)?);
    }
    document.segments = case.segments.into_iter().map(open_segment).collect();
    for mesh in case.meshes {
        document
            .meshes
            .push(open_mesh(mesh).map_err(|_| inconsistent("a mesh is described in unknown words".to_owned()))?);
    }
    let measurements: Result<Vec<MeasurementObject>, _> =
        case.measurements.into_iter().map(serde_json::from_value).collect();
    document.measurements =
        measurements.map_err(|_| inconsistent("a measurement is described in unknown words".to_owned()))?;
    document.check().map_err(inconsistent)?;
    // How it was looked at and who did what may be unreadable without harm to the case.
    let mut view: ViewState = serde_json::from_value(case.view).unwrap_or_default();
    if view.active_volume.is_none_or(|id| document.volume(id).is_none())
        && let Some(volume) = document.volumes.first()
    {
        view.show_volume(volume.id, &document);
    }
    let record = serde_json::from_value(case.history).unwrap_or_default();
    Ok(OpenedCase { document, view, record, foreign: case.foreign })
}

fn open_volume(volume: CaseVolume, images: Option<&Path>, progress: &Progress) -> Result<VolumeObject, CaseError> {
    let path = images.map_or(volume.path, Path::to_path_buf);
    let mut head = VolumeHead {
        name: volume.name,
        info: volume.info,
        report: volume.report,
        source: ImageSource { path, series: volume.series },
        grid: volume.grid,
        quantity: volume.quantity,
        content_hash: ContentHash(volume.content_hash),
    };
    let samples = if let Some(embedded) = volume.embedded {
        embedded
    } else {
        let found = find_images(&head, progress);
        progress.check()?;
        let missing = |why| CaseError::Images { name: head.name.clone(), path: head.source.path.clone(), why };
        let samples = found.map_err(missing)?.volume;
        if !samples.grid().same_space(&head.grid) {
            return Err(missing("the images lie elsewhere in the patient than before".to_owned()));
        }
        samples
    };
    // Bit for bit what the samples say, so that the document agrees with itself.
    head.grid = *samples.grid();
    Ok(VolumeObject { id: VolumeId(volume.id), head, volume: samples, revision: Revision(volume.revision) })
}

fn open_segment(segment: CaseSegment) -> SegmentObject {
    SegmentObject {
        volume: VolumeId(segment.volume),
        segment: Segment { id: SegmentId(segment.id), info: segment.info, mask: segment.mask },
        revision: Revision(segment.revision),
        mask_revision: Revision(segment.mask_revision),
    }
}

fn open_mesh(mesh: CaseMesh) -> Result<MeshObject, serde_json::Error> {
    let figures = mesh.description.get("figures").cloned();
    let mut object: MeshObject = serde_json::from_value(mesh.description)?;
    if let (Some(triangles), Some(figures)) = (mesh.triangles, figures) {
        let figures: MeshFigures = serde_json::from_value(figures)?;
        object.built = Some(BuiltMesh { triangles, figures });
    }
    Ok(object)
}

impl Session {
    /// Opens a case, as a job; it replaces the present one when it is complete. `images` is the folder of linked images when
    /// they have moved.
    ///
    /// # Errors
    /// When too much is waiting. A file that cannot be opened becomes a notice, and the present case stays.
    pub fn start_open_case(&mut self, path: impl Into<PathBuf>, images: Option<PathBuf>) -> Result<JobId, Refusal> {
        let path = path.into();
        let work = move |progress: &Progress| {
            let opened = open_case(&path, images.as_deref(), progress).map_err(|error| match error {
                CaseError::Cancelled(_) => JobError::Cancelled,
                other => JobError::Failed(other.to_string()),
            })?;
            let landing: Landing<Self> = Box::new(move |session: &mut Self| match session.must_stay() {
                None => session.take_case(opened, path),
                Some(why) => session.notices.add(NoticeLevel::Error, format!("The case was not opened: {why}.")),
            });
            Ok(landing)
        };
        let key = Some("open case".to_owned());
        self.jobs.submit(Lane::Background, key, "Open case", work).map_err(|why| Refusal::Failed(why.to_string()))
    }

    /// Takes over a case that was opened from `path`.
    pub fn take_case(&mut self, opened: OpenedCase, path: PathBuf) {
        let OpenedCase { document, view, record, foreign } = opened;
        self.begin_with(document, view, Some(path));
        self.record = record;
        self.foreign = foreign;
        self.build_missing_meshes();
        let gone = self.document.meshes().iter().filter(|mesh| self.document.mesh_status(mesh) != MeshStatus::UpToDate);
        let count = gone.count();
        if count > 0 {
            let text =
                format!("{count} of the meshes are out of date: their segments were changed after they were made.");
            self.notices.add(NoticeLevel::Warning, text);
        }
    }
}
