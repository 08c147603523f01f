//! The exact cut of a mesh with a plane, as lines in patient space: what slice views draw over the image.
//!
//! In: a mesh and a direction; then any number of planes across that direction. Out: polylines (LPS, mm).
//! Method: triangles are sorted once by the range that they cover along the direction, in buckets; a cut looks only into the
//! plane's bucket, so a scrolled slice costs what it shows. Each cut triangle gives one segment from the edge where it dips
//! below the plane to the edge where it comes up; segments are chained through the edges they share, never by nearness.
//! A vertex exactly on the plane counts as above it, so there are no special cases.
//!
//! Seen with the direction towards the eye, solid lies on the left of each line.

use std::collections::HashMap;

use glam::{DVec3, Vec3};

use super::TriangleMesh;

/// Most buckets along the direction.
const MAX_BUCKETS: usize = 4096;

/// A line of the cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Polyline {
    /// Corners in patient space, mm; the first is not repeated at the end.
    pub points_in_patient: Vec<[f32; 3]>,
    /// Whether the last corner joins the first: always so on a closed mesh.
    pub closed: bool,
}

/// A mesh prepared for cuts across one direction.
#[derive(Debug, Clone)]
pub struct ContourIndex {
    /// Unit vector across the planes.
    normal_in_patient: DVec3,
    /// Distance of each vertex along the normal from the patient's origin, mm.
    heights_mm: Vec<f32>,
    first_mm: f32,
    bucket_mm: f32,
    /// `triangles[offsets[b]..offsets[b + 1]]` reach into bucket b.
    offsets: Vec<u32>,
    triangles: Vec<u32>,
}

impl ContourIndex {
    /// Sorts the triangles along a direction. Linear in triangles; done once for a mesh and a view.
    pub fn new(mesh: &TriangleMesh, normal_in_patient: DVec3) -> Self {
        let normal_in_patient = normal_in_patient.normalize();
        let height = |&position: &[f32; 3]| Vec3::from(position).as_dvec3().dot(normal_in_patient) as f32;
        let heights_mm: Vec<f32> = mesh.positions_in_patient.iter().map(height).collect();
        let (low, high) =
            heights_mm.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &h| (low.min(h), high.max(h)));
        let span = |triangle: &[u32; 3]| {
            let [a, b, c] = triangle.map(|vertex| heights_mm[vertex as usize]);
            (a.min(b).min(c), a.max(b).max(c))
        };
        let mut index = Self {
            normal_in_patient,
            first_mm: low,
            bucket_mm: 1.0,
            offsets: vec![0; 2],
            triangles: Vec::new(),
            heights_mm: Vec::new(),
        };
        if mesh.triangles.is_empty() {
            return index;
        }
        let tallest = mesh.triangles.iter().map(|t| f64::from(span(t).1 - span(t).0)).sum::<f64>();
        let mean = (tallest / mesh.triangles.len() as f64) as f32;
        index.bucket_mm = mean.max((high - low) / (MAX_BUCKETS - 1) as f32).max(1e-3);
        let buckets = ((high - low) / index.bucket_mm) as usize + 1;
        let mut offsets = vec![0_u32; buckets + 2];
        for triangle in &mesh.triangles {
            let (low, high) = span(triangle);
            for bucket in index.bucket(low)..=index.bucket(high) {
                offsets[bucket + 2] += 1;
            }
        }
        for bucket in 2..offsets.len() {
            offsets[bucket] += offsets[bucket - 1];
        }
        index.triangles = vec![0; offsets[offsets.len() - 1] as usize];
        for (number, triangle) in mesh.triangles.iter().enumerate() {
            let (low, high) = span(triangle);
            for bucket in index.bucket(low)..=index.bucket(high) {
                let next = &mut offsets[bucket + 1];
                index.triangles[*next as usize] = number as u32;
                *next += 1;
            }
        }
        offsets.pop();
        index.offsets = offsets;
        index.heights_mm = heights_mm;
        index
    }

    /// Unit vector across the planes.
    pub fn normal_in_patient(&self) -> DVec3 {
        self.normal_in_patient
    }

    /// The cut with the plane through a point. `mesh` must be the one that the index was made of.
    pub fn cut(&self, mesh: &TriangleMesh, point_in_patient: DVec3) -> Vec<Polyline> {
        let plane_mm = point_in_patient.dot(self.normal_in_patient) as f32;
        let bucket = ((plane_mm - self.first_mm) / self.bucket_mm).floor();
        if !(bucket >= 0.0 && (bucket as usize) < self.offsets.len() - 1) {
            return Vec::new();
        }
        let range = self.offsets[bucket as usize] as usize..self.offsets[bucket as usize + 1] as usize;
        let above = |vertex: u32| self.heights_mm[vertex as usize] >= plane_mm;
        let mut segments = Vec::new();
        for &number in &self.triangles[range] {
            let [a, b, c] = mesh.triangles[number as usize];
            let (up_a, up_b, up_c) = (above(a), above(b), above(c));
            if up_a == up_b && up_b == up_c {
                continue;
            }
            let edges = [(a, b, up_a, up_b), (b, c, up_b, up_c), (c, a, up_c, up_a)];
            let find = |from_up: bool| edges.iter().find(|e| e.2 == from_up && e.3 != from_up);
            let (Some(down), Some(up)) = (find(true), find(false)) else { continue };
            segments.push([edge_key(down.0, down.1), edge_key(up.0, up.1)]);
        }
        let point = |edge: u64| self.crossing(mesh, edge, plane_mm);
        chain(&segments, point)
    }

    fn bucket(&self, height_mm: f32) -> usize {
        ((height_mm - self.first_mm) / self.bucket_mm) as usize
    }

    /// Where an edge crosses the plane; the same for both triangles of the edge, to the last bit.
    fn crossing(&self, mesh: &TriangleMesh, edge: u64, plane_mm: f32) -> [f32; 3] {
        let (a, b) = ((edge >> 32) as usize, (edge & 0xFFFF_FFFF) as usize);
        let (from, to) = (Vec3::from(mesh.positions_in_patient[a]), Vec3::from(mesh.positions_in_patient[b]));
        let (low, high) = (self.heights_mm[a], self.heights_mm[b]);
        from.lerp(to, ((plane_mm - low) / (high - low)).clamp(0.0, 1.0)).to_array()
    }
}

/// Area inside closed lines as seen with `normal_in_patient` towards the eye: holes count negative, so the sum over a cut is
/// the cross-section of the solid.
pub fn enclosed_area_mm2(lines: &[Polyline], normal_in_patient: DVec3) -> f64 {
    let area = |line: &Polyline| {
        let points = || line.points_in_patient.iter().map(|&point| Vec3::from(point).as_dvec3());
        let first = points().next().unwrap_or_default();
        let next = points().skip(1).chain(points().take(1));
        points().zip(next).map(|(a, b)| (a - first).cross(b - first)).sum::<DVec3>().dot(normal_in_patient) / 2.0
    };
    lines.iter().filter(|line| line.closed).map(area).sum()
}

fn edge_key(a: u32, b: u32) -> u64 {
    u64::from(a.min(b)) << 32 | u64::from(a.max(b))
}

/// Joins segments (from edge, to edge) into lines: open ones first begin where no segment ends.
fn chain(segments: &[[u64; 2]], point: impl Fn(u64) -> [f32; 3]) -> Vec<Polyline> {
    let mut leaving: HashMap<u64, Vec<u32>> = HashMap::with_capacity(segments.len());
    let mut ends: HashMap<u64, u32> = HashMap::with_capacity(segments.len());
    for (number, [from, to]) in segments.iter().enumerate() {
        leaving.entry(*from).or_default().push(number as u32);
        *ends.entry(*to).or_default() += 1;
    }
    let mut used = vec![false; segments.len()];
    let mut lines = Vec::new();
    let starts_open = |number: &usize| !ends.contains_key(&segments[*number][0]);
    let open = (0..segments.len()).filter(starts_open);
    for number in open.chain(0..segments.len()) {
        if used[number] {
            continue;
        }
        let start = segments[number][0];
        let mut points_in_patient = vec![point(start)];
        let mut next = Some(number);
        let mut closed = false;
        while let Some(number) = next {
            used[number] = true;
            let end = segments[number][1];
            closed = end == start;
            if closed {
                break;
            }
            points_in_patient.push(point(end));
            let onward = leaving.get(&end).and_then(|numbers| numbers.iter().find(|n| !used[**n as usize]));
            next = onward.map(|&n| n as usize);
        }
        lines.push(Polyline { points_in_patient, closed });
    }
    lines
}
