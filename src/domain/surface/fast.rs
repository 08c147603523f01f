//! The fast extractor: bits, counts, vertices, triangles, each in parallel over slices.
//!
//! In: bits and a field. Out: the mesh that `plain` gives, bit for bit. Outputs are sized once from exact counts and filled
//! in place; their memory can be used again.

use rayon::prelude::*;

use super::bit_grid::BitGrid;
use super::count::Layout;
use super::field::{Field, ScalarField, inward_along};
use super::instruction_set::InstructionSet;
use super::placement::Placement;
use super::triangles::{CASE_LANES, CASE_LANES_MIRRORED, EmitTriangles};
use super::vertices::{CutEdge, CutEdges, EmitVertices};
use crate::domain::mesh::TriangleMesh;
use crate::task::{Cancelled, Progress};

/// The part of each output that belongs to one slice.
struct SlicePart<'a, T>(usize, &'a mut [T]);

/// Cuts an output into the parts of the slices; `starts` ends with the length.
fn slice_parts<'a, T>(mut rest: &'a mut [T], starts: &[usize]) -> Vec<SlicePart<'a, T>> {
    let mut parts = Vec::with_capacity(starts.len());
    for (k, pair) in starts.windows(2).enumerate() {
        let (part, after) = rest.split_at_mut(pair[1] - pair[0]);
        parts.push(SlicePart(k, part));
        rest = after;
    }
    parts
}

/// Gives the mesh's lists the lengths of the layout; memory that is there is used again.
pub(crate) fn resize(mesh: &mut TriangleMesh, layout: &Layout) {
    let (vertices, triangles) = (layout.vertex_count(), layout.triangle_count());
    fit(&mut mesh.positions_in_patient, vertices);
    fit(&mut mesh.normals, vertices);
    fit(&mut mesh.triangles, triangles);
}

fn fit<T: Copy + Default, const N: usize>(list: &mut Vec<[T; N]>, length: usize)
where
    [T; N]: Default,
{
    if list.capacity() < length {
        // Fresh zero pages come from the system and are first touched by the thread that fills them.
        *list = vec![<[T; N]>::default(); length];
    } else {
        list.resize(length, <[T; N]>::default());
    }
}

/// Fills the vertices of a volume's surface.
pub(crate) fn fill_scalar_vertices(
    grid: &BitGrid,
    layout: &Layout,
    field: &ScalarField<'_>,
    placement: &Placement,
    set: InstructionSet,
    mesh: &mut TriangleMesh,
) {
    let positions = slice_parts(&mut mesh.positions_in_patient, &layout.slice_vertices);
    let normals = slice_parts(&mut mesh.normals, &layout.slice_vertices);
    positions.into_par_iter().zip(normals).for_each(|(SlicePart(k, positions), SlicePart(_, normals))| {
        set.run(EmitVertices { grid, layout, field, placement, k, positions, normals });
    });
}

/// Fills the vertices of the surface of any field.
pub(crate) fn fill_vertices(
    grid: &BitGrid,
    layout: &Layout,
    field: &impl Field,
    placement: &Placement,
    mesh: &mut TriangleMesh,
) {
    let positions = slice_parts(&mut mesh.positions_in_patient, &layout.slice_vertices);
    let normals = slice_parts(&mut mesh.normals, &layout.slice_vertices);
    positions.into_par_iter().zip(normals).for_each(|(SlicePart(k, positions), SlicePart(_, normals))| {
        let mut written = positions.iter_mut().zip(normals);
        let mut write = |axis: usize, edge: CutEdge| {
            let voxel = [edge.i as i32 - 1, edge.j as i32 - 1, k as i32 - 1];
            let cut = field.cut(voxel, axis);
            let mut point = voxel.map(|n| n as f32);
            point[axis] += cut.t;
            let (position, normal) = written.next().expect("room for the vertices counted");
            *position = placement.position(point);
            *normal = placement.normal(cut.gradient, inward_along(axis, edge.lower_is_inside));
        };
        CutEdges::<0>::new(grid, layout, k).for_each(|edge| write(0, edge));
        CutEdges::<1>::new(grid, layout, k).for_each(|edge| write(1, edge));
        CutEdges::<2>::new(grid, layout, k).for_each(|edge| write(2, edge));
    });
}

/// Fills the triangles.
pub(crate) fn fill_triangles(
    grid: &BitGrid,
    layout: &Layout,
    placement: &Placement,
    set: InstructionSet,
    triangles: &mut [[u32; 3]],
) {
    let lanes = if placement.is_mirrored { &CASE_LANES_MIRRORED } else { &CASE_LANES };
    let parts = slice_parts(triangles, &layout.slice_triangles);
    parts.into_par_iter().for_each(|SlicePart(k, out)| {
        set.run(EmitTriangles { grid, layout, lanes, k, out: out.as_flattened_mut() });
    });
}

/// Counts, sizes and fills the surface of any field whose bits are known.
pub(crate) fn extract(
    grid: &BitGrid,
    field: &impl Field,
    placement: &Placement,
    progress: &Progress,
) -> Result<TriangleMesh, Cancelled> {
    let set = InstructionSet::detect();
    let (mut layout, mut mesh) = (Layout::default(), TriangleMesh::default());
    layout.count(grid, set, true);
    progress.step(1, 3)?;
    resize(&mut mesh, &layout);
    fill_vertices(grid, &layout, field, placement, &mut mesh);
    progress.step(2, 3)?;
    fill_triangles(grid, &layout, placement, set, &mut mesh.triangles);
    Ok(mesh)
}
