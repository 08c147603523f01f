//! Colour maps of slices: windowed grey to colour.
//!
//! Data: `assets/color-maps.json`, with their source. Both backends look colours up in the same table of
//! [`COLOR_MAP_SIZE`] entries, so that they draw the same picture.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// Entries of a table.
pub const COLOR_MAP_SIZE: usize = 256;

/// A colour map, by its place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum ColorMap {
    /// Black to white.
    #[default]
    Grey,
    /// Black, red, yellow, white.
    Fire,
    /// Black, blue, white.
    Ice,
    /// Blue, green, red.
    Spectrum,
}

#[derive(Deserialize)]
struct File {
    maps: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    colors: Vec<(f64, String)>,
}

struct Map {
    name: String,
    table: [[u8; 4]; COLOR_MAP_SIZE],
}

impl ColorMap {
    /// All maps, in the order of menus and of the file.
    pub const ALL: [Self; 4] = [Self::Grey, Self::Fire, Self::Ice, Self::Spectrum];

    /// Name in menus.
    pub fn name(self) -> &'static str {
        &self.map().name
    }

    /// Opaque sRGB of each entry, from the dark end to the bright one.
    pub fn table(self) -> &'static [[u8; 4]; COLOR_MAP_SIZE] {
        &self.map().table
    }

    /// Entry of a grey, 0 to 1.
    #[inline]
    pub fn entry(gray: f64) -> usize {
        (gray.clamp(0.0, 1.0) * (COLOR_MAP_SIZE - 1) as f64 + 0.5) as usize
    }

    fn map(self) -> &'static Map {
        static MAPS: OnceLock<Vec<Map>> = OnceLock::new();
        let maps = MAPS.get_or_init(|| {
            let file: File = serde_json::from_str(include_str!("../../assets/color-maps.json")).expect("valid file");
            file.maps.iter().map(map_of).collect()
        });
        &maps[self as usize]
    }
}

fn map_of(entry: &Entry) -> Map {
    let table = std::array::from_fn(|n| {
        let at = n as f64 / (COLOR_MAP_SIZE - 1) as f64;
        let after = entry.colors.partition_point(|(place, _)| *place <= at).clamp(1, entry.colors.len() - 1);
        let ((low, from), (high, to)) = (&entry.colors[after - 1], &entry.colors[after]);
        let part = ((at - low) / (high - low)).clamp(0.0, 1.0);
        let (from, to) = (rgb_of(from), rgb_of(to));
        let mix = |c: usize| (f64::from(from[c]) * (1.0 - part) + f64::from(to[c]) * part).round() as u8;
        [mix(0), mix(1), mix(2), 255]
    });
    Map { name: entry.name.clone(), table }
}

fn rgb_of(hex: &str) -> [u8; 3] {
    let packed = u32::from_str_radix(hex.trim_start_matches('#'), 16).expect("a colour is #rrggbb");
    [16, 8, 0].map(|shift| (packed >> shift & 0xFF) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_run_from_end_to_end() {
        for (n, entry) in ColorMap::Grey.table().iter().enumerate() {
            assert_eq!(*entry, [n as u8, n as u8, n as u8, 255]);
        }
        let names = ColorMap::ALL.map(ColorMap::name);
        assert_eq!(names, ["Grey", "Fire", "Ice", "Spectrum"], "the file's order");
        assert_eq!(ColorMap::Fire.table()[255], [255; 4]);
        assert_eq!((ColorMap::entry(0.0), ColorMap::entry(0.5), ColorMap::entry(7.0)), (0, 128, 255));
    }
}
