//! Fields with a known surface, and the check that a mesh is closed and manifold.

use std::collections::HashMap;

use glam::{DAffine3, DMat3, DVec3};
use maquette::domain::grid::Grid;
use maquette::domain::mesh::TriangleMesh;
use maquette::domain::volume::{Quantity, Rescale, Volume};

/// A block of voxels with the middle at the origin of `field` (voxel units); samples are 1000 times the field.
pub(crate) fn volume_of(dims: [u32; 3], axes: DMat3, field: impl Fn(DVec3) -> f64) -> Volume {
    let grid =
        Grid::new(dims, DAffine3 { matrix3: axes, translation: DVec3::new(-20.0, 7.0, 30.0) }).expect("valid grid");
    let middle = (DVec3::new(f64::from(dims[0]), f64::from(dims[1]), f64::from(dims[2])) - 1.0) / 2.0;
    let mut samples = Vec::with_capacity(grid.voxel_count());
    for k in 0..dims[2] {
        for j in 0..dims[1] {
            for i in 0..dims[0] {
                let at = DVec3::new(f64::from(i), f64::from(j), f64::from(k)) - middle;
                samples.push((field(at) * 1000.0).round().clamp(-32768.0, 32767.0) as i16);
            }
        }
    }
    Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield)
}

/// Numbers without a pattern, the same each time.
pub(crate) fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    }
}

pub(crate) fn torus(at: DVec3) -> f64 {
    let ring = (at.x.hypot(at.y) - 11.0).hypot(at.z);
    5.0 - ring
}

pub(crate) fn gyroid(at: DVec3) -> f64 {
    let p = at * 0.55;
    p.x.sin() * p.y.cos() + p.y.sin() * p.z.cos() + p.z.sin() * p.x.cos()
}

/// Euler number of a mesh, after checking that every edge joins two triangles in opposite directions, every vertex has one
/// fan, no triangle is degenerate, and no vertex is unused.
pub(crate) fn checked_euler(mesh: &TriangleMesh) -> i64 {
    assert_eq!(mesh.positions_in_patient.len(), mesh.normals.len());
    let mut sides: HashMap<(u32, u32), u32> = HashMap::new();
    let mut next_around: HashMap<(u32, u32), u32> = HashMap::new();
    let mut fan_size = vec![0_u32; mesh.positions_in_patient.len()];
    for &triangle in &mesh.triangles {
        let [a, b, c] = triangle;
        let corners = mesh.corners(triangle);
        assert!(a != b && b != c && c != a, "a triangle uses a vertex twice");
        assert!(corners[0] != corners[1] && corners[1] != corners[2] && corners[2] != corners[0], "degenerate");
        for (from, to, opposite) in [(a, b, c), (b, c, a), (c, a, b)] {
            *sides.entry((from, to)).or_default() += 1;
            next_around.insert((from, to), opposite);
            fan_size[from as usize] += 1;
        }
    }
    assert!(sides.values().all(|&count| count == 1), "an edge is used twice in one direction");
    assert!(sides.keys().all(|&(from, to)| sides.contains_key(&(to, from))), "an open edge");
    let mut any_side = vec![u32::MAX; fan_size.len()];
    for &[a, b, c] in &mesh.triangles {
        (any_side[a as usize], any_side[b as usize], any_side[c as usize]) = (b, c, a);
    }
    for (vertex, &size) in fan_size.iter().enumerate() {
        assert!(size >= 3, "an unused vertex");
        let (first, mut to, mut steps) = (any_side[vertex], any_side[vertex], 0);
        loop {
            to = next_around[&(vertex as u32, to)];
            steps += 1;
            if to == first {
                break;
            }
        }
        assert_eq!(steps, size, "two fans meet in one vertex");
    }
    fan_size.len() as i64 - sides.len() as i64 / 2 + mesh.triangles.len() as i64
}
