//! The bytes of one file of an archive, as a file of its own: a stretch of the archive, or that stretch unpacked as far as
//! somebody reads.
//!
//! The checksum is compared once the last byte is reached. What is packed is always unpacked from the start, so that is every
//! file of which the end is read; what lies there as it is counts only when it is read from start to end, without a leap:
//! to sum what somebody leaps over would mean to read it. Headers that end early are not checked in either.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;

/// Bytes unpacked at a time.
const STEP: usize = 1 << 16;

/// A stretch of a file.
pub(super) struct Section {
    file: File,
    start: u64,
    length: u64,
    position: u64,
    /// What its bytes should sum up to, where that is known.
    crc32: Option<u32>,
    crc: Crc,
    /// Bytes from the start that are in the sum.
    summed: u64,
}

impl Section {
    pub(super) fn new(mut file: File, start: u64, length: u64, crc32: Option<u32>) -> io::Result<Self> {
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file, start, length, position: 0, crc32, crc: Crc::new(), summed: 0 })
    }

    /// Sums bytes that were read at the position, as far as they go on from those before.
    fn sum(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(crc32) = self.crc32 else { return Ok(()) };
        let known = self.summed.checked_sub(self.position).and_then(|known| usize::try_from(known).ok());
        let Some(new) = known.and_then(|known| bytes.get(known..)).filter(|new| !new.is_empty()) else { return Ok(()) };
        self.crc.update(new);
        self.summed += new.len() as u64;
        if self.summed == self.length && self.crc.sum() != crc32 { Err(wrong_sum()) } else { Ok(()) }
    }
}

impl Read for Section {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.position);
        let count = (bytes.len() as u64).min(left) as usize;
        let count = self.file.read(&mut bytes[..count])?;
        self.sum(&bytes[..count])?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Section {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        self.position = place(target, self.position, self.length)?;
        self.file.seek(SeekFrom::Start(self.start.saturating_add(self.position)))?;
        Ok(self.position)
    }
}

fn wrong_sum() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is damaged in the archive (checksum)")
}

fn place(target: SeekFrom, position: u64, length: u64) -> io::Result<u64> {
    let place = match target {
        SeekFrom::Start(place) => Some(place),
        SeekFrom::Current(by) => position.checked_add_signed(by),
        SeekFrom::End(by) => length.checked_add_signed(by),
    };
    place.ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Deflated bytes, unpacked from the start to where somebody reads and kept; never more than the archive says there are.
pub(super) struct Inflating {
    packed: DeflateDecoder<BufReader<Section>>,
    bytes: Vec<u8>,
    size: u64,
    position: u64,
    crc: Crc,
    crc32: u32,
}

impl Inflating {
    pub(super) fn new(section: Section, size: u64, crc32: u32) -> Self {
        let packed = DeflateDecoder::new(BufReader::with_capacity(STEP, section));
        Self { packed, bytes: Vec::new(), size, position: 0, crc: Crc::new(), crc32 }
    }

    /// Unpacks up to `end`.
    fn reach(&mut self, end: u64) -> io::Result<()> {
        let end = end.min(self.size);
        while (self.bytes.len() as u64) < end {
            let before = self.bytes.len();
            let left = (self.size - before as u64).min(STEP as u64) as usize;
            // A ZIP may claim a lot with few bytes: where memory ends, a sentence has to come and not the end of the program.
            self.bytes.try_reserve(left).map_err(|_| {
                io::Error::new(io::ErrorKind::OutOfMemory, "there is not enough memory to unpack it from the archive")
            })?;
            self.bytes.resize(before + left, 0);
            let count = self.packed.read(&mut self.bytes[before..]);
            self.bytes.truncate(before + *count.as_ref().unwrap_or(&0));
            if count? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is damaged in the archive (too short)"));
            }
            self.crc.update(&self.bytes[before..]);
            if self.bytes.len() as u64 == self.size && self.crc.sum() != self.crc32 {
                return Err(wrong_sum());
            }
        }
        Ok(())
    }
}

impl Read for Inflating {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.reach(self.position.saturating_add(bytes.len() as u64))?;
        let start = self.position.min(self.bytes.len() as u64) as usize;
        let count = bytes.len().min(self.bytes.len() - start);
        bytes[..count].copy_from_slice(&self.bytes[start..start + count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Inflating {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        self.position = place(target, self.position, self.size)?;
        Ok(self.position)
    }
}
