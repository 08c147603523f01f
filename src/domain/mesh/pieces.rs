//! Cuts a mesh into pieces of a bounded size, so that it can be sent to a device a piece at a time.
//!
//! In: a mesh. Out: meshes of at most so many triangles that together are the same surface, with the normals they had; runs of
//! triangles stay together, and vertices that two pieces share are in both. Not here: parts that are not connected
//! (`components`).

use super::TriangleMesh;

/// Cuts a mesh into runs of at most `most_triangles`; an empty mesh gives no piece.
///
/// # Panics
/// When a triangle names a vertex that is not there.
pub fn pieces(mesh: &TriangleMesh, most_triangles: usize) -> Vec<TriangleMesh> {
    const UNUSED: u32 = u32::MAX;
    let has_normals = mesh.normals.len() == mesh.positions_in_patient.len();
    let mut place_of = vec![UNUSED; mesh.positions_in_patient.len()];
    let mut found = Vec::new();
    for run in mesh.triangles.chunks(most_triangles.max(1)) {
        let mut piece = TriangleMesh::default();
        let mut used = Vec::new();
        for triangle in run {
            piece.triangles.push(triangle.map(|vertex| {
                let place = &mut place_of[vertex as usize];
                if *place == UNUSED {
                    *place = used.len() as u32;
                    used.push(vertex);
                }
                *place
            }));
        }
        piece.positions_in_patient = used.iter().map(|&vertex| mesh.positions_in_patient[vertex as usize]).collect();
        if has_normals {
            piece.normals = used.iter().map(|&vertex| mesh.normals[vertex as usize]).collect();
        }
        for vertex in used {
            place_of[vertex as usize] = UNUSED;
        }
        found.push(piece);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_same_surface() {
        let mesh = TriangleMesh {
            positions_in_patient: (0..20).map(|n| [n as f32, 1.0, (n * n) as f32]).collect(),
            normals: (0..20).map(|n| [0.0, n as f32, 1.0]).collect(),
            triangles: (0..18).map(|n| [n, n + 1, n + 2]).collect(),
        };
        let found = pieces(&mesh, 5);
        assert_eq!(found.iter().map(|piece| piece.triangles.len()).collect::<Vec<_>>(), [5, 5, 5, 3]);
        let corners = |mesh: &TriangleMesh| -> Vec<([f32; 3], [f32; 3])> {
            let of = |&vertex: &u32| (mesh.positions_in_patient[vertex as usize], mesh.normals[vertex as usize]);
            mesh.triangles.iter().flatten().map(of).collect()
        };
        let together: Vec<_> = found.iter().flat_map(corners).collect();
        assert_eq!(together, corners(&mesh));
        assert!(found.iter().all(|piece| piece.positions_in_patient.len() == piece.triangles.len() + 2));
        assert!(pieces(&TriangleMesh::default(), 5).is_empty());
    }
}
