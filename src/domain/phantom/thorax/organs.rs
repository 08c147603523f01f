//! Soft organs of the synthetic patient: lungs, airways, gullet, diaphragm, and the upper abdomen.
//!
//! Asymmetric as people are: liver and gall bladder on the right, stomach with its air (in front: the patient lies on the back)
//! and spleen on the left.

use glam::DVec3;

use super::path::{Knot, mirrored, rods, solids};
use super::tissue;
use super::trunk::{cavity, spine_y};
use crate::domain::phantom::primitive::Primitive;
use crate::domain::phantom::scene::{Part, Tissue};

/// A round lesion in the right upper lobe: centre and radius.
pub(super) const NODULE: (DVec3, f64) = (DVec3::new(-56.0, 2.0, 108.0), 6.0);
/// A cyst in the right lobe of the liver.
pub(super) const CYST: (DVec3, f64) = (DVec3::new(-84.0, -6.0, -118.0), 12.0);
/// The spleen, an ellipsoid: centre and radii.
pub(super) const SPLEEN: (DVec3, DVec3) = (DVec3::new(88.0, 42.0, -98.0), DVec3::new(24.0, 38.0, 40.0));
/// The gall bladder, an ellipsoid.
pub(super) const GALL_BLADDER: (DVec3, DVec3) = (DVec3::new(-48.0, -56.0, -148.0), DVec3::new(13.0, 14.0, 24.0));

fn ellipsoid(x: f64, y: f64, z: f64, a: f64, b: f64, c: f64) -> Primitive {
    Primitive::ellipsoid(DVec3::new(x, y, z), DVec3::new(a, b, c))
}

fn inside() -> Vec<Primitive> {
    vec![Primitive::Trunk(cavity())]
}

/// What a lung fills before the diaphragm is taken away: `side` 1 is the patient's left.
pub(super) fn lung_solid(side: f64) -> Primitive {
    if side > 0.0 {
        ellipsoid(77.0, 8.0, 22.0, 61.0, 92.0, 148.0)
    } else {
        ellipsoid(-75.0, 8.0, 20.0, 62.0, 92.0, 150.0)
    }
}

/// The dome of the diaphragm on one side.
pub(super) fn dome(side: f64) -> Primitive {
    if side > 0.0 {
        ellipsoid(64.0, 4.0, -152.0, 71.0, 90.0, 92.0)
    } else {
        ellipsoid(-64.0, 2.0, -150.0, 73.0, 92.0, 106.0)
    }
}

/// Lungs, airways, gullet.
pub(super) fn chest() -> Vec<Part> {
    let lung = |name, side: f64| {
        Part::new(name, tissue::LUNG, vec![lung_solid(side)]).within(inside()).without(vec![dome(-1.0), dome(1.0)])
    };
    let trachea: &[Knot] = &[[0.0, 4.0, 200.0, 8.5], [-1.0, 8.0, 140.0, 8.8], [-3.0, 17.0, 76.0, 9.2]];
    let right: &[Knot] =
        &[[-3.0, 17.0, 78.0, 8.0], [-20.0, 19.0, 58.0, 7.2], [-44.0, 18.0, 42.0, 5.6], [-58.0, 24.0, 18.0, 3.8]];
    let left: &[Knot] =
        &[[-3.0, 17.0, 78.0, 7.6], [20.0, 22.0, 58.0, 6.4], [46.0, 24.0, 46.0, 5.0], [60.0, 30.0, 18.0, 3.4]];
    let airways: Vec<Primitive> = [trachea, right, left].into_iter().flat_map(solids).collect();
    let gullet: &[Knot] = &[
        [6.0, 26.0, 200.0, 7.0],
        [5.0, 33.0, 120.0, 7.0],
        [6.0, 40.0, 60.0, 7.5],
        [4.0, 38.0, 0.0, 7.5],
        [14.0, 20.0, -70.0, 8.0],
        [34.0, 6.0, -92.0, 9.0],
    ];
    let airway = Part::new("airways", tissue::AIR, airways).blended(3.0);
    let (nodule, radius_mm) = NODULE;
    vec![
        lung("right lung", -1.0),
        lung("left lung", 1.0),
        Part::vessel("gullet", tissue::WALL, rods(gullet)),
        Part::vessel("gullet air", Tissue::even(-500.0), rods(&gullet[..3])).inset(5.6),
        airway.core("airway wall", tissue::WALL, -1.7),
        airway,
        Part::new("nodule", Tissue::even(40.0), vec![Primitive::ball(nodule, radius_mm)]),
    ]
}

/// Diaphragm and everything below it.
pub(super) fn abdomen() -> Vec<Part> {
    let domes = Part::new("diaphragm", tissue::MUSCLE, vec![dome(-1.0), dome(1.0)]).within(inside());
    let below = domes.core("abdominal fat", tissue::INNER_FAT, 3.0);
    let liver = Part::new(
        "liver",
        tissue::LIVER,
        vec![ellipsoid(-66.0, 0.0, -122.0, 66.0, 84.0, 74.0), ellipsoid(6.0, -36.0, -98.0, 56.0, 34.0, 30.0)],
    )
    .blended(24.0)
    .within(inside());
    let (spleen, spleen_radii) = SPLEEN;
    let (gall, gall_radii) = GALL_BLADDER;
    let (cyst, cyst_radius) = CYST;
    let stomach = Part::new(
        "stomach",
        Tissue::mottled(78.0, 8.0, 5.0),
        vec![ellipsoid(60.0, -26.0, -104.0, 40.0, 44.0, 38.0), ellipsoid(26.0, -50.0, -136.0, 38.0, 24.0, 20.0)],
    )
    .blended(20.0);
    let up = Primitive::Block {
        center: DVec3::new(40.0, -94.0, -110.0),
        half_size_mm: DVec3::new(90.0, 52.0, 90.0),
        local_from_patient: glam::DMat3::IDENTITY,
        rounding_mm: 0.1,
    };
    let pancreas: &[Knot] =
        &[[-22.0, -12.0, -146.0, 12.0], [2.0, -14.0, -136.0, 9.0], [36.0, 4.0, -124.0, 9.5], [70.0, 26.0, -112.0, 8.0]];
    let mut parts = vec![
        domes,
        below,
        Part::new("muscles of the back", tissue::MUSCLE, back_muscles()).blended(6.0),
        liver,
        Part::new("liver cyst", Tissue::even(5.0), vec![Primitive::ball(cyst, cyst_radius)]),
        Part::new("gall bladder", tissue::FLUID, vec![Primitive::ellipsoid(gall, gall_radii)]),
        Part::new("spleen", tissue::SPLEEN, vec![Primitive::ellipsoid(spleen, spleen_radii)]),
        stomach.core("stomach contents", tissue::FLUID, 4.0),
        Part::vessel("pancreas", Tissue::mottled(98.0, 18.0, 5.0), rods(pancreas)),
    ];
    parts.insert(7, stomach.clone());
    parts.push(stomach.core("stomach air", tissue::AIR, 4.0).within(vec![up]));
    parts.extend(bowel());
    parts.extend(kidneys());
    parts
}

/// The columns beside the spine, and the two that bend the hips.
fn back_muscles() -> Vec<Primitive> {
    let column = |z: f64, radius: f64| -> Knot { [29.0, spine_y(z) + 25.0, z, radius] };
    let back: Vec<Knot> = [(-210.0, 19.0), (-120.0, 17.0), (-40.0, 13.0), (60.0, 11.0), (140.0, 10.0)]
        .iter()
        .map(|&(z, radius)| column(z, radius))
        .collect();
    let psoas: &[Knot] = &[[24.0, 55.0, -112.0, 5.0], [31.0, 50.0, -150.0, 12.0], [37.0, 44.0, -205.0, 18.0]];
    let both = [-1.0, 1.0].into_iter();
    both.flat_map(|side| [mirrored(side, &back), mirrored(side, psoas)]).flat_map(|knots| solids(&knots)).collect()
}

fn bowel() -> Vec<Part> {
    let colon: &[Knot] = &[
        [-96.0, -20.0, -200.0, 20.0],
        [-92.0, -46.0, -172.0, 18.0],
        [-50.0, -70.0, -178.0, 17.0],
        [10.0, -74.0, -172.0, 16.0],
        [66.0, -66.0, -158.0, 16.0],
        [98.0, -30.0, -146.0, 17.0],
        [104.0, 10.0, -160.0, 16.0],
        [102.0, 20.0, -205.0, 16.0],
    ];
    let small: &[Knot] = &[
        [-40.0, -30.0, -176.0, 12.0],
        [-6.0, -40.0, -184.0, 12.0],
        [30.0, -30.0, -172.0, 12.0],
        [60.0, -22.0, -180.0, 12.0],
        [40.0, 0.0, -190.0, 12.0],
        [-10.0, -10.0, -196.0, 12.0],
    ];
    let colon = Part::vessel("colon", tissue::WALL, rods(colon));
    let small = Part::vessel("small bowel", Tissue::mottled(85.0, 14.0, 5.0), rods(small));
    vec![
        small.core("small bowel contents", tissue::BOWEL, 3.0),
        colon.core("colon contents", Tissue::mottled(-260.0, 420.0, 11.0), 2.6),
    ]
    .into_iter()
    .zip([small, colon])
    .flat_map(|(contents, wall)| [wall, contents])
    .collect()
}

fn kidneys() -> Vec<Part> {
    let kidney = |side: f64, inset: f64| {
        Primitive::ellipsoid(
            DVec3::new(side * 60.0, 50.0, -142.0 - 4.0 * f64::from(side < 0.0)),
            DVec3::new(25.0 - inset, 24.0 - inset, 50.0 - inset),
        )
        .turned(0.14, side * 0.22, 0.0)
    };
    let sinus = |side: f64| ellipsoid(side * 44.0, 44.0, -143.0, 17.0, 11.0, 22.0);
    let both = |make: &dyn Fn(f64) -> Primitive| vec![make(-1.0), make(1.0)];
    let cortex = Part::new("kidneys", Tissue::mottled(188.0, 10.0, 6.0), both(&|side| kidney(side, 0.0)));
    vec![
        cortex.without(both(&sinus)),
        Part::new("renal medulla", Tissue::mottled(108.0, 14.0, 8.0), both(&|side| kidney(side, 7.5)))
            .without(both(&sinus)),
    ]
}
