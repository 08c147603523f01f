//! Building what is derived from the document: the triangles of meshes, the readings of measurements.
//!
//! A mesh whose triangles are missing is built on the derive lane; the result is dropped when the mesh was altered meanwhile.

use std::sync::Arc;

use crate::domain::measure::{Reading, evaluate};
use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::components::largest_part;
use crate::domain::mesh::deviation::deviation;
use crate::domain::mesh::smooth::{SmoothOptions, smooth};
use crate::domain::mesh::topology::topology;
use crate::ops::backend::Backend;
use crate::ops::surface::{SurfaceError, extract_iso, extract_segment};
use crate::task::{Cancelled, Progress};

use super::Session;
use super::change::Touched;
use super::document::{Document, Revision};
use super::jobs::{JobError, Landing, Lane};
use super::measurement::MeasurementObject;
use super::mesh_object::{BuiltMesh, MeshFigures, MeshId, MeshObject, MeshSource, MeshStatus, MeshStep};
use super::notice::NoticeLevel;

impl Session {
    /// Starts building the meshes whose triangles are missing and whose source is what they were made of.
    pub(super) fn build_missing_meshes(&mut self) {
        let wanted =
            |mesh: &&MeshObject| mesh.built.is_none() && self.document.mesh_status(mesh) == MeshStatus::UpToDate;
        let missing: Vec<MeshObject> = self.document.meshes().iter().filter(wanted).cloned().collect();
        for mesh in missing {
            let key = format!("mesh {} at {}", mesh.id.0, mesh.build_revision.0);
            if self.jobs.has_key(&key) {
                continue;
            }
            let (snapshot, case) = (self.document.clone(), self.case_number);
            let (id, build_revision) = (mesh.id, mesh.build_revision);
            let title = format!("Surface of {}", mesh.name);
            let work = move |progress: &Progress| {
                let built = build_mesh(&snapshot, &mesh, Backend::Cpu, progress)?;
                let landing: Landing<Self> = Box::new(move |session: &mut Self| {
                    if session.case_number == case {
                        session.take_built(id, build_revision, built);
                    }
                });
                Ok(landing)
            };
            if let Err(error) = self.jobs.submit(Lane::Derive, Some(key), title, work) {
                self.notices.add(NoticeLevel::Warning, error.to_string());
            }
        }
    }

    fn take_built(&mut self, id: MeshId, build_revision: Revision, built: BuiltMesh) {
        let mesh = self.document.meshes.iter_mut().find(|mesh| mesh.id == id && mesh.build_revision == build_revision);
        if let Some(mesh) = mesh {
            mesh.built = Some(built);
            self.touched.push(Touched::Mesh(id));
        }
    }

    /// What a measurement gives on its volume.
    pub fn reading(&self, measurement: &MeasurementObject) -> Option<Reading> {
        let volume = self.document.volume(measurement.volume)?;
        Some(evaluate(&measurement.shape, &volume.volume))
    }
}

/// Builds the triangles of a mesh: the surface of its source, then its steps.
///
/// # Errors
/// When cancelled, when the source is gone, or when it has no surface.
pub fn build_mesh(
    document: &Document,
    mesh: &MeshObject,
    backend: Backend,
    progress: &Progress,
) -> Result<BuiltMesh, JobError> {
    let gone = || JobError::Failed("its source is no longer in the case".to_owned());
    progress.phase("Surface");
    let raw = match &mesh.source {
        MeshSource::Segment { segment, .. } => {
            let object = document.segment(*segment).ok_or_else(gone)?;
            let grid = document.volume(object.volume).ok_or_else(gone)?.head.grid;
            extract_segment(&object.segment.mask, &grid, progress)?
        }
        MeshSource::IsoValue { volume, value, .. } => {
            let object = document.volume(*volume).ok_or_else(gone)?;
            extract_iso(&object.volume, *value, backend, None, progress)?
        }
        MeshSource::Imported { model, .. } => model.mesh().clone(),
    };
    if raw.triangles.is_empty() {
        return Err(JobError::Failed("there is no surface: nothing has this value".to_owned()));
    }
    Ok(refine(raw, &mesh.steps, progress)?)
}

/// Does the steps and measures what they did.
fn refine(raw: TriangleMesh, steps: &[MeshStep], progress: &Progress) -> Result<BuiltMesh, Cancelled> {
    let source_volume_mm3 = raw.volume_mm3();
    // What is measured against: the raw surface without parts that were taken away on purpose.
    let mut reference: Option<TriangleMesh> = None;
    let mut mesh = raw;
    let mut smoothings = 0;
    let mut found = None;
    for step in steps {
        progress.check()?;
        match *step {
            MeshStep::Smooth { method, passes, pass_band } => {
                let options = SmoothOptions { method, iterations: passes, pass_band, ..SmoothOptions::default() };
                let (smoothed, report) = smooth(&mesh, &options, progress)?;
                reference.get_or_insert(mesh);
                (mesh, found, smoothings) = (smoothed, Some(report.deviation), smoothings + 1);
            }
            MeshStep::LargestPart => {
                mesh = largest_part(&mesh);
                reference = reference.as_ref().map(largest_part);
            }
        }
    }
    // One smoothing measures itself; after several only the distance from the first surface says anything.
    if let (true, Some(reference)) = (smoothings > 1, &reference) {
        found = Some(deviation(&mesh, reference, progress)?);
    }
    let figures = MeshFigures {
        source_volume_mm3,
        volume_mm3: mesh.volume_mm3(),
        area_mm2: mesh.area_mm2(),
        deviation: found,
        topology: topology(&mesh),
    };
    Ok(BuiltMesh { triangles: Arc::new(mesh), figures })
}

impl From<SurfaceError> for JobError {
    fn from(error: SurfaceError) -> Self {
        match error {
            SurfaceError::Cancelled(_) => Self::Cancelled,
            failed => Self::Failed(failed.to_string()),
        }
    }
}
