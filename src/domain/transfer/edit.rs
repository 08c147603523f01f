//! Editing a transfer function point by point.
//!
//! In: points (value, what is there), values rising. Out: the same, still rising: a moved point stops at its neighbours.
//! One rule for opacities, colours and gradient opacities.

/// A function has at least this many points.
const FEWEST: usize = 2;

/// Moves a point along the values; it stops at its neighbours.
pub fn move_point<T>(points: &mut [(f64, T)], n: usize, value: f64) {
    let low = n.checked_sub(1).and_then(|before| points.get(before)).map_or(f64::NEG_INFINITY, |before| before.0);
    let high = points.get(n + 1).map_or(f64::INFINITY, |after| after.0);
    if let Some(point) = points.get_mut(n).filter(|_| value.is_finite() && low <= high) {
        point.0 = value.clamp(low, high);
    }
}

/// Puts a point among the others and says where it came to be.
pub fn insert_point<T>(points: &mut Vec<(f64, T)>, value: f64, what: T) -> usize {
    let n = points.partition_point(|(other, _)| *other <= value);
    points.insert(n, (value, what));
    n
}

/// Takes a point away, unless the function needs it. Says whether it went.
pub fn remove_point<T>(points: &mut Vec<(f64, T)>, n: usize) -> bool {
    let may = points.len() > FEWEST && n < points.len();
    if may {
        points.remove(n);
    }
    may
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stay_in_order() {
        let mut points = vec![(0.0, 'a'), (10.0, 'b'), (20.0, 'c')];
        move_point(&mut points, 1, 35.0);
        assert_eq!(points[1].0, 20.0, "it stops at its neighbour");
        move_point(&mut points, 0, -50.0);
        move_point(&mut points, 1, f64::NAN);
        move_point(&mut points, 9, 1.0);
        assert_eq!(points.iter().map(|point| point.0).collect::<Vec<_>>(), [-50.0, 20.0, 20.0]);
        assert_eq!(insert_point(&mut points, 5.0, 'd'), 1);
        assert_eq!(points[1], (5.0, 'd'));
        assert!(remove_point(&mut points, 0) && remove_point(&mut points, 0));
        assert!(!remove_point(&mut points, 0), "two are needed");
    }
}
