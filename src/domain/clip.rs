//! What is cut away from a volume before it is drawn: a box and up to six planes.
//!
//! Space: patient (LPS, mm). A slab is two planes that face each other. Not here: cutting of masks and meshes.

use glam::{DVec3, Vec4};

/// Most planes that cut at once.
pub const MAX_CLIP_PLANES: usize = 6;

/// A block of patient space; only what is inside is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipBox {
    /// Smallest corner, LPS mm.
    pub lower_in_patient: DVec3,
    /// Largest corner, LPS mm.
    pub upper_in_patient: DVec3,
}

/// A plane that keeps the side its normal points to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipPlane {
    /// Unit vector toward what stays.
    pub normal_in_patient: DVec3,
    /// Points with `normal . point + offset_mm >= 0` stay.
    pub offset_mm: f64,
}

impl ClipPlane {
    /// The plane through a point; what lies on the side of the normal stays. `None` for a normal without length.
    pub fn through(point_in_patient: DVec3, normal_in_patient: DVec3) -> Option<Self> {
        let normal_in_patient = normal_in_patient.try_normalize()?;
        Some(Self { normal_in_patient, offset_mm: -normal_in_patient.dot(point_in_patient) })
    }

    /// Distance of a point from the plane, mm; negative where it is cut away.
    pub fn height_mm(&self, point_in_patient: DVec3) -> f64 {
        self.normal_in_patient.dot(point_in_patient) + self.offset_mm
    }
}

/// Up to [`MAX_CLIP_PLANES`] planes; what all of them keep is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ClipPlanes {
    planes: [Option<ClipPlane>; MAX_CLIP_PLANES],
}

impl ClipPlanes {
    /// These planes; `None` when there are more than [`MAX_CLIP_PLANES`].
    pub fn new(planes: &[ClipPlane]) -> Option<Self> {
        let mut these = Self::default();
        if planes.len() > MAX_CLIP_PLANES {
            return None;
        }
        for (place, plane) in these.planes.iter_mut().zip(planes) {
            *place = Some(*plane);
        }
        Some(these)
    }

    /// One plane more; unchanged when there is no place for it.
    #[must_use]
    pub fn with(mut self, plane: ClipPlane) -> Self {
        if let Some(place) = self.planes.iter_mut().find(|place| place.is_none()) {
            *place = Some(plane);
        }
        self
    }

    /// Only what lies within half the thickness of a plane through a point; everything when the normal has no length.
    pub fn slab(point_in_patient: DVec3, normal_in_patient: DVec3, thickness_mm: f64) -> Self {
        let Some(normal) = normal_in_patient.try_normalize() else { return Self::default() };
        let reach = normal * (thickness_mm.abs() / 2.0);
        let sides = [(reach, -normal), (-reach, normal)];
        sides.into_iter().fold(Self::default(), |planes, (offset, facing)| {
            ClipPlane::through(point_in_patient + offset, facing).map_or(planes, |plane| planes.with(plane))
        })
    }

    /// The planes there are.
    pub fn iter(&self) -> impl Iterator<Item = &ClipPlane> {
        self.planes.iter().flatten()
    }

    /// Whether a point is kept by all planes.
    pub fn keeps(&self, point_in_patient: DVec3) -> bool {
        self.iter().all(|plane| plane.height_mm(point_in_patient) >= 0.0)
    }

    /// Normals and offsets, for rays in `f32`; places without a plane keep everything.
    pub fn packed(&self) -> [Vec4; MAX_CLIP_PLANES] {
        self.planes.map(|plane| {
            plane.map_or(Vec4::new(0.0, 0.0, 0.0, 1.0), |plane| {
                plane.normal_in_patient.as_vec3().extend(plane.offset_mm as f32)
            })
        })
    }
}

/// The outline of the part of a plane that lies in a box of patient space, in order around it; empty where it misses the box.
pub fn outline_in_box(
    point_in_patient: DVec3,
    normal_in_patient: DVec3,
    (lower_in_patient, upper_in_patient): (DVec3, DVec3),
) -> Vec<DVec3> {
    let Some(normal) = normal_in_patient.try_normalize() else { return Vec::new() };
    let corner = |n: usize| {
        let pick = |axis: usize| if n >> axis & 1 == 0 { lower_in_patient[axis] } else { upper_in_patient[axis] };
        DVec3::new(pick(0), pick(1), pick(2))
    };
    let height = |point: DVec3| (point - point_in_patient).dot(normal);
    let edges =
        (0..8_usize).flat_map(|n| (0..3).filter(move |axis| n >> axis & 1 == 0).map(move |axis| (n, n | 1 << axis)));
    let crossings = edges.filter_map(|(a, b)| {
        let (from, to) = (corner(a), corner(b));
        let (low, high) = (height(from), height(to));
        // A corner on the plane belongs to one side, so that each edge is crossed once or not.
        ((low < 0.0) != (high < 0.0)).then(|| from.lerp(to, low / (low - high)))
    });
    let mut points: Vec<DVec3> = crossings.collect();
    let middle = points.iter().sum::<DVec3>() / points.len().max(1) as f64;
    let side = normal.any_orthonormal_vector();
    let other = normal.cross(side);
    let angle = |point: &DVec3| (*point - middle).dot(other).atan2((*point - middle).dot(side));
    points.sort_by(|a, b| angle(a).total_cmp(&angle(b)));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_in_a_box_is_a_polygon_on_its_faces() {
        let bounds = (DVec3::splat(-10.0), DVec3::splat(10.0));
        let square = outline_in_box(DVec3::Z * 3.0, DVec3::Z, bounds);
        assert_eq!(square.len(), 4);
        assert!(square.iter().all(|point| point.z == 3.0 && point.x.abs() == 10.0 && point.y.abs() == 10.0));
        let lengths = |points: &[DVec3]| -> f64 {
            points.iter().zip(points.iter().cycle().skip(1)).map(|(a, b)| a.distance(*b)).sum()
        };
        assert!((lengths(&square) - 80.0).abs() < 1e-9, "in order around it");
        assert_eq!(outline_in_box(DVec3::ZERO, DVec3::ONE, bounds).len(), 6, "a hexagon through the middle");
        assert!(outline_in_box(DVec3::Z * 30.0, DVec3::Z, bounds).is_empty());
    }

    #[test]
    fn a_slab_keeps_its_thickness() {
        let center = DVec3::new(10.0, -20.0, 300.0);
        let normal = DVec3::new(1.0, 2.0, -1.0);
        let slab = ClipPlanes::slab(center, normal, 8.0);
        let at = |mm: f64| center + normal.normalize() * mm;
        assert!(slab.keeps(at(3.9)) && slab.keeps(at(-3.9)));
        assert!(!slab.keeps(at(4.1)) && !slab.keeps(at(-4.1)));
        assert_eq!(slab.iter().count(), 2);
        assert_eq!(ClipPlanes::slab(center, DVec3::ZERO, 8.0), ClipPlanes::default());
    }

    #[test]
    fn six_planes_and_no_more() {
        let plane = ClipPlane::through(DVec3::X, DVec3::Y).expect("a plane");
        assert!(ClipPlanes::new(&[plane; 7]).is_none());
        let six = ClipPlanes::new(&[plane; 6]).expect("six");
        assert_eq!(six.with(plane), six);
        assert!(ClipPlane::through(DVec3::X, DVec3::ZERO).is_none());
    }
}
