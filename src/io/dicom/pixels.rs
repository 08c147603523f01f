//! Stored bits of one image to 16-bit samples, exactly.
//!
//! In: the file of a slice. Out: samples in row order. Unsigned 16-bit data are shifted by 32768 to fit `i16`
//! ([`sample_offset`]); everything else is kept as stored. Source: DICOM PS3.5 section 8.
//! Not here: rescale, padding, order of slices.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use dicom_dictionary_std::tags;
use dicom_object::{InMemDicomObject, OpenFileOptions};
use dicom_pixeldata::PixelDecoder;

use super::header::{PixelFormat, SliceHeader};
use super::layout::{Encoding, PixelSpan};
use super::source::DicomSource;

/// Pixels of one image that are believed; the largest detectors stay below.
const MAX_SLICE_PIXELS: u64 = 1 << 26;

/// Why the pixels of a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PixelError {
    /// No pixel data element.
    #[error("holds no image")]
    NoPixels,
    /// Floating point pixels.
    #[error("holds {0} rows and {1} columns, which is not possible")]
    Size(u32, u32),
    /// Multi-frame.
    #[error("holds {0} frames; multi-frame images are not read yet")]
    Frames(i64),
    /// Colour.
    #[error("is a colour image ({0}); only grey values can be reconstructed")]
    Color(String),
    /// An impossible or unsupported bit layout.
    #[error("stores {stored} of {allocated} bits with high bit {high}; only 8 and 16 bits per pixel are read")]
    Bits {
        /// Bits Stored.
        stored: u32,
        /// Bits Allocated.
        allocated: u32,
        /// High Bit.
        high: u32,
    },
    /// A compression that this program cannot undo.
    #[error("is compressed with {0}, which this program cannot read")]
    Syntax(String),
    /// Values by table.
    #[error("gives its values by a Modality LUT, which is not read yet")]
    ModalityLut,
    /// The file ends early.
    #[error("is cut short: {have} of {need} bytes of pixels are there")]
    CutShort {
        /// Bytes in the file.
        have: u64,
        /// Bytes that rows and columns ask for.
        need: u64,
    },
    /// The decoder gave up.
    #[error("cannot be decompressed: {0}")]
    Decode(String),
    /// The file changed since it was looked at, or the medium failed.
    #[error("cannot be read: {0}")]
    Read(String),
}

/// Checks that the pixels of a file can become samples, from its header alone.
///
/// # Errors
/// With the first reason why not.
pub fn check(header: &SliceHeader) -> Result<(), PixelError> {
    let (format, Some(span)) = (&header.format, &header.pixels) else { return Err(PixelError::NoPixels) };
    let pixels = u64::from(format.rows) * u64::from(format.columns);
    if pixels == 0 || pixels > MAX_SLICE_PIXELS || format.rows.max(format.columns) > crate::domain::grid::MAX_DIM {
        return Err(PixelError::Size(format.rows, format.columns));
    }
    if format.frames != 1 {
        return Err(PixelError::Frames(format.frames));
    }
    if format.samples_per_pixel != 1 || !format.photometric.starts_with("MONOCHROME") {
        return Err(PixelError::Color(format.photometric.clone()));
    }
    let PixelFormat { bits_allocated, bits_stored, high_bit, .. } = *format;
    let possible = matches!(bits_allocated, 8 | 16)
        && (1..=bits_allocated).contains(&bits_stored)
        && high_bit < bits_allocated
        && high_bit + 1 >= bits_stored;
    if !possible {
        return Err(PixelError::Bits { stored: bits_stored, allocated: bits_allocated, high: high_bit });
    }
    if header.has_modality_lut {
        return Err(PixelError::ModalityLut);
    }
    if span.encapsulated {
        return match syntax::of(&header.transfer_syntax) {
            Some(found) if found.can_decode => Ok(()),
            Some(found) => Err(PixelError::Syntax(found.name)),
            None => Err(PixelError::Syntax(header.transfer_syntax.clone())),
        };
    }
    if syntax::of(&header.transfer_syntax).is_none() && !header.transfer_syntax.is_empty() {
        return Err(PixelError::Syntax(header.transfer_syntax.clone()));
    }
    let need = pixels * u64::from(bits_allocated / 8);
    if span.length < need { Err(PixelError::CutShort { have: span.length, need }) } else { Ok(()) }
}

/// What is subtracted from a stored value so that it fits a sample.
pub fn sample_offset(format: &PixelFormat) -> i32 {
    if !format.signed && format.bits_stored == 16 { 32768 } else { 0 }
}

/// The stored value that some stored bits mean, less [`sample_offset`].
pub fn sample_of_bits(bits: u16, format: &PixelFormat) -> i16 {
    let shifted = bits >> (format.high_bit + 1 - format.bits_stored);
    let unused = 16 - format.bits_stored;
    if format.signed {
        ((shifted << unused) as i16) >> unused
    } else if unused == 0 {
        (shifted ^ 0x8000) as i16
    } else {
        (shifted & (u16::MAX >> unused)) as i16
    }
}

/// Reads the pixels of a file into `samples`, which is one slice long.
///
/// # Errors
/// When the file is cut short or its compressed pixels are damaged.
pub fn read_samples(header: &SliceHeader, scratch: &mut Vec<u8>, samples: &mut [i16]) -> Result<(), PixelError> {
    check(header)?;
    let Some(span) = header.pixels else { return Err(PixelError::NoPixels) };
    let need = samples.len() * (header.format.bits_allocated / 8) as usize;
    if span.encapsulated {
        *scratch = decompress(header)?;
    } else {
        read_native(header, span, need, scratch).map_err(|error| PixelError::Read(error.to_string()))?;
    }
    if scratch.len() < need {
        return Err(PixelError::CutShort { have: scratch.len() as u64, need: need as u64 });
    }
    unpack(&scratch[..need], &header.format, header.encoding == Encoding::ExplicitBig, samples);
    Ok(())
}

fn read_native(header: &SliceHeader, span: PixelSpan, need: usize, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    bytes.clear();
    if header.transfer_syntax == DEFLATED {
        let mut source = DicomSource::open(&header.path).map_err(std::io::Error::other)?;
        source.bytes.seek(SeekFrom::Start(span.offset))?;
        source.bytes.take(need as u64).read_to_end(bytes)?;
    } else {
        let mut file = File::open(&header.path)?;
        file.seek(SeekFrom::Start(span.offset))?;
        file.take(need as u64).read_to_end(bytes)?;
    }
    Ok(())
}

/// *Deflated Explicit VR Little Endian*.
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

fn decompress(header: &SliceHeader) -> Result<Vec<u8>, PixelError> {
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        let object = OpenFileOptions::new()
            .read_to(tags::PIXEL_DATA)
            .open_file(&header.path)
            .map_err(|error| PixelError::Read(error.to_string()))?;
        check_jpeg_size(&object, header)?;
        let pixels = object.decode_pixel_data().map_err(|error| PixelError::Decode(error.to_string()))?;
        Ok(pixels.into_data())
    }));
    decoded.unwrap_or_else(|_| Err(PixelError::Decode("the decoder failed on damaged data".to_owned())))
}

/// A JPEG inside that claims another size than the header would make its decoder ask for memory without bound.
fn check_jpeg_size(object: &InMemDicomObject, header: &SliceHeader) -> Result<(), PixelError> {
    let fragment = object.get(tags::PIXEL_DATA).and_then(|pixels| pixels.fragments()).and_then(<[Vec<u8>]>::first);
    let Some((columns, rows)) = fragment.and_then(|fragment| jpeg_size(fragment)) else { return Ok(()) };
    if (columns, rows) == (header.format.columns, header.format.rows) {
        return Ok(());
    }
    let (ni, nj) = (header.format.columns, header.format.rows);
    Err(PixelError::Decode(format!("it is {columns} x {rows} inside, but its header says {ni} x {nj}")))
}

/// Columns and rows of a JPEG stream, from its frame header; `None` when these bytes are no JPEG.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return None;
    }
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
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => return Some((number(7)?, number(5)?)),
            _ => at += 2 + number(2)? as usize,
        }
    }
}

fn unpack(bytes: &[u8], format: &PixelFormat, is_big_endian: bool, samples: &mut [i16]) {
    if format.bits_allocated == 8 {
        for (sample, &byte) in samples.iter_mut().zip(bytes) {
            *sample = sample_of_bits(u16::from(byte), format);
        }
        return;
    }
    let (pairs, _) = bytes.as_chunks::<2>();
    let pairs = samples.iter_mut().zip(pairs);
    if is_big_endian {
        pairs.for_each(|(sample, &pair)| *sample = sample_of_bits(u16::from_be_bytes(pair), format));
    } else if format.signed && format.bits_stored == 16 {
        pairs.for_each(|(sample, &pair)| *sample = i16::from_le_bytes(pair));
    } else {
        pairs.for_each(|(sample, &pair)| *sample = sample_of_bits(u16::from_le_bytes(pair), format));
    }
}

/// What is known of a transfer syntax.
mod syntax {
    use dicom_transfer_syntax_registry::{TransferSyntaxIndex, TransferSyntaxRegistry};

    /// A transfer syntax of the standard.
    pub(super) struct Syntax {
        /// Name for people.
        pub(super) name: String,
        /// Whether its pixels can be decoded here.
        pub(super) can_decode: bool,
    }

    pub(super) fn of(uid: &str) -> Option<Syntax> {
        let found = TransferSyntaxRegistry.get(uid)?;
        Some(Syntax { name: found.name().to_owned(), can_decode: found.can_decode_all() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(allocated: u32, stored: u32, high: u32, signed: bool) -> PixelFormat {
        PixelFormat {
            rows: 1,
            columns: 1,
            frames: 1,
            samples_per_pixel: 1,
            photometric: "MONOCHROME2".to_owned(),
            bits_allocated: allocated,
            bits_stored: stored,
            high_bit: high,
            signed,
            padding: None,
        }
    }

    #[test]
    fn every_bit_layout_gives_its_stored_value() {
        let cases = [
            (format(16, 16, 15, true), 0xfc00, -1024),
            (format(16, 12, 11, false), 0xf123, 0x123),
            (format(16, 12, 11, true), 0x0fff, -1),
            (format(16, 12, 15, false), 0xabc0, 0xabc),
            (format(16, 12, 15, true), 0xfff0, -1),
            (format(16, 16, 15, false), 0, -32768),
            (format(16, 16, 15, false), 0xffff, 32767),
            (format(8, 8, 7, false), 0xff, 255),
            (format(8, 8, 7, true), 0xff, -1),
            (format(16, 1, 0, false), 0xffff, 1),
        ];
        for (format, bits, expected) in cases {
            assert_eq!(sample_of_bits(bits, &format), expected, "{format:?}");
        }
    }

    #[test]
    fn a_jpeg_says_its_size() {
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc3, 0, 11, 16, 0x02, 0x00, 0x01, 0x00, 1];
        assert_eq!(jpeg_size(&jpeg), Some((256, 512)));
        assert_eq!(jpeg_size(&jpeg[..14]), None);
        assert_eq!(jpeg_size(b"no jpeg"), None);
        assert_eq!(jpeg_size(&[0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xe0, 0, 0]), None);
    }

    #[test]
    fn both_byte_orders_are_read() {
        let (mut little, mut big) = ([0; 2], [0; 2]);
        unpack(&[0x01, 0x02, 0xff, 0xff], &format(16, 16, 15, true), false, &mut little);
        unpack(&[0x02, 0x01, 0xff, 0xff], &format(16, 16, 15, true), true, &mut big);
        assert_eq!(little, [0x201, -1]);
        assert_eq!(little, big);
    }
}
