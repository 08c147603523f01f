//! What stands on a picture that leaves the program: orientation letters, a footer, and what it is not for.
//!
//! In: what rays saw. Out: a picture for people. The words about diagnostic use stand on every picture, whatever its size:
//! on narrow ones they are broken into lines. The footer names software, version and case code; it can be left out.

use crate::domain::camera::Camera;
use crate::domain::lettering::{self, Anchor};
use crate::domain::picture::{BACKGROUND, Picture};
use crate::domain::plane::direction_letters;
use crate::domain::render_reference::RayImage;
use crate::io::provenance::{NOT_FOR_DIAGNOSTIC_USE, PROGRAM, VERSION};

/// Narrowest picture on which the longest word of the mark can be read.
pub const LEAST_SIDE_PX: u32 = 64;
/// Light grey of letters, and the warm one of the mark.
const INK: [[u8; 3]; 2] = [[206, 212, 222], [240, 190, 110]];

/// What a picture says beside what it shows.
#[derive(Debug, Clone, Copy)]
pub struct Marks<'a> {
    /// What is shown, e.g. the name of the preset.
    pub title: &'a str,
    /// R, L, A, P, H, F at the edges.
    pub letters: bool,
    /// Software and version.
    pub footer: bool,
    /// Code of the case in the footer; never a name.
    pub case_code: Option<&'a str>,
    /// Whether there is nothing behind the picture.
    pub transparent: bool,
}

impl<'a> Marks<'a> {
    /// All that a picture usually says.
    pub fn titled(title: &'a str) -> Self {
        Self { title, letters: true, footer: true, case_code: None, transparent: false }
    }
}

/// A picture for people.
pub fn marked(image: &RayImage, camera: &Camera, marks: &Marks<'_>) -> Picture {
    let mut picture =
        if marks.transparent { Picture::transparent(image) } else { Picture::over_gradient(image, BACKGROUND) };
    let [width, height] = picture.size_px.map(|n| n as i32);
    let scale = (width.min(height) / 300).clamp(1, 6);
    let (margin, line) = (4 * scale, (lettering::GLYPH_HEIGHT as i32 + 3) * scale);
    let dots = scale as u32;
    let warning = broken(NOT_FOR_DIAGNOSTIC_USE, (width - 2 * margin).max(1) as u32, dots);
    let footer = footer_of(marks);
    let footer_width = footer.iter().map(|text| lettering::width_px(text, dots)).max().unwrap_or(0) as i32;
    let warning_width = warning.iter().map(|text| lettering::width_px(text, dots)).max().unwrap_or(0) as i32;
    // Beside each other where there is room, else the footer above the warning, else no footer.
    let beside = footer_width + warning_width + 4 * margin <= width;
    let lifted = if beside { 0 } else { warning.len() as i32 };
    let fits = footer_width + 2 * margin <= width && (lifted + footer.len() as i32 + 2) * line < height / 2;
    let mut taken = warning.len() as i32;
    for (n, text) in warning.iter().rev().enumerate() {
        let y = height - margin - (n as i32 + 1) * line + 3 * scale;
        lettering::draw(&mut picture, text, [width - margin, y], Anchor::Right, dots, INK[1]);
    }
    if fits {
        taken = taken.max(lifted + footer.len() as i32);
        for (n, text) in footer.iter().rev().enumerate() {
            let y = height - margin - (lifted + n as i32 + 1) * line + 3 * scale;
            lettering::draw(&mut picture, text, [margin, y], Anchor::Left, dots, INK[0]);
        }
    }
    if marks.letters {
        draw_letters(&mut picture, camera, dots, height - margin - taken * line);
    }
    picture
}

fn draw_letters(picture: &mut Picture, camera: &Camera, dots: u32, bottom: i32) {
    let [width, height] = picture.size_px.map(|n| n as i32);
    let (margin, tall) = (4 * dots as i32, lettering::GLYPH_HEIGHT as i32 * (dots + dots / 2) as i32);
    let middle = (height - tall) / 2;
    let right = camera.right_in_patient();
    let edges = [
        (-right, [margin, middle], Anchor::Left),
        (right, [width - margin, middle], Anchor::Right),
        (camera.up_in_patient, [width / 2, margin], Anchor::Middle),
        (-camera.up_in_patient, [width / 2, bottom - margin - tall], Anchor::Middle),
    ];
    for (direction, at_px, anchor) in edges {
        lettering::draw(picture, &direction_letters(direction), at_px, anchor, dots + dots / 2, INK[0]);
    }
}

fn footer_of(marks: &Marks<'_>) -> Vec<String> {
    let mut lines = vec![marks.title.to_owned()];
    if marks.footer {
        let case = marks.case_code.map(|code| format!(" - CASE {code}")).unwrap_or_default();
        lines.push(format!("{PROGRAM} {VERSION}{case}"));
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// A text in lines of at most this width, broken between words.
fn broken(text: &str, width_px: u32, scale: u32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if lettering::width_px(&format!("{line} {word}"), scale) <= width_px => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::camera::StandardView;
    use glam::DVec3;

    fn blank(size_px: [u32; 2]) -> RayImage {
        let count = (size_px[0] * size_px[1]) as usize;
        RayImage { size_px, rgba: vec![[0.0; 4]; count], distance_mm: vec![-1.0; count] }
    }

    #[test]
    fn the_mark_stands_on_every_size_and_the_footer_can_go() {
        let camera = Camera::fitting(DVec3::ZERO, DVec3::splat(100.0), StandardView::Anterior);
        let bare = Marks { letters: false, footer: false, case_code: None, ..Marks::titled("") };
        let warm = |picture: &Picture| picture.rgba.iter().filter(|c| c[0] == 240 && c[2] == 110).count();
        for size_px in [[64, 64], [160, 120], [1024, 768], [64, 2000], [2000, 64]] {
            let picture = marked(&blank(size_px), &camera, &bare);
            // 20 letters of about 14 dots.
            assert!(warm(&picture) >= 250, "{size_px:?}: {} dots", warm(&picture));
            let clear = marked(&blank(size_px), &camera, &Marks { transparent: true, ..bare });
            assert_eq!(warm(&clear), warm(&picture));
            assert!(clear.rgba.iter().any(|c| c[3] == 0), "nothing is behind");
        }
        let gray = |marks: &Marks<'_>| {
            marked(&blank([400, 300]), &camera, marks).rgba.iter().filter(|c| c[..3] == INK[0]).count()
        };
        let footer = Marks { footer: true, ..bare };
        assert!(gray(&bare) == 0 && gray(&footer) > 50);
        assert!(gray(&Marks { case_code: Some("A17"), ..footer }) > gray(&footer));
    }
}
