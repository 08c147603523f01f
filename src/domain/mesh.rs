//! A triangle mesh in patient space.

pub mod adjacency;
pub mod components;
pub mod contour;
pub mod deviation;
pub mod normals;
pub mod pieces;
pub mod smooth;
pub mod space;
pub mod topology;
pub mod weld;

use glam::Vec3;

/// An indexed triangle mesh. Positions are LPS millimetres; triangles run counter-clockwise seen from outside.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TriangleMesh {
    /// Vertex positions in patient space, mm.
    pub positions_in_patient: Vec<[f32; 3]>,
    /// Unit vertex normals pointing out of the surface; as many as positions, or none.
    pub normals: Vec<[f32; 3]>,
    /// Vertex indices.
    pub triangles: Vec<[u32; 3]>,
}

impl TriangleMesh {
    /// The corners of a triangle.
    #[inline]
    pub fn corners(&self, triangle: [u32; 3]) -> [Vec3; 3] {
        triangle.map(|vertex| Vec3::from(self.positions_in_patient[vertex as usize]))
    }

    /// Enclosed volume in mm3 (divergence theorem); meaningful for a closed mesh, positive when triangles face outwards.
    pub fn volume_mm3(&self) -> f64 {
        let signed = |&triangle: &[u32; 3]| {
            let [a, b, c] = self.corners(triangle).map(glam::Vec3::as_dvec3);
            a.dot(b.cross(c)) / 6.0
        };
        self.triangles.iter().map(signed).sum()
    }

    /// Surface area in mm2.
    pub fn area_mm2(&self) -> f64 {
        let area = |&triangle: &[u32; 3]| {
            let [a, b, c] = self.corners(triangle).map(glam::Vec3::as_dvec3);
            (b - a).cross(c - a).length() / 2.0
        };
        self.triangles.iter().map(area).sum()
    }

    /// Smallest box around the vertices (min, max); `None` when there is no vertex.
    pub fn bounds_in_patient(&self) -> Option<(Vec3, Vec3)> {
        let mut points = self.positions_in_patient.iter().map(|&point| Vec3::from(point));
        let first = points.next()?;
        Some(points.fold((first, first), |(lower, upper), point| (lower.min(point), upper.max(point))))
    }
}
