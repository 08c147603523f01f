//! Triangle meshes on the device, in chunks that are replaced one by one.
//!
//! In: `TriangleMesh`es by key and revision. Out: vertex and index buffers. A live surface uploads the chunks that a stroke
//! has touched and nothing else; an exported mesh is one chunk. A chunk that is too large for one buffer of the device is
//! split into pieces. Not here: drawing (`render::mesh`).

use std::collections::BTreeMap;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use glam::Vec3;

use super::coarse_mesh::coarse;
use crate::domain::mesh::TriangleMesh;
use crate::gpu::context::Context;

/// A vertex as the shader takes it: patient space, mm; the normal is zero where the mesh has none.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub(super) struct MeshVertex {
    position_in_patient: [f32; 3],
    normal: [f32; 3],
}

/// Names an object of the 3D view: the caller's number for a segment's surface or a mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeshObject(pub u64);

/// Names a chunk of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeshKey {
    /// The object it is part of.
    pub object: MeshObject,
    /// Which part.
    pub chunk: u32,
}

/// Buffers of a part of a chunk.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) vertices: wgpu::Buffer,
    pub(super) indices: wgpu::Buffer,
    pub(super) index_count: u32,
}

#[derive(Debug)]
struct Chunk {
    revision: u64,
    pieces: Vec<Piece>,
    /// What a software driver draws while the view moves; empty where the mesh is small or the device is not slow.
    coarse: Vec<Piece>,
    bounds_in_patient: Option<(Vec3, Vec3)>,
}

/// A mesh with what a device wants beside it, made on any thread: the upload itself is short then.
#[derive(Debug, Clone, Default)]
pub struct ReadyMesh {
    mesh: Arc<TriangleMesh>,
    coarse: Option<TriangleMesh>,
}

impl ReadyMesh {
    /// Makes a mesh ready for a device.
    pub fn new(context: &Context, mesh: Arc<TriangleMesh>) -> Self {
        let coarse = if context.is_software() { coarse(&mesh) } else { None };
        Self { mesh, coarse }
    }
}

/// All meshes of a device.
#[derive(Debug, Default)]
pub struct MeshStore {
    chunks: BTreeMap<MeshKey, Chunk>,
    revision: u64,
}

impl MeshStore {
    /// A store without meshes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uploads a chunk unless this revision of it is there; says whether it did. An empty mesh takes the chunk away.
    pub fn upload(&mut self, context: &Context, key: MeshKey, revision: u64, mesh: &TriangleMesh) -> bool {
        if self.chunks.get(&key).is_some_and(|chunk| chunk.revision == revision) {
            return false;
        }
        let stand_in = if context.is_software() { coarse(mesh) } else { None };
        self.put(context, key, revision, (mesh, stand_in.as_ref()));
        true
    }

    /// As [`Self::upload`], of a mesh that a worker made ready.
    pub fn upload_ready(&mut self, context: &Context, key: MeshKey, revision: u64, ready: &ReadyMesh) -> bool {
        if self.chunks.get(&key).is_some_and(|chunk| chunk.revision == revision) {
            return false;
        }
        self.put(context, key, revision, (&ready.mesh, ready.coarse.as_ref()));
        true
    }

    fn put(
        &mut self,
        context: &Context,
        key: MeshKey,
        revision: u64,
        (mesh, stand_in): (&TriangleMesh, Option<&TriangleMesh>),
    ) {
        let before = self.chunks.remove(&key);
        let (before, coarse_before) = before.map(|chunk| (chunk.pieces, chunk.coarse)).unwrap_or_default();
        let chunk = Chunk {
            revision,
            pieces: send(context, mesh, before),
            coarse: stand_in.map(|mesh| send(context, mesh, coarse_before)).unwrap_or_default(),
            bounds_in_patient: mesh.bounds_in_patient(),
        };
        self.chunks.insert(key, chunk);
        self.revision += 1;
    }

    /// Revision of a chunk that was last uploaded.
    pub fn revision_of(&self, key: MeshKey) -> Option<u64> {
        self.chunks.get(&key).map(|chunk| chunk.revision)
    }

    /// Rises with every change: a view that has drawn this revision needs not draw again.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Frees all chunks for which `keep` does not hold.
    pub fn retain(&mut self, keep: impl Fn(MeshKey) -> bool) {
        let before = self.chunks.len();
        self.chunks.retain(|key, _| keep(*key));
        self.revision += u64::from(self.chunks.len() != before);
    }

    /// Smallest box around an object; `None` when it has no vertex.
    pub fn bounds_in_patient(&self, object: MeshObject) -> Option<(Vec3, Vec3)> {
        let bounds = self.chunks_of(object).filter_map(|chunk| chunk.bounds_in_patient);
        bounds.reduce(|(lower, upper), (l, u)| (lower.min(l), upper.max(u)))
    }

    /// Triangles held.
    pub fn triangle_count(&self) -> u64 {
        self.chunks.values().flat_map(|chunk| &chunk.pieces).map(|piece| u64::from(piece.index_count / 3)).sum()
    }

    /// Bytes held on the device.
    pub fn memory_bytes(&self) -> u64 {
        let pieces = self.chunks.values().flat_map(|chunk| chunk.pieces.iter().chain(&chunk.coarse));
        pieces.map(|piece| piece.vertices.size() + piece.indices.size()).sum()
    }

    /// Buffers of an object; the coarse ones, where there are any, while the view moves.
    pub(super) fn pieces_of(&self, object: MeshObject, moving: bool) -> impl Iterator<Item = &Piece> {
        let pick = move |chunk: &'_ Chunk| moving && !chunk.coarse.is_empty();
        let pieces =
            self.chunks_of(object).flat_map(move |chunk| if pick(chunk) { &chunk.coarse } else { &chunk.pieces });
        pieces.filter(|piece| piece.index_count > 0)
    }

    fn chunks_of(&self, object: MeshObject) -> impl Iterator<Item = &Chunk> {
        let first = MeshKey { object, chunk: 0 };
        let last = MeshKey { object, chunk: u32::MAX };
        self.chunks.range(first..=last).map(|(_, chunk)| chunk)
    }
}

/// Sends a mesh to the device, into the buffers that it had before where they fit.
fn send(context: &Context, mesh: &TriangleMesh, before: Vec<Piece>) -> Vec<Piece> {
    let most = context.device.limits().max_buffer_size as usize;
    let mut before = before.into_iter();
    let pieces = split(mesh, most / size_of::<MeshVertex>(), most / size_of::<[u32; 3]>());
    let pieces = pieces.iter().map(|(vertices, triangles)| {
        let (old_vertices, old_indices) = before.next().map(|piece| (piece.vertices, piece.indices)).unzip();
        Piece {
            vertices: refill(context, old_vertices, bytemuck::cast_slice(vertices), wgpu::BufferUsages::VERTEX),
            indices: refill(context, old_indices, bytemuck::cast_slice(triangles), wgpu::BufferUsages::INDEX),
            index_count: triangles.len() as u32 * 3,
        }
    });
    pieces.collect()
}

/// Writes into the old buffer where it is large enough, so that a stroke does not allocate.
fn refill(context: &Context, old: Option<wgpu::Buffer>, bytes: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
    let needed = bytes.len() as u64;
    let fits = |buffer: &wgpu::Buffer| needed <= buffer.size() && buffer.size() <= needed.max(4096) * 4;
    let buffer = old.filter(fits).unwrap_or_else(|| {
        let most = context.device.limits().max_buffer_size;
        // A quarter more than needed: a growing surface fits several times.
        let size = (needed + needed / 4).next_multiple_of(256).clamp(256, most.max(needed));
        context.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("mesh"),
            size,
            usage: usage | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    });
    context.queue.write_buffer(&buffer, 0, bytes);
    buffer
}

/// Vertices and triangles in pieces that are not longer than the limits.
fn split(mesh: &TriangleMesh, most_vertices: usize, most_triangles: usize) -> Vec<(Vec<MeshVertex>, Vec<[u32; 3]>)> {
    let has_normals = mesh.normals.len() == mesh.positions_in_patient.len();
    let vertex = |index: usize| MeshVertex {
        position_in_patient: mesh.positions_in_patient[index],
        normal: if has_normals { mesh.normals[index] } else { [0.0; 3] },
    };
    if mesh.positions_in_patient.len() <= most_vertices && mesh.triangles.len() <= most_triangles {
        return vec![((0..mesh.positions_in_patient.len()).map(vertex).collect(), mesh.triangles.clone())];
    }
    const UNUSED: u32 = u32::MAX;
    let mut pieces = Vec::new();
    // Even if no triangle shares a vertex, a run of this length fits.
    for run in mesh.triangles.chunks((most_vertices / 3).min(most_triangles).max(1)) {
        let mut place_of = vec![UNUSED; mesh.positions_in_patient.len()];
        let mut vertices = Vec::new();
        let mut place = |index: u32| {
            let place = &mut place_of[index as usize];
            if *place == UNUSED {
                *place = vertices.len() as u32;
                vertices.push(vertex(index as usize));
            }
            *place
        };
        let triangles = run.iter().map(|triangle| triangle.map(&mut place)).collect();
        pieces.push((vertices, triangles));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_the_same_triangles() {
        let mesh = TriangleMesh {
            positions_in_patient: (0..10).map(|n| [n as f32, 0.0, 1.0]).collect(),
            normals: Vec::new(),
            triangles: (0..8).map(|n| [n, n + 1, n + 2]).collect(),
        };
        let pieces = split(&mesh, 7, 100);
        assert_eq!(pieces.len(), 4);
        let mut found = Vec::new();
        for (vertices, triangles) in &pieces {
            assert!(vertices.len() <= 7);
            found.extend(
                triangles.iter().map(|t| t.map(|index| vertices[index as usize].position_in_patient[0] as u32)),
            );
        }
        assert_eq!(found, mesh.triangles);
    }
}
