//! Surfaces on the device: the built meshes of the document and the live surfaces of its segments.
//!
//! A live surface follows the stroke: chunks whose voxels changed are rebuilt alone. Small changes are built at once, so that
//! the surface moves with the hand; large ones (a threshold, the first picture of a segment) on a worker. What a worker made
//! goes to the device a few pieces a frame, so that the hand never waits for a large surface.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::pieces::pieces;
use crate::domain::segmentation::SegmentId;
use crate::domain::surface::chunk::LiveSurface;
use crate::gpu::context::Context;
use crate::gpu::render::view3d::{MeshItem, MeshKey, MeshObject, MeshStore, ReadyMesh};
use crate::session::Session;
use crate::session::document::{Revision, SegmentObject};
use crate::session::jobs::{JobError, Jobs, Landing, Lane};
use crate::session::mesh_object::{BuiltMesh, MeshId};

/// Called on a worker when a result waits.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// The workers, started when first needed: most sessions have views that never need any. `None` where the system gives no thread.
pub(super) fn started<'a, O: 'static>(jobs: &'a mut Option<Jobs<O>>, waker: &Waker) -> Option<&'a mut Jobs<O>> {
    if jobs.is_none() {
        match Jobs::start() {
            Ok(mut fresh) => {
                fresh.set_waker(Arc::clone(waker));
                *jobs = Some(fresh);
            }
            Err(error) => tracing::warn!(%error, "no worker for what the views derive"),
        }
    }
    jobs.as_mut()
}

/// Bricks that may be rebuilt within a frame.
const BRICKS_AT_ONCE: usize = 64;
/// Time for uploads in one frame.
const UPLOADS: Duration = Duration::from_millis(30);
/// Triangles of a piece of a built mesh.
const PIECE_TRIANGLES: usize = 1 << 15;

/// What a worker has made ready.
enum Arrival {
    /// The surface of a segment, and which of its chunks changed.
    Segment { segment: SegmentId, surface: LiveSurface, chunks: Vec<(u32, ReadyMesh)>, mask: Mask, revision: Revision },
    /// A built mesh in pieces.
    Mesh { mesh: MeshId, triangles: Arc<TriangleMesh>, pieces: Vec<ReadyMesh> },
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

/// A built mesh on the device.
struct Built {
    triangles: Arc<TriangleMesh>,
    /// Pieces that it has there; `None` while it is being cut.
    pieces: Option<u32>,
}

/// All surfaces of the window.
#[derive(Default)]
pub struct Surfaces {
    store: MeshStore,
    lives: BTreeMap<SegmentId, Live>,
    built: BTreeMap<MeshId, Built>,
    /// What goes to the device next, in order.
    waiting: VecDeque<(MeshKey, u64, ReadyMesh)>,
    /// Revision of the store when nothing waited: while a large surface comes in parts, no part of it is drawn.
    complete: u64,
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
        self.complete
    }

    /// Brings all surfaces up to date.
    pub fn sync(&mut self, context: &Context, session: &Session, waker: &Waker) {
        let document = session.document();
        self.land();
        for mesh in document.meshes() {
            if let Some(built) = &mesh.built {
                self.follow_mesh(context, mesh.id, built, waker);
            }
        }
        for segment in document.segments().iter().filter(|segment| segment.segment.info.visible) {
            let Some(volume) = document.volume(segment.volume) else { continue };
            self.follow(context, segment, &volume.head.grid, waker);
        }
        self.lives.retain(|id, _| document.segment(*id).is_some());
        self.built.retain(|id, _| document.mesh(*id).is_some_and(|mesh| mesh.built.is_some()));
        self.send(context, waker);
        let (lives, built) = (&self.lives, &self.built);
        self.store.retain(|key| {
            built.keys().any(|id| object_of_mesh(id.0) == key.object)
                || lives.keys().any(|id| object_of_segment(*id) == key.object)
        });
        if self.waiting.is_empty() {
            self.complete = self.store.revision();
        }
    }

    /// Sends what waits, for as long as a frame has time.
    fn send(&mut self, context: &Context, waker: &Waker) {
        let begin = Instant::now();
        while let Some((key, revision, mesh)) = self.waiting.pop_front() {
            self.store.upload_ready(context, key, revision, &mesh);
            if begin.elapsed() > UPLOADS {
                break;
            }
        }
        if !self.waiting.is_empty() {
            waker();
        }
    }

    /// A chunk takes its place in the queue; an older one of the same place is not sent any more.
    fn queue(&mut self, object: MeshObject, chunk: u32, mesh: ReadyMesh) {
        let key = MeshKey { object, chunk };
        self.uploads += 1;
        self.waiting.push_back((key, self.uploads, mesh));
    }

    fn follow_mesh(&mut self, context: &Context, id: MeshId, built: &BuiltMesh, waker: &Waker) {
        let known = self.built.get(&id).is_some_and(|known| Arc::ptr_eq(&known.triangles, &built.triangles));
        if known {
            return;
        }
        let (triangles, context) = (Arc::clone(&built.triangles), context.clone());
        let work = move |progress: &crate::task::Progress| {
            progress.check()?;
            let pieces = pieces(&triangles, PIECE_TRIANGLES).into_iter();
            let pieces = pieces.map(|piece| ReadyMesh::new(&context, Arc::new(piece))).collect();
            let landing: Landing<Vec<Arrival>> =
                Box::new(move |arrivals| arrivals.push(Arrival::Mesh { mesh: id, triangles, pieces }));
            Ok(landing)
        };
        if self.submit(format!("mesh {}", id.0), work, waker) {
            let before = self.built.get(&id).and_then(|built| built.pieces);
            self.built.insert(id, Built { triangles: Arc::clone(&built.triangles), pieces: before });
        }
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
                let object = object_of_segment(segment.id());
                for chunk in surface.update(mask, grid, &dirty) {
                    // At once, so that the surface follows the hand; what still waits of this chunk is older.
                    let key = MeshKey { object, chunk };
                    self.waiting.retain(|(waiting, ..)| *waiting != key);
                    self.uploads += 1;
                    self.store.upload(context, key, self.uploads, &surface.chunk(chunk));
                }
                live.mask = Some(mask.clone());
                live.shown = Some(wanted);
            }
            _ => self.build_on_worker(context, segment, *grid, waker),
        }
    }

    fn build_on_worker(&mut self, context: &Context, segment: &SegmentObject, grid: Grid, waker: &Waker) {
        let (id, mask, revision) = (segment.id(), segment.segment.mask.clone(), segment.mask_revision);
        let live = self.lives.entry(id).or_default();
        let mut surface = live.surface.clone().unwrap_or_default();
        let (before, context) = (live.mask.clone(), context.clone());
        let work = move |progress: &crate::task::Progress| {
            progress.phase("Surface of the segment");
            let bricks = before.map_or_else(Vec::new, |before| before.delta_to(&mask).bricks);
            let dirty: Vec<u32> = bricks.iter().map(|(index, _)| *index).collect();
            let changed = surface.update_with(&mask, &grid, &dirty, progress).map_err(|_| JobError::Cancelled)?;
            let ready = |chunk| (chunk, ReadyMesh::new(&context, surface.chunk(chunk)));
            let chunks = changed.into_iter().map(ready).collect();
            let landing: Landing<Vec<Arrival>> = Box::new(move |arrivals| {
                arrivals.push(Arrival::Segment { segment: id, surface, chunks, mask, revision });
            });
            Ok(landing)
        };
        if self.submit(format!("surface {}", id.0), work, waker) {
            self.lives.entry(id).or_default().building = Some(revision);
        }
    }

    /// Queues work on the surfaces' own worker; an earlier one of the same key is cancelled.
    fn submit(
        &mut self,
        key: String,
        work: impl FnOnce(&crate::task::Progress) -> Result<Landing<Vec<Arrival>>, JobError> + Send + 'static,
        waker: &Waker,
    ) -> bool {
        let Some(jobs) = started(&mut self.jobs, waker) else { return false };
        jobs.submit(Lane::Derive, Some(key), "Surface", work).is_ok()
    }

    fn land(&mut self) {
        let mut arrivals = Vec::new();
        for finished in self.jobs.as_mut().map(Jobs::poll).unwrap_or_default() {
            if let Some(landing) = finished.landing {
                landing(&mut arrivals);
            }
        }
        for arrival in arrivals {
            match arrival {
                Arrival::Segment { segment, surface, chunks, mask, revision } => {
                    let Some(live) = self.lives.get_mut(&segment) else { continue };
                    let building = live.building.filter(|building| *building != revision);
                    *live = Live { surface: Some(surface), mask: Some(mask), shown: Some(revision), building };
                    for (chunk, mesh) in chunks {
                        self.queue(object_of_segment(segment), chunk, mesh);
                    }
                }
                Arrival::Mesh { mesh, triangles, pieces } => {
                    let Some(built) = self.built.get_mut(&mesh) else { continue };
                    if !Arc::ptr_eq(&built.triangles, &triangles) {
                        continue;
                    }
                    let before = built.pieces.replace(pieces.len() as u32).unwrap_or(0);
                    let count = pieces.len() as u32;
                    for (chunk, piece) in (0..).zip(pieces) {
                        self.queue(object_of_mesh(mesh.0), chunk, piece);
                    }
                    for gone in count..before {
                        // An empty mesh takes a piece away.
                        self.queue(object_of_mesh(mesh.0), gone, ReadyMesh::default());
                    }
                }
            }
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
