//! The cuts of meshes with the slices, as lines.
//!
//! A mesh is prepared for each plane on a worker, once; a cut then costs what it shows, and is kept until slice or mesh change.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::Color32;
use glam::DVec3;

use crate::app::theme;
use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::contour::ContourIndex;
use crate::domain::plane::Plane;
use crate::session::Session;
use crate::session::jobs::{Jobs, Landing, Lane};
use crate::session::mesh_object::MeshId;

use super::surfaces::{Waker, started};

/// A coloured line in patient space.
pub type ColoredLine = (Color32, Vec<DVec3>);

/// Which mesh, which triangles, which colour, whether it is ready.
type CutKey = (MeshId, usize, Color32, bool);

/// A mesh that is ready for cuts along each plane, in the order of `Plane::ALL`.
type Ready = (MeshId, Arc<TriangleMesh>, [ContourIndex; 3]);

/// Meshes prepared for cutting, and the last cuts.
#[derive(Default)]
pub struct Contours {
    jobs: Option<Jobs<Vec<Ready>>>,
    /// Prepared, or (`None`) being prepared on the worker.
    indices: BTreeMap<MeshId, (Arc<TriangleMesh>, Option<[ContourIndex; 3]>)>,
    cuts: BTreeMap<Plane, (f64, Vec<CutKey>, Vec<ColoredLine>)>,
}

impl Contours {
    /// Lands what the worker has prepared and asks for what is missing.
    pub fn sync(&mut self, session: &Session, waker: &Waker) {
        let mut ready = Vec::new();
        for finished in self.jobs.as_mut().map(Jobs::poll).unwrap_or_default() {
            if let Some(landing) = finished.landing {
                landing(&mut ready);
            }
        }
        for (id, triangles, indices) in ready {
            if let Some(entry) = self.indices.get_mut(&id).filter(|(wanted, _)| Arc::ptr_eq(wanted, &triangles)) {
                entry.1 = Some(indices);
            }
        }
        self.indices.retain(|id, _| session.document().mesh(*id).is_some());
        for mesh in session.document().meshes().iter().filter(|mesh| mesh.visible) {
            let Some(built) = &mesh.built else { continue };
            let known = self.indices.get(&mesh.id).is_some_and(|(known, _)| Arc::ptr_eq(known, &built.triangles));
            if !known && self.prepare(mesh.id, Arc::clone(&built.triangles), waker) {
                self.indices.insert(mesh.id, (Arc::clone(&built.triangles), None));
            }
        }
    }

    fn prepare(&mut self, id: MeshId, triangles: Arc<TriangleMesh>, waker: &Waker) -> bool {
        let Some(jobs) = started(&mut self.jobs, waker) else { return false };
        let work = move |progress: &crate::task::Progress| {
            progress.check()?;
            let indices = Plane::ALL.map(|plane| ContourIndex::new(&triangles, plane.normal_in_patient()));
            let landing: Landing<Vec<Ready>> = Box::new(move |ready| ready.push((id, triangles, indices)));
            Ok(landing)
        };
        jobs.submit(Lane::Derive, Some(format!("contour {}", id.0)), "Contours", work).is_ok()
    }

    /// The cuts of all visible meshes with the slice of a plane through the crosshair.
    pub fn cut(&mut self, plane: Plane, session: &Session) -> Vec<ColoredLine> {
        let point = session.view.crosshair_in_patient;
        let at_mm = point[plane.normal_axis()];
        let meshes = session.document().meshes().iter().filter(|mesh| mesh.visible);
        let key: Vec<CutKey> = meshes
            .filter_map(|mesh| {
                let (triangles, indices) = self.indices.get(&mesh.id)?;
                Some((mesh.id, Arc::as_ptr(triangles) as usize, theme::data_color(mesh.color), indices.is_some()))
            })
            .collect();
        if let Some((known_mm, known, lines)) = self.cuts.get(&plane)
            && *known_mm == at_mm
            && *known == key
        {
            return lines.clone();
        }
        let mut lines = Vec::new();
        let n = Plane::ALL.iter().position(|found| *found == plane).unwrap_or(0);
        for (id, _, color, _) in &key {
            let Some((triangles, Some(indices))) = self.indices.get(id) else { continue };
            for line in indices[n].cut(triangles, point) {
                let mut points: Vec<DVec3> =
                    line.points_in_patient.iter().map(|p| glam::Vec3::from(*p).as_dvec3()).collect();
                if line.closed {
                    points.extend(points.first().copied());
                }
                lines.push((*color, points));
            }
        }
        self.cuts.insert(plane, (at_mm, key, lines.clone()));
        lines
    }
}
