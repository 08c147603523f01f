//! Animated pictures: PNG (all colours, transparency) and GIF (256 colours a picture), endless loops.
//!
//! In: pictures of one size, one after the other. Out: a file, whole or not at all, with words in it about who made it and
//! what it is not for. Source: PNG specification, third edition (acTL, fcTL, fdAT); GIF89a.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::atomic_file::{AtomicFileError, write_atomically};
use crate::domain::picture::Picture;

/// Effort of GIF's choice of colours, 1 (best) to 30.
const GIF_SPEED: i32 = 10;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum AnimationError {
    /// Not a kind of file that is written here.
    #[error("{} is no animation: the name must end in .png, .apng or .gif", .0.display())]
    Kind(PathBuf),
    /// Too large for the format.
    #[error("a GIF is at most 65535 pixels wide and high")]
    Size,
    /// The pixels could not be encoded.
    #[error("the pictures could not be encoded: {0}")]
    Png(#[from] png::EncodingError),
    /// The pixels could not be encoded.
    #[error("the pictures could not be encoded: {0}")]
    Gif(#[from] gif::EncodingError),
    /// The system refused.
    #[error(transparent)]
    File(#[from] AtomicFileError),
}

/// A kind of animated file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnimationKind {
    /// Animated PNG.
    Png,
    /// GIF.
    Gif,
}

impl AnimationKind {
    /// The kind that a file's name asks for.
    ///
    /// # Errors
    /// When it is neither.
    pub fn of(path: &Path) -> Result<Self, AnimationError> {
        let ending = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
        match ending.as_deref().and_then(|ending| ending.to_str()) {
            Some("png" | "apng") => Ok(Self::Png),
            Some("gif") => Ok(Self::Gif),
            _ => Err(AnimationError::Kind(path.to_path_buf())),
        }
    }
}

/// Writes pictures of one size as an endless loop, each shown for so many hundredths of a second.
///
/// # Errors
/// When the name's ending is not known, or the file cannot be written.
///
/// # Panics
/// When there are no pictures, or their sizes differ.
pub fn write_animation(
    path: &Path,
    pictures: &[Picture],
    hundredths: u16,
    texts: &[(&str, &str)],
) -> Result<(), AnimationError> {
    let kind = AnimationKind::of(path)?;
    let size_px = pictures.first().expect("pictures to write").size_px;
    assert!(pictures.iter().all(|picture| picture.size_px == size_px), "pictures of one size");
    let mut bytes = Vec::new();
    match kind {
        AnimationKind::Png => encode_png(&mut bytes, pictures, hundredths, texts)?,
        AnimationKind::Gif => encode_gif(&mut bytes, pictures, hundredths, texts)?,
    }
    write_atomically(path, |file| {
        file.write_all(&bytes).map_err(|source| AtomicFileError::Io { path: path.to_path_buf(), source }.into())
    })
}

fn encode_png(
    out: &mut Vec<u8>,
    pictures: &[Picture],
    hundredths: u16,
    texts: &[(&str, &str)],
) -> Result<(), AnimationError> {
    let [width, height] = pictures[0].size_px;
    let mut encoder = png::Encoder::new(out, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_animated(pictures.len() as u32, 0)?;
    encoder.set_frame_delay(hundredths, 100)?;
    for (keyword, text) in texts {
        encoder.add_text_chunk((*keyword).to_owned(), (*text).to_owned())?;
    }
    let mut writer = encoder.write_header()?;
    for picture in pictures {
        writer.write_image_data(picture.rgba.as_flattened())?;
    }
    Ok(writer.finish()?)
}

fn encode_gif(
    out: &mut Vec<u8>,
    pictures: &[Picture],
    hundredths: u16,
    texts: &[(&str, &str)],
) -> Result<(), AnimationError> {
    let sides = pictures[0].size_px.map(u16::try_from);
    let [Ok(width), Ok(height)] = sides else { return Err(AnimationError::Size) };
    let mut encoder = gif::Encoder::new(out, width, height, &[])?;
    encoder.set_repeat(gif::Repeat::Infinite)?;
    for (keyword, text) in texts {
        let comment = format!("{keyword}: {text}");
        let parts: Vec<&[u8]> = comment.as_bytes().chunks(255).collect();
        encoder.write_raw_extension(gif::AnyExtension(gif::Extension::Comment as u8), &parts)?;
    }
    for picture in pictures {
        let mut pixels = picture.rgba.as_flattened().to_vec();
        let mut frame = gif::Frame::from_rgba_speed(width, height, &mut pixels, GIF_SPEED);
        frame.delay = hundredths;
        frame.dispose = gif::DisposalMethod::Background;
        encoder.write_frame(&frame)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_with_their_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let pictures = [[200, 10, 20, 255], [10, 200, 20, 255], [0, 0, 0, 0]].map(|c| Picture::filled([9, 5], c));
        let texts = [("Disclaimer", "Not for diagnostic use")];
        for name in ["turn.png", "turn.gif"] {
            let path = folder.path().join(name);
            write_animation(&path, &pictures, 5, &texts).expect("written");
            let bytes = std::fs::read(&path).expect("there");
            let words = b"Not for diagnostic use";
            assert!(bytes.windows(words.len()).any(|window| window == words), "{name}");
            if name.ends_with("gif") {
                let mut decoder = gif::DecodeOptions::new();
                decoder.set_color_output(gif::ColorOutput::RGBA);
                let mut reader = decoder.read_info(bytes.as_slice()).expect("a GIF");
                let mut count = 0;
                while let Some(frame) = reader.read_next_frame().expect("a frame") {
                    assert_eq!(frame.buffer[..4], pictures[count].rgba[0]);
                    count += 1;
                }
                assert_eq!(count, 3);
            } else {
                let reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
                assert_eq!(reader.info().animation_control.map(|control| control.num_frames), Some(3));
            }
        }
        let refused = write_animation(&folder.path().join("turn.mp4"), &pictures, 5, &[]).expect_err("no video");
        assert!(refused.to_string().contains(".gif"));
    }
}
