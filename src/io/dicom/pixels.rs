//! Stored bits of one image to 16-bit samples, exactly.
//!
//! In: the file of a slice. Out: samples in row order. Unsigned 16-bit data are shifted by 32768 to fit `i16`
//! ([`sample_offset`]); everything else is kept as stored. Source: DICOM PS3.5 section 8.
//! Not here: pixels of 32 bits and more (`wide`), rescale, padding, order of slices.

use std::io::{Read, Seek, SeekFrom};

use super::codec;
use super::fragments::{START_BYTES, frame_pieces};
use super::header::{FileHeader, PixelFormat, SliceHeader};
use super::layout::{Encoding, Fragment, Numbers};
use super::source::{DicomSource, ReadSeek};
use super::wide;
use crate::io::archive;

/// Pixels of one image that are believed; the largest detectors stay below.
const MAX_SLICE_PIXELS: u64 = 1 << 26;

/// Why the pixels of a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PixelError {
    /// No pixel data element.
    #[error("holds no image")]
    NoPixels,
    /// No rows, no columns, or more than is believed.
    #[error("holds {0} rows and {1} columns, which is not possible")]
    Size(u32, u32),
    /// Frames without a place.
    #[error("holds {0} frames, but {1}")]
    Frames(i64, String),
    /// Colour.
    #[error("is a colour image ({0}); only grey values can be reconstructed")]
    Color(String),
    /// An impossible or unsupported bit layout.
    #[error("stores {stored} of {allocated} bits with high bit {high}; only 8, 16 and 32 bits per pixel are read")]
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
    /// The file ends early.
    #[error("is cut short: {have} of {need} bytes of pixels are there")]
    CutShort {
        /// Bytes in the file.
        have: u64,
        /// Bytes that rows and columns ask for.
        need: u64,
    },
    /// The file ends inside the last piece of compressed pixels.
    #[error("is cut short: its compressed pixels are not all there")]
    CompressedCutShort,
    /// The decoder gave up.
    #[error("cannot be decompressed: {0}")]
    Decode(String),
    /// The file changed since it was looked at, or the medium failed.
    #[error("cannot be read: {0}")]
    Read(String),
}

/// Checks that the pixels of an image can become samples of a volume, from its header alone.
///
/// # Errors
/// With the first reason why not.
pub fn check(header: &SliceHeader) -> Result<(), PixelError> {
    check_frame(&header.file, header.frame)?;
    match &header.file.frames_without_place {
        None => Ok(()),
        Some(why) => Err(PixelError::Frames(header.file.format.frames, why.to_string())),
    }
}

/// Checks the pixels of a frame, wherever it lies.
fn check_frame(file: &FileHeader, frame: u32) -> Result<(), PixelError> {
    let (format, Some(span)) = (&file.format, &file.pixels) else { return Err(PixelError::NoPixels) };
    let pixels = u64::from(format.rows) * u64::from(format.columns);
    if pixels == 0 || pixels > MAX_SLICE_PIXELS || format.rows.max(format.columns) > crate::domain::grid::MAX_DIM {
        return Err(PixelError::Size(format.rows, format.columns));
    }
    if format.frames < 1 || i64::from(frame) >= format.frames {
        return Err(PixelError::Frames(format.frames, "that number is not possible".to_owned()));
    }
    if format.samples_per_pixel != 1 || !format.photometric.starts_with("MONOCHROME") {
        return Err(PixelError::Color(format.photometric.clone()));
    }
    let PixelFormat { bits_allocated, bits_stored, high_bit, .. } = *format;
    let possible = match span.numbers {
        Numbers::Whole => {
            matches!(bits_allocated, 8 | 16 | 32)
                && (1..=bits_allocated).contains(&bits_stored)
                && high_bit < bits_allocated
                && high_bit + 1 >= bits_stored
        }
        // What bits of a floating-point number mean does not vary.
        Numbers::Float => matches!(bits_allocated, 0 | 32),
        Numbers::Double => matches!(bits_allocated, 0 | 64),
    };
    if !possible {
        return Err(PixelError::Bits { stored: bits_stored, allocated: bits_allocated, high: high_bit });
    }
    let syntax = &file.transfer_syntax;
    match codec::known(syntax) {
        None if !syntax.is_empty() => return Err(PixelError::Syntax(syntax.clone())),
        Some((name, false)) if span.encapsulated => return Err(PixelError::Syntax(name)),
        None if span.encapsulated => return Err(PixelError::Syntax("something that it does not name".to_owned())),
        _ => {}
    }
    if span.encapsulated && syntax == JPEG_EXTENDED && bits_stored > 8 {
        return Err(PixelError::Syntax("lossy JPEG of 12 bits (JPEG Extended)".to_owned()));
    }
    let has_wide_codec = span.numbers == Numbers::Whole && !codec::aligns_low(syntax);
    if span.encapsulated && is_wide(file) && !has_wide_codec {
        let name = codec::known(syntax).map_or_else(|| syntax.clone(), |(name, _)| name);
        return Err(PixelError::Syntax(format!("{name} of more than 16 bits")));
    }
    let need = pixels * bytes_per_pixel(file) as u64 * (u64::from(frame) + 1);
    if !span.encapsulated && span.length < need {
        return Err(PixelError::CutShort { have: span.length, need });
    }
    if span.encapsulated && span.is_cut && i64::from(frame) + 1 == format.frames {
        return Err(PixelError::CompressedCutShort);
    }
    Ok(())
}

/// Whether stored values do not fit a sample as they are: 32-bit whole numbers, and numbers with a fraction.
pub(super) fn is_wide(file: &FileHeader) -> bool {
    file.format.bits_allocated > 16 || file.pixels.is_some_and(|span| span.numbers != Numbers::Whole)
}

/// Bytes of one stored value.
pub(super) fn bytes_per_pixel(file: &FileHeader) -> usize {
    match file.pixels.map(|span| span.numbers) {
        Some(Numbers::Float) => 4,
        Some(Numbers::Double) => 8,
        _ => (file.format.bits_allocated / 8) as usize,
    }
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

/// Stands for a pixel whose stored bits are padding that no value of its kind can be; see [`is_padding_outside`]. No sample of
/// less than 16 bits is as low.
pub(super) const PADDING_MARK: i16 = i16::MIN;

/// Whether padding is written in the unused high bits too, so that what is left of it under *Bits Stored* is a value that
/// tissue has. Source: DICOM PS3.3 C.7.5.1.1.2, where the padding value has the value representation of the pixels.
pub(super) fn is_padding_outside(format: &PixelFormat) -> bool {
    let fits = |value: u16| {
        if format.signed {
            let unused = 16 - format.bits_stored;
            (value as i16) << unused >> unused == value as i16
        } else {
            u32::from(value) >> format.bits_stored == 0
        }
    };
    format.bits_allocated == 16
        && format.bits_stored < 16
        && format.high_bit + 1 == format.bits_stored
        && format.padding.is_some_and(|(value, limit)| !fits(value) && !fits(limit))
}

/// How the stored bits of a pixel become a sample.
fn sample_of(format: &PixelFormat) -> impl Fn(u16) -> i16 {
    let padding = format.padding.filter(|_| is_padding_outside(format));
    move |bits| match padding {
        Some((value, limit)) if (value.min(limit)..=value.max(limit)).contains(&bits) => PADDING_MARK,
        _ => sample_of_bits(bits, format),
    }
}

/// Reads the pixels of an image into `samples`, which is one slice long. Where the image goes by its
/// modality LUT these are the LUT's values, less [`LUT_OFFSET`].
///
/// # Errors
/// When the file is cut short or its compressed pixels are damaged.
///
/// # Panics
/// When the values are wide (see `wide`).
pub fn read_samples(
    header: &SliceHeader,
    by_lut: bool,
    scratch: &mut Vec<u8>,
    samples: &mut [i16],
) -> Result<(), PixelError> {
    read_frame(&header.file, header.frame, scratch, samples)?;
    if let Some(lut) = header.lut.as_ref().filter(|_| by_lut) {
        let offset = sample_offset(&header.file.format);
        for sample in samples {
            *sample = (i32::from(lut.value(i32::from(*sample) + offset)) - LUT_OFFSET) as i16;
        }
    }
    Ok(())
}

/// The stored values of one frame of a file, whether or not it has a place in the patient.
///
/// # Errors
/// As [`read_samples`].
pub fn stored_values(file: &FileHeader, frame: u32) -> Result<Vec<f64>, PixelError> {
    check_frame(file, frame)?;
    if is_wide(file) {
        return wide::stored(file, frame, &mut Vec::new());
    }
    let mut samples = vec![0; file.format.rows as usize * file.format.columns as usize];
    read_frame(file, frame, &mut Vec::new(), &mut samples)?;
    let offset = sample_offset(&file.format);
    Ok(samples.into_iter().map(|sample| f64::from(i32::from(sample) + offset)).collect())
}

/// Reads stored values, less [`sample_offset`].
fn read_frame(file: &FileHeader, frame: u32, scratch: &mut Vec<u8>, samples: &mut [i16]) -> Result<(), PixelError> {
    assert!(!is_wide(file), "wide values are no samples yet");
    if let Some(offset) = plain_offset(file, frame, samples.len())? {
        return read_plain(file, offset, samples);
    }
    let (format, is_big_endian) = read_bytes(file, frame, samples.len(), scratch)?;
    unpack(scratch, &format, is_big_endian, samples);
    Ok(())
}

/// Where the pixels of a frame of `count` lie in the file, when they lie there as samples are kept: pairs of bytes, the low one
/// first, neither compressed nor deflated.
fn plain_offset(file: &FileHeader, frame: u32, count: usize) -> Result<Option<u64>, PixelError> {
    check_frame(file, frame)?;
    let Some(span) = file.pixels else { return Err(PixelError::NoPixels) };
    let is_plain = !span.encapsulated
        && file.transfer_syntax != DEFLATED
        && file.encoding != Encoding::ExplicitBig
        && file.format.bits_allocated == 16;
    Ok(is_plain.then(|| span.offset + u64::from(frame) * 2 * count as u64))
}

/// Reads pairs of bytes straight to where the samples belong: most series come so, and a buffer between costs as much as the
/// file itself.
fn read_plain(file: &FileHeader, offset: u64, samples: &mut [i16]) -> Result<(), PixelError> {
    let failed = |error: std::io::Error| PixelError::Read(error.to_string());
    let mut opened = archive::open(&file.path).map_err(failed)?;
    opened.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(samples);
    let mut have = 0;
    while have < bytes.len() {
        match opened.read(&mut bytes[have..]) {
            Ok(0) => return Err(PixelError::CutShort { have: have as u64, need: bytes.len() as u64 }),
            Ok(more) => have += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let format = &file.format;
    if cfg!(target_endian = "big") || !(format.signed && format.bits_stored == 16) {
        let sample_of = sample_of(format);
        for sample in samples {
            *sample = sample_of(u16::from_le(*sample as u16));
        }
    }
    Ok(())
}

/// Reads the plain bytes of the `count` pixels of a frame: how they are stored, and whether the high bytes come first.
pub(super) fn read_bytes(
    file: &FileHeader,
    frame: u32,
    count: usize,
    scratch: &mut Vec<u8>,
) -> Result<(PixelFormat, bool), PixelError> {
    check_frame(file, frame)?;
    let Some(span) = file.pixels else { return Err(PixelError::NoPixels) };
    let need = count * bytes_per_pixel(file);
    let mut format = file.format.clone();
    if span.encapsulated {
        let frame = read_pieces(file, frame as usize)?;
        *scratch = codec::decompress(&file.transfer_syntax, &format, frame).map_err(PixelError::Decode)?;
        if codec::aligns_low(&file.transfer_syntax) {
            format.high_bit = format.bits_stored - 1;
        }
    } else {
        let offset = span.offset + u64::from(frame) * need as u64;
        read_native(file, offset, need, scratch).map_err(|error| PixelError::Read(error.to_string()))?;
    }
    if scratch.len() < need {
        return Err(PixelError::CutShort { have: scratch.len() as u64, need: need as u64 });
    }
    scratch.truncate(need);
    Ok((format, file.encoding == Encoding::ExplicitBig && !span.encapsulated))
}

/// What is subtracted from the values of a modality LUT so that they fit a sample.
pub const LUT_OFFSET: i32 = 32768;

fn read_native(file: &FileHeader, offset: u64, need: usize, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    bytes.clear();
    if file.transfer_syntax == DEFLATED {
        let mut source = DicomSource::open(&file.path).map_err(std::io::Error::other)?;
        source.bytes.seek(SeekFrom::Start(offset))?;
        source.bytes.take(need as u64).read_to_end(bytes)?;
    } else {
        let mut opened = archive::open(&file.path)?;
        opened.seek(SeekFrom::Start(offset))?;
        opened.take(need as u64).read_to_end(bytes)?;
    }
    Ok(())
}

/// *JPEG Extended (Process 2 and 4)*: the decoder reads its 8-bit half.
const JPEG_EXTENDED: &str = "1.2.840.10008.1.2.4.51";

/// *Deflated Explicit VR Little Endian*.
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// The compressed bytes of one frame.
fn read_pieces(file: &FileHeader, frame: usize) -> Result<Vec<u8>, PixelError> {
    let failed = |error: std::io::Error| PixelError::Read(error.to_string());
    let mut opened = archive::open(&file.path).map_err(failed)?;
    let [table, pieces @ ..] = &file.fragments[..] else { return Err(PixelError::NoPixels) };
    let of_frames = file.pieces.get_or_init(|| {
        let mut basic = Vec::new();
        // A table that cannot be read is as good as none.
        drop(read_piece(&mut *opened, table, &mut basic));
        let start_of = |piece: &Fragment| {
            let mut start = [0; START_BYTES];
            let mut bytes = Vec::new();
            let piece = Fragment { length: piece.length.min(START_BYTES as u32), ..*piece };
            if read_piece(&mut *opened, &piece, &mut bytes).is_ok() {
                start[..bytes.len()].copy_from_slice(&bytes);
            }
            start
        };
        frame_pieces(file.format.frames as usize, pieces, &basic, &file.extended_offsets, start_of)
    });
    let range = match of_frames {
        Ok(ranges) => ranges.get(frame).cloned().ok_or(PixelError::NoPixels)?,
        Err(why) => return Err(PixelError::Decode(format!("it {why}"))),
    };
    let mut bytes = Vec::new();
    for piece in &pieces[range] {
        read_piece(&mut *opened, piece, &mut bytes).map_err(failed)?;
    }
    Ok(bytes)
}

fn read_piece(file: &mut dyn ReadSeek, piece: &Fragment, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(piece.offset))?;
    file.take(u64::from(piece.length)).read_to_end(bytes)?;
    Ok(())
}

fn unpack(bytes: &[u8], format: &PixelFormat, is_big_endian: bool, samples: &mut [i16]) {
    if format.bits_allocated == 8 {
        for (sample, &byte) in samples.iter_mut().zip(bytes) {
            *sample = sample_of_bits(u16::from(byte), format);
        }
        return;
    }
    let (pairs, _) = bytes.as_chunks::<2>();
    let (pairs, sample_of) = (samples.iter_mut().zip(pairs), sample_of(format));
    if is_big_endian {
        pairs.for_each(|(sample, &pair)| *sample = sample_of(u16::from_be_bytes(pair)));
    } else if format.signed && format.bits_stored == 16 {
        pairs.for_each(|(sample, &pair)| *sample = i16::from_le_bytes(pair));
    } else {
        pairs.for_each(|(sample, &pair)| *sample = sample_of(u16::from_le_bytes(pair)));
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
            wide_padding: None,
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
    fn padding_in_the_unused_bits_is_not_taken_for_tissue() {
        // -2000 in 16 bits beside 12 bits of values: under the mask it would be 2096.
        let format = PixelFormat { padding: Some((63_536, 63_536)), ..format(16, 12, 11, false) };
        let words = [63_536_u16, 2096, 0].map(u16::to_le_bytes);
        let mut samples = [0; 3];
        unpack(words.as_flattened(), &format, false, &mut samples);
        assert_eq!(samples, [PADDING_MARK, 2096, 0]);
        let inside = PixelFormat { padding: Some((2096, 2096)), ..format };
        assert!(!is_padding_outside(&inside), "padding that is a value stays one");
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
