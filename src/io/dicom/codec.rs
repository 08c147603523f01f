//! Compressed pixels of one frame to plain ones.
//!
//! In: the bytes of a frame and how its pixels are stored. Out: samples in little-endian order, as if they had not been
//! compressed. Run-length and deflated frames are unpacked here; JPEG, JPEG-LS, JPEG 2000, HTJ2K and JPEG XL by the
//! codecs of the transfer syntax registry, behind a check that the stream is of the size that the header says: a decoder
//! is not to ask for memory that a lie names. A decoder that panics on damaged data is caught.
//!
//! Source: DICOM PS3.5 A.4 and annex G (RLE); ITU-T T.81 B.2 (JPEG), T.87 (JPEG-LS), T.800 A.5.1 (JPEG 2000 SIZ).

use std::borrow::Cow;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dicom_dictionary_std::uids;
use dicom_encoding::adapters::{PixelDataObject, RawPixelData};
use dicom_encoding::transfer_syntax::{Codec, TransferSyntaxIndex};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

use super::header::PixelFormat;

/// Deflated frames (2024).
const DEFLATED_FRAMES: &str = "1.2.840.10008.1.2.8.1";

/// Name of a transfer syntax, and whether its compressed pixels can be read; `None` where it is not known at all.
pub(super) fn known(uid: &str) -> Option<(String, bool)> {
    if uid == DEFLATED_FRAMES {
        return Some(("Deflated Image Frame Compression".to_owned(), true));
    }
    let syntax = TransferSyntaxRegistry.get(uid)?;
    Some((syntax.name().to_owned(), uid == uids::RLE_LOSSLESS || syntax.can_decode_all()))
}

/// Whether a transfer syntax always loses detail.
pub(super) fn is_always_lossy(uid: &str) -> bool {
    [uids::JPEG_BASELINE8_BIT, uids::JPEG_EXTENDED12_BIT, uids::JPEGLS_NEAR_LOSSLESS].contains(&uid)
}

/// Whether the codec puts the bits of a sample at the low end, whatever *High Bit* says.
pub(super) fn aligns_low(uid: &str) -> bool {
    uid != uids::RLE_LOSSLESS && uid != DEFLATED_FRAMES
}

/// Unpacks one frame.
///
/// # Errors
/// A sentence's end: what is wrong with the data, or that the codec cannot do this kind.
pub(super) fn decompress(uid: &str, format: &PixelFormat, frame: Vec<u8>) -> Result<Vec<u8>, String> {
    let need = format.rows as usize * format.columns as usize * (format.bits_allocated / 8) as usize;
    let pixels = if uid == uids::RLE_LOSSLESS {
        unpack_runs(&frame, need, (format.bits_allocated / 8) as usize)?
    } else if uid == DEFLATED_FRAMES {
        let mut pixels = Vec::new();
        let inflater = flate2::read::DeflateDecoder::new(&frame[..]);
        inflater.take(need as u64 + 2).read_to_end(&mut pixels).map_err(|error| error.to_string())?;
        pixels
    } else {
        check_stream(&frame, format)?;
        by_registry(uid, format, frame)?
    };
    if pixels.len() < need {
        return Err(format!("only {} of {need} bytes came out", pixels.len()));
    }
    Ok(pixels)
}

/// *RLE Lossless*: one run-length coded segment for each byte of a sample, the highest first.
fn unpack_runs(frame: &[u8], need: usize, bytes_per_sample: usize) -> Result<Vec<u8>, String> {
    let number = |at: usize| {
        let bytes = frame.get(at..at + 4).and_then(|bytes| bytes.first_chunk::<4>());
        bytes.map(|bytes| u32::from_le_bytes(*bytes) as usize).ok_or("its run-length header is cut short")
    };
    let segments = number(0)?;
    if segments != bytes_per_sample {
        return Err(format!("it has {segments} run-length segments where {bytes_per_sample} are needed"));
    }
    let mut pixels = vec![0; need];
    for segment in 0..segments {
        let start = number(4 + 4 * segment)?;
        let end = if segment + 1 < segments { number(8 + 4 * segment)? } else { frame.len() };
        let runs = frame.get(start..end).ok_or("a run-length segment lies outside the data")?;
        unpack_segment(runs, &mut pixels[segments - 1 - segment..], segments)?;
    }
    Ok(pixels)
}

/// One segment, to every `step`-th byte.
fn unpack_segment(runs: &[u8], pixels: &mut [u8], step: usize) -> Result<(), String> {
    let total = pixels.len().div_ceil(step);
    let (mut at, mut done) = (0, 0);
    while done < total {
        let Some(&control) = runs.get(at) else { return Err("a run-length segment is cut short".to_owned()) };
        at += 1;
        if control < 128 {
            let count = (usize::from(control) + 1).min(total - done);
            let Some(bytes) = runs.get(at..at + count) else {
                return Err("a run-length segment is cut short".to_owned());
            };
            for (n, &byte) in bytes.iter().enumerate() {
                pixels[(done + n) * step] = byte;
            }
            at += usize::from(control) + 1;
            done += count;
        } else if control > 128 {
            let count = (257 - usize::from(control)).min(total - done);
            let Some(&byte) = runs.get(at) else { return Err("a run-length segment is cut short".to_owned()) };
            for n in 0..count {
                pixels[(done + n) * step] = byte;
            }
            at += 1;
            done += count;
        }
    }
    Ok(())
}

/// Refuses streams that say another size, more components or more bits than the header.
fn check_stream(frame: &[u8], format: &PixelFormat) -> Result<(), String> {
    if let Some(size) = jxl_size(frame) {
        let (ni, nj) = (format.columns, format.rows);
        let (columns, rows) = size?;
        if (columns, rows) == (ni, nj) {
            return Ok(());
        }
        return Err(format!("it is {columns} x {rows} inside, but its header says {ni} x {nj}"));
    }
    let Some(stream) = Stream::of(frame) else { return Ok(()) };
    if (stream.columns, stream.rows) != (format.columns, format.rows) {
        let (ni, nj) = (format.columns, format.rows);
        return Err(format!("it is {} x {} inside, but its header says {ni} x {nj}", stream.columns, stream.rows));
    }
    if stream.components != 1 {
        return Err(format!("it has {} colours inside, but its header says grey", stream.components));
    }
    if stream.bits > format.bits_allocated {
        return Err(format!("it has {} bits inside, but its header says {}", stream.bits, format.bits_allocated));
    }
    Ok(())
}

/// Columns and rows that a JPEG XL stream says of itself; `None` where it is no such stream. Source: ISO/IEC 18181-1,
/// `SizeHeader`; the boxes by ISO/IEC 18181-2.
fn jxl_size(bytes: &[u8]) -> Option<Result<(u32, u32), String>> {
    let damaged = || "its size cannot be read".to_owned();
    const BOXES: [u8; 12] = [0, 0, 0, 12, b'J', b'X', b'L', b' ', 13, 10, 0x87, 10];
    let stream = if bytes.starts_with(&[0xff, 0x0a]) {
        bytes
    } else if bytes.starts_with(&BOXES) {
        // The stream is in one box, or in numbered parts of which the first has the size.
        let searched = &bytes[..bytes.len().min(1 << 16)];
        let found = searched.windows(4).position(|name| name == b"jxlc" || name == b"jxlp");
        let Some(at) = found.map(|at| if &searched[at..at + 4] == b"jxlc" { at + 4 } else { at + 8 }) else {
            return Some(Err(damaged()));
        };
        bytes.get(at..).unwrap_or_default()
    } else {
        return None;
    };
    Some(stream.strip_prefix(&[0xff, 0x0a]).and_then(jxl_size_header).ok_or_else(damaged))
}

fn jxl_size_header(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 0;
    let mut bits = |count: usize| -> Option<u32> {
        let mut value = 0;
        for n in 0..count {
            value |= u32::from(bytes.get((at + n) / 8)? >> ((at + n) % 8) & 1) << n;
        }
        at += count;
        Some(value)
    };
    let is_small = bits(1)? == 1;
    let side = |is_small: bool, bits: &mut dyn FnMut(usize) -> Option<u32>| -> Option<u32> {
        if is_small {
            return Some((bits(5)? + 1) * 8);
        }
        let width = [9, 13, 18, 30][bits(2)? as usize];
        Some(bits(width)? + 1)
    };
    let rows = side(is_small, &mut bits)?;
    let ratio = bits(3)?;
    let columns = match ratio {
        0 => side(is_small, &mut bits)?,
        ratio => {
            let (over, under) = [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)][ratio as usize - 1];
            u32::try_from(u64::from(rows) * over / under).ok()?
        }
    };
    Some((columns, rows))
}

/// What a compressed stream says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stream {
    columns: u32,
    rows: u32,
    components: u32,
    bits: u32,
}

impl Stream {
    /// Of a JPEG, JPEG-LS or JPEG 2000 stream; `None` where the bytes are none.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xff, 0xd8]) {
            return Self::of_jpeg(bytes);
        }
        // A boxed JPEG 2000 file has its stream after a few short boxes.
        let searched = &bytes[..bytes.len().min(4096)];
        let at = searched.windows(4).position(|window| window == [0xff, 0x4f, 0xff, 0x51])?;
        Self::of_jpeg_2000(&bytes[at..])
    }

    fn of_jpeg(bytes: &[u8]) -> Option<Self> {
        let mut at = 2;
        loop {
            let [0xff, marker] = *bytes.get(at..at + 2)?.first_chunk::<2>()? else { return None };
            let number = |offset: usize| {
                let pair = bytes.get(at + offset..at + offset + 2)?.first_chunk::<2>()?;
                Some(u32::from(u16::from_be_bytes(*pair)))
            };
            match marker {
                // Fill bytes and markers without a length.
                0xff => at += 1,
                0x01 | 0xd0..=0xd8 => at += 2,
                0xf7 | 0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                    let (bits, components) = (u32::from(*bytes.get(at + 4)?), u32::from(*bytes.get(at + 9)?));
                    return Some(Self { columns: number(7)?, rows: number(5)?, components, bits });
                }
                _ => at += 2 + number(2)? as usize,
            }
        }
    }

    fn of_jpeg_2000(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| bytes.get(at..at + 4)?.first_chunk::<4>().map(|b| u32::from_be_bytes(*b));
        let components = bytes.get(40..42)?.first_chunk::<2>().map(|b| u32::from(u16::from_be_bytes(*b)))?;
        Some(Self {
            columns: number(8)?.checked_sub(number(16)?)?,
            rows: number(12)?.checked_sub(number(20)?)?,
            components,
            bits: u32::from(bytes.get(42)? & 0x7f) + 1,
        })
    }
}

fn by_registry(uid: &str, format: &PixelFormat, frame: Vec<u8>) -> Result<Vec<u8>, String> {
    let syntax = TransferSyntaxRegistry.get(uid).ok_or("its compression is not known")?;
    let Codec::EncapsulatedPixelData(Some(reader), _) = syntax.codec() else {
        return Err(format!("{} cannot be read", syntax.name()));
    };
    let one = OneFrame { uid, format, frame };
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        let mut pixels = Vec::new();
        reader.decode_frame(&one, 0, &mut pixels).map(|()| pixels)
    }));
    match decoded {
        Ok(Ok(pixels)) => Ok(pixels),
        Ok(Err(error)) => Err(chain(&error)),
        Err(_) => Err("the decoder failed on damaged data".to_owned()),
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// One frame as the codecs of the registry want to see it.
struct OneFrame<'a> {
    uid: &'a str,
    format: &'a PixelFormat,
    frame: Vec<u8>,
}

impl PixelDataObject for OneFrame<'_> {
    fn transfer_syntax_uid(&self) -> &str {
        self.uid
    }
    fn rows(&self) -> Option<u16> {
        u16::try_from(self.format.rows).ok()
    }
    fn cols(&self) -> Option<u16> {
        u16::try_from(self.format.columns).ok()
    }
    fn samples_per_pixel(&self) -> Option<u16> {
        Some(1)
    }
    fn bits_allocated(&self) -> Option<u16> {
        Some(self.format.bits_allocated as u16)
    }
    fn bits_stored(&self) -> Option<u16> {
        Some(self.format.bits_stored as u16)
    }
    fn photometric_interpretation(&self) -> Option<&str> {
        Some("MONOCHROME2")
    }
    fn number_of_frames(&self) -> Option<u32> {
        Some(1)
    }
    fn number_of_fragments(&self) -> Option<u32> {
        Some(1)
    }
    fn fragment(&self, fragment: usize) -> Option<Cow<'_, [u8]>> {
        (fragment == 0).then(|| Cow::Borrowed(&self.frame[..]))
    }
    fn offset_table(&self) -> Option<Cow<'_, [u32]>> {
        Some(Cow::Borrowed(&[0]))
    }
    fn raw_pixel_data(&self) -> Option<RawPixelData> {
        Some(RawPixelData { fragments: vec![self.frame.clone()].into(), offset_table: vec![0].into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jpeg_xl_streams_say_their_size_before_anything_is_unpacked() {
        // 512 rows in nine bits, square; 24 rows in five bits, 3 : 2.
        assert_eq!(jxl_size(&[0xff, 0x0a, 0xf8, 0x1f]), Some(Ok((512, 512))));
        assert_eq!(jxl_size(&[0xff, 0x0a, 0x05, 0x01]), Some(Ok((36, 24))));
        assert!(jxl_size(&[0xff, 0x0a]).is_some_and(|size| size.is_err()), "cut short");
        assert_eq!(jxl_size(&[0xff, 0xd8, 0xff]), None, "a JPEG");
        let mut boxed = vec![0, 0, 0, 12, b'J', b'X', b'L', b' ', 13, 10, 0x87, 10];
        boxed.extend([0, 0, 0, 0, b'j', b'x', b'l', b'c', 0xff, 0x0a, 0xf8, 0x1f]);
        assert_eq!(jxl_size(&boxed), Some(Ok((512, 512))));
    }

    #[test]
    fn streams_say_their_size() {
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc3, 0, 11, 16, 0x02, 0x00, 0x01, 0x00, 1];
        assert_eq!(Stream::of(&jpeg), Some(Stream { columns: 256, rows: 512, components: 1, bits: 16 }));
        assert_eq!(Stream::of(&jpeg[..14]), None);
        assert_eq!(Stream::of(b"no jpeg"), None);
        assert_eq!(Stream::of(&[0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xe0, 0, 0]), None);
    }

    #[test]
    fn runs_are_unpacked_high_bytes_first() {
        // Two segments: 3 times 1; then 5, 6, 7 as they are. A no-operation (128) is passed over.
        let mut frame = vec![2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0];
        frame.resize(64, 0);
        frame.extend_from_slice(&[254, 1, 128, 2, 5, 6, 7]);
        assert_eq!(unpack_runs(&frame, 6, 2), Ok(vec![5, 1, 6, 1, 7, 1]));
        assert!(unpack_runs(&frame[..69], 6, 2).is_err());
        assert!(unpack_runs(&frame, 6, 1).is_err(), "another number of bytes");
        assert!(unpack_runs(&frame[..5], 6, 2).is_err());
    }
}
