//! PNG files with words in them: who made the picture, how, and what it is not for.
//!
//! In: a picture and (keyword, text) pairs. Out: a file, whole or not at all. Nothing of the patient goes in.
//! Source: PNG specification (W3C, third edition), 11.3.3.2 tEXt: keyword, zero byte, Latin-1 text.

use std::io::Write;
use std::path::Path;

use image::ImageEncoder as _;

use super::atomic_file::{AtomicFileError, write_atomically};
use crate::domain::picture::Picture;

/// Bytes of the signature and of the header chunk, after which text may stand.
const HEADER_LEN: usize = 8 + 25;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// The pixels could not be encoded.
    #[error("the picture could not be encoded: {0}")]
    Encoding(#[from] image::ImageError),
    /// The system refused.
    #[error(transparent)]
    File(#[from] AtomicFileError),
}

/// Writes a picture.
///
/// # Errors
/// When the file cannot be written.
pub fn write_png(path: &Path, picture: &Picture, texts: &[(&str, &str)]) -> Result<(), PngError> {
    let bytes = encode_png(picture, texts)?;
    write_atomically(path, |file| {
        file.write_all(&bytes).map_err(|source| AtomicFileError::Io { path: path.to_path_buf(), source }.into())
    })
}

/// The bytes of a picture's file.
///
/// # Errors
/// When the picture has no pixels.
pub fn encode_png(picture: &Picture, texts: &[(&str, &str)]) -> Result<Vec<u8>, PngError> {
    let [width, height] = picture.size_px;
    let mut plain = Vec::new();
    image::codecs::png::PngEncoder::new(&mut plain).write_image(
        picture.rgba.as_flattened(),
        width,
        height,
        image::ExtendedColorType::Rgba8,
    )?;
    let mut bytes = plain[..HEADER_LEN].to_vec();
    for (keyword, text) in texts {
        bytes.extend(text_chunk(keyword, text));
    }
    bytes.extend_from_slice(&plain[HEADER_LEN..]);
    Ok(bytes)
}

fn text_chunk(keyword: &str, text: &str) -> Vec<u8> {
    let latin = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect::<Vec<u8>>();
    let mut content = b"tEXt".to_vec();
    content.extend(latin(keyword).into_iter().take(79));
    content.push(0);
    content.extend(latin(text).into_iter().filter(|&byte| byte != 0));
    let mut crc = flate2::Crc::new();
    crc.update(&content);
    let mut chunk = (content.len() as u32 - 4).to_be_bytes().to_vec();
    chunk.extend(content);
    chunk.extend(crc.sum().to_be_bytes());
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_programs_read_pixels_and_words() {
        let mut picture = Picture::filled([3, 2], [1, 2, 3, 255]);
        picture.rgba[5] = [250, 0, 9, 255];
        let bytes = encode_png(&picture, &[("Software", "Maquette"), ("Comment", "5 µm")]).expect("encodes");
        let read = image::load_from_memory(&bytes).expect("a valid file").to_rgba8();
        assert_eq!(read.as_raw().as_slice(), picture.rgba.as_flattened());
        let text = b"tEXtSoftware\0Maquette";
        assert!(bytes.windows(text.len()).any(|window| window == text));
        assert!(bytes.windows(4).any(|window| window == b"5 \xB5m"), "Latin-1, not UTF-8");
    }
}
