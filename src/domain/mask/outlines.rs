//! Outlines of a mask in one slice, and masks from outlines: for contour formats.
//!
//! Space: voxel coordinates, centres at integers; outlines run along the edges of pixels, at halves, inside on the right hand
//! (i right, j down), so holes run the other way. Filling by the even-odd rule gives back the very pixels.
//! Source: crack following as in Rosenfeld and Kak, Digital Picture Processing, 1982, section 11.2.

use std::collections::HashMap;

use glam::DVec2;

use super::Mask;

/// A closed line of corners in voxel coordinates (i, j); the last point is joined to the first.
pub type Outline = Vec<DVec2>;

/// All outlines of slice `k`, corners only where the line turns. Pixels that touch at a corner alone are apart.
pub fn outlines(mask: &Mask, k: u32) -> Vec<Outline> {
    let [ni, nj, _] = mask.dims();
    let inside = |i: i64, j: i64| {
        (0..i64::from(ni)).contains(&i) && (0..i64::from(nj)).contains(&j) && mask.contains(i as u32, j as u32, k)
    };
    // Steps from corner to corner, by where they begin; at most two begin at one corner.
    let mut steps: HashMap<[i64; 2], Vec<[i64; 2]>> = HashMap::new();
    let mut starts = Vec::new();
    for j in 0..i64::from(nj) {
        for i in 0..i64::from(ni) {
            if !inside(i, j) {
                continue;
            }
            let sides = [
                (inside(i, j - 1), [i, j], [1, 0]),
                (inside(i + 1, j), [i + 1, j], [0, 1]),
                (inside(i, j + 1), [i + 1, j + 1], [-1, 0]),
                (inside(i - 1, j), [i, j + 1], [0, -1]),
            ];
            for (_, from, step) in sides.into_iter().filter(|(is_covered, ..)| !is_covered) {
                steps.entry(from).or_default().push(step);
                starts.push(from);
            }
        }
    }
    starts.iter().filter_map(|&start| follow(&mut steps, start)).collect()
}

/// Takes one closed line out of the steps; `None` when none begins here any more.
fn follow(steps: &mut HashMap<[i64; 2], Vec<[i64; 2]>>, start: [i64; 2]) -> Option<Outline> {
    let mut direction = steps.get_mut(&start)?.pop()?;
    let first = direction;
    let (mut at, mut line) = (start, Vec::new());
    let corner = |[i, j]: [i64; 2]| DVec2::new(i as f64 - 0.5, j as f64 - 0.5);
    loop {
        at = [at[0] + direction[0], at[1] + direction[1]];
        if at == start {
            if direction != first {
                line.push(corner(at));
            }
            return Some(line);
        }
        let choices = steps.get_mut(&at)?;
        // The right turn stays with the same pixel where two touch at a corner.
        let right = [-direction[1], direction[0]];
        let taken = choices.iter().position(|&step| step == right).unwrap_or(choices.len().checked_sub(1)?);
        let next = choices.swap_remove(taken);
        if next != direction {
            line.push(corner(at));
        }
        direction = next;
    }
}

/// The same outlines with every hole joined to what is around it by a keyhole, a cut without width: for formats that fill each
/// outline by itself.
pub fn with_keyholes(lines: Vec<Outline>) -> Vec<Outline> {
    let area = |line: &Outline| (0..line.len()).map(|n| line[n].perp_dot(line[(n + 1) % line.len()])).sum::<f64>();
    let (mut around, holes): (Vec<Outline>, Vec<Outline>) = lines.into_iter().partition(|line| area(line) > 0.0);
    let areas: Vec<f64> = around.iter().map(area).collect();
    let plain = around.clone();
    for hole in holes {
        // A pixel's centre beside the hole's first corner, on the side of the tissue.
        let beside = DVec2::new(hole[0].x, hole[0].y) + tissue_side(&hole) * 0.5;
        let holders = (0..plain.len()).filter(|&n| is_inside(&plain[n], beside));
        let Some(holder) = holders.min_by(|&a, &b| areas[a].total_cmp(&areas[b])) else { continue };
        let line = &mut around[holder];
        let pairs = (0..line.len()).flat_map(|a| (0..hole.len()).map(move |b| (a, b)));
        let distance = |&(a, b): &(usize, usize)| line[a].distance_squared(hole[b]);
        let Some((at, from)) = pairs.min_by(|p, q| distance(p).total_cmp(&distance(q))) else { continue };
        let round = (0..=hole.len()).map(|n| hole[(from + n) % hole.len()]);
        let cut: Vec<DVec2> = round.chain([line[at]]).collect();
        let rest = line.split_off(at + 1);
        line.extend(cut.into_iter().chain(rest));
    }
    around
}

/// From the first corner of an outline to the pixel of tissue that it goes round, by signs.
fn tissue_side(line: &Outline) -> DVec2 {
    let along = (line[1 % line.len()] - line[0]).normalize_or_zero();
    // Inside is on the right hand, i right and j down; a little way along stays beside this edge.
    along + DVec2::new(-along.y, along.x)
}

fn is_inside(line: &[DVec2], point: DVec2) -> bool {
    let crosses = |n: usize| {
        let (a, b) = (line[n], line[(n + 1) % line.len()]);
        (a.y <= point.y) != (b.y <= point.y) && a.x + (b.x - a.x) * (point.y - a.y) / (b.y - a.y) > point.x
    };
    (0..line.len()).filter(|&n| crosses(n)).count() % 2 == 1
}

/// Turns over, in rows of pixels `ni` long, every pixel whose centre is inside an outline: outlines laid over each other
/// leave holes.
pub fn turn_over(outline: &[DVec2], dims: [u32; 2], pixels: &mut [bool]) {
    let [ni, nj] = dims;
    let (low, high) = outline.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p.y), h.max(p.y)));
    if !(low.is_finite() && high.is_finite()) {
        return;
    }
    let rows = low.ceil().max(0.0) as i64..=high.floor().min(f64::from(nj) - 1.0) as i64;
    let mut crossings = Vec::new();
    for j in rows {
        let y = j as f64;
        crossings.clear();
        for (n, a) in outline.iter().enumerate() {
            let b = outline[(n + 1) % outline.len()];
            if (a.y <= y) != (b.y <= y) {
                // Always from the same end: a line that runs there and back again must cross at the very same place.
                let (a, b) = if a.y <= b.y { (*a, b) } else { (b, *a) };
                crossings.push(a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y));
            }
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let first = pair[0].ceil().clamp(0.0, f64::from(ni)) as usize;
            let last = pair[1].ceil().clamp(0.0, f64::from(ni)) as usize;
            let row = &mut pixels[j as usize * ni as usize..][..ni as usize];
            for pixel in &mut row[first..last.max(first)] {
                *pixel = !*pixel;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(mask: &Mask, k: u32) -> Mask {
        let [ni, nj, nk] = mask.dims();
        let mut pixels = vec![false; (ni * nj) as usize];
        for outline in outlines(mask, k) {
            turn_over(&outline, [ni, nj], &mut pixels);
        }
        Mask::from_fn([ni, nj, nk], |i, j, kk| kk == k && pixels[(i + ni * j) as usize])
    }

    #[test]
    fn a_square_with_a_hole_has_two_outlines_of_four_corners() {
        let mask =
            Mask::from_fn([8, 8, 1], |i, j, _| (1..7).contains(&i) && (1..7).contains(&j) && !(i == 3 && j == 4));
        let lines = outlines(&mask, 0);
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
        assert_eq!(filled(&mask, 0), mask);
        let apart = Mask::from_fn([4, 4, 1], |i, j, _| i == j);
        assert_eq!(outlines(&apart, 0).len(), 4, "pixels that touch at corners are apart");
        assert!(outlines(&Mask::empty([4, 4, 1]), 0).is_empty());
    }

    fn filled_one_by_one(mask: &Mask) -> Mask {
        let [ni, nj, nk] = mask.dims();
        let mut all = vec![false; (ni * nj) as usize];
        for outline in with_keyholes(outlines(mask, 0)) {
            let mut pixels = vec![false; (ni * nj) as usize];
            turn_over(&outline, [ni, nj], &mut pixels);
            all.iter_mut().zip(pixels).for_each(|(all, one)| *all |= one);
        }
        Mask::from_fn([ni, nj, nk], |i, j, _| all[(i + ni * j) as usize])
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn filling_outlines_gives_back_the_mask(bits in proptest::collection::vec(any::<bool>(), 35 * 9)) {
            let mask = Mask::from_fn([35, 9, 1], |i, j, _| bits[(i + 35 * j) as usize]);
            prop_assert_eq!(filled(&mask, 0), mask.clone());
            prop_assert_eq!(filled_one_by_one(&mask), mask);
        }
    }
}
