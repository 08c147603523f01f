//! Surfaces on the device: the built meshes of the document and the live surfaces of its segments.
//!
//! A live surface follows the stroke: chunks whose voxels changed are rebuilt alone. Small changes are built at once, so that
//! the surface moves with the hand; large ones (a threshold, the first picture of a segment) on a worker.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::segmentation::SegmentId;
use crate::domain::surface::chunk::LiveSurface;
use crate::gpu::context::Context;
use crate::gpu::render::view3d::{MeshItem, MeshKey, MeshObject, MeshStore};
use crate::session::Session;
use crate::session::document::{Revision, SegmentObject};
use crate::session::jobs::{JobError, Jobs, Landing, Lane};

/// Called on a worker when a result waits.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Bricks that may be rebuilt within a frame.
const BRICKS_AT_ONCE: usize = 64;

/// A surface that a worker built.
struct Arrival {
    segment: SegmentId,
    surface: LiveSurface,
    changed: Vec<u32>,
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
    pub fn sync(&mut self, context: &Context, session: &Session, waker: &Waker) {
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
            self.follow(context, segment, &volume.head.grid, waker);
        }
        self.lives.retain(|id, _| document.segment(*id).is_some());
        let lives = &self.lives;
        self.store.retain(|key| {
            let meshes = document.meshes();
            let is_mesh = meshes.iter().any(|mesh| object_of_mesh(mesh.id.0) == key.object && mesh.built.is_some());
            is_mesh || lives.keys().any(|id| object_of_segment(*id) == key.object)
        });
    }

    fn follow(&mut self, context: &Context, segment: &SegmentObject, grid: &Grid, waker: &Waker) {
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
                    self.store.upload(context, key, self.uploads, &surface.chunk(chunk));
                }
                live.mask = Some(mask.clone());
                live.shown = Some(wanted);
            }
            _ => self.build_on_worker(segment, *grid, waker),
        }
    }

    fn build_on_worker(&mut self, segment: &SegmentObject, grid: Grid, waker: &Waker) {
        let jobs = match &mut self.jobs {
            Some(jobs) => jobs,
            None => match Jobs::start() {
                Ok(mut jobs) => {
                    jobs.set_waker(Arc::clone(waker));
                    self.jobs.insert(jobs)
                }
                Err(error) => {
                    tracing::warn!(%error, "no worker for surfaces");
                    return;
                }
            },
        };
        let (id, mask, revision) = (segment.id(), segment.segment.mask.clone(), segment.mask_revision);
        let live = self.lives.entry(id).or_default();
        let mut surface = live.surface.clone().unwrap_or_default();
        let before = live.mask.clone();
        let work = move |progress: &crate::task::Progress| {
            progress.phase("Surface of the segment");
            let bricks = before.map_or_else(Vec::new, |before| before.delta_to(&mask).bricks);
            let dirty: Vec<u32> = bricks.iter().map(|(index, _)| *index).collect();
            let changed = surface.update_with(&mask, &grid, &dirty, progress).map_err(|_| JobError::Cancelled)?;
            let landing: Landing<Vec<Arrival>> =
                Box::new(move |arrivals| arrivals.push(Arrival { segment: id, surface, changed, mask, revision }));
            Ok(landing)
        };
        if jobs.submit(Lane::Derive, Some(format!("surface {}", id.0)), "Surface", work).is_ok() {
            live.building = Some(revision);
        }
    }

    fn land(&mut self, context: &Context) {
        let mut arrivals = Vec::new();
        for finished in self.jobs.as_mut().map(Jobs::poll).unwrap_or_default() {
            if let Some(landing) = finished.landing {
                landing(&mut arrivals);
            }
        }
        for Arrival { segment, surface, changed, mask, revision } in arrivals {
            let Some(live) = self.lives.get_mut(&segment) else { continue };
            self.uploads += 1;
            for chunk in changed {
                let key = MeshKey { object: object_of_segment(segment), chunk };
                self.store.upload(context, key, self.uploads, &surface.chunk(chunk));
            }
            let building = live.building.filter(|building| *building != revision);
            *live = Live { surface: Some(surface), mask: Some(mask), shown: Some(revision), building };
        }
    }
}

/// What is drawn: visible meshes, and the surfaces of visible segments that no visible mesh stands for.
pub fn items(session: &Session) -> Vec<MeshItem> {
    let document = session.document();
    let meshes = document.meshes().iter().filter(|mesh| mesh.visible && mesh.built.is_some());
    let mesh_items = meshes.map(|mesh| MeshItem { object: object_of_mesh(mesh.id.0), color: mesh.color, opacity: 1.0 });
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

fn object_of_segment(id: SegmentId) -> MeshObject {
    MeshObject(u64::from(id.0))
}

/// Meshes and segments share one row of numbers in the store.
fn object_of_mesh(id: u32) -> MeshObject {
    MeshObject(1 << 32 | u64::from(id))
}
