//! Bricks of masks as bytes: for the case file (whole masks) and the journal (what an edit replaced).
//!
//! Layout, little endian, all of it deflated: dims (3 u32), count (u32), then for each brick its index (u32, rising), its
//! kind (u8: 0 empty, 1 full, 2 bits) and for bits its 1024 words. Reading checks every number, so bytes from anywhere are
//! safe: no index outside the grid, no more memory than the grid allows, bits in the masks' normal form.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::domain::grid::{MAX_DIM, MAX_VOXELS};
use crate::domain::mask::{BRICK_WORDS, BrickBits, Mask, MaskBrick, MaskDelta};

/// Why bytes are no bricks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskBricksError {
    /// The bytes end too early or cannot be inflated.
    #[error("the voxels of a segment are damaged or cut off")]
    Damaged,
    /// Numbers that fit no grid.
    #[error("the voxels of a segment do not fit their grid")]
    Misfit,
}

impl From<std::io::Error> for MaskBricksError {
    fn from(_: std::io::Error) -> Self {
        Self::Damaged
    }
}

/// The bricks of a delta for a mask of `dims`.
pub fn encode_delta(dims: [u32; 3], delta: &MaskDelta) -> Vec<u8> {
    encode(dims, delta.bricks.len(), delta.bricks.iter().map(|(index, brick)| (*index, brick)))
}

/// All bricks of a mask that hold voxels.
pub fn encode_mask(mask: &Mask) -> Vec<u8> {
    let filled = || mask.bricks().iter().enumerate().filter(|(_, brick)| **brick != MaskBrick::Empty);
    encode(mask.dims(), filled().count(), filled().map(|(index, brick)| (index as u32, brick)))
}

fn encode<'a>(dims: [u32; 3], count: usize, bricks: impl Iterator<Item = (u32, &'a MaskBrick)>) -> Vec<u8> {
    let mut raw = Vec::with_capacity(16 + count * 5);
    for number in dims.into_iter().chain([count as u32]) {
        raw.extend_from_slice(&number.to_le_bytes());
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let mut put = |bytes: &[u8]| encoder.write_all(bytes).expect("memory does not fail");
    for (index, brick) in bricks {
        raw.extend_from_slice(&index.to_le_bytes());
        match brick {
            MaskBrick::Empty => raw.push(0),
            MaskBrick::Full => raw.push(1),
            MaskBrick::Bits(bits) => {
                raw.push(2);
                bits.iter().for_each(|word| raw.extend_from_slice(&word.to_le_bytes()));
            }
        }
        put(&raw);
        raw.clear();
    }
    put(&raw);
    encoder.finish().expect("memory does not fail")
}

/// Reads what [`encode_delta`] wrote: the size of the mask it is for, and the bricks.
///
/// # Errors
/// When the bytes are damaged or describe no possible mask.
pub fn decode_delta(bytes: &[u8]) -> Result<([u32; 3], MaskDelta), MaskBricksError> {
    let mut reader = DeflateDecoder::new(bytes);
    let number = |reader: &mut DeflateDecoder<&[u8]>| -> Result<u32, MaskBricksError> {
        let mut four = [0; 4];
        reader.read_exact(&mut four)?;
        Ok(u32::from_le_bytes(four))
    };
    let dims = [number(&mut reader)?, number(&mut reader)?, number(&mut reader)?];
    let voxels: u64 = dims.iter().map(|&n| u64::from(n)).try_fold(1, u64::checked_mul).unwrap_or(u64::MAX);
    if dims.iter().any(|&n| n == 0 || n > MAX_DIM) || voxels > MAX_VOXELS {
        return Err(MaskBricksError::Misfit);
    }
    let frame = Mask::empty(dims);
    let (count, limit) = (number(&mut reader)?, frame.bricks().len() as u32);
    let mut delta = MaskDelta::default();
    let mut next = 0;
    for _ in 0..count {
        let index = number(&mut reader)?;
        if index < next || index >= limit {
            return Err(MaskBricksError::Misfit);
        }
        next = index + 1;
        let mut kind = [0];
        reader.read_exact(&mut kind)?;
        let brick = match kind {
            [0] => MaskBrick::Empty,
            [1] => MaskBrick::Full,
            [2] => frame.normalised_brick(index, read_words(&mut reader)?),
            _ => return Err(MaskBricksError::Misfit),
        };
        delta.bricks.push((index, brick));
    }
    Ok((dims, delta))
}

/// Reads what [`encode_mask`] wrote.
///
/// # Errors
/// When the bytes are damaged or the mask is not of `dims`.
pub fn decode_mask(dims: [u32; 3], bytes: &[u8]) -> Result<Mask, MaskBricksError> {
    let (found, delta) = decode_delta(bytes)?;
    if found != dims {
        return Err(MaskBricksError::Misfit);
    }
    let mut mask = Mask::empty(dims);
    let _empty = mask.apply(delta);
    Ok(mask)
}

fn read_words(reader: &mut impl Read) -> Result<BrickBits, MaskBricksError> {
    let mut bytes = [0_u8; BRICK_WORDS * 4];
    reader.read_exact(&mut bytes)?;
    let mut bits = [0; BRICK_WORDS];
    for (word, four) in bits.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn masks_and_deltas_survive() {
        let dims = [70, 40, 33];
        let mask = Mask::from_fn(dims, |i, j, k| (i * 7 + j * 3 + k) % 5 == 0 || i > 50);
        assert_eq!(decode_mask(dims, &encode_mask(&mask)), Ok(mask.clone()));
        let delta = mask.delta_to(&Mask::from_fn(dims, |i, _, _| i < 33));
        assert_eq!(decode_delta(&encode_delta(dims, &delta)), Ok((dims, delta)));
        assert_eq!(decode_mask([70, 40, 32], &encode_mask(&mask)), Err(MaskBricksError::Misfit));
    }

    #[test]
    fn every_cut_is_noticed() {
        let mask = Mask::from_fn([40, 40, 40], |i, j, k| (i ^ j ^ k) & 1 == 0);
        let bytes = encode_mask(&mask);
        // The last bytes may only end the deflate stream, when all voxels have been read.
        for end in (0..bytes.len() - 16).step_by(7) {
            assert!(decode_mask([40, 40, 40], &bytes[..end]).is_err(), "cut at {end}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = decode_delta(&bytes);
            let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(&bytes).expect("memory");
            let _any = decode_delta(&packed.finish().expect("memory"));
        }
    }
}
