//! A small grey picture of the middle slice, for lists of series.

use crate::domain::window::Window;

use super::{SeriesEntry, SlicePreview, middle_slice};

/// A grey picture, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrayImage {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 0 black to 255 white.
    pub pixels: Vec<u8>,
}

/// A picture of the middle slice that fits a square of `size_px`, in true proportions and in the window that the files
/// suggest; `None` where the slice cannot be read. Reads one file: call it on a worker.
pub fn thumbnail(entry: &SeriesEntry, size_px: u32) -> Option<GrayImage> {
    let slice = middle_slice(entry)?;
    let window = entry.info.windows.first().map_or_else(|| own_window(&slice), |(_, window)| *window);
    Some(picture(&slice, window, size_px))
}

/// A slice as a picture that fits a square of `size_px`.
pub fn picture(slice: &SlicePreview, window: Window, size_px: u32) -> GrayImage {
    let extent_mm = [f64::from(slice.width) * slice.spacing_mm[0], f64::from(slice.height) * slice.spacing_mm[1]];
    let mm_per_px = extent_mm[0].max(extent_mm[1]) / f64::from(size_px.max(1));
    let size = extent_mm.map(|mm| ((mm / mm_per_px).round() as u32).clamp(1, size_px.max(1)));
    let span = |at: u32, pixels: u32, samples: u32| {
        let first = (u64::from(at) * u64::from(samples) / u64::from(pixels)) as u32;
        let last = (u64::from(at + 1) * u64::from(samples)).div_ceil(u64::from(pixels)) as u32;
        first..last.clamp(first + 1, samples)
    };
    let mut pixels = Vec::with_capacity(size[0] as usize * size[1] as usize);
    for y in 0..size[1] {
        let rows = span(y, size[1], slice.height);
        for x in 0..size[0] {
            let columns = span(x, size[0], slice.width);
            let row = |j: u32| {
                let start = j as usize * slice.width as usize;
                &slice.samples[start + columns.start as usize..start + columns.end as usize]
            };
            let sum: i64 = rows.clone().flat_map(|j| row(j).iter().map(|&sample| i64::from(sample))).sum();
            let mean = sum as f64 / f64::from((rows.end - rows.start) * (columns.end - columns.start));
            pixels.push((window.gray(slice.rescale.value(mean)) * 255.0).round() as u8);
        }
    }
    GrayImage { width: size[0], height: size[1], pixels }
}

/// A window from the 2nd to the 98th percentile.
fn own_window(slice: &SlicePreview) -> Window {
    let mut samples = slice.samples.clone();
    samples.sort_unstable();
    let at = |part: usize| slice.rescale.value(f64::from(samples[(samples.len() - 1) * part / 100]));
    let (low, high) = (at(2).min(at(98)), at(2).max(at(98)));
    Window::new(high - low, f64::midpoint(low, high))
}
