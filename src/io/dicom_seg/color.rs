//! Colours as DICOM gives them: CIELab under illuminant D50, each part as 16 bits, and sRGB.
//!
//! Source: DICOM PS3.3 C.10.7.1.1; matrices sRGB to XYZ (D50, Bradford) by B. Lindbloom, brucelindbloom.com.

const WHITE: [f64; 3] = [0.96422, 1.0, 0.82521];
const XYZ_FROM_RGB: [[f64; 3]; 3] = [
    [0.436_074_7, 0.385_064_9, 0.143_080_4],
    [0.222_504_5, 0.716_878_6, 0.060_616_9],
    [0.013_932_2, 0.097_104_5, 0.714_173_3],
];
const RGB_FROM_XYZ: [[f64; 3]; 3] = [
    [3.133_856_1, -1.616_866_7, -0.490_614_6],
    [-0.978_768_4, 1.916_141_5, 0.033_454_0],
    [0.071_945_3, -0.228_991_4, 1.405_242_7],
];
/// Where the cube root of CIELab becomes a line.
const EPSILON: f64 = 216.0 / 24389.0;
const KAPPA: f64 = 24389.0 / 27.0;

fn times(matrix: &[[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
}

/// *Recommended Display CIELab Value* of a colour.
pub fn lab_of(rgb: [u8; 3]) -> [u16; 3] {
    let linear = rgb.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    let xyz = times(&XYZ_FROM_RGB, linear);
    let f: [f64; 3] = std::array::from_fn(|n| {
        let part = xyz[n] / WHITE[n];
        if part > EPSILON { part.cbrt() } else { (KAPPA * part + 16.0) / 116.0 }
    });
    let lab = [116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])];
    let scaled = [lab[0] / 100.0, (lab[1] + 128.0) / 255.0, (lab[2] + 128.0) / 255.0];
    scaled.map(|part| (part * 65535.0).round().clamp(0.0, 65535.0) as u16)
}

/// The colour of a *Recommended Display CIELab Value*.
pub fn rgb_of(lab: [u16; 3]) -> [u8; 3] {
    let part = lab.map(|part| f64::from(part) / 65535.0);
    let (l, a, b) = (part[0] * 100.0, part[1] * 255.0 - 128.0, part[2] * 255.0 - 128.0);
    let y = (l + 16.0) / 116.0;
    let f = [y + a / 500.0, y, y - b / 200.0];
    let xyz: [f64; 3] = std::array::from_fn(|n| {
        let cube = f[n].powi(3);
        WHITE[n] * if cube > EPSILON { cube } else { (116.0 * f[n] - 16.0) / KAPPA }
    });
    times(&RGB_FROM_XYZ, xyz).map(|part| {
        let part = part.clamp(0.0, 1.0);
        let part = if part <= 0.003_130_8 { part * 12.92 } else { 1.055 * part.powf(1.0 / 2.4) - 0.055 };
        (part * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_back() {
        for rgb in [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [224, 97, 76], [1, 2, 3]] {
            assert_eq!(rgb_of(lab_of(rgb)), rgb);
        }
        // White has all lightness and no colour.
        let [l, a, b] = lab_of([255, 255, 255]);
        assert!(l > 65500 && a.abs_diff(32896) < 30 && b.abs_diff(32896) < 30, "{l} {a} {b}");
    }
}
