//! The solids that a synthetic patient is put together from, each with a distance that is good near its surface.
//!
//! Space: patient (LPS, mm). Distances are negative inside. Besides the distance each solid answers, on the safe side,
//! whether a whole ball lies inside or outside of it, so that most voxels never ask most solids.
//! Source of the ellipsoid's first-order distance: I. Quilez, "ellipsoid distance", 2008.

use glam::{DMat3, DVec3};

/// Where a ball lies with respect to a solid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Surely wholly outside.
    Outside,
    /// Perhaps across the surface.
    Across,
    /// Surely wholly inside.
    Inside,
}

/// One solid.
#[derive(Debug, Clone, PartialEq)]
pub enum Primitive {
    /// An ellipsoid; `local_from_patient` turns patient directions into those of the radii.
    Ellipsoid {
        /// Centre.
        center: DVec3,
        /// Radii along the local axes.
        radii_mm: DVec3,
        /// Rotation.
        local_from_patient: DMat3,
    },
    /// A rod with round ends whose radius goes from one end's to the other's.
    Rod(Rod),
    /// A box with rounded edges; the half size includes the rounding.
    Block {
        /// Centre.
        center: DVec3,
        /// Half of the edge lengths.
        half_size_mm: DVec3,
        /// Rotation.
        local_from_patient: DMat3,
        /// Radius of the edges.
        rounding_mm: f64,
    },
    /// A trunk along z.
    Trunk(Trunk),
}

/// A rod from one point to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rod {
    /// First end.
    pub from: DVec3,
    /// Second end.
    pub to: DVec3,
    /// Radius at the first end.
    pub from_radius_mm: f64,
    /// Radius at the second end.
    pub to_radius_mm: f64,
}

/// How much faster than the point moves the distance of a rod can change: its radius changes at most as fast as the axis.
const ROD_SLOPE: f64 = 1.5;

impl Rod {
    /// Distance to the axis and radius there.
    #[inline]
    pub fn axis(&self, p: DVec3) -> (f64, f64) {
        let along = self.to - self.from;
        let t = ((p - self.from).dot(along) / along.length_squared()).clamp(0.0, 1.0);
        let radius_mm = self.from_radius_mm + t * (self.to_radius_mm - self.from_radius_mm);
        (p.distance(self.from + along * t), radius_mm)
    }

    /// Signed distance.
    #[inline]
    pub fn distance_mm(&self, p: DVec3) -> f64 {
        let (distance, radius) = self.axis(p);
        distance - radius
    }
}

/// A body along z whose cross-sections are superellipses that change with height.
#[derive(Debug, Clone, PartialEq)]
pub struct Trunk {
    /// Cross-sections by rising z; the first and the last go on for ever.
    pub sections: Vec<Section>,
    /// 2 is an ellipse, more is nearer to a rectangle. Quarters are fast.
    pub exponent: f64,
}

/// One cross-section of a trunk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Section {
    /// Height.
    pub z: f64,
    /// Half width along x.
    pub half_width_mm: f64,
    /// Half depth along y.
    pub half_depth_mm: f64,
    /// y of its centre.
    pub center_y: f64,
}

impl Trunk {
    /// The cross-section at a height.
    #[inline]
    pub fn section(&self, z: f64) -> Section {
        let next = self.sections.partition_point(|section| section.z < z);
        if next == 0 || next == self.sections.len() {
            return Section { z, ..self.sections[next.min(self.sections.len() - 1)] };
        }
        let (a, b) = (&self.sections[next - 1], &self.sections[next]);
        let t = (z - a.z) / (b.z - a.z);
        let t = 0.5 * t + 0.5 * t * t * (3.0 - 2.0 * t);
        let mix = |a: f64, b: f64| a + t * (b - a);
        Section {
            z,
            half_width_mm: mix(a.half_width_mm, b.half_width_mm),
            half_depth_mm: mix(a.half_depth_mm, b.half_depth_mm),
            center_y: mix(a.center_y, b.center_y),
        }
    }

    /// The superellipse's radius function (1 on the surface) and its slope in the plane.
    #[inline]
    fn level(&self, p: DVec3) -> (f64, f64, Section) {
        let section = self.section(p.z);
        let (x, y) = (p.x.abs() / section.half_width_mm, (p.y - section.center_y).abs() / section.half_depth_mm);
        let n = self.exponent;
        let (xn, yn) = (power(x, n - 1.0), power(y, n - 1.0));
        let sum = (xn * x + yn * y).max(1e-9);
        let level = sum.powf(1.0 / n);
        let slope = (xn / section.half_width_mm).hypot(yn / section.half_depth_mm) * level / sum;
        (level, slope, section)
    }

    fn distance_mm(&self, p: DVec3) -> f64 {
        let (level, slope, _) = self.level(p);
        (level - 1.0) / slope
    }

    fn side(&self, p: DVec3, out_mm: f64, in_mm: f64) -> Side {
        let (level, _, section) = self.level(p);
        // In the plane the level changes by at most 1 / thin a mm (the dual of a p-norm with p >= 2 is at most 1 long);
        // along z the sections change their size by about 1 mm a mm at the steepest.
        let change = 1.7 / section.half_width_mm.min(section.half_depth_mm) * level.max(1.0);
        side(level - 1.0, out_mm * change, in_mm * change)
    }
}

/// A power of a positive number, by square roots where the exponent is a multiple of a quarter.
#[inline]
fn power(x: f64, exponent: f64) -> f64 {
    let quarters = exponent * 4.0;
    if quarters.fract() != 0.0 {
        return x.powf(exponent);
    }
    let quarters = quarters as i32;
    let root = x.sqrt();
    let half = if quarters & 2 == 0 { 1.0 } else { root };
    let quarter = if quarters & 1 == 0 { 1.0 } else { root.sqrt() };
    x.powi(quarters / 4) * half * quarter
}

fn side(distance: f64, outside_from: f64, inside_from: f64) -> Side {
    if distance > outside_from {
        Side::Outside
    } else if distance < -inside_from {
        Side::Inside
    } else {
        Side::Across
    }
}

impl Primitive {
    /// A ball.
    pub fn ball(center: DVec3, radius_mm: f64) -> Self {
        Self::ellipsoid(center, DVec3::splat(radius_mm))
    }

    /// An ellipsoid along the patient axes.
    pub fn ellipsoid(center: DVec3, radii_mm: DVec3) -> Self {
        Self::Ellipsoid { center, radii_mm, local_from_patient: DMat3::IDENTITY }
    }

    /// A rod of one radius.
    pub fn rod(from: DVec3, to: DVec3, radius_mm: f64) -> Self {
        Self::Rod(Rod { from, to, from_radius_mm: radius_mm, to_radius_mm: radius_mm })
    }

    /// Turned about its own centre by angles about x, then y, then z. Rods and trunks stay as they are.
    pub fn turned(self, about_x_rad: f64, about_y_rad: f64, about_z_rad: f64) -> Self {
        let turn = (DMat3::from_rotation_z(about_z_rad)
            * DMat3::from_rotation_y(about_y_rad)
            * DMat3::from_rotation_x(about_x_rad))
        .transpose();
        match self {
            Self::Ellipsoid { center, radii_mm, .. } => Self::Ellipsoid { center, radii_mm, local_from_patient: turn },
            Self::Block { center, half_size_mm, rounding_mm, .. } => {
                Self::Block { center, half_size_mm, local_from_patient: turn, rounding_mm }
            }
            other => other,
        }
    }

    /// Signed distance, right to first order near the surface.
    #[inline]
    pub fn distance_mm(&self, p: DVec3) -> f64 {
        match self {
            Self::Ellipsoid { center, radii_mm, local_from_patient } => {
                let local = *local_from_patient * (p - *center);
                let scaled = local / *radii_mm;
                let level = scaled.length();
                let slope = (scaled / *radii_mm).length();
                if slope < 1e-9 { -radii_mm.min_element() } else { level * (level - 1.0) / slope }
            }
            Self::Rod(rod) => rod.distance_mm(p),
            Self::Block { center, half_size_mm, local_from_patient, rounding_mm } => {
                let q = (*local_from_patient * (p - *center)).abs() - (*half_size_mm - *rounding_mm);
                q.max_element().min(0.0) + q.max(DVec3::ZERO).length() - rounding_mm
            }
            Self::Trunk(trunk) => trunk.distance_mm(p),
        }
    }

    /// Where a ball about a point lies: `Outside` is said only when the ball of radius `out_mm` does not touch the solid,
    /// `Inside` only when the solid holds the ball of radius `in_mm`.
    pub fn side(&self, p: DVec3, out_mm: f64, in_mm: f64) -> Side {
        match self {
            Self::Ellipsoid { center, radii_mm, local_from_patient } => {
                let level = (*local_from_patient * (p - *center) / *radii_mm).length();
                let change = 1.0 / radii_mm.min_element();
                side(level - 1.0, out_mm * change, in_mm * change)
            }
            Self::Rod(rod) => side(rod.distance_mm(p), out_mm * ROD_SLOPE, in_mm * ROD_SLOPE),
            Self::Block { .. } => side(self.distance_mm(p), out_mm, in_mm),
            Self::Trunk(trunk) => trunk.side(p, out_mm, in_mm),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phantom::noise::uniform;

    #[test]
    fn a_side_holds_for_every_point_of_the_ball() {
        let section = |z, w, d| Section { z, half_width_mm: w, half_depth_mm: d, center_y: 2.0 };
        let solids = [
            Primitive::ellipsoid(DVec3::new(3.0, 0.0, 0.0), DVec3::new(20.0, 8.0, 30.0)).turned(0.3, 0.2, 0.9),
            Primitive::Rod(Rod { from: DVec3::ZERO, to: DVec3::splat(15.0), from_radius_mm: 9.0, to_radius_mm: 3.0 }),
            Primitive::Trunk(Trunk {
                sections: vec![section(-20.0, 30.0, 20.0), section(20.0, 10.0, 15.0)],
                exponent: 2.5,
            }),
        ];
        let point = |seed, n: u64, size: f64| {
            DVec3::from_array(std::array::from_fn(|axis| (uniform(seed, n * 3 + axis as u64) - 0.5) * size))
        };
        for solid in &solids {
            let (mut inside, mut outside) = (0, 0);
            for n in 0..4000 {
                let (center, reach) = (point(1, n, 80.0), 2.0);
                let near = center + point(2, n, 1.0).normalize_or_zero() * reach * 0.99;
                match solid.side(center, reach, reach) {
                    Side::Outside => {
                        outside += 1;
                        assert!(solid.distance_mm(near) > 0.0, "{solid:?} {center} {near}");
                    }
                    Side::Inside => {
                        inside += 1;
                        assert!(solid.distance_mm(near) < 0.0, "{solid:?} {center} {near}");
                    }
                    Side::Across => {}
                }
            }
            assert!(outside > 500 && inside > 10, "the answer is of use: {inside} {outside}");
        }
    }
}
