//! How far one surface lies from another: true distances to the surface, not between vertices.
//!
//! In: two meshes in the same space. Out: signed distances in mm (positive outside of the reference) and their summary.
//! Method: the reference's triangles sorted into a uniform grid; each point asks the cells that a ball of its best distance
//! touches. Nearest point of a triangle: C. Ericson, "Real-Time Collision Detection", 2005, section 5.1.5.

use glam::{IVec3, Vec3};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::TriangleMesh;
use crate::task::{Cancelled, Progress};

/// Most cells of the grid.
const MAX_CELLS: f32 = 8e6;

/// Summary of the distances between two surfaces, mm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// Largest distance, looked for from both surfaces, so that a spike that went away counts.
    pub largest_mm: f64,
    /// Root mean square over the vertices of the first mesh.
    pub rms_mm: f64,
    /// 95 % of the first mesh's vertices lie no further away than this.
    pub percentile_95_mm: f64,
    /// Mean of the signed distances: positive when the first mesh is larger than the reference.
    pub mean_mm: f64,
}

/// Distances from every vertex of `mesh` to the surface of `reference`, and the largest the other way round.
/// An empty mesh has no deviation; against an empty reference every distance is infinite.
///
/// # Errors
/// When cancelled.
pub fn deviation(mesh: &TriangleMesh, reference: &TriangleMesh, progress: &Progress) -> Result<Deviation, Cancelled> {
    progress.phase("measuring the deviation");
    let distances = signed_distances_mm(mesh, &SurfaceIndex::new(reference), None);
    progress.step(1, 2)?;
    let back = signed_distances_mm(reference, &SurfaceIndex::new(mesh), None);
    progress.step(2, 2)?;
    Ok(summary(&distances, &back))
}

/// Deviation of a mesh from one with the same vertices in other places, e.g. before smoothing: faster, since no vertex is
/// further from the other surface than from its own old place.
///
/// # Errors
/// When cancelled.
///
/// # Panics
/// When the meshes have not the same number of vertices.
pub fn deviation_of_moved(
    moved: &TriangleMesh,
    original: &TriangleMesh,
    progress: &Progress,
) -> Result<Deviation, Cancelled> {
    assert_eq!(moved.positions_in_patient.len(), original.positions_in_patient.len(), "the same vertices");
    progress.phase("measuring the deviation");
    let distances = signed_distances_mm(moved, &SurfaceIndex::new(original), Some(&original.positions_in_patient));
    progress.step(1, 2)?;
    let back = signed_distances_mm(original, &SurfaceIndex::new(moved), Some(&moved.positions_in_patient));
    progress.step(2, 2)?;
    Ok(summary(&distances, &back))
}

/// Signed distance of every vertex to a surface. `near_in_patient` gives for each vertex a point of the surface that is
/// surely a vertex of it: the search goes no further.
pub fn signed_distances_mm(
    mesh: &TriangleMesh,
    surface: &SurfaceIndex<'_>,
    near_in_patient: Option<&[[f32; 3]]>,
) -> Vec<f32> {
    let distance = |(vertex, &position): (usize, &[f32; 3])| {
        let point = Vec3::from(position);
        let within_mm = near_in_patient.map_or(f32::INFINITY, |near| point.distance(Vec3::from(near[vertex])));
        if within_mm == 0.0 {
            return 0.0;
        }
        surface.nearest(point, within_mm).map_or(within_mm, |nearest| nearest.signed_distance_mm)
    };
    mesh.positions_in_patient.par_iter().enumerate().with_min_len(1024).map(distance).collect()
}

fn summary(distances: &[f32], back: &[f32]) -> Deviation {
    if distances.is_empty() {
        return Deviation::default();
    }
    let count = distances.len() as f64;
    let squares: f64 = distances.iter().map(|&d| f64::from(d) * f64::from(d)).sum();
    let mut sizes: Vec<f32> = distances.iter().map(|d| d.abs()).collect();
    let rank = ((sizes.len() - 1) as f64 * 0.95).round() as usize;
    let (_, percentile_95, _) = sizes.select_nth_unstable_by(rank, f32::total_cmp);
    let largest = distances.iter().chain(back).map(|d| d.abs()).fold(0.0, f32::max);
    Deviation {
        largest_mm: f64::from(largest),
        rms_mm: (squares / count).sqrt(),
        percentile_95_mm: f64::from(*percentile_95),
        mean_mm: distances.iter().map(|&d| f64::from(d)).sum::<f64>() / count,
    }
}

/// The nearest place of a surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// Where it is.
    pub point_in_patient: Vec3,
    /// Distance to it; negative where the asking point lies behind the triangle.
    pub signed_distance_mm: f32,
    /// The triangle it lies in.
    pub triangle_index: u32,
}

/// Triangles sorted into a grid of cells, for nearest-point questions.
pub struct SurfaceIndex<'a> {
    mesh: &'a TriangleMesh,
    lower: Vec3,
    cell_mm: f32,
    dims: IVec3,
    /// `triangles[offsets[c]..offsets[c + 1]]` touch cell c.
    offsets: Vec<u32>,
    triangles: Vec<u32>,
}

impl<'a> SurfaceIndex<'a> {
    /// Sorts the triangles of a mesh. Linear in triangles.
    pub fn new(mesh: &'a TriangleMesh) -> Self {
        let (lower, upper) = mesh.bounds_in_patient().unwrap_or((Vec3::ZERO, Vec3::ZERO));
        let extent = (upper - lower).max(Vec3::splat(1e-3));
        let box_of = |triangle: [u32; 3]| {
            let [a, b, c] = mesh.corners(triangle);
            (a.min(b).min(c), a.max(b).max(c))
        };
        let size = |&triangle: &[u32; 3]| {
            let (low, high) = box_of(triangle);
            f64::from((high - low).max_element())
        };
        let mean_size = mesh.triangles.iter().map(size).sum::<f64>() / mesh.triangles.len().max(1) as f64;
        let smallest_mm = (extent.element_product() / MAX_CELLS).cbrt();
        let cell_mm = (mean_size as f32).max(smallest_mm).max(extent.max_element() / 2048.0);
        let dims = (extent / cell_mm).floor().as_ivec3() + 1;
        let mut index = Self { mesh, lower, cell_mm, dims, offsets: Vec::new(), triangles: Vec::new() };
        let mut offsets = vec![0_u32; index.cell_count() + 2];
        for &triangle in &mesh.triangles {
            let (low, high) = box_of(triangle);
            index.for_cells(low, high, |cell| offsets[cell + 2] += 1);
        }
        for cell in 2..offsets.len() {
            offsets[cell] += offsets[cell - 1];
        }
        let mut sorted = vec![0_u32; offsets[offsets.len() - 1] as usize];
        for (number, &triangle) in mesh.triangles.iter().enumerate() {
            let (low, high) = box_of(triangle);
            index.for_cells(low, high, |cell| {
                let next = &mut offsets[cell + 1];
                sorted[*next as usize] = number as u32;
                *next += 1;
            });
        }
        offsets.pop();
        (index.offsets, index.triangles) = (offsets, sorted);
        index
    }

    /// The nearest place of the surface that is no further than `within_mm`; `None` when there is none.
    pub fn nearest(&self, point_in_patient: Vec3, within_mm: f32) -> Option<Nearest> {
        let upper = self.lower + self.dims.as_vec3() * self.cell_mm;
        let outside = (self.lower - point_in_patient).max(point_in_patient - upper).max(Vec3::ZERO).length();
        let span = self.dims.as_vec3().length() * self.cell_mm;
        let mut reach = if within_mm.is_finite() { within_mm } else { outside + self.cell_mm };
        loop {
            let found = self.nearest_in_ball(point_in_patient, reach * (1.0 + 1e-5) + 1e-6);
            if found.is_some() || within_mm.is_finite() || reach > outside + 2.0 * span {
                return found;
            }
            reach *= 2.0;
        }
    }

    fn nearest_in_ball(&self, point: Vec3, reach: f32) -> Option<Nearest> {
        let mut best_squared = reach * reach;
        let mut best = None;
        self.for_cells(point - reach, point + reach, |cell| {
            let range = self.offsets[cell] as usize..self.offsets[cell + 1] as usize;
            for &triangle in &self.triangles[range] {
                let corners = self.mesh.corners(self.mesh.triangles[triangle as usize]);
                let nearest = nearest_of_triangle(point, corners);
                let squared = point.distance_squared(nearest);
                if squared <= best_squared {
                    best_squared = squared;
                    best = Some((nearest, triangle));
                }
            }
        });
        best.map(|(nearest, triangle_index)| Nearest {
            point_in_patient: nearest,
            signed_distance_mm: self.sign(point, nearest, triangle_index) * best_squared.sqrt(),
            triangle_index,
        })
    }

    /// Side of the surface: by the vertex normals at the nearest place where there are some, else by the triangle.
    fn sign(&self, point: Vec3, nearest: Vec3, triangle_index: u32) -> f32 {
        let triangle = self.mesh.triangles[triangle_index as usize];
        let [a, b, c] = self.mesh.corners(triangle);
        let face = (b - a).cross(c - a);
        let normal = if self.mesh.normals.is_empty() {
            face
        } else {
            // Barycentric weights times twice the area; their common factor does not change the sign.
            let weights = [(b, c), (c, a), (a, b)].map(|(p, q)| (p - nearest).cross(q - nearest).length());
            let normals = triangle.map(|vertex| Vec3::from(self.mesh.normals[vertex as usize]));
            normals[0] * weights[0] + normals[1] * weights[1] + normals[2] * weights[2]
        };
        if (point - nearest).dot(normal) < 0.0 { -1.0 } else { 1.0 }
    }

    fn cell_count(&self) -> usize {
        self.dims.x as usize * self.dims.y as usize * self.dims.z as usize
    }

    /// Calls `visit` for each cell that a box touches.
    #[inline]
    fn for_cells(&self, low: Vec3, high: Vec3, mut visit: impl FnMut(usize)) {
        let cell = |p: Vec3| ((p - self.lower) / self.cell_mm).floor().as_ivec3();
        let (low, high) = (cell(low).max(IVec3::ZERO), cell(high).min(self.dims - 1));
        for z in low.z..=high.z {
            for y in low.y..=high.y {
                let row = self.dims.x as usize * (y as usize + self.dims.y as usize * z as usize);
                for x in low.x..=high.x {
                    visit(row + x as usize);
                }
            }
        }
    }
}

/// The point of a triangle that is nearest to `p`.
fn nearest_of_triangle(p: Vec3, [a, b, c]: [Vec3; 3]) -> Vec3 {
    let (ab, ac, ap) = (b - a, c - a, p - a);
    let (d1, d2) = (ab.dot(ap), ac.dot(ap));
    if d1 <= 0.0 && d2 <= 0.0 {
        return a;
    }
    let bp = p - b;
    let (d3, d4) = (ab.dot(bp), ac.dot(bp));
    if d3 >= 0.0 && d4 <= d3 {
        return b;
    }
    let vc = d1 * d4 - d3 * d2;
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        return a + ab * (d1 / (d1 - d3));
    }
    let cp = p - c;
    let (d5, d6) = (ab.dot(cp), ac.dot(cp));
    if d6 >= 0.0 && d5 <= d6 {
        return c;
    }
    let vb = d5 * d2 - d1 * d6;
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        return a + ac * (d2 / (d2 - d6));
    }
    let va = d3 * d6 - d5 * d4;
    if va <= 0.0 && d4 >= d3 && d5 >= d6 {
        return b + (c - b) * ((d4 - d3) / ((d4 - d3) + (d5 - d6)));
    }
    let scale = 1.0 / (va + vb + vc);
    a + ab * (vb * scale) + ac * (vc * scale)
}
