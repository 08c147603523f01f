//! The outer layers of the synthetic patient: table, skin, fat, muscle, and the room inside the ribs.

use glam::DVec3;

use super::tissue;
use crate::domain::phantom::primitive::{Primitive, Section, Trunk};
use crate::domain::phantom::scene::{Part, Tissue};

/// Half width, half depth, y of the centre by height.
type Table = [(f64, f64, f64, f64)];

fn trunk(table: &Table, exponent: f64) -> Trunk {
    let section = |&(z, half_width_mm, half_depth_mm, center_y): &(f64, f64, f64, f64)| Section {
        z,
        half_width_mm,
        half_depth_mm,
        center_y,
    };
    Trunk { sections: table.iter().map(section).collect(), exponent }
}

/// The surface in the middle of the ribs.
pub(super) fn cage() -> Trunk {
    let table = [
        (-200.0, 126.0, 84.0, 2.0),
        (-150.0, 130.0, 88.0, 0.0),
        (-100.0, 134.0, 91.0, -1.0),
        (-50.0, 136.0, 93.0, -1.0),
        (0.0, 133.0, 92.0, 0.0),
        (50.0, 122.0, 85.0, 3.0),
        (90.0, 104.0, 72.0, 8.0),
        (125.0, 82.0, 56.0, 13.0),
        (150.0, 60.0, 41.0, 17.0),
        (168.0, 42.0, 31.0, 20.0),
        (190.0, 34.0, 27.0, 20.0),
    ];
    trunk(&table, 2.25)
}

/// The room inside the ribs, its lining left out.
pub(super) fn cavity() -> Trunk {
    let mut cavity = cage();
    for section in &mut cavity.sections {
        section.half_width_mm -= 6.5;
        section.half_depth_mm -= 6.5;
    }
    cavity
}

/// y of the middle of the vertebral bodies at a height.
pub(super) fn spine_y(z: f64) -> f64 {
    let knots = [
        (-200.0, 49.0),
        (-130.0, 54.0),
        (-80.0, 60.0),
        (-30.0, 65.0),
        (20.0, 67.0),
        (70.0, 64.0),
        (120.0, 54.0),
        (160.0, 41.0),
        (200.0, 31.0),
    ];
    let next = knots.partition_point(|knot| knot.0 < z).clamp(1, knots.len() - 1);
    let ((z0, y0), (z1, y1)) = (knots[next - 1], knots[next]);
    let slope = |n: usize| {
        let (a, b) = (knots[n.saturating_sub(1)], knots[(n + 1).min(knots.len() - 1)]);
        (b.1 - a.1) / (b.0 - a.0)
    };
    let (t, span) = ((z - z0) / (z1 - z0), z1 - z0);
    let (t2, t3) = (t * t, t * t * t);
    y0 * (2.0 * t3 - 3.0 * t2 + 1.0)
        + slope(next - 1) * span * (t3 - 2.0 * t2 + t)
        + y1 * (3.0 * t2 - 2.0 * t3)
        + slope(next) * span * (t3 - t2)
}

/// Everything outside of the ribs, and the fat that fills the inside.
pub(super) fn layers() -> Vec<Part> {
    let ellipsoid = |x, y, z, a, b, c| Primitive::ellipsoid(DVec3::new(x, y, z), DVec3::new(a, b, c));
    let table = Primitive::Trunk(trunk(&[(-300.0, 172.0, 26.0, 148.0), (300.0, 172.0, 26.0, 148.0)], 4.0));
    let table = Part::new("table", Tissue::even(60.0), vec![table]);
    let body = trunk(
        &[
            (-200.0, 149.0, 104.0, 2.0),
            (-140.0, 149.0, 106.0, 2.0),
            (-80.0, 155.0, 109.0, 4.0),
            (-20.0, 160.0, 111.0, 4.0),
            (40.0, 163.0, 110.0, 5.0),
            (80.0, 167.0, 102.0, 9.0),
            (115.0, 180.0, 88.0, 15.0),
            (150.0, 192.0, 72.0, 20.0),
            (175.0, 190.0, 62.0, 22.0),
            (200.0, 170.0, 56.0, 22.0),
        ],
        2.5,
    );
    let muscle = trunk(
        &[
            (-200.0, 131.0, 86.0, 8.0),
            (-140.0, 135.0, 90.0, 6.0),
            (-80.0, 142.0, 95.0, 5.0),
            (-20.0, 147.0, 99.0, 5.0),
            (40.0, 150.0, 97.0, 7.0),
            (80.0, 154.0, 90.0, 10.0),
            (115.0, 165.0, 77.0, 16.0),
            (150.0, 176.0, 61.0, 21.0),
            (200.0, 150.0, 46.0, 22.0),
        ],
        2.5,
    );
    let breast = |side: f64, inset: f64| {
        ellipsoid(side * 74.0, -80.0, 42.0, 56.0 - inset, 27.0 - inset, 50.0 - inset).turned(0.0, 0.0, side * 0.42)
    };
    let pocket = ellipsoid(90.0, -68.0, 94.0, 36.0, 17.0, 33.0).turned(0.0, 0.0, 0.42);
    let skin =
        Part::new("skin", tissue::SKIN, vec![Primitive::Trunk(body), breast(-1.0, 0.0), breast(1.0, 0.0), pocket])
            .blended(22.0)
            .without(vec![ellipsoid(0.0, -107.0, -165.0, 5.0, 9.0, 6.0)]);
    let muscle =
        Part::new("muscle", tissue::MUSCLE, vec![Primitive::Trunk(muscle), breast(-1.0, 9.0), breast(1.0, 9.0)])
            .blended(14.0);
    let nipple = |side: f64| ellipsoid(side * 88.0, -106.0, 34.0, 5.0, 5.0, 5.0);
    vec![
        table.clone(),
        table.core("table foam", Tissue::even(-940.0), 3.5),
        skin.clone(),
        Part::new("nipples", tissue::SKIN, vec![nipple(-1.0), nipple(1.0)]),
        skin.core("fat", tissue::FAT, 2.2),
        muscle.clone(),
        muscle.core("fat between muscles", Tissue::mottled(-45.0, 25.0, 9.0), 10.0),
        muscle.core("deep muscle", tissue::MUSCLE, 11.8),
        Part::new("inner fat", tissue::INNER_FAT, vec![Primitive::Trunk(cavity())]),
    ]
}
