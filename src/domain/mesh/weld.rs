//! Joins corners at the same place into shared vertices: what a triangle soup (an STL file) needs to become a mesh.
//!
//! In: corners, three a triangle. Out: an indexed mesh, vertices in order of first use, without normals.
//! Only positions that are equal to the last bit are joined (-0 equals 0): nothing moves, nothing far is joined.
//! Triangles that become degenerate by that are dropped and counted.

use std::collections::HashMap;

use super::TriangleMesh;

/// Joins equal corners; returns the mesh and how many degenerate triangles were dropped.
pub fn weld(corners_in_patient: &[[[f32; 3]; 3]]) -> (TriangleMesh, usize) {
    let mut mesh = TriangleMesh::default();
    let mut known: HashMap<[u32; 3], u32> = HashMap::with_capacity(corners_in_patient.len() / 2);
    for triangle in corners_in_patient {
        let triangle = triangle.map(|corner| {
            // Adding zero turns -0 into 0.
            let key = corner.map(|x| (x + 0.0).to_bits());
            *known.entry(key).or_insert_with(|| {
                mesh.positions_in_patient.push(corner.map(|x| x + 0.0));
                mesh.positions_in_patient.len() as u32 - 1
            })
        });
        let [a, b, c] = triangle;
        if a != b && b != c && c != a {
            mesh.triangles.push(triangle);
        }
    }
    let dropped = corners_in_patient.len() - mesh.triangles.len();
    (mesh, dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_corners_become_one_vertex() {
        let (a, b, c, d) = ([0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]);
        let minus = [-0.0, 0.0, -0.0];
        let (mesh, dropped) = weld(&[[a, b, c], [b, d, c], [a, minus, b]]);
        assert_eq!(mesh.positions_in_patient, [a, b, c, d]);
        assert_eq!(mesh.triangles, [[0, 1, 2], [1, 3, 2]]);
        assert_eq!(dropped, 1);
    }
}
