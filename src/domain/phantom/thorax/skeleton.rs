//! Bones of the synthetic patient: spine, ribs, sternum, shoulder girdle.
//!
//! Ribs lie on the cage's surface ([`super::trunk::cage`]), each a flat band of two rods that starts at its vertebra, goes round
//! the side and falls towards the front, where cartilage takes over. Compact bone outside, spongy inside.

use glam::DVec3;

use super::path::{Knot, mirrored, solids};
use super::tissue;
use super::trunk::{cage, spine_y};
use crate::domain::phantom::primitive::Primitive;
use crate::domain::phantom::scene::{Part, Tissue};

/// Heights of the vertebral bodies' middles, first thoracic to third lumbar.
fn vertebra_z(number: usize) -> f64 {
    let thoracic = 162.0 - 23.2 * number as f64;
    if number < 12 { thoracic } else { 162.0 - 23.2 * 11.0 - 29.0 * (number as f64 - 11.0) }
}

/// All bones and cartilages, in painting order.
pub(super) fn bones() -> Vec<Part> {
    let mut parts = discs_and_canal();
    parts.push(Part::new("costal cartilage", tissue::CARTILAGE, cartilages()).blended(4.0));
    parts.extend(with_marrow("vertebrae", vertebrae(), 2.2, 1.5));
    parts.extend(with_marrow("ribs", ribs(), 2.5, 1.9));
    parts.extend(with_marrow("sternum", sternum(), 9.0, 1.8));
    parts.extend(with_marrow("shoulder girdle", girdle(), 5.0, 2.2));
    parts
}

fn with_marrow(name: &'static str, solids: Vec<Primitive>, blend_mm: f64, cortex_mm: f64) -> [Part; 2] {
    let bone = Part::new(name, tissue::CORTEX, solids).blended(blend_mm);
    let marrow = bone.core("marrow", tissue::MARROW, cortex_mm);
    [bone, marrow]
}

fn discs_and_canal() -> Vec<Part> {
    let block = |z: f64, half: DVec3| Primitive::Block {
        center: DVec3::new(0.0, spine_y(z), z),
        half_size_mm: half,
        local_from_patient: glam::DMat3::IDENTITY,
        rounding_mm: 4.0,
    };
    let discs = (0..15).map(|number| {
        let z = f64::midpoint(vertebra_z(number), vertebra_z(number + 1));
        let grow = number as f64 / 14.0;
        block(z, DVec3::new(13.0 + 7.0 * grow, 10.5 + 5.0 * grow, 4.5))
    });
    let canal = |radius: f64| -> Vec<Knot> {
        (0..18).map(|n| f64::from(n) * 24.0 - 210.0).map(|z| [0.0, spine_y(z) + 22.0, z, radius]).collect()
    };
    vec![
        Part::new("discs", tissue::DISC, discs.collect()),
        Part::new("epidural fat", tissue::INNER_FAT, solids(&canal(9.5))),
        Part::new("thecal sac", tissue::FLUID, solids(&canal(7.5))),
        Part::new("spinal cord", Tissue::even(42.0), solids(&canal(4.5))),
    ]
}

fn vertebrae() -> Vec<Primitive> {
    let mut all = Vec::new();
    for number in 0..16 {
        let (z, grow) = (vertebra_z(number), number as f64 / 15.0);
        let y = spine_y(z);
        let tilt = -((spine_y(z + 10.0) - spine_y(z - 10.0)) / 20.0).atan();
        let (width, depth, height) = (14.0 + 8.0 * grow, 11.0 + 5.0 * grow, 8.3 + 3.6 * grow);
        let at = |x: f64, dy: f64, dz: f64| DVec3::new(x, y + dy, z + dz);
        let block = |dz: f64, half: DVec3, rounding_mm: f64| Primitive::Block {
            center: at(0.0, -dz * tilt.tan(), dz),
            half_size_mm: half,
            local_from_patient: glam::DMat3::from_rotation_x(tilt),
            rounding_mm,
        };
        all.push(block(0.0, DVec3::new(width - 1.8, depth - 1.4, height), 7.5));
        for end in [-1.0, 1.0] {
            all.push(block(end * (height - 1.8), DVec3::new(width, depth, 2.0), 1.9));
        }
        let lumbar = number >= 12;
        let spinous = if lumbar { at(0.0, 47.0, -8.0) } else { at(0.0, 41.0, -19.0) };
        all.push(Primitive::rod(at(0.0, 31.0, -3.0), spinous, if lumbar { 4.2 } else { 3.4 }));
        if lumbar {
            all.push(Primitive::rod(at(0.0, 31.0, -8.0), at(0.0, 45.0, -13.0), 4.0));
        }
        for side in [-1.0, 1.0] {
            all.push(Primitive::rod(at(side * (width * 0.62), depth - 3.0, 3.0), at(side * 13.0, 24.0, 3.0), 4.4));
            for dz in [3.0, -6.0] {
                all.push(Primitive::rod(at(side * 13.0, 25.0, dz), at(side * 1.0, 32.0, dz - 4.0), 4.0));
            }
            let reach = if lumbar { at(side * 40.0, 22.0, 2.0) } else { at(side * (33.0 - 6.0 * grow), 29.0, 5.0) };
            all.push(Primitive::rod(at(side * 12.0, 24.0, 3.0), reach, 4.0));
            all.push(Primitive::rod(at(side * 13.5, 26.0, -9.0), at(side * 13.5, 25.0, 10.0), 4.6));
        }
    }
    all
}

/// For each pair of ribs: how far it falls, the angle from the back at which bone ends, and the height at which its
/// cartilage meets the sternum (0: it meets the cartilage above).
const RIBS: [(f64, f64, f64); 12] = [
    (32.0, 150.0, 119.0),
    (46.0, 152.0, 101.0),
    (56.0, 152.0, 80.0),
    (62.0, 150.0, 60.0),
    (66.0, 147.0, 41.0),
    (70.0, 142.0, 24.0),
    (74.0, 134.0, 9.0),
    (72.0, 124.0, 0.0),
    (64.0, 114.0, 0.0),
    (54.0, 102.0, 0.0),
    (36.0, 74.0, 0.0),
    (20.0, 48.0, 0.0),
];

/// A point of the cage's surface: angle from the back, and height.
fn on_cage(angle: f64, z: f64) -> DVec3 {
    let section = cage().section(z);
    DVec3::new(section.half_width_mm * angle.sin(), section.center_y + section.half_depth_mm * angle.cos(), z)
}

/// Knots along a right-angled band: the middle of a rib of the patient's left.
fn rib_path(number: usize) -> Vec<DVec3> {
    let (fall, end, _) = RIBS[number];
    let z0 = vertebra_z(number) + 5.0;
    let y0 = spine_y(z0);
    let (first, last) = (22.0_f64.to_radians(), end.to_radians());
    let mut path = vec![DVec3::new(17.0, y0 + 8.0, z0 + 2.0), DVec3::new(28.0, y0 + 24.0, z0 + 1.0)];
    let steps = 14;
    for step in 0..=steps {
        let t = f64::from(step) / f64::from(steps);
        let angle = first + t * (last - first);
        path.push(on_cage(angle, z0 - fall * (0.35 * t + 0.65 * t * t * (3.0 - 2.0 * t))));
    }
    // The first rib point on the cage must not run back towards the spine.
    path.retain({
        let mut reach = 0.0;
        move |point| {
            let onward = point.x > reach || point.y < 0.0;
            reach = reach.max(point.x);
            onward
        }
    });
    path
}

fn ribs() -> Vec<Primitive> {
    let mut all = Vec::new();
    for number in 0..12 {
        let path = rib_path(number);
        let half_height = if number == 0 || number > 9 { 2.2 } else { 3.1 };
        for side in [-1.0, 1.0] {
            for edge in [-1.0, 1.0] {
                let knot = |(n, p): (usize, &DVec3)| {
                    let open = (n as f64 / 3.0).min(1.0);
                    [p.x, p.y, p.z + edge * half_height * open, 3.5]
                };
                let knots: Vec<Knot> = path.iter().enumerate().map(knot).collect();
                all.extend(solids(&mirrored(side, &knots)));
            }
        }
    }
    all
}

fn cartilages() -> Vec<Primitive> {
    let ends: Vec<DVec3> = (0..10).map(|number| *rib_path(number).last().expect("a rib has points")).collect();
    let mut all = Vec::new();
    for number in 0..10 {
        let (from, (_, _, meets)) = (ends[number], RIBS[number]);
        let to = if meets == 0.0 {
            let above = ends[number - 1];
            let middle = on_cage(RIBS[number - 1].1.to_radians() + 0.22, above.z + 4.0);
            DVec3::new(middle.x, middle.y, middle.z)
        } else {
            let front = on_cage(std::f64::consts::PI, meets);
            DVec3::new(13.0, front.y + 1.0, meets)
        };
        // Bows downwards before it rises to the sternum, on the cage's surface.
        let middle = f64::midpoint(from.z, to.z) - if number > 4 { 7.0 } else { 2.0 };
        let angle = |p: DVec3| {
            let section = cage().section(p.z);
            (p.x / section.half_width_mm).atan2((p.y - section.center_y) / section.half_depth_mm)
        };
        let bow = on_cage(f64::midpoint(angle(from), angle(to)), middle);
        for side in [-1.0, 1.0] {
            let knot = |p: DVec3, r: f64| [side * p.x, p.y, p.z, r];
            all.extend(solids(&[knot(from, 4.6), knot(bow, 4.8), knot(to, 4.4)]));
        }
    }
    all
}

fn sternum() -> Vec<Primitive> {
    let front = |z: f64, x: f64, r: f64| -> Knot { [x, on_cage(std::f64::consts::PI, z).y - 0.5, z, r] };
    let mut all = Vec::new();
    for side in [-1.0, 1.0] {
        // Manubrium, wide above; then the body, which widens downwards.
        all.extend(solids(&[
            front(124.0, side * 19.0, 5.5),
            front(112.0, side * 17.0, 6.0),
            front(96.0, side * 8.0, 5.5),
        ]));
        all.extend(solids(&[
            front(92.0, side * 8.0, 5.2),
            front(50.0, side * 11.0, 5.4),
            front(8.0, side * 12.0, 5.0),
        ]));
    }
    all.extend(solids(&[front(118.0, 0.0, 6.2), front(60.0, 0.0, 5.4), front(0.0, 0.0, 5.0)]));
    all.extend(solids(&[front(-2.0, 0.0, 4.0), front(-26.0, 2.0, 3.0)]));
    all
}

fn girdle() -> Vec<Primitive> {
    let mut all = Vec::new();
    for side in [-1.0, 1.0] {
        let path = |knots: &[Knot]| solids(&mirrored(side, knots));
        // Clavicle.
        all.extend(path(&[
            [20.0, -38.0, 128.0, 7.5],
            [42.0, -38.0, 135.0, 6.0],
            [80.0, -24.0, 145.0, 5.6],
            [112.0, -4.0, 150.0, 6.0],
            [142.0, 12.0, 152.0, 7.0],
        ]));
        // Scapula: blade, its thick outer edge, spine, acromion, coracoid, socket.
        for n in 0..12 {
            let t = f64::from(n) / 11.0;
            let top = DVec3::new(60.0 + 64.0 * t, 93.0 - 52.0 * t * (0.5 + 0.5 * t), 108.0 + 30.0 * t * (1.3 - t));
            all.push(Primitive::rod(DVec3::new(side * 88.0, 83.0, 22.0), DVec3::new(side * top.x, top.y, top.z), 2.9));
        }
        all.extend(path(&[[88.0, 82.0, 22.0, 4.6], [108.0, 70.0, 70.0, 5.0], [127.0, 38.0, 118.0, 6.5]]));
        all.extend(path(&[[62.0, 91.0, 106.0, 3.4], [100.0, 84.0, 124.0, 4.0], [132.0, 58.0, 142.0, 5.5]]));
        all.extend(path(&[[132.0, 58.0, 142.0, 5.5], [148.0, 34.0, 156.0, 6.5], [146.0, 14.0, 156.0, 6.0]]));
        all.extend(path(&[[124.0, 26.0, 136.0, 6.0], [114.0, 4.0, 142.0, 5.0], [118.0, -8.0, 136.0, 4.5]]));
        all.push(Primitive::ellipsoid(DVec3::new(side * 128.0, 32.0, 126.0), DVec3::new(9.0, 13.0, 17.0)));
        // Upper arm, raised.
        all.push(Primitive::ball(DVec3::new(side * 153.0, 22.0, 134.0), 22.0));
        all.extend(path(&[[157.0, 20.0, 140.0, 15.0], [170.0, 14.0, 175.0, 12.0], [184.0, 8.0, 215.0, 12.0]]));
    }
    all
}
