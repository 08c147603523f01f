//! Connected parts of a mesh.
//!
//! In: a mesh. Out: the part of each vertex, or the mesh without the small parts. Parts are connected through shared vertices.
//! Method: union-find with path halving; parts are numbered by their lowest vertex.

use super::TriangleMesh;

/// The part of each vertex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Components {
    /// Part of each vertex; `u32::MAX` for a vertex that no triangle uses.
    pub part_of_vertex: Vec<u32>,
    /// Number of parts.
    pub count: u32,
}

/// Finds the connected parts.
///
/// # Panics
/// When a triangle names a vertex that is not there.
pub fn components(mesh: &TriangleMesh) -> Components {
    let mut parent: Vec<u32> = (0..mesh.positions_in_patient.len() as u32).collect();
    let mut used = vec![false; parent.len()];
    for &[a, b, c] in &mesh.triangles {
        for vertex in [a, b, c] {
            used[vertex as usize] = true;
        }
        join(&mut parent, a, b);
        join(&mut parent, b, c);
    }
    let mut part_of_vertex = vec![u32::MAX; parent.len()];
    let mut count = 0;
    for vertex in 0..parent.len() {
        if used[vertex] {
            // The root is the lowest vertex of its part, so it has been numbered before the others come.
            let root = root(&mut parent, vertex as u32) as usize;
            if root == vertex {
                part_of_vertex[vertex] = count;
                count += 1;
            } else {
                part_of_vertex[vertex] = part_of_vertex[root];
            }
        }
    }
    Components { part_of_vertex, count }
}

/// Volume that each part encloses, mm3; below zero for a wall that turns inwards: the wall of a void inside another part.
pub fn part_volumes_mm3(mesh: &TriangleMesh, parts: &Components) -> Vec<f64> {
    let mut volumes = vec![0.0_f64; parts.count as usize];
    for &triangle in &mesh.triangles {
        let [a, b, c] = mesh.corners(triangle).map(glam::Vec3::as_dvec3);
        volumes[parts.part_of_vertex[triangle[0] as usize] as usize] += a.dot(b.cross(c)) / 6.0;
    }
    volumes
}

/// The part that encloses the most volume, as a mesh of its own. An empty mesh stays empty.
///
/// Inner walls (cavities) are parts too: they are dropped, so what is left is the outer hull of the largest solid.
pub fn largest_part(mesh: &TriangleMesh) -> TriangleMesh {
    let parts = components(mesh);
    let volumes = part_volumes_mm3(mesh, &parts);
    let largest = (0..parts.count).max_by(|&a, &b| volumes[a as usize].total_cmp(&volumes[b as usize]));
    largest.map_or_else(TriangleMesh::default, |part| keep_parts(mesh, &parts, |other| other == part))
}

/// The parts for which `keep` holds, vertices and triangles in their order.
pub fn keep_parts(mesh: &TriangleMesh, parts: &Components, keep: impl Fn(u32) -> bool) -> TriangleMesh {
    let mut kept = TriangleMesh::default();
    let mut new_vertex = vec![u32::MAX; mesh.positions_in_patient.len()];
    for (vertex, &part) in parts.part_of_vertex.iter().enumerate() {
        if part != u32::MAX && keep(part) {
            new_vertex[vertex] = kept.positions_in_patient.len() as u32;
            kept.positions_in_patient.push(mesh.positions_in_patient[vertex]);
            kept.normals.extend(mesh.normals.get(vertex));
        }
    }
    let renumbered = mesh.triangles.iter().map(|triangle| triangle.map(|vertex| new_vertex[vertex as usize]));
    kept.triangles = renumbered.filter(|triangle| triangle[0] != u32::MAX).collect();
    kept
}

fn root(parent: &mut [u32], mut vertex: u32) -> u32 {
    while parent[vertex as usize] != vertex {
        let above = parent[parent[vertex as usize] as usize];
        parent[vertex as usize] = above;
        vertex = above;
    }
    vertex
}

fn join(parent: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parent, a), root(parent, b));
    if a != b {
        parent[a.max(b) as usize] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_part_is_that_of_most_volume() {
        let corner = |x: f32, s: f32| [[x, 0.0, 0.0], [x + s, 0.0, 0.0], [x, s, 0.0], [x, 0.0, s]];
        let faces = |o: u32| [[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]].map(|t| t.map(|v: u32| v + o));
        let mesh = TriangleMesh {
            positions_in_patient: [corner(0.0, 1.0), corner(5.0, 2.0), corner(9.0, 0.5)].concat(),
            normals: Vec::new(),
            triangles: [faces(0), faces(4), faces(8)].concat(),
        };
        assert_eq!(components(&mesh).count, 3);
        let largest = largest_part(&mesh);
        assert_eq!(largest.positions_in_patient, corner(5.0, 2.0));
        assert_eq!(largest.triangles, faces(0));
        assert_eq!(largest_part(&TriangleMesh::default()), TriangleMesh::default());
    }
}
