//! Letters for pictures that leave the program: a small bitmap face, capitals and digits only.
//!
//! In: a picture, a text, a place in pixels. Out: the picture with the text, light on a dark edge so that it can be read on
//! anything. The glyphs are our own, 5 by 7. Not here: the text of the window (egui has its own fonts).

use super::picture::Picture;

/// Columns of a glyph; one more is left free between two.
pub const GLYPH_WIDTH: u32 = 5;
/// Rows of a glyph.
pub const GLYPH_HEIGHT: u32 = 7;

/// Where a text hangs on its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The point is the text's upper left corner.
    Left,
    /// The point is the middle of its upper edge.
    Middle,
    /// The point is its upper right corner.
    Right,
}

/// Width in pixels of a text whose dots are `scale` pixels wide.
pub fn width_px(text: &str, scale: u32) -> u32 {
    (text.chars().count() as u32 * (GLYPH_WIDTH + 1)).saturating_sub(1) * scale
}

/// Draws a text; what falls outside the picture is left out.
pub fn draw(picture: &mut Picture, text: &str, at_px: [i32; 2], anchor: Anchor, scale: u32, rgb: [u8; 3]) {
    let width = width_px(text, scale) as i32;
    let left = match anchor {
        Anchor::Left => at_px[0],
        Anchor::Middle => at_px[0] - width / 2,
        Anchor::Right => at_px[0] - width,
    };
    let edge = (scale as i32 / 2).max(1);
    for (grow, color) in [(edge, [8, 9, 12]), (0, rgb)] {
        for (n, letter) in text.chars().enumerate() {
            let x = left + n as i32 * (GLYPH_WIDTH as i32 + 1) * scale as i32;
            draw_glyph(picture, glyph(letter), [x, at_px[1]], scale as i32, grow, color);
        }
    }
}

fn draw_glyph(picture: &mut Picture, rows: [u8; 7], at_px: [i32; 2], scale: i32, grow: i32, rgb: [u8; 3]) {
    for (row, bits) in (0_i32..).zip(rows) {
        for column in (0..GLYPH_WIDTH as i32).filter(|column| bits >> (4 - column) & 1 == 1) {
            let (x, y) = (at_px[0] + column * scale, at_px[1] + row * scale);
            fill(picture, [x - grow, y - grow], [x + scale + grow, y + scale + grow], rgb);
        }
    }
}

fn fill(picture: &mut Picture, from: [i32; 2], to: [i32; 2], [r, g, b]: [u8; 3]) {
    let [width, height] = picture.size_px.map(|n| n as i32);
    for y in from[1].max(0)..to[1].min(height) {
        for x in from[0].max(0)..to[0].min(width) {
            picture.rgba[(y * width + x) as usize] = [r, g, b, 255];
        }
    }
}

/// Rows from the top, the leftmost column in bit 4. Unknown letters are a box.
#[rustfmt::skip]
fn glyph(letter: char) -> [u8; 7] {
    match letter.to_ascii_uppercase() {
        ' ' => [0; 7],
        'A' => [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'B' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110],
        'C' => [0b01111, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b01111],
        'D' => [0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110],
        'E' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111],
        'F' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000],
        'G' => [0b01111, 0b10000, 0b10000, 0b10011, 0b10001, 0b10001, 0b01111],
        'H' => [0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'I' => [0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        'J' => [0b00111, 0b00010, 0b00010, 0b00010, 0b00010, 0b10010, 0b01100],
        'K' => [0b10001, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010, 0b10001],
        'L' => [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
        'M' => [0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001],
        'N' => [0b10001, 0b11001, 0b10101, 0b10101, 0b10011, 0b10001, 0b10001],
        'O' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'P' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000],
        'Q' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10101, 0b10010, 0b01101],
        'R' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001],
        'S' => [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110],
        'T' => [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
        'U' => [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'V' => [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01010, 0b00100],
        'W' => [0b10001, 0b10001, 0b10001, 0b10101, 0b10101, 0b11011, 0b10001],
        'X' => [0b10001, 0b10001, 0b01010, 0b00100, 0b01010, 0b10001, 0b10001],
        'Y' => [0b10001, 0b10001, 0b01010, 0b00100, 0b00100, 0b00100, 0b00100],
        'Z' => [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b11111],
        '0' => [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
        '1' => [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        '2' => [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
        '3' => [0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110],
        '4' => [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
        '5' => [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
        '6' => [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
        '7' => [0b11111, 0b00001, 0b00010, 0b00100, 0b00100, 0b01000, 0b01000],
        '8' => [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
        '9' => [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
        '-' => [0, 0, 0, 0b01110, 0, 0, 0],
        '.' => [0, 0, 0, 0, 0, 0b01100, 0b01100],
        ',' => [0, 0, 0, 0, 0b01100, 0b00100, 0b01000],
        ':' => [0, 0b01100, 0b01100, 0, 0b01100, 0b01100, 0],
        '/' => [0b00001, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b10000],
        '(' => [0b00010, 0b00100, 0b01000, 0b01000, 0b01000, 0b00100, 0b00010],
        ')' => [0b01000, 0b00100, 0b00010, 0b00010, 0b00010, 0b00100, 0b01000],
        '+' => [0, 0b00100, 0b00100, 0b11111, 0b00100, 0b00100, 0],
        '%' => [0b11001, 0b11001, 0b00010, 0b00100, 0b01000, 0b10011, 0b10011],
        _ => [0b11111, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11111],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_digits_differ_and_hang_where_they_should() {
        let known: Vec<[u8; 7]> = ('A'..='Z').chain('0'..='9').map(glyph).collect();
        for (n, a) in known.iter().enumerate() {
            assert!(known[n + 1..].iter().all(|b| a != b), "glyph {n} looks like another");
            assert_ne!(*a, glyph('\u{7f}'), "glyph {n} is missing");
        }
        let mut picture = Picture::filled([40, 20], [0, 0, 0, 255]);
        draw(&mut picture, "L", [39, 2], Anchor::Right, 2, [255, 255, 255]);
        let white: Vec<u32> = (0..800).filter(|&n| picture.rgba[n as usize][0] == 255).map(|n| n % 40).collect();
        assert_eq!((white.iter().min(), white.iter().max()), (Some(&29), Some(&38)));
        draw(&mut picture, "WIDE TEXT", [-5, -3], Anchor::Left, 3, [255, 0, 0]);
        assert_eq!(width_px("AB", 2), 22);
    }
}
