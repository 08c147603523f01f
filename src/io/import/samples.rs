//! Samples of any number format to the 16 bits of a volume, from a stream that may be packed.
//!
//! What 16 bits hold exactly (after a shift) is kept exactly. Anything else is requantised once: a first pass over the
//! stream finds the range, a second one fills the volume, so that memory stays at the volume's own size. The largest
//! error is reported. Values that are no numbers become the lowest value, and are counted.

use std::io::{self, BufReader, Read};

use serde::{Deserialize, Serialize};

use crate::domain::volume::{Quantity, Rescale, Samples};
use crate::io::report::Report;
use crate::task::{Cancelled, Progress};

use super::requantise::{allocate, fitting, quantised};
use super::{ImportError, SlicePreview};

/// Bytes read at once.
const CHUNK_SAMPLES: usize = 1 << 15;

/// Values are said to lie on steps when none is further off than this part of one.
const LATTICE_TOLERANCE: f64 = 0.01;

/// A number format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum SampleKind {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

impl SampleKind {
    /// Bytes of one sample.
    pub fn bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// What is added to a sample of a volume to get the stored value, for formats that fit 16 bits.
    fn exact_offset(self) -> Option<f64> {
        match self {
            Self::I8 | Self::U8 | Self::I16 => Some(0.0),
            Self::U16 => Some(32768.0),
            _ => None,
        }
    }

    /// The values of some bytes, as f64.
    fn decode(self, bytes: &[u8], is_big_endian: bool, values: &mut Vec<f64>) {
        macro_rules! numbers {
            ($type:ty) => {{
                let parse = if is_big_endian { <$type>::from_be_bytes } else { <$type>::from_le_bytes };
                let (parts, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
                values.extend(parts.iter().map(|part| parse(*part) as f64));
            }};
        }
        values.clear();
        match self {
            Self::I8 => numbers!(i8),
            Self::U8 => numbers!(u8),
            Self::I16 => numbers!(i16),
            Self::U16 => numbers!(u16),
            Self::I32 => numbers!(i32),
            Self::U32 => numbers!(u32),
            Self::I64 => numbers!(i64),
            Self::U64 => numbers!(u64),
            Self::F32 => numbers!(f32),
            Self::F64 => numbers!(f64),
        }
    }
}

/// Opens the samples of a file, unpacked, at their first byte. Called once for each pass.
pub type OpenSamples<'a> = dyn Fn() -> io::Result<Box<dyn Read>> + 'a;

/// A stream of samples.
pub struct SampleStream<'a> {
    /// Opens it.
    pub open: &'a OpenSamples<'a>,
    /// Number format.
    pub kind: SampleKind,
    /// Byte order.
    pub is_big_endian: bool,
    /// Samples to read.
    pub count: usize,
    /// What the file says values are: `value = slope * stored + intercept`.
    pub rescale: Rescale,
    /// The steps that values lie on, where the file says so.
    pub lattice: Option<Rescale>,
}

/// Samples of a volume and their meaning.
pub struct ReadSamples {
    /// i fastest.
    pub samples: Samples,
    /// Their meaning.
    pub rescale: Rescale,
}

/// Why a stream could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// Stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Ends early.
    #[error("is cut short: {have} of {need} samples are there")]
    CutShort {
        /// Samples in the file.
        have: usize,
        /// Samples that its header asks for.
        need: usize,
    },
    /// The packing is damaged or the medium failed.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// Not enough memory.
    #[error(transparent)]
    Memory(Box<ImportError>),
}

impl SampleStream<'_> {
    /// Reads all samples.
    ///
    /// # Errors
    /// When the stream is damaged or ends early, memory is short, or the work was cancelled.
    pub fn read(&self, report: &mut Report, progress: &Progress) -> Result<ReadSamples, SampleError> {
        let (map, rescale, is_exact) = self.plan(report, progress)?;
        progress.phase("Reading samples");
        let mut samples = allocate(self.count).map_err(|error| SampleError::Memory(Box::new(error)))?;
        let mut at = 0;
        let mut error = 0.0_f64;
        let direct = self.kind == SampleKind::I16 && !self.is_big_endian;
        if direct {
            return self.read_direct(samples, rescale, progress);
        }
        self.for_each_chunk(progress, |values| {
            for &value in values {
                let sample = quantised(map, if value.is_finite() { value } else { map.value(f64::from(i16::MIN)) });
                if !is_exact && value.is_finite() {
                    error = error.max((map.value(f64::from(sample)) - value).abs());
                }
                samples[at] = sample;
                at += 1;
            }
        })?;
        if let Some(lattice) = self.lattice.filter(|_| self.kind.exact_offset().is_none()) {
            if error > lattice.slope.abs() * LATTICE_TOLERANCE {
                return SampleStream { lattice: None, ..*self }.read(report, progress);
            }
        } else if error > 0.0 {
            let error = error * self.rescale.slope.abs();
            report.repaired(format!("values were brought to 16 bits; none changed by more than {error:.3e}"));
        }
        Ok(ReadSamples { samples, rescale })
    }

    /// Little-endian `i16`, by far the most common: straight into the volume.
    fn read_direct(
        &self,
        mut samples: Samples,
        rescale: Rescale,
        progress: &Progress,
    ) -> Result<ReadSamples, SampleError> {
        let mut reader = (self.open)()?;
        let need = self.count;
        for (index, chunk) in samples.chunks_mut(CHUNK_SAMPLES).enumerate() {
            progress.step(index * CHUNK_SAMPLES, need)?;
            let bytes: &mut [u8] = bytemuck::cast_slice_mut(chunk);
            let got = read_full(&mut reader, bytes)?;
            if got < bytes.len() {
                return Err(SampleError::CutShort { have: index * CHUNK_SAMPLES + got / 2, need });
            }
            if cfg!(target_endian = "big") {
                for sample in chunk {
                    *sample = i16::from_le(*sample);
                }
            }
        }
        Ok(ReadSamples { samples, rescale })
    }

    /// How stored values become samples: (stored = slope * sample + intercept, the volume's rescale, whether exact).
    fn plan(&self, report: &mut Report, progress: &Progress) -> Result<(Rescale, Rescale, bool), SampleError> {
        let (map, is_exact) = match (self.kind.exact_offset(), self.lattice) {
            (Some(offset), _) => (Rescale { slope: 1.0, intercept: offset }, true),
            (None, Some(lattice)) => (lattice, false),
            (None, None) => self.map_by_range(report, progress)?,
        };
        let outer = self.rescale;
        let slope = outer.slope * map.slope;
        let rescale = Rescale { slope, intercept: outer.slope * map.intercept + outer.intercept };
        Ok((map, rescale, is_exact))
    }

    fn map_by_range(&self, report: &mut Report, progress: &Progress) -> Result<(Rescale, bool), SampleError> {
        progress.phase("Finding the range of values");
        let (mut lower, mut upper) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut whole, mut broken) = (true, 0_u64);
        self.for_each_chunk(progress, |values| {
            for &value in values {
                if value.is_finite() {
                    (lower, upper) = (lower.min(value), upper.max(value));
                    whole &= value.fract() == 0.0;
                } else {
                    broken += 1;
                }
            }
        })?;
        if broken > 0 {
            report.repaired(format!(
                "{broken} samples are no numbers (NaN or infinite) and were set to the lowest value"
            ));
        }
        if lower > upper {
            return Ok((Rescale::IDENTITY, true));
        }
        let (scale, is_exact) = fitting(lower, upper, whole);
        // What is no number becomes the lowest sample, so that must be the lowest value.
        if broken > 0 && scale == Rescale::IDENTITY {
            return Ok((Rescale { slope: 1.0, intercept: lower - f64::from(i16::MIN) }, true));
        }
        Ok((scale, is_exact))
    }

    fn for_each_chunk(&self, progress: &Progress, mut take: impl FnMut(&[f64])) -> Result<(), SampleError> {
        let mut reader = (self.open)()?;
        let size = self.kind.bytes();
        let mut bytes = vec![0; CHUNK_SAMPLES * size];
        let mut values = Vec::with_capacity(CHUNK_SAMPLES);
        let mut done = 0;
        while done < self.count {
            progress.step(done, self.count)?;
            let wanted = (self.count - done).min(CHUNK_SAMPLES) * size;
            let got = read_full(&mut reader, &mut bytes[..wanted])?;
            if got < wanted {
                return Err(SampleError::CutShort { have: done + got / size, need: self.count });
            }
            self.kind.decode(&bytes[..wanted], self.is_big_endian, &mut values);
            take(&values);
            done += values.len();
        }
        Ok(())
    }
}

/// Fills `bytes` as far as the stream goes.
fn read_full(reader: &mut dyn Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match reader.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Unpacks gzip, of one or several members.
pub fn gunzip(reader: impl Read + 'static) -> Box<dyn Read> {
    Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, reader)))
}

/// Whether `packed_bytes` of gzip could hold `bytes`: deflate packs at most 1032 to 1.
pub fn gzip_can_hold(packed_bytes: u64, bytes: u64) -> bool {
    bytes <= packed_bytes.saturating_mul(1040).saturating_add(1 << 16)
}

/// What the values of a file that does not say so are: CT numbers where they reach as far below water as only air
/// does. Says that this is a guess.
pub fn guess_quantity(lower: f64, upper: f64, report: &mut Report) -> Quantity {
    if (-5000.0..=-500.0).contains(&lower) && (200.0..=70000.0).contains(&upper) {
        report.warning("the file does not say what its values are; they look like CT numbers and are taken as HU");
        Quantity::Hounsfield
    } else {
        Quantity::Arbitrary
    }
}

/// One slice of samples that are there.
pub fn preview_of(samples: &[i16], dims: [u32; 3], spacing_mm: [f64; 3], k: u32, rescale: Rescale) -> SlicePreview {
    let slice_len = dims[0] as usize * dims[1] as usize;
    SlicePreview {
        k,
        slice_count: dims[2],
        width: dims[0],
        height: dims[1],
        spacing_mm: [spacing_mm[0], spacing_mm[1]],
        samples: samples[k as usize * slice_len..(k as usize + 1) * slice_len].to_vec(),
        rescale,
    }
}
