//! The plain extractor: one cell at a time, nothing clever. It is the oracle of the fast one and of the WGSL twin.
//!
//! Order, which all extractors share. The grid is padded by one virtual outside voxel on every side. Vertices: slice by
//! slice of the padded grid; in a slice first all that lie on edges along i, then along j, then along k, each row by row, i
//! fastest. Triangles: cell by cell, i fastest, in the order of the case table.

use super::field::{Field, inward_along};
use super::placement::Placement;
use super::tables::{CASE_TRIANGLES, CASE_TRIANGLES_MIRRORED, EDGE_CORNERS, triangle_count, triangle_edges};
use crate::domain::mesh::TriangleMesh;
use crate::task::{Cancelled, Progress};

/// Vertex ids of one padded slice: for each axis one id per voxel.
type SliceIds = [Vec<u32>; 3];

pub(crate) fn extract(
    field: &impl Field,
    placement: &Placement,
    progress: &Progress,
) -> Result<TriangleMesh, Cancelled> {
    let last = field.dims().map(|n| n as i32);
    let mut mesh = TriangleMesh::default();
    let mut lower = add_vertices(field, placement, -1, &mut mesh);
    for k in -1..last[2] {
        progress.step(k as usize, last[2] as usize)?;
        let upper = add_vertices(field, placement, k + 1, &mut mesh);
        add_triangles(field, placement, k, [&lower, &upper], &mut mesh);
        lower = upper;
    }
    Ok(mesh)
}

fn add_vertices(field: &impl Field, placement: &Placement, k: i32, mesh: &mut TriangleMesh) -> SliceIds {
    let [ni, nj, nk] = field.dims().map(|n| n as i32);
    let ends = [ni, nj, nk];
    std::array::from_fn(|axis| {
        let mut ids = vec![u32::MAX; ((ni + 2) * (nj + 2)) as usize];
        for j in -1..=nj {
            for i in -1..=ni {
                let voxel = [i, j, k];
                let mut upper = voxel;
                upper[axis] += 1;
                let lower_is_inside = field.inside(voxel);
                if voxel[axis] == ends[axis] || lower_is_inside == field.inside(upper) {
                    continue;
                }
                let cut = field.cut(voxel, axis);
                let mut point = voxel.map(|n| n as f32);
                point[axis] += cut.t;
                ids[((i + 1) + (ni + 2) * (j + 1)) as usize] = mesh.positions_in_patient.len() as u32;
                mesh.positions_in_patient.push(placement.position(point));
                mesh.normals.push(placement.normal(cut.gradient, inward_along(axis, lower_is_inside)));
            }
        }
        ids
    })
}

fn add_triangles(field: &impl Field, placement: &Placement, k: i32, ids: [&SliceIds; 2], mesh: &mut TriangleMesh) {
    let [ni, nj, _] = field.dims().map(|n| n as i32);
    let table = if placement.is_mirrored { &CASE_TRIANGLES_MIRRORED } else { &CASE_TRIANGLES };
    for j in -1..nj {
        for i in -1..ni {
            let corner = |c: i32| [i + (c & 1), j + (c >> 1 & 1), k + (c >> 2)];
            let case = (0..8).fold(0, |case, c| case | usize::from(field.inside(corner(c))) << c);
            let packed = table[case];
            for triangle in 0..triangle_count(packed) {
                let vertex = |edge: usize| {
                    let at = corner(i32::from(EDGE_CORNERS[edge][0]));
                    ids[(at[2] - k) as usize][edge / 4][((at[0] + 1) + (ni + 2) * (at[1] + 1)) as usize]
                };
                mesh.triangles.push(triangle_edges(packed, triangle).map(vertex));
            }
        }
    }
}
