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

#[cfg(test)]
mod tests {
    use super::*;

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
