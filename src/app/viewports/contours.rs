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

/// A coloured line of a mesh in patient space.
pub type ColoredLine = (MeshId, Color32, Vec<DVec3>);

/// Which mesh, which triangles, which colour, whether it is ready.
type CutKey = (MeshId, usize, Color32, bool);

/// Sorted for cuts along each slice view's plane, in the order of `Plane::ALL`.
type Sorted = [Arc<ContourIndex>; 3];

/// A mesh that is ready for cuts.
type Ready = (MeshId, Arc<TriangleMesh>, Sorted);

/// A mesh that is known.
struct Known {
    triangles: Arc<TriangleMesh>,
    /// Prepared, maybe for planes that were turned since, or (`None`) not yet.
    sorted: Option<Sorted>,
    /// The planes that the worker prepares it for.
    asked: [DVec3; 3],
}

/// A cut that was made: where along which normal, of what.
type Cut = (f64, DVec3, Vec<CutKey>, Vec<ColoredLine>);

/// Meshes prepared for cutting, and the last cuts.
#[derive(Default)]
pub struct Contours {
    jobs: Option<Jobs<Vec<Ready>>>,
    indices: BTreeMap<MeshId, Known>,
    cuts: BTreeMap<Plane, Cut>,
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
            if let Some(known) = self.indices.get_mut(&id).filter(|known| Arc::ptr_eq(&known.triangles, &triangles)) {
                known.sorted = Some(indices);
            }
        }
        self.indices.retain(|id, _| session.document().mesh(*id).is_some());
        let normals = Plane::ALL.map(|plane| session.view.slice(plane).normal_in_patient());
        for mesh in session.document().meshes().iter().filter(|mesh| mesh.visible) {
            let Some(built) = &mesh.built else { continue };
            let known = self.indices.get(&mesh.id).filter(|known| Arc::ptr_eq(&known.triangles, &built.triangles));
            if known.is_some_and(|known| known.asked == normals) {
                continue;
            }
            let before = known.and_then(|known| known.sorted.clone());
            if self.prepare(mesh.id, Arc::clone(&built.triangles), normals, before.clone(), waker) {
                let triangles = Arc::clone(&built.triangles);
                self.indices.insert(mesh.id, Known { triangles, sorted: before, asked: normals });
            }
        }
    }

    fn prepare(
        &mut self,
        id: MeshId,
        triangles: Arc<TriangleMesh>,
        normals: [DVec3; 3],
        before: Option<Sorted>,
        waker: &Waker,
    ) -> bool {
        let Some(jobs) = started(&mut self.jobs, waker) else { return false };
        let work = move |progress: &crate::task::Progress| {
            let mut indices = Vec::new();
            for (n, normal) in normals.into_iter().enumerate() {
                progress.check()?;
                // A plane that was not turned keeps its order.
                let kept = before.as_ref().map(|before| &before[n]).filter(|index| is_along(index, normal));
                indices.push(kept.cloned().unwrap_or_else(|| Arc::new(ContourIndex::new(&triangles, normal))));
            }
            let Ok(indices) = Sorted::try_from(indices) else { unreachable!("one index for each plane") };
            let landing: Landing<Vec<Ready>> = Box::new(move |ready| ready.push((id, triangles, indices)));
            Ok(landing)
        };
        jobs.submit(Lane::Derive, Some(format!("contour {}", id.0)), "Contours", work).is_ok()
    }

    /// The cuts of all visible meshes with the slice of a plane through the crosshair.
    pub fn cut(&mut self, plane: Plane, session: &Session) -> Vec<ColoredLine> {
        let point = session.view.crosshair_in_patient;
        let normal = session.view.slice(plane).normal_in_patient();
        let at_mm = point.dot(normal);
        let n = Plane::ALL.iter().position(|found| *found == plane).unwrap_or(0);
        let meshes = session.document().meshes().iter().filter(|mesh| mesh.visible);
        let key: Vec<CutKey> = meshes
            .filter_map(|mesh| {
                let known = self.indices.get(&mesh.id)?;
                let ready = known.sorted.as_ref().is_some_and(|sorted| is_along(&sorted[n], normal));
                Some((mesh.id, Arc::as_ptr(&known.triangles) as usize, theme::data_color(mesh.color), ready))
            })
            .collect();
        if let Some((known_mm, known_normal, known, lines)) = self.cuts.get(&plane)
            && (*known_mm, *known_normal) == (at_mm, normal)
            && *known == key
        {
            return lines.clone();
        }
        let mut lines = Vec::new();
        // While a plane is being turned nothing is drawn: a line of another plane would be a lie.
        for (id, _, color, _) in key.iter().filter(|(.., ready)| *ready) {
            let Some(Known { triangles, sorted: Some(sorted), .. }) = self.indices.get(id) else { continue };
            for line in sorted[n].cut(triangles, point) {
                let mut points: Vec<DVec3> =
                    line.points_in_patient.iter().map(|p| glam::Vec3::from(*p).as_dvec3()).collect();
                if line.closed {
                    points.extend(points.first().copied());
                }
                lines.push((*id, *color, points));
            }
        }
        self.cuts.insert(plane, (at_mm, normal, key, lines.clone()));
        lines
    }
}

/// Whether an index was made for cuts across this very normal.
fn is_along(index: &ContourIndex, normal_in_patient: DVec3) -> bool {
    index.normal_in_patient().distance(normal_in_patient) < 1e-12
}
