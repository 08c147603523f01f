//! A picture of 8 bits a channel, and what is done to it before it leaves the program.
//!
//! In: what rays saw. Out: opaque pixels. Not here: file formats (`io::png`), letters (`lettering`).

use super::render_reference::RayImage;

/// Background of 3D views: the colour at the top and at the bottom, sRGB.
pub const BACKGROUND: [[u8; 3]; 2] = [[0x0E, 0x11, 0x16], [0x1A, 0x1F, 0x28]];

/// Pixels with opacity, sRGB, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width and height.
    pub size_px: [u32; 2],
    /// Not premultiplied.
    pub rgba: Vec<[u8; 4]>,
}

impl Picture {
    /// A picture of one colour.
    pub fn filled(size_px: [u32; 2], rgba: [u8; 4]) -> Self {
        Self { size_px, rgba: vec![rgba; size_px[0] as usize * size_px[1] as usize] }
    }

    /// What rays saw, over a background that runs from one colour at the top to another at the bottom.
    pub fn over_gradient(image: &RayImage, [top, bottom]: [[u8; 3]; 2]) -> Self {
        let [width, height] = image.size_px;
        let rgba = image.rgba.iter().enumerate().map(|(n, &[r, g, b, a])| {
            let down = (n as u32 / width.max(1)) as f32 / (height.max(2) - 1) as f32;
            let over = |front: f32, channel: usize| {
                let behind = f32::from(top[channel]) + (f32::from(bottom[channel]) - f32::from(top[channel])) * down;
                (front * 255.0 + behind * (1.0 - a)).round().clamp(0.0, 255.0) as u8
            };
            [over(r, 0), over(g, 1), over(b, 2), 255]
        });
        Self { size_px: image.size_px, rgba: rgba.collect() }
    }

    /// What rays saw, with nothing behind it.
    pub fn transparent(image: &RayImage) -> Self {
        let rgba = image.rgba.iter().map(|&[r, g, b, a]| {
            let byte = |channel: f32| (channel * 255.0).round().clamp(0.0, 255.0) as u8;
            let whole = |channel: f32| byte(channel / a.max(1e-6));
            [whole(r), whole(g), whole(b), byte(a)]
        });
        Self { size_px: image.size_px, rgba: rgba.collect() }
    }

    /// Peak signal to noise ratio against another picture of the same size, over red, green and blue, in dB;
    /// infinite where they are equal.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn psnr_db(&self, other: &Self) -> f64 {
        assert_eq!(self.size_px, other.size_px, "pictures of one size");
        let squares: u64 = self
            .rgba
            .iter()
            .zip(&other.rgba)
            .flat_map(|(a, b)| (0..3).map(|c| u64::from(a[c].abs_diff(b[c])).pow(2)))
            .sum();
        let mean = squares as f64 / (self.rgba.len() * 3) as f64;
        if mean == 0.0 { f64::INFINITY } else { 10.0 * (255.0 * 255.0 / mean).log10() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transparent_image_shows_the_background() {
        let image = RayImage {
            size_px: [2, 2],
            rgba: vec![[0.0; 4], [1.0, 0.5, 0.0, 1.0], [0.0; 4], [0.0; 4]],
            distance_mm: vec![0.0; 4],
        };
        let picture = Picture::over_gradient(&image, BACKGROUND);
        assert_eq!(picture.rgba, [[14, 17, 22, 255], [255, 128, 0, 255], [26, 31, 40, 255], [26, 31, 40, 255]]);
        let mut other = picture.clone();
        assert!(picture.psnr_db(&other).is_infinite());
        other.rgba[0][0] += 12;
        assert!((picture.psnr_db(&other) - 37.3391).abs() < 1e-3, "{}", picture.psnr_db(&other));
    }
}
