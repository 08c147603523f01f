//! What NIfTI, NRRD and MetaImage have in common: one block of samples of some number format somewhere in a file, maybe packed.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::domain::grid::Grid;
use crate::domain::volume::{Rescale, Volume};
use crate::io::archive;
use crate::io::report::Report;
use crate::task::Progress;

use super::samples::{
    ReadSamples, SampleError, SampleKind, SampleStream, guess_quantity, gunzip, gzip_can_hold, preview_of,
};
use super::{ImportError, SlicePreview};

/// How samples are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Packing {
    /// As they are.
    Raw,
    /// gzip.
    Gzip,
    /// zlib.
    Zlib,
    /// Numbers as text.
    Text,
}

/// Where the samples of a file are and what they mean.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResearchPlan {
    /// The file with the samples.
    pub data_file: PathBuf,
    /// First byte of the (packed) samples; `None`: they end with the file.
    pub file_start: Option<u64>,
    /// Bytes to skip after unpacking.
    pub stream_start: u64,
    /// Packing.
    pub packing: Packing,
    /// Number format.
    pub kind: SampleKind,
    /// Byte order.
    pub is_big_endian: bool,
    /// What the file says values are.
    pub rescale: Rescale,
    /// The steps that values lie on, where the file says so: they then become the very samples that were written.
    pub lattice: Option<Rescale>,
    /// Size and place.
    pub grid: Grid,
    /// Samples for each voxel (layers of a segmentation), fastest; 1 for volumes.
    pub components: u64,
}

impl ResearchPlan {
    fn sample_count(&self) -> u64 {
        self.grid.voxel_count() as u64 * self.components
    }

    /// Checks, before any memory is asked for, that the file is long enough for what its header says.
    ///
    /// # Errors
    /// When it is not, or is not there.
    pub fn check(&self) -> Result<(), ImportError> {
        let length = archive::length(&self.data_file)
            .map_err(|error| ImportError::file(&self.data_file, &format!("cannot be read: {error}")))?;
        let left = length.saturating_sub(self.file_start.unwrap_or(0));
        let need = self.sample_count() * self.kind.bytes() as u64;
        let enough = match self.packing {
            Packing::Raw => left >= need.saturating_add(self.stream_start),
            Packing::Gzip | Packing::Zlib => gzip_can_hold(left, need.saturating_add(self.stream_start)),
            Packing::Text => left.saturating_add(1) / 2 >= self.sample_count(),
        };
        if enough {
            return Ok(());
        }
        let [ni, nj, nk] = self.grid.dims();
        let reason = format!("is cut short: its header asks for {ni} x {nj} x {nk} voxels, more than it can hold");
        Err(ImportError::file(&self.data_file, &reason))
    }

    fn open(&self) -> io::Result<Box<dyn Read>> {
        let mut file = archive::open(&self.data_file)?;
        let need = self.sample_count() * self.kind.bytes() as u64;
        let start = match self.file_start {
            Some(start) => start,
            None => file.seek(SeekFrom::End(0))?.saturating_sub(need),
        };
        file.seek(SeekFrom::Start(start))?;
        let mut stream: Box<dyn Read> = match self.packing {
            Packing::Raw => Box::new(io::BufReader::with_capacity(1 << 16, file)),
            Packing::Gzip => gunzip(file),
            Packing::Zlib => Box::new(flate2::read::ZlibDecoder::new(io::BufReader::with_capacity(1 << 16, file))),
            Packing::Text => return Ok(Box::new(Cursor::new(numbers_of_text(file, self.sample_count())?))),
        };
        let skipped = io::copy(&mut stream.by_ref().take(self.stream_start), &mut io::sink())?;
        if skipped < self.stream_start { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(stream) }
    }

    /// Reads all samples.
    ///
    /// # Errors
    /// When the file is damaged or cut short, memory is short, or the work was cancelled.
    pub fn read(&self, report: &mut Report, progress: &Progress) -> Result<ReadSamples, ImportError> {
        self.check()?;
        let is_text = self.packing == Packing::Text;
        let stream = SampleStream {
            open: &|| self.open(),
            kind: if is_text { SampleKind::F64 } else { self.kind },
            is_big_endian: self.is_big_endian && !is_text,
            count: usize::try_from(self.sample_count()).unwrap_or(usize::MAX),
            rescale: self.rescale,
            lattice: self.lattice,
        };
        stream.read(report, progress).map_err(|error| match error {
            SampleError::Cancelled(cancelled) => ImportError::Cancelled(cancelled),
            SampleError::Memory(memory) => *memory,
            error => ImportError::file(&self.data_file, &error),
        })
    }

    /// Reads the volume.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn load(
        &self,
        report: &mut Report,
        progress: &Progress,
        on_slice: &(dyn Fn(SlicePreview) + Sync),
    ) -> Result<Volume, ImportError> {
        let ReadSamples { samples, rescale } = self.read(report, progress)?;
        let (low, high) = samples
            .par_chunks(1 << 16)
            .map(|chunk| chunk.iter().fold((i16::MAX, i16::MIN), |(low, high), &s| (low.min(s), high.max(s))))
            .reduce(|| (i16::MAX, i16::MIN), |a, b| (a.0.min(b.0), a.1.max(b.1)));
        let (a, b) = (rescale.value(f64::from(low)), rescale.value(f64::from(high)));
        if !(rescale.slope.is_finite() && rescale.intercept.is_finite() && rescale.slope != 0.0) {
            return Err(ImportError::file(&self.data_file, "gives values that are no numbers"));
        }
        let quantity = guess_quantity(a.min(b), a.max(b), report);
        let (dims, spacing_mm) = (self.grid.dims(), self.grid.spacing_mm().to_array());
        on_slice(preview_of(&samples, dims, spacing_mm, dims[2] / 2, rescale));
        Ok(Volume::of_samples(self.grid, samples, rescale, quantity))
    }

    /// Reads the middle slice alone, unpacking only as far as that; samples are spread over the slice's own range.
    pub fn middle_slice(&self) -> Option<SlicePreview> {
        self.check().ok()?;
        let [ni, nj, nk] = self.grid.dims();
        let slice_len = ni as usize * nj as usize;
        let mut before = self.open().ok()?;
        let kind = if self.packing == Packing::Text { SampleKind::F64 } else { self.kind };
        let skip = u64::from(nk / 2) * slice_len as u64 * kind.bytes() as u64;
        io::copy(&mut before.by_ref().take(skip), &mut io::sink()).ok()?;
        let mut bytes = vec![0; slice_len * kind.bytes()];
        before.read_exact(&mut bytes).ok()?;
        let bytes = std::cell::Cell::new(bytes);
        let open = || -> io::Result<Box<dyn Read>> {
            let taken = bytes.take();
            bytes.set(taken.clone());
            Ok(Box::new(Cursor::new(taken)))
        };
        let is_big_endian = self.is_big_endian && self.packing != Packing::Text;
        let stream =
            SampleStream { open: &open, kind, is_big_endian, count: slice_len, rescale: self.rescale, lattice: None };
        let read = stream.read(&mut Report::default(), &Progress::new()).ok()?;
        let spacing_mm = self.grid.spacing_mm();
        Some(SlicePreview {
            k: nk / 2,
            slice_count: nk,
            width: ni,
            height: nj,
            spacing_mm: [spacing_mm.x, spacing_mm.y],
            samples: read.samples.to_vec(),
            rescale: read.rescale,
        })
    }
}

/// Numbers separated by anything blank, as little-endian f64; at most `count` of them.
fn numbers_of_text(file: impl Read, count: u64) -> io::Result<Vec<u8>> {
    let mut text = String::new();
    file.take(count.saturating_mul(64)).read_to_string(&mut text)?;
    let mut bytes = Vec::new();
    for word in text.split_ascii_whitespace().take(count as usize) {
        let number: f64 =
            word.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("{word:.20} is no number")))?;
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    Ok(bytes)
}

/// File name without its image extensions.
pub fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lower = name.to_ascii_lowercase();
    let known = [".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd"];
    let cut = known.iter().find(|end| lower.ends_with(**end)).map_or(0, |end| end.len());
    name[..name.len() - cut].to_owned()
}
