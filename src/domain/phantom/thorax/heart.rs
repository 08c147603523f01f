//! Heart, great vessels and their branches, the diseased aorta, and the pacemaker.
//!
//! The aorta's lumen is the sweep of discs along [`AORTA`]; its volume is the integral of their areas, its diameters are those
//! of the table: that is the truth that measurements are compared with.

use glam::{DMat3, DVec3};

use super::organs::{dome, lung_solid};
use super::path::{Knot, mirrored, rods, solids};
use super::tissue;
use super::trunk::cavity;
use crate::domain::phantom::noise::uniform;
use crate::domain::phantom::primitive::{Primitive, Rod};
use crate::domain::phantom::scene::{Part, Tissue};

/// The aorta from the valve down: x, y, z, radius.
pub(super) const AORTA: &[Knot] = &[
    [17.0, -24.0, 4.0, 13.0],
    [11.0, -27.0, 18.0, 17.0],
    [3.0, -30.0, 32.0, 15.0],
    [-7.0, -33.0, 55.0, 17.0],
    [-9.0, -28.0, 78.0, 16.0],
    [-1.0, -13.0, 97.0, 15.0],
    [12.0, 7.0, 104.0, 14.0],
    [23.0, 27.0, 96.0, 13.5],
    [29.0, 41.0, 76.0, 13.0],
    [30.0, 47.0, 48.0, 13.0],
    [29.0, 48.0, 20.0, 13.0],
    [28.0, 46.0, -6.0, 13.0],
    [29.0, 40.0, -28.0, 17.5],
    [31.0, 33.0, -52.0, 25.0],
    [27.0, 33.0, -76.0, 18.0],
    [19.0, 33.0, -94.0, 13.0],
    [11.0, 29.0, -110.0, 12.0],
    [7.0, 26.0, -132.0, 11.0],
    [5.0, 22.0, -158.0, 10.5],
    [4.0, 19.0, -200.0, 10.0],
];

/// Middle of the pacemaker.
pub(super) const PACEMAKER: DVec3 = DVec3::new(90.0, -71.0, 94.0);
/// The heart's apex.
pub(super) const APEX: DVec3 = DVec3::new(76.0, -62.0, -48.0);
const HEART: DVec3 = DVec3::new(30.0, -34.0, -14.0);
const HEART_RADII: DVec3 = DVec3::new(66.0, 42.0, 44.0);

/// Rotation whose first local axis runs from base to apex.
fn along_heart() -> DMat3 {
    let x = (APEX - DVec3::new(4.0, -10.0, 14.0)).normalize();
    let y = DVec3::Y.reject_from(x).normalize();
    DMat3::from_cols(x, y, x.cross(y)).transpose()
}

fn heart_solid(center: DVec3, radii_mm: DVec3) -> Primitive {
    Primitive::Ellipsoid { center, radii_mm, local_from_patient: along_heart() }
}

/// A point on the heart's surface in a direction from its middle.
fn on_heart(x: f64, y: f64, z: f64, radius_mm: f64) -> Knot {
    let direction = DVec3::new(x, y, z);
    let scaled = (along_heart() * direction / HEART_RADII).length();
    let p = HEART + direction / scaled * 1.02;
    [p.x, p.y, p.z, radius_mm]
}

/// Everything with blood in it, in painting order.
pub(super) fn heart_and_vessels() -> Vec<Part> {
    let mut parts = lung_vessels();
    parts.extend(heart());
    parts.extend(veins());
    parts.extend(pulmonary());
    parts.extend(aorta());
    parts.extend(pacemaker());
    parts
}

fn heart() -> Vec<Part> {
    let at = DVec3::new;
    let whole = Part::new("heart", tissue::MYOCARDIUM, vec![heart_solid(HEART, HEART_RADII)]);
    vec![
        whole.core("pericardial fat", tissue::INNER_FAT, -5.0).within(vec![Primitive::Trunk(cavity())]),
        whole,
        Part::new(
            "right ventricle",
            tissue::RIGHT_BLOOD,
            vec![
                heart_solid(at(24.0, -57.0, -22.0), at(40.0, 15.0, 25.0)),
                Primitive::ellipsoid(at(14.0, -58.0, 2.0), at(17.0, 14.0, 18.0)),
            ],
        )
        .blended(10.0),
        Part::new("septum", tissue::MYOCARDIUM, vec![heart_solid(at(42.0, -34.0, -22.0), at(46.0, 25.0, 27.0))]),
        Part::new(
            "right atrium",
            tissue::RIGHT_BLOOD,
            vec![Primitive::ellipsoid(at(-24.0, -30.0, -4.0), at(21.0, 25.0, 29.0))],
        ),
        Part::new(
            "left ventricle",
            tissue::LEFT_BLOOD,
            vec![
                heart_solid(at(42.0, -34.0, -20.0), at(33.0, 15.5, 17.0)),
                Primitive::rod(at(28.0, -26.0, -8.0), at(18.0, -24.0, 4.0), 12.0),
            ],
        )
        .blended(8.0),
        Part::new(
            "papillary muscles",
            tissue::MYOCARDIUM,
            vec![
                Primitive::rod(at(60.0, -36.0, -38.0), at(44.0, -28.0, -26.0), 3.4),
                Primitive::rod(at(62.0, -44.0, -30.0), at(46.0, -42.0, -14.0), 3.2),
            ],
        )
        .blended(2.0),
        Part::new(
            "left atrium",
            Tissue::even(310.0),
            vec![
                Primitive::ellipsoid(at(8.0, 10.0, 16.0), at(32.0, 17.0, 21.0)),
                Primitive::ellipsoid(at(40.0, -10.0, 26.0), at(11.0, 12.0, 8.0)),
            ],
        )
        .blended(8.0),
        Part::new("coronary arteries", Tissue::even(320.0), coronary_arteries()),
    ]
}

fn coronary_arteries() -> Vec<Primitive> {
    let coronary: [&[Knot]; 4] = [
        &[
            [14.0, -38.0, 26.0, 1.9],
            on_heart(0.15, -0.75, 0.62, 1.9),
            on_heart(0.42, -0.85, 0.22, 1.8),
            on_heart(0.68, -0.78, -0.2, 1.6),
            on_heart(0.85, -0.55, -0.5, 1.3),
        ],
        &[
            [16.0, -36.0, 26.0, 1.8],
            on_heart(0.55, -0.2, 0.78, 1.7),
            on_heart(0.8, 0.25, 0.4, 1.5),
            on_heart(0.8, 0.45, -0.1, 1.2),
        ],
        &[
            [2.0, -42.0, 24.0, 1.9],
            on_heart(-0.5, -0.8, 0.3, 1.9),
            on_heart(-0.62, -0.72, -0.3, 1.8),
            on_heart(-0.2, -0.35, -0.85, 1.6),
            on_heart(0.3, -0.15, -0.9, 1.3),
        ],
        &[on_heart(0.42, -0.85, 0.22, 1.5), on_heart(0.72, -0.62, 0.2, 1.4), on_heart(0.95, -0.3, -0.05, 1.2)],
    ];
    coronary.into_iter().flat_map(solids).collect()
}

fn veins() -> Vec<Part> {
    let cava: &[Knot] = &[
        [-17.0, 24.0, -200.0, 11.0],
        [-19.0, 24.0, -120.0, 11.5],
        [-24.0, 12.0, -60.0, 12.0],
        [-24.0, -14.0, -26.0, 12.0],
    ];
    let upper: &[Knot] = &[
        [-26.0, -14.0, 104.0, 9.0],
        [-27.0, -12.0, 70.0, 10.0],
        [-26.0, -18.0, 40.0, 10.5],
        [-24.0, -26.0, 14.0, 12.0],
    ];
    let left: &[Knot] = &[
        [150.0, -14.0, 158.0, 5.0],
        [96.0, -22.0, 152.0, 5.5],
        [52.0, -28.0, 140.0, 6.5],
        [16.0, -34.0, 122.0, 7.0],
        [-26.0, -16.0, 102.0, 8.0],
    ];
    let right: &[Knot] = &[
        [-150.0, -14.0, 158.0, 5.0],
        [-96.0, -22.0, 152.0, 5.5],
        [-52.0, -24.0, 140.0, 6.5],
        [-28.0, -16.0, 102.0, 8.0],
    ];
    let hepatic: [&[Knot]; 3] = [
        &[[-24.0, 10.0, -66.0, 5.0], [-60.0, 14.0, -84.0, 4.5], [-98.0, 20.0, -104.0, 2.5]],
        &[[-24.0, 8.0, -66.0, 5.0], [-52.0, -24.0, -88.0, 4.0], [-74.0, -50.0, -110.0, 2.2]],
        &[[-20.0, -2.0, -152.0, 6.5], [-36.0, -8.0, -124.0, 6.0], [-66.0, 0.0, -130.0, 4.5], [-98.0, 8.0, -148.0, 2.5]],
    ];
    vec![
        Part::vessel("inferior vena cava", tissue::VENOUS_BLOOD, rods(cava)),
        Part::new("liver vessels", Tissue::even(124.0), hepatic.into_iter().flat_map(solids).collect()).blended(2.0),
        Part::new(
            "superior vena cava",
            Tissue::even(180.0),
            [upper, left, right].into_iter().flat_map(solids).collect(),
        )
        .blended(3.0),
    ]
}

fn pulmonary() -> Vec<Part> {
    let trunk: &[Knot] = &[[14.0, -52.0, 8.0, 13.0], [20.0, -46.0, 32.0, 13.5], [24.0, -28.0, 50.0, 13.0]];
    let right: &[Knot] =
        &[[24.0, -28.0, 50.0, 11.0], [2.0, -8.0, 52.0, 10.0], [-28.0, 0.0, 48.0, 9.0], [-50.0, 4.0, 38.0, 6.5]];
    let left: &[Knot] = &[[24.0, -28.0, 50.0, 11.0], [36.0, -4.0, 56.0, 10.0], [52.0, 14.0, 48.0, 7.0]];
    let arteries = [trunk, right, left].into_iter().flat_map(solids).collect();
    let vein: &[Knot] = &[[28.0, 10.0, 22.0, 7.0], [44.0, 14.0, 24.0, 6.0], [62.0, 10.0, 34.0, 4.0]];
    let lower: &[Knot] = &[[26.0, 14.0, 10.0, 7.0], [42.0, 24.0, 2.0, 6.0], [60.0, 34.0, -16.0, 4.0]];
    let both = [-1.0, 1.0].into_iter().flat_map(|side| [mirrored(side, vein), mirrored(side, lower)]);
    let shifted = both.map(|knots| knots.iter().map(|&[x, y, z, r]| [x + 6.0, y, z, r]).collect::<Vec<Knot>>());
    vec![
        Part::new("pulmonary arteries", Tissue::even(245.0), arteries).blended(5.0),
        Part::new("pulmonary veins", Tissue::even(300.0), shifted.flat_map(|knots| solids(&knots)).collect())
            .blended(4.0),
    ]
}

fn aorta() -> Vec<Part> {
    let lumen = Part::vessel("aorta", tissue::LEFT_BLOOD, rods(AORTA));
    let branches: [&[Knot]; 11] = [
        &[[-2.0, -10.0, 100.0, 8.0], [-12.0, -12.0, 124.0, 6.8], [-22.0, -4.0, 146.0, 6.5], [-28.0, 0.0, 200.0, 4.5]],
        &[[-22.0, -4.0, 146.0, 5.5], [-48.0, -6.0, 160.0, 5.0], [-90.0, -10.0, 158.0, 4.5], [-150.0, -4.0, 164.0, 4.0]],
        &[[8.0, 0.0, 106.0, 6.0], [16.0, 0.0, 130.0, 4.6], [24.0, 4.0, 200.0, 4.2]],
        &[
            [18.0, 17.0, 100.0, 7.0],
            [30.0, 12.0, 126.0, 5.6],
            [48.0, 2.0, 152.0, 5.2],
            [90.0, -8.0, 160.0, 4.5],
            [150.0, -4.0, 164.0, 4.0],
        ],
        &[[10.0, 24.0, -112.0, 4.5], [8.0, 6.0, -116.0, 3.8], [-14.0, -2.0, -114.0, 3.2], [-34.0, -14.0, -122.0, 2.4]],
        &[[8.0, 6.0, -116.0, 3.6], [34.0, 20.0, -112.0, 3.0], [66.0, 38.0, -104.0, 2.6]],
        &[[7.0, 20.0, -126.0, 4.6], [6.0, 4.0, -140.0, 4.0], [4.0, -4.0, -200.0, 3.4]],
        &[[2.0, 26.0, -134.0, 4.0], [-24.0, 36.0, -140.0, 3.2], [-46.0, 45.0, -146.0, 2.6]],
        &[[11.0, 26.0, -136.0, 4.0], [28.0, 38.0, -138.0, 3.2], [46.0, 45.0, -142.0, 2.6]],
        &[[30.0, 52.0, 30.0, 1.6], [20.0, 74.0, 34.0, 1.4], [60.0, 84.0, 28.0, 1.2]],
        &[[29.0, 52.0, 2.0, 1.6], [20.0, 76.0, 8.0, 1.4], [62.0, 86.0, 2.0, 1.2]],
    ];
    let branches: Vec<Primitive> = branches.into_iter().flat_map(solids).collect();
    let thrombus = Primitive::ellipsoid(DVec3::new(36.0, 28.0, -53.0), DVec3::new(32.0, 31.0, 33.0));
    let thrombus = Part::new("aneurysm thrombus", tissue::THROMBUS, vec![thrombus]);
    vec![
        thrombus.core("aneurysm wall", Tissue::even(70.0), -1.5),
        thrombus,
        lumen.core("aortic wall", Tissue::even(58.0), -1.8),
        Part::new("aortic branches", Tissue::even(330.0), branches).blended(2.0),
        lumen,
        Part::new("wall calcium", tissue::CALCIUM, plaques()),
    ]
}

/// Plaques in the wall: small groups of short rods that follow the wall, from the arch down.
fn plaques() -> Vec<Primitive> {
    let axis = rods(AORTA);
    let mut all = Vec::new();
    for plaque in 0..34_u64 {
        let random = |n: u64| uniform(40 + n, plaque);
        // More below: the square root pushes towards the end of the axis.
        let start = ((0.22 + 0.76 * random(0).sqrt()) * (axis.len() - 4) as f64) as usize;
        let angle = random(1) * std::f64::consts::TAU;
        let (steps, radius_mm) = (2 + (random(2) * 4.0) as usize, 0.9 + 0.8 * random(3));
        let point = |step: usize| {
            let rod: &Rod = &axis[(start + step / 2).min(axis.len() - 1)];
            let along = (rod.to - rod.from).normalize();
            let (u, v) = along.any_orthonormal_pair();
            let turn = angle + 0.16 * step as f64 * (random(4) - 0.3) * 2.0;
            rod.from + (u * turn.cos() + v * turn.sin()) * (rod.from_radius_mm + 0.9)
        };
        all.extend((0..steps).map(|step| Primitive::rod(point(step), point(step + 1) + DVec3::splat(1e-3), radius_mm)));
    }
    all
}

fn pacemaker() -> Vec<Part> {
    let block = |dx: f64, dz: f64, half_size_mm: DVec3| {
        let block = Primitive::Block {
            center: PACEMAKER + DVec3::new(dx, dx * 0.42, dz),
            half_size_mm,
            local_from_patient: DMat3::IDENTITY,
            rounding_mm: half_size_mm.min_element() - 0.2,
        };
        block.turned(0.0, 0.0, 0.42)
    };
    let lead: &[Knot] = &[
        [82.0, -72.0, 114.0, 1.2],
        [98.0, -56.0, 122.0, 1.2],
        [86.0, -30.0, 146.0, 1.2],
        [50.0, -28.0, 139.0, 1.2],
        [14.0, -33.0, 121.0, 1.2],
        [-24.0, -16.0, 100.0, 1.2],
        [-28.0, -12.0, 60.0, 1.2],
        [-26.0, -24.0, 16.0, 1.2],
        [-14.0, -38.0, -14.0, 1.2],
        [16.0, -56.0, -30.0, 1.2],
        [52.0, -62.0, -42.0, 1.4],
    ];
    vec![
        Part::new("pacemaker", tissue::METAL, vec![block(0.0, -2.0, DVec3::new(21.0, 4.0, 18.0))]),
        Part::new("pacemaker header", Tissue::even(420.0), vec![block(-4.0, 18.0, DVec3::new(13.0, 3.6, 6.0))]),
        Part::new("pacemaker lead", Tissue::even(2900.0), solids(lead)),
    ]
}

/// Vessels of the lungs: each a tree that forks until its twigs are thin or leave the lung.
fn lung_vessels() -> Vec<Part> {
    let mut twigs = Vec::new();
    for (side, hub) in [(-1.0, DVec3::new(-48.0, 4.0, 38.0)), (1.0, DVec3::new(52.0, 14.0, 44.0))] {
        let limits = [lung_solid(side), Primitive::Trunk(cavity())];
        let inside =
            |p: DVec3| limits.iter().all(|solid| solid.distance_mm(p) < -3.0) && dome(side).distance_mm(p) > 3.0;
        let outward = [
            (0.3, -0.5, 1.0, 4.2),
            (0.5, 0.5, 0.9, 4.0),
            (0.8, -0.8, 0.2, 4.0),
            (0.8, 0.7, 0.1, 4.0),
            (0.3, 0.7, -1.0, 4.6),
            (0.8, 0.1, -0.9, 4.6),
            (0.4, -0.6, -0.7, 4.0),
            (1.0, 0.0, 0.4, 4.0),
            (0.1, 0.1, 1.0, 3.6),
            (0.9, -0.4, -0.4, 3.8),
            (0.5, 1.0, -0.4, 3.8),
            (0.2, -1.0, 0.0, 3.6),
        ];
        for (number, (x, y, z, radius_mm)) in outward.into_iter().enumerate() {
            let seed = (number as u64 + 1) * 2 + u64::from(side > 0.0);
            let direction = DVec3::new(side * x, y, z).normalize();
            grow(&mut twigs, &inside, Twig { from: hub, direction, radius_mm, seed: seed << 20 });
        }
    }
    vec![Part::new("lung vessels", tissue::LUNG_VESSEL, twigs)]
}

#[derive(Clone, Copy)]
struct Twig {
    from: DVec3,
    direction: DVec3,
    radius_mm: f64,
    seed: u64,
}

fn grow(twigs: &mut Vec<Primitive>, inside: &impl Fn(DVec3) -> bool, twig: Twig) {
    if twig.radius_mm < 0.62 {
        return;
    }
    let random = |n: u64| 2.0 * uniform(twig.seed, n) - 1.0;
    let length_mm = (7.0 + 2.8 * twig.radius_mm) * (1.0 + 0.3 * random(1));
    let bend = DVec3::new(random(2), random(3), random(4)) * 0.3;
    let mut to = twig.from + (twig.direction + bend).normalize() * length_mm;
    if !inside(to) {
        let middle = DVec3::new(76.0 * to.x.signum(), 10.0, 30.0);
        let inwards = (middle - twig.from).normalize();
        to = twig.from + (twig.direction + bend + 0.8 * inwards).normalize() * length_mm * 0.8;
    }
    // The first pieces leave the hilum, which lies outside of the lung's solid.
    if !inside(to) && twig.radius_mm < 2.6 {
        return;
    }
    let to_radius_mm = twig.radius_mm * 0.93;
    twigs.push(Primitive::Rod(Rod { from: twig.from, to, from_radius_mm: twig.radius_mm, to_radius_mm }));
    let along = (to - twig.from).normalize();
    let (u, v) = along.any_orthonormal_pair();
    let angle = random(5) * std::f64::consts::PI;
    let aside = u * angle.cos() + v * angle.sin();
    for (sign, share) in [(1.0, 0.88 + 0.05 * random(6)), (-1.0, 0.64 + 0.12 * random(7))] {
        let direction = (along + aside * sign * (0.30 + 0.5 * (1.0 - share))).normalize();
        let seed = twig.seed * 2 + u64::from(sign > 0.0);
        grow(twigs, inside, Twig { from: to, direction, radius_mm: to_radius_mm * share, seed });
    }
}
