//! Which pieces of compressed pixels make which frame.
//!
//! In: the pieces as they lie in the file, and the tables that may say where frames begin. Out: a range of pieces for each
//! frame. Tried in order: one frame has all; as many pieces as frames; the *Extended* or *Basic Offset Table*, where
//! every entry is the start of a piece; pieces that begin as a compressed image does. Else it is refused: a frame made of
//! the wrong pieces would be a wrong slice.
//!
//! Source: DICOM PS3.5 A.4 (encapsulation), PS3.3 C.7.6.3.1.8 (extended offset table).

use std::ops::Range;

use super::layout::Fragment;

/// Starts of compressed images: JPEG and JPEG-LS, JPEG 2000 bare and boxed, JPEG XL bare and boxed.
const STARTS: [&[u8]; 5] = [
    &[0xff, 0xd8, 0xff],
    &[0xff, 0x4f, 0xff, 0x51],
    &[0, 0, 0, 12, b'j', b'P', b' ', b' '],
    &[0xff, 0x0a],
    &[0, 0, 0, 12, b'J', b'X', b'L', b' '],
];
/// Bytes that [`frame_pieces`] asks for of each piece.
pub(super) const START_BYTES: usize = 8;

/// The pieces of each frame, as ranges into `pieces`. `basic` is the value of the Basic Offset Table; `start_of` reads
/// the first bytes of a piece.
///
/// # Errors
/// A sentence's end when the pieces do not fit the frames.
pub(super) fn frame_pieces(
    frames: usize,
    pieces: &[Fragment],
    basic: &[u8],
    extended: &[u64],
    mut start_of: impl FnMut(&Fragment) -> [u8; START_BYTES],
) -> Result<Vec<Range<usize>>, String> {
    if pieces.is_empty() {
        return Err("holds no compressed pixels".to_owned());
    }
    if frames == 1 {
        return Ok(ranges(&[0], pieces.len()));
    }
    if frames == pieces.len() {
        return Ok((0..frames).map(|n| n..n + 1).collect());
    }
    let basic: Vec<u64> =
        basic.chunks_exact(4).map(|b| u64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect();
    for table in [extended, &basic] {
        if table.len() == frames
            && let Some(starts) = starts_by_table(pieces, table)
        {
            return Ok(ranges(&starts, pieces.len()));
        }
    }
    let starts: Vec<usize> = (0..pieces.len())
        .filter(|&n| {
            let bytes = start_of(&pieces[n]);
            STARTS.iter().any(|start| bytes.starts_with(start)) || is_run_length_start(&bytes)
        })
        .collect();
    if starts.len() == frames && starts[0] == 0 {
        return Ok(ranges(&starts, pieces.len()));
    }
    Err(format!(
        "has {} pieces of compressed pixels for {frames} frames, and nothing says how they belong",
        pieces.len()
    ))
}

/// RLE header: number of segments, then the first segment's offset, which is always 64.
fn is_run_length_start(bytes: &[u8; START_BYTES]) -> bool {
    matches!(bytes[0], 1..=15) && bytes[1..4] == [0; 3] && bytes[4..] == [64, 0, 0, 0]
}

/// The piece that begins at each entry; `None` where an entry points elsewhere or they do not rise.
fn starts_by_table(pieces: &[Fragment], table: &[u64]) -> Option<Vec<usize>> {
    let first_item = pieces[0].offset;
    let mut starts = Vec::with_capacity(table.len());
    for entry in table {
        let at = first_item.checked_add(*entry)?;
        let piece = pieces.binary_search_by_key(&at, |piece| piece.offset).ok()?;
        if starts.last().is_some_and(|last| *last >= piece) {
            return None;
        }
        starts.push(piece);
    }
    (starts[0] == 0).then_some(starts)
}

fn ranges(starts: &[usize], pieces: usize) -> Vec<Range<usize>> {
    let ends = starts[1..].iter().copied().chain([pieces]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(lengths: &[u32]) -> Vec<Fragment> {
        let mut offset = 1000;
        let piece = |&length: &u32| {
            let piece = Fragment { offset, length };
            offset += u64::from(length) + 8;
            piece
        };
        lengths.iter().map(piece).collect()
    }

    fn silent(_: &Fragment) -> [u8; START_BYTES] {
        [7; START_BYTES]
    }

    #[test]
    fn pieces_go_to_their_frames() {
        let three = pieces(&[10, 20, 30]);
        assert_eq!(frame_pieces(1, &three, &[], &[], silent).map(|ranges| ranges[0].clone()), Ok(0..3));
        assert_eq!(frame_pieces(3, &three, &[], &[], silent), Ok(vec![0..1, 1..2, 2..3]));
        let basic: Vec<u8> = [0_u32, 18].iter().flat_map(|n| n.to_le_bytes()).collect();
        assert_eq!(frame_pieces(2, &three, &basic, &[], silent), Ok(vec![0..1, 1..3]));
        assert_eq!(frame_pieces(2, &three, &[], &[0, 46], silent), Ok(vec![0..2, 2..3]));
        let by_start =
            |piece: &Fragment| if piece.length == 20 { [7; 8] } else { [0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0] };
        assert_eq!(frame_pieces(2, &three, &[], &[], by_start), Ok(vec![0..2, 2..3]));
    }

    #[test]
    fn pieces_that_do_not_fit_are_refused() {
        let three = pieces(&[10, 20, 30]);
        assert!(frame_pieces(2, &three, &[], &[], silent).is_err(), "nothing says where the second frame begins");
        assert!(frame_pieces(2, &three, &[0, 0, 0, 0, 5, 0, 0, 0], &[], silent).is_err(), "an offset into a piece");
        assert!(frame_pieces(5, &three, &[], &[], silent).is_err(), "fewer pieces than frames");
        assert!(frame_pieces(2, &three, &[], &[0, u64::MAX], silent).is_err());
        assert!(frame_pieces(1, &[], &[], &[], silent).is_err());
    }
}
