//! Surfaces on the device: the built meshes of the document and the live surfaces of its segments.
//!
//! A live surface follows the stroke: chunks whose voxels changed are rebuilt alone. Small changes are built at once, so that
//! the surface moves with the hand; large ones (a threshold, the first picture of a segment) on a worker.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::mesh::TriangleMesh;
use crate::domain::segmentation::SegmentId;
use crate::gpu::context::Context;
use crate::gpu::render::view3d::{MeshItem, MeshKey, MeshObject, MeshStore};
use crate::ops::surface::extract_segment;
use crate::session::Session;
use crate::session::document::{Revision, SegmentObject};
use crate::session::jobs::{JobError, Jobs, Landing, Lane};

/// Bricks that may be rebuilt within a frame.
const BRICKS_AT_ONCE: usize = 0;

/// A surface that a worker built.
struct Arrival {
    segment: SegmentId,
    live: LiveSurface,
    mask: Mask,
    revision: Revision,
}

/// The surface of one segment.
#[derive(Default)]
struct Live {
    surface: Option<LiveSurface>,
    /// The mask that the surface shows.
    mask: Option<Mask>,
    /// Revision of the mask that is shown, and of the one that a worker builds.
    shown: Option<Revision>,
    building: Option<Revision>,
}

/// The surface of a whole mask, in one piece.
struct LiveSurface {
    mesh: TriangleMesh,
}

impl LiveSurface {
    fn build(
        mask: &Mask,
        grid: &Grid,
        progress: &crate::task::Progress,
    ) -> Result<Self, crate::ops::surface::SurfaceError> {
        Ok(Self { mesh: extract_segment(mask, grid, progress)? })
    }

    fn update(&mut self, mask: &Mask, grid: &Grid, _dirty: &[u32]) -> Vec<u32> {
        if let Ok(built) = Self::build(mask, grid, &crate::task::Progress::new()) {
            *self = built;
        }
        vec![0]
    }

    fn chunk_ids(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::once(0)
    }

    fn chunk(&self, _id: u32) -> &TriangleMesh {
        &self.mesh
    }
}

/// All surfaces of the window.
#[derive(Default)]
pub struct Surfaces {
    store: MeshStore,
    lives: BTreeMap<SegmentId, Live>,
    jobs: Option<Jobs<Vec<Arrival>>>,
    uploads: u64,
}

impl Surfaces {
    /// The meshes on the device.
    pub fn store(&self) -> &MeshStore {
        &self.store
    }

    /// Changes whenever a picture of the surfaces would be different.
    pub fn revision(&self) -> u64 {
        self.store.revision()
    }

    /// Brings all surfaces up to date.
    pub fn sync(&mut self, context: &Context, session: &Session, waker: impl Fn() + Send + Sync + 'static) {
        let document = session.document();
        for mesh in document.meshes() {
            if let Some(built) = &mesh.built {
                let key = MeshKey { object: object_of_mesh(mesh.id.0), chunk: 0 };
                // The triangles belong to the recipe's revision.
                self.store.upload(context, key, mesh.build_revision.0 + 1, &built.triangles);
            }
        }
        self.land(context);
        for segment in document.segments().iter().filter(|segment| segment.segment.info.visible) {
            let Some(volume) = document.volume(segment.volume) else { continue };
            self.follow(context, segment, &volume.head.grid);
        }
        if let Some(jobs) = &mut self.jobs {
            jobs.set_waker(Arc::new(waker));
        }
        self.lives.retain(|id, _| document.segment(*id).is_some());
        let lives = &self.lives;
        self.store.retain(|key| {
            let meshes = document.meshes();
            let is_mesh = meshes.iter().any(|mesh| object_of_mesh(mesh.id.0) == key.object && mesh.built.is_some());
            is_mesh || lives.keys().any(|id| object_of_segment(*id) == key.object)
        });
    }

    fn follow(&mut self, context: &Context, segment: &SegmentObject, grid: &Grid) {
        let live = self.lives.entry(segment.id()).or_default();
        let wanted = segment.mask_revision;
        if live.shown == Some(wanted) || live.building == Some(wanted) {
            return;
        }
        let mask = &segment.segment.mask;
        let changed = live.mask.as_ref().map(|before| before.delta_to(mask));
        match (&mut live.surface, changed) {
            (Some(surface), Some(changed)) if changed.bricks.len() <= BRICKS_AT_ONCE && live.building.is_none() => {
                let dirty: Vec<u32> = changed.bricks.iter().map(|(index, _)| *index).collect();
                let chunks = surface.update(mask, grid, &dirty);
                self.uploads += 1;
                for chunk in chunks {
                    let key = MeshKey { object: object_of_segment(segment.id()), chunk };
                    self.store.upload(context, key, self.uploads, surface.chunk(chunk));
                }
                live.mask = Some(mask.clone());
                live.shown = Some(wanted);
            }
            _ => self.build_on_worker(segment, *grid),
        }
    }

    fn build_on_worker(&mut self, segment: &SegmentObject, grid: Grid) {
        let jobs = match &mut self.jobs {
            Some(jobs) => jobs,
            None => match Jobs::start() {
                Ok(jobs) => self.jobs.insert(jobs),
                Err(error) => {
                    tracing::warn!(%error, "no worker for surfaces");
                    return;
                }
            },
        };
        let (id, mask, revision) = (segment.id(), segment.segment.mask.clone(), segment.mask_revision);
        let work = move |progress: &crate::task::Progress| {
            let live = LiveSurface::build(&mask, &grid, progress).map_err(|_| JobError::Cancelled)?;
            let landing: Landing<Vec<Arrival>> =
                Box::new(move |arrivals| arrivals.push(Arrival { segment: id, live, mask, revision }));
            Ok(landing)
        };
        if jobs.submit(Lane::Derive, Some(format!("surface {}", id.0)), "Surface", work).is_ok() {
            self.lives.entry(id).or_default().building = Some(revision);
        }
    }

    fn land(&mut self, context: &Context) {
        let mut arrivals = Vec::new();
        for finished in self.jobs.as_mut().map(Jobs::poll).unwrap_or_default() {
            if let Some(landing) = finished.landing {
                landing(&mut arrivals);
            }
        }
        for Arrival { segment, live: surface, mask, revision } in arrivals {
            let Some(live) = self.lives.get_mut(&segment) else { continue };
            let object = object_of_segment(segment);
            self.uploads += 1;
            // Chunks that the new surface lacks are taken away by an empty mesh.
            let old: Vec<u32> = live.surface.as_ref().map(|old| old.chunk_ids().collect()).unwrap_or_default();
            let gone = old.into_iter().filter(|id| !surface.chunk_ids().any(|new| new == *id));
            for chunk in gone {
                self.store.upload(context, MeshKey { object, chunk }, self.uploads, &TriangleMesh::default());
            }
            for chunk in surface.chunk_ids() {
                self.store.upload(context, MeshKey { object, chunk }, self.uploads, surface.chunk(chunk));
            }
            if live.building == Some(revision) {
                live.building = None;
            }
            *live = Live { surface: Some(surface), mask: Some(mask), shown: Some(revision), building: live.building };
        }
    }

    /// What is drawn: visible meshes, and the surfaces of visible segments that no visible mesh stands for.
    pub fn items(&self, session: &Session) -> Vec<MeshItem> {
        let document = session.document();
        let meshes = document.meshes().iter().filter(|mesh| mesh.visible && mesh.built.is_some());
        let mesh_items =
            meshes.map(|mesh| MeshItem { object: object_of_mesh(mesh.id.0), color: mesh.color, opacity: 1.0 });
        let meshed = |segment: SegmentId| {
            use crate::session::mesh_object::MeshSource;
            document.meshes().iter().any(|mesh| {
                mesh.visible
                    && mesh.built.is_some()
                    && matches!(mesh.source, MeshSource::Segment { segment: source, .. } if source == segment)
            })
        };
        let segments =
            document.segments().iter().filter(|found| found.segment.info.visible && !found.segment.mask.is_empty());
        let segment_items = segments.filter(|found| !meshed(found.id())).map(|found| MeshItem {
            object: object_of_segment(found.id()),
            color: found.segment.info.color,
            opacity: 1.0,
        });
        mesh_items.chain(segment_items).collect()
    }
}

fn object_of_segment(id: SegmentId) -> MeshObject {
    MeshObject(u64::from(id.0))
}

/// Meshes and segments share one row of numbers in the store.
fn object_of_mesh(id: u32) -> MeshObject {
    MeshObject(1 << 32 | u64::from(id))
}
