//! Vertex normals from the triangles around each vertex, weighted by their area.
//!
//! In: a mesh. Out: one unit normal a vertex, pointing outwards where triangles run counter-clockwise seen from outside.
//! A vertex without area around it gets the zero vector.

use glam::Vec3;
use rayon::prelude::*;

use super::TriangleMesh;
use super::adjacency::Adjacency;

/// Normals of all vertices.
pub fn vertex_normals(positions_in_patient: &[[f32; 3]], adjacency: &Adjacency) -> Vec<[f32; 3]> {
    let position = |vertex: u32| Vec3::from(positions_in_patient[vertex as usize]);
    let normal = |vertex: u32| {
        let here = position(vertex);
        let fan = adjacency.around(vertex).iter();
        let sum: Vec3 = fan.map(|&[a, b]| (position(a) - here).cross(position(b) - here)).sum();
        sum.normalize_or_zero().to_array()
    };
    (0..positions_in_patient.len() as u32).into_par_iter().with_min_len(4096).map(normal).collect()
}

/// Replaces the normals of a mesh by those of its triangles.
pub fn recompute_normals(mesh: &mut TriangleMesh) {
    let adjacency = Adjacency::new(mesh.positions_in_patient.len(), &mesh.triangles);
    mesh.normals = vertex_normals(&mesh.positions_in_patient, &adjacency);
}
