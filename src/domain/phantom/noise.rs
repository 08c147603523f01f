//! Random numbers that depend on where they are used, never on who asked first: the same phantom on every machine and
//! with every number of threads.
//!
//! Source: the mixing function is SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) used as a counter-based generator.

use glam::DVec3;

/// 64 well-mixed bits for a counter.
#[inline]
pub fn bits(seed: u64, counter: u64) -> u64 {
    let mut z = counter.wrapping_add(seed.wrapping_mul(0xD1B5_4A32_D192_ED03)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

/// A number in 0..1.
#[inline]
pub fn uniform(seed: u64, counter: u64) -> f64 {
    (bits(seed, counter) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A nearly normal number of mean 0 and variance 1: the sum of four 16-bit uniforms, so at most 3.5 in size.
#[inline]
pub fn normal(seed: u64, counter: u64) -> f32 {
    let bits = bits(seed, counter);
    let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
    // Four uniforms of 0..65535 have mean 131070 and standard deviation 65536 / sqrt(3).
    (sum as f32 - 131_070.0) * (1.732_050_8 / 65_536.0)
}

/// Smooth random field: values of about -1 to 1 that change over `size_mm`.
#[inline]
pub fn texture(seed: u64, point_in_patient: DVec3, size_mm: f64) -> f64 {
    let p = point_in_patient / size_mm;
    let cell = p.floor();
    let f = p - cell;
    let f = f * f * (DVec3::splat(3.0) - 2.0 * f);
    let corner = |dx: i64, dy: i64, dz: i64| {
        let (x, y, z) = (cell.x as i64 + dx, cell.y as i64 + dy, cell.z as i64 + dz);
        let counter = (x & 0x1F_FFFF) as u64 | ((y & 0x1F_FFFF) as u64) << 21 | ((z & 0x1F_FFFF) as u64) << 42;
        2.0 * uniform(seed, counter) - 1.0
    };
    let along_x = |dy, dz| corner(0, dy, dz) * (1.0 - f.x) + corner(1, dy, dz) * f.x;
    let along_y = |dz| along_x(0, dz) * (1.0 - f.y) + along_x(1, dz) * f.y;
    along_y(0) * (1.0 - f.z) + along_y(1) * f.z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_has_mean_zero_and_variance_one() {
        let numbers: Vec<f64> = (0..100_000).map(|n| f64::from(normal(7, n))).collect();
        let mean = numbers.iter().sum::<f64>() / 1e5;
        let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        let neighbours: f64 = numbers.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / 1e5;
        assert!(neighbours.abs() < 0.02, "neighbours are not correlated: {neighbours}");
    }
}
