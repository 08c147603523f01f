//! Writing meshes of the document as files, with the sidecar that says where they come from. De-identified.

use std::path::PathBuf;

use serde_json::json;

use crate::ops::export::{self, ImageSource, MeshExport};
use crate::task::Progress;

use super::Session;
use super::document::{Document, VolumeObject};
use super::jobs::{JobError, JobId, Landing, Lane};
use super::mesh_object::{BuiltMesh, MeshId, MeshObject, MeshSource, MeshStatus};
use super::notice::NoticeLevel;
use super::refusal::Refusal;

pub use crate::ops::export::{ExportReport, ExportedFile, MeshSpace};

/// One mesh with all that its sidecar says, taken out of the document.
struct Prepared {
    name: String,
    built: BuiltMesh,
    source: Option<ImageSource>,
    steps: Vec<String>,
    parameters: serde_json::Value,
    out_of_date: bool,
}

impl Prepared {
    fn as_export(&self) -> MeshExport<'_> {
        MeshExport {
            mesh: &self.built.triangles,
            name: &self.name,
            source: self.source.as_ref(),
            steps: &self.steps,
            parameters: &self.parameters,
            out_of_date: self.out_of_date,
        }
    }
}

impl Session {
    /// Writes meshes as binary STL into a folder, as a job; the report is in [`Session::last_export`] afterwards. A mesh that
    /// no longer shows its source is written only when `out_of_date_too` says that the person knows.
    ///
    /// # Errors
    /// When a mesh is gone, not built yet, or out of date. A failure of the disk becomes a notice.
    pub fn start_export(
        &mut self,
        meshes: &[MeshId],
        folder: impl Into<PathBuf>,
        space: MeshSpace,
        out_of_date_too: bool,
    ) -> Result<JobId, Refusal> {
        let prepared = meshes.iter().map(|id| self.prepare(*id, out_of_date_too)).collect::<Result<Vec<_>, _>>()?;
        if prepared.is_empty() {
            return Err(Refusal::NoEffect("no mesh is chosen"));
        }
        let folder = folder.into();
        self.last_export = None;
        let work = move |progress: &Progress| {
            let exports: Vec<MeshExport<'_>> = prepared.iter().map(Prepared::as_export).collect();
            let report =
                export::export_all(&folder, &exports, space, progress).map_err(|error| export_error(&error))?;
            let landing: Landing<Self> = Box::new(move |session: &mut Self| session.take_export(report));
            Ok(landing)
        };
        self.jobs.submit(Lane::Background, None, "Export", work).map_err(|why| Refusal::Failed(why.to_string()))
    }

    /// What the last export wrote; `None` until it has ended.
    pub fn last_export(&self) -> Option<&ExportReport> {
        self.last_export.as_ref()
    }

    fn take_export(&mut self, report: ExportReport) {
        let folder = report.files.first().and_then(|file| file.path.parent()).map(|path| path.display().to_string());
        let words = match report.files.as_slice() {
            [file] => {
                format!("{} was written ({} triangles, {:.2} ml).", file.path.display(), file.triangles, file.volume_ml)
            }
            files => format!("{} models were written to {}.", files.len(), folder.unwrap_or_default()),
        };
        self.notices.add(NoticeLevel::Info, words);
        for warning in &report.warnings {
            self.notices.add(NoticeLevel::Warning, warning.clone());
        }
        self.last_export = Some(report);
    }

    fn prepare(&self, id: MeshId, out_of_date_too: bool) -> Result<Prepared, Refusal> {
        let mesh = self.document.mesh(id).ok_or(Refusal::NoSuchMesh)?;
        let out_of_date = self.document.mesh_status(mesh) != MeshStatus::UpToDate;
        if out_of_date && !out_of_date_too {
            return Err(Refusal::Failed(format!(
                "{} is out of date: its source was changed after it was made; update it, or say that it is to be exported as it is",
                mesh.name
            )));
        }
        let built = mesh.built.clone().ok_or_else(|| Refusal::Busy { name: mesh.name.clone() })?;
        let volume = volume_of(&self.document, mesh);
        let source = volume.map(|object| ImageSource::new(&object.volume, &object.head.info));
        let parameters = json!({ "source": mesh.source.describe(), "steps": mesh.steps, "figures": built.figures });
        Ok(Prepared {
            name: mesh.name.clone(),
            built,
            source,
            steps: steps_of(&self.document, mesh),
            parameters,
            out_of_date,
        })
    }
}

fn export_error(error: &export::ExportError) -> JobError {
    if matches!(error, export::ExportError::Cancelled(_)) {
        return JobError::Cancelled;
    }
    // The whole chain: which model, then why.
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(found) = cause {
        words.push_str(": ");
        words.push_str(&found.to_string());
        cause = found.source();
    }
    JobError::Failed(words)
}

fn volume_of<'a>(document: &'a Document, mesh: &MeshObject) -> Option<&'a VolumeObject> {
    match mesh.source {
        MeshSource::Segment { segment, .. } => document.volume(document.segment(segment)?.volume),
        MeshSource::IsoValue { volume, .. } | MeshSource::Imported { volume, .. } => document.volume(volume),
    }
}

/// How the mesh was made, from the images on, in words.
fn steps_of(document: &Document, mesh: &MeshObject) -> Vec<String> {
    let mut steps = match &mesh.source {
        MeshSource::Segment { segment, .. } => {
            document.segment(*segment).map(|object| object.segment.info.made_by.clone()).unwrap_or_default()
        }
        MeshSource::IsoValue { value, .. } => {
            let unit = volume_of(document, mesh).map_or("", |object| object.head.quantity.unit());
            vec![format!("Surface at {value} {unit}").trim_end().to_owned()]
        }
        MeshSource::Imported { model, .. } => vec![format!("Read from a file ({})", model.origin())],
    };
    steps.extend(mesh.steps.iter().map(super::mesh_object::MeshStep::describe));
    steps
}
