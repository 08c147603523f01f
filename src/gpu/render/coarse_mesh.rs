//! A coarse stand-in for a mesh, drawn by software drivers while the view moves: about a tenth of the triangles.
//!
//! In: a mesh. Out: its vertices gathered in the cells of a lattice of patient space, triangles that collapse left out.
//! Source: Rossignac and Borrel, "Multi-resolution 3D approximations for rendering complex scenes", 1993.
//! For looking at while moving only: it is neither closed nor measured. Chunks of one surface use the same lattice.

use std::collections::HashMap;

use glam::Vec3;

use crate::domain::mesh::TriangleMesh;

/// Smaller meshes are quick enough as they are.
const LEAST_TRIANGLES: usize = 1500;
/// Cell edge in edges of the mesh.
const EDGES_A_CELL: f32 = 3.0;

/// The stand-in; `None` when the mesh is small.
pub(super) fn coarse(mesh: &TriangleMesh) -> Option<TriangleMesh> {
    if mesh.triangles.len() < LEAST_TRIANGLES {
        return None;
    }
    // A power of two, so that neighbouring chunks agree.
    let cell_mm = (EDGES_A_CELL * mean_edge_mm(mesh)).max(1e-3).log2().round().exp2();
    let has_normals = mesh.normals.len() == mesh.positions_in_patient.len();
    let mut vertex_of_cell: HashMap<[i32; 3], u32> = HashMap::new();
    let mut sums: Vec<(Vec3, Vec3, f32)> = Vec::new();
    let mut vertex_of = Vec::with_capacity(mesh.positions_in_patient.len());
    for (n, position) in mesh.positions_in_patient.iter().enumerate() {
        let cell = position.map(|mm| (mm / cell_mm).floor() as i32);
        let vertex = *vertex_of_cell.entry(cell).or_insert_with(|| {
            sums.push((Vec3::ZERO, Vec3::ZERO, 0.0));
            sums.len() as u32 - 1
        });
        let (position_sum, normal_sum, count) = &mut sums[vertex as usize];
        *position_sum += Vec3::from(*position);
        *normal_sum += if has_normals { Vec3::from(mesh.normals[n]) } else { Vec3::ZERO };
        *count += 1.0;
        vertex_of.push(vertex);
    }
    let gathered = mesh.triangles.iter().map(|triangle| triangle.map(|vertex| vertex_of[vertex as usize]));
    let triangles = gathered.filter(|[a, b, c]| a != b && b != c && a != c).collect();
    let positions = sums.iter().map(|(position, _, count)| (*position / *count).to_array()).collect();
    let normals = sums.iter().map(|(_, normal, _)| normal.normalize_or_zero().to_array());
    let normals = if has_normals { normals.collect() } else { Vec::new() };
    Some(TriangleMesh { positions_in_patient: positions, normals, triangles })
}

/// Mean length of the edges of every sixteenth triangle.
fn mean_edge_mm(mesh: &TriangleMesh) -> f32 {
    let edge = |&triangle: &[u32; 3]| {
        let [a, b, _] = mesh.corners(triangle);
        a.distance(b)
    };
    let (sum, count) = mesh.triangles.iter().step_by(16).map(edge).fold((0.0, 0.0), |(sum, n), mm| (sum + mm, n + 1.0));
    sum / f32::max(count, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_triangles_stays_close_to_the_surface() {
        // A wavy sheet of 100 x 100 mm.
        let height = |x: f32, y: f32| (x * 0.1).sin() * 5.0 + y * 0.2;
        let mut mesh = TriangleMesh::default();
        for y in 0..=100_u32 {
            for x in 0..=100_u32 {
                mesh.positions_in_patient.push([x as f32, y as f32, height(x as f32, y as f32)]);
                if x < 100 && y < 100 {
                    let first = x + 101 * y;
                    mesh.triangles.push([first, first + 1, first + 101]);
                    mesh.triangles.push([first + 1, first + 102, first + 101]);
                }
            }
        }
        let few = coarse(&mesh).expect("a large mesh");
        assert!(few.triangles.len() * 6 < mesh.triangles.len(), "{} triangles", few.triangles.len());
        assert!((few.area_mm2() / mesh.area_mm2() - 1.0).abs() < 0.12, "{} mm2", few.area_mm2());
        assert!(few.positions_in_patient.iter().all(|[x, y, z]| (z - height(*x, *y)).abs() < 0.6));
        let small = TriangleMesh { triangles: mesh.triangles[..100].to_vec(), ..mesh };
        assert_eq!(coarse(&small), None);
    }
}
