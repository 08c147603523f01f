//! Smoothing that takes the steps of the voxels away and leaves the size alone, with what it cost in mm.
//!
//! In: a mesh. Out: the same triangles with moved vertices and new normals, and a [`SmoothReport`].
//! Source: windowed sinc: G. Taubin, T. Zhang, G. Golub, "Optimal surface smoothing as filter design", ECCV 1996 (Chebyshev
//! polynomials, Hamming window; the pass band counts as in VTK, whose usual values are 20 iterations and 0.1).
//! Lambda-mu: G. Taubin, "A signal processing approach to fair surface design", SIGGRAPH 1995.
//! Differs from the paper: the filter is scaled to leave constants exactly alone, so that nothing drifts.
//!
//! Invariants: triangles stay as they are, so a closed mesh stays closed; vertices on an open edge, and those where the
//! surface is not a disc, stay in their place; so do parts that the filter would make vanish.

use std::f64::consts::PI;

use glam::Vec3;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::TriangleMesh;
use super::adjacency::Adjacency;
use super::components::components;
use super::deviation::{Deviation, deviation_of_moved};
use super::normals::vertex_normals;
use crate::task::{Cancelled, Progress};

/// Step of the first, shrinking half of the lambda-mu filter.
const LAMBDA: f64 = 0.5;

/// The low-pass filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SmoothMethod {
    /// Windowed sinc: the sharper filter; the default.
    #[default]
    WindowedSinc,
    /// Taubin's lambda-mu: two steps, one shrinking, one growing.
    Taubin,
}

/// How to smooth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SmoothOptions {
    /// The filter.
    pub method: SmoothMethod,
    /// Passes over the mesh; none leaves it as it is.
    pub iterations: u32,
    /// What is kept, 0 to 2: small keeps only broad shapes.
    pub pass_band: f64,
    /// Moves the surface along its normals afterwards until the volume is what it was.
    pub keep_volume: bool,
}

impl Default for SmoothOptions {
    fn default() -> Self {
        Self { method: SmoothMethod::WindowedSinc, iterations: 20, pass_band: 0.1, keep_volume: false }
    }
}

/// What smoothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SmoothReport {
    /// Enclosed volume before, mm3.
    pub volume_before_mm3: f64,
    /// Enclosed volume after, mm3.
    pub volume_after_mm3: f64,
    /// Distance of the smoothed surface from the unsmoothed one.
    pub deviation: Deviation,
    /// Vertices that were left in their place because the surface has an edge or a fault there.
    pub fixed_vertices: u64,
    /// Parts that were left as they were because they are too small for the filter and would have vanished.
    pub kept_parts: u64,
}

/// What a filter could not or should not move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unmoved {
    /// Vertices on an open edge or a fault.
    pub fixed_vertices: u64,
    /// Parts that would have vanished.
    pub kept_parts: u64,
}

impl SmoothReport {
    /// Change of volume in per cent of what it was; 0 for a mesh without volume.
    pub fn volume_change_percent(&self) -> f64 {
        if self.volume_before_mm3 == 0.0 { 0.0 } else { (self.volume_after_mm3 / self.volume_before_mm3 - 1.0) * 100.0 }
    }
}

/// Smooths a mesh and measures what that changed.
///
/// # Errors
/// When cancelled.
///
/// # Panics
/// When the pass band is not in 0..=2 (the window and the command line offer nothing else).
pub fn smooth(
    mesh: &TriangleMesh,
    options: &SmoothOptions,
    progress: &Progress,
) -> Result<(TriangleMesh, SmoothReport), Cancelled> {
    let (smoothed, unmoved) = smooth_unmeasured(mesh, options, progress)?;
    let report = SmoothReport {
        volume_before_mm3: mesh.volume_mm3(),
        volume_after_mm3: smoothed.volume_mm3(),
        deviation: deviation_of_moved(&smoothed, mesh, progress)?,
        fixed_vertices: unmoved.fixed_vertices,
        kept_parts: unmoved.kept_parts,
    };
    Ok((smoothed, report))
}

/// Smooths a mesh; also says what was left in its place. For previews: what leaves the program goes through [`smooth`],
/// which measures.
///
/// # Errors
/// When cancelled.
///
/// # Panics
/// As [`smooth`].
pub fn smooth_unmeasured(
    mesh: &TriangleMesh,
    options: &SmoothOptions,
    progress: &Progress,
) -> Result<(TriangleMesh, Unmoved), Cancelled> {
    assert!(options.pass_band > 0.0 && options.pass_band <= 2.0, "pass band in 0 to 2");
    progress.phase("smoothing");
    progress.check()?;
    let adjacency = Adjacency::new(mesh.positions_in_patient.len(), &mesh.triangles);
    let ring = Ring::new(&adjacency);
    let center = mesh.bounds_in_patient().map_or(Vec3::ZERO, |(lower, upper)| (lower + upper) / 2.0);
    // Four lanes, so that a neighbour is one aligned load; about the centre, so that f32 rounding stays below 0.1 um.
    let points: Vec<[f32; 4]> = (mesh.positions_in_patient.par_iter())
        .map(|&position| (Vec3::from(position) - center).extend(0.0).to_array())
        .collect();
    let points = match options.method {
        SmoothMethod::WindowedSinc => windowed_sinc(points, &ring, options, progress)?,
        SmoothMethod::Taubin => taubin(points, &ring, options, progress)?,
    };
    // What stays does so to the last bit: going to the centre and back rounds.
    let back = |(vertex, point): (usize, &[f32; 4])| {
        if ring.is_fixed(vertex) {
            return mesh.positions_in_patient[vertex];
        }
        (Vec3::new(point[0], point[1], point[2]) + center).to_array()
    };
    let mut smoothed = TriangleMesh {
        positions_in_patient: points.par_iter().enumerate().map(back).collect(),
        normals: Vec::new(),
        triangles: mesh.triangles.clone(),
    };
    let kept_parts = keep_vanishing_parts(&mut smoothed, mesh);
    if options.keep_volume {
        restore_volume(&mut smoothed, &adjacency, mesh.volume_mm3());
    }
    smoothed.normals = vertex_normals(&smoothed.positions_in_patient, &adjacency);
    Ok((smoothed, Unmoved { fixed_vertices: ring.fixed, kept_parts }))
}

/// Neighbours of each vertex; none for those that stay in their place.
struct Ring {
    offsets: Vec<u32>,
    neighbours: Vec<u32>,
    fixed: u64,
}

impl Ring {
    fn new(adjacency: &Adjacency) -> Self {
        let vertices = 0..adjacency.vertex_count() as u32;
        let free: Vec<bool> = vertices.into_par_iter().map(|vertex| adjacency.is_disc(vertex)).collect();
        let mut offsets = Vec::with_capacity(free.len() + 1);
        let mut neighbours = Vec::with_capacity(free.len() * 6);
        offsets.push(0);
        for (vertex, &free) in free.iter().enumerate() {
            if free {
                neighbours.extend(adjacency.around(vertex as u32).iter().map(|pair| pair[0]));
            }
            offsets.push(neighbours.len() as u32);
        }
        Self { offsets, neighbours, fixed: free.iter().filter(|free| !**free).count() as u64 }
    }

    fn is_fixed(&self, vertex: usize) -> bool {
        self.offsets[vertex] == self.offsets[vertex + 1]
    }

    /// The vertex minus the mean of its neighbours: the Laplacian, zero where the vertex stays.
    #[inline]
    fn laplacian(&self, points: &[[f32; 4]], vertex: usize) -> [f32; 4] {
        let around = &self.neighbours[self.offsets[vertex] as usize..self.offsets[vertex + 1] as usize];
        if around.is_empty() {
            return [0.0; 4];
        }
        let mut sum = [0.0_f32; 4];
        for &neighbour in around {
            let point = points[neighbour as usize];
            for lane in 0..4 {
                sum[lane] += point[lane];
            }
        }
        let scale = 1.0 / around.len() as f32;
        std::array::from_fn(|lane| points[vertex][lane] - sum[lane] * scale)
    }
}

/// Sum of Chebyshev polynomials of (1 - Laplacian / 2), by their recurrence: one pass over the mesh a degree.
fn windowed_sinc(
    points: Vec<[f32; 4]>,
    ring: &Ring,
    options: &SmoothOptions,
    progress: &Progress,
) -> Result<Vec<[f32; 4]>, Cancelled> {
    let coefficients = sinc_coefficients(options.iterations as usize, options.pass_band);
    let (mut before, mut sum) = (points, Vec::new());
    if coefficients.len() < 2 {
        return Ok(before);
    }
    let first = |vertex: usize| {
        let laplacian = ring.laplacian(&before, vertex);
        std::array::from_fn(|lane| before[vertex][lane] - 0.5 * laplacian[lane])
    };
    let mut now: Vec<[f32; 4]> = (0..before.len()).into_par_iter().with_min_len(4096).map(first).collect();
    let start = |(a, b): (&[f32; 4], &[f32; 4])| -> [f32; 4] {
        std::array::from_fn(|lane| coefficients[0] * a[lane] + coefficients[1] * b[lane])
    };
    before.par_iter().zip(&now).map(start).collect_into_vec(&mut sum);
    for (degree, &coefficient) in coefficients.iter().enumerate().skip(2) {
        progress.step(degree, coefficients.len())?;
        // T(n+1) = 2 x T(n) - T(n-1); a vertex needs only its own T(n-1), which its T(n+1) replaces.
        let step = |(vertex, (before, sum)): (usize, (&mut [f32; 4], &mut [f32; 4]))| {
            let laplacian = ring.laplacian(&now, vertex);
            for lane in 0..4 {
                let next = 2.0 * now[vertex][lane] - before[lane] - laplacian[lane];
                before[lane] = next;
                sum[lane] += coefficient * next;
            }
        };
        before.par_iter_mut().zip(&mut sum).enumerate().with_min_len(4096).for_each(step);
        std::mem::swap(&mut before, &mut now);
    }
    Ok(sum)
}

/// Chebyshev coefficients of the windowed ideal low-pass filter.
fn sinc_coefficients(iterations: usize, pass_band: f64) -> Vec<f32> {
    let theta = (1.0 - 0.5 * pass_band).acos();
    let with_cut_at = |cut: f64| -> Vec<f64> {
        let coefficient = |n: usize| {
            let window = 0.54 + 0.46 * (n as f64 * PI / (iterations as f64 + 1.0)).cos();
            let ideal = if n == 0 { cut / PI } else { 2.0 * (n as f64 * cut).sin() / (n as f64 * PI) };
            window * ideal
        };
        (0..=iterations).map(coefficient).collect()
    };
    let gain_at = |coefficients: &[f64], theta: f64| -> f64 {
        coefficients.iter().enumerate().map(|(n, c)| c * (n as f64 * theta).cos()).sum()
    };
    // The window widens the cut; it is moved up until the pass band passes.
    let (mut low, mut high) = (theta, PI);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if gain_at(&with_cut_at(middle), theta) < 0.999 { low = middle } else { high = middle }
    }
    let coefficients = with_cut_at(high);
    let gain = gain_at(&coefficients, 0.0);
    coefficients.iter().map(|c| (c / gain) as f32).collect()
}

fn taubin(
    mut points: Vec<[f32; 4]>,
    ring: &Ring,
    options: &SmoothOptions,
    progress: &Progress,
) -> Result<Vec<[f32; 4]>, Cancelled> {
    let mu = 1.0 / (options.pass_band - 1.0 / LAMBDA);
    let mut next = vec![[0.0_f32; 4]; points.len()];
    // Always pairs: half a pair would shrink.
    let passes = options.iterations.next_multiple_of(2) as usize;
    for pass in 0..passes {
        progress.step(pass, passes)?;
        let step = if pass % 2 == 0 { LAMBDA } else { mu } as f32;
        next.par_iter_mut().enumerate().with_min_len(4096).for_each(|(vertex, next)| {
            let laplacian = ring.laplacian(&points, vertex);
            *next = std::array::from_fn(|lane| points[vertex][lane] - step * laplacian[lane]);
        });
        std::mem::swap(&mut points, &mut next);
    }
    Ok(points)
}

/// Puts back the parts that lost more than half of their volume: specks of a few voxels, which a low-pass filter shrinks to a
/// point, all their triangles without area. Returns their number.
fn keep_vanishing_parts(smoothed: &mut TriangleMesh, original: &TriangleMesh) -> u64 {
    let parts = components(original);
    let volumes_of = |mesh: &TriangleMesh| {
        let mut volumes = vec![0.0_f64; parts.count as usize];
        for &triangle in &mesh.triangles {
            let [a, b, c] = mesh.corners(triangle).map(Vec3::as_dvec3);
            volumes[parts.part_of_vertex[triangle[0] as usize] as usize] += a.dot(b.cross(c)) / 6.0;
        }
        volumes
    };
    let (before, after) = (volumes_of(original), volumes_of(smoothed));
    let vanishes: Vec<bool> =
        before.iter().zip(&after).map(|(before, after)| after.abs() < 0.5 * before.abs()).collect();
    for (vertex, &part) in parts.part_of_vertex.iter().enumerate() {
        if part != u32::MAX && vanishes[part as usize] {
            smoothed.positions_in_patient[vertex] = original.positions_in_patient[vertex];
        }
    }
    vanishes.iter().filter(|vanishes| **vanishes).count() as u64
}

/// Moves every vertex along its normal by the same small distance until the volume is `target_mm3`.
fn restore_volume(mesh: &mut TriangleMesh, adjacency: &Adjacency, target_mm3: f64) {
    for _ in 0..3 {
        let area_mm2 = mesh.area_mm2();
        if area_mm2 <= 0.0 {
            return;
        }
        let offset_mm = ((target_mm3 - mesh.volume_mm3()) / area_mm2) as f32;
        let normals = vertex_normals(&mesh.positions_in_patient, adjacency);
        mesh.positions_in_patient.par_iter_mut().zip(&normals).for_each(|(position, &normal)| {
            *position = (Vec3::from(*position) + Vec3::from(normal) * offset_mm).to_array();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_passes_its_band_and_stops_the_rest() {
        let coefficients = sinc_coefficients(20, 0.1);
        let gain = |k: f64| -> f64 {
            let theta = (1.0 - k / 2.0).acos();
            coefficients.iter().enumerate().map(|(n, &c)| f64::from(c) * (n as f64 * theta).cos()).sum()
        };
        assert!((gain(0.0) - 1.0).abs() < 1e-6);
        assert!((gain(0.1) - 1.0).abs() < 0.01, "{}", gain(0.1));
        assert!(gain(1.0).abs() < 0.01 && gain(2.0).abs() < 0.01, "{} {}", gain(1.0), gain(2.0));
    }
}
