//! Smooth curves through given points, as chains of rods: vessels, ribs, airways.
//!
//! Between points runs a Catmull-Rom spline; the radius goes from one point's to the next's without passing either.

use glam::DVec3;

use crate::domain::phantom::primitive::{Primitive, Rod};

/// A point of a curve: x, y, z, radius, all in mm.
pub(super) type Knot = [f64; 4];

/// A fine chain of rods along the smooth curve through the knots.
pub(super) fn rods(knots: &[Knot]) -> Vec<Rod> {
    chain(knots, 3.0)
}

fn chain(knots: &[Knot], step_mm: f64) -> Vec<Rod> {
    let mut rods = Vec::new();
    for piece in 0..knots.len() - 1 {
        let knot = |n: isize| knots[(piece as isize + n).clamp(0, knots.len() as isize - 1) as usize];
        let point = |n: isize| DVec3::new(knot(n)[0], knot(n)[1], knot(n)[2]);
        let steps = (point(0).distance(point(1)) / step_mm).ceil().max(1.0);
        let at = |t: f64| {
            let (tangent_0, tangent_1) = ((point(1) - point(-1)) / 2.0, (point(2) - point(0)) / 2.0);
            let (t2, t3) = (t * t, t * t * t);
            point(0) * (2.0 * t3 - 3.0 * t2 + 1.0)
                + tangent_0 * (t3 - 2.0 * t2 + t)
                + point(1) * (3.0 * t2 - 2.0 * t3)
                + tangent_1 * (t3 - t2)
        };
        let radius_mm = |t: f64| knot(0)[3] + t * t * (3.0 - 2.0 * t) * (knot(1)[3] - knot(0)[3]);
        for step in 0..steps as u32 {
            let (t0, t1) = (f64::from(step) / steps, f64::from(step + 1) / steps);
            rods.push(Rod { from: at(t0), to: at(t1), from_radius_mm: radius_mm(t0), to_radius_mm: radius_mm(t1) });
        }
    }
    rods
}

/// A coarser chain, as solids that are joined.
pub(super) fn solids(knots: &[Knot]) -> Vec<Primitive> {
    chain(knots, 5.5).into_iter().map(Primitive::Rod).collect()
}

/// Knots mirrored to the other side when `side` is -1.
pub(super) fn mirrored(side: f64, knots: &[Knot]) -> Vec<Knot> {
    knots.iter().map(|&[x, y, z, r]| [side * x, y, z, r]).collect()
}
