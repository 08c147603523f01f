//! A mesh as bytes and as text: for the parts of a case file, and for models inside its manifest and the journal.
//!
//! Bytes: counts of positions, normals and triangles, then these, all 32-bit little endian. Text: the same without normals,
//! deflated, in base 64 (RFC 4648, section 4). Reading trusts nothing: numbers must be finite and corners must be there.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::normals::recompute_normals;

/// Most bytes that a text grows to.
const MAX_BYTES: u64 = 4 << 30;
/// Deflate packs at most this.
const MAX_RATIO: u64 = 1040;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Counts, then positions, normals and triangles.
pub fn encode_triangles(mesh: &TriangleMesh) -> Vec<u8> {
    let counts = [mesh.positions_in_patient.len(), mesh.normals.len(), mesh.triangles.len()];
    let mut bytes = Vec::with_capacity(12 + counts.iter().sum::<usize>() * 12);
    bytes.extend(counts.iter().flat_map(|&count| (count as u32).to_le_bytes()));
    let numbers = mesh.positions_in_patient.iter().chain(&mesh.normals).flatten();
    bytes.extend(numbers.flat_map(|number| number.to_le_bytes()));
    bytes.extend(mesh.triangles.iter().flatten().flat_map(|vertex| vertex.to_le_bytes()));
    bytes
}

/// Reads what [`encode_triangles`] wrote; `None` when it does not add up.
pub fn decode_triangles(bytes: &[u8]) -> Option<TriangleMesh> {
    let mut words = bytes.chunks_exact(4).map(|four| [four[0], four[1], four[2], four[3]]);
    let mut count = || words.next().map(|word| u64::from(u32::from_le_bytes(word)));
    let [positions, normals, triangles] = [count()?, count()?, count()?];
    if bytes.len() as u64 != 12 + 12 * (positions + normals + triangles) || (normals != 0 && normals != positions) {
        return None;
    }
    let mut triple = || Some([words.next()?, words.next()?, words.next()?]);
    let float = |three: [[u8; 4]; 3]| three.map(f32::from_le_bytes);
    let mut mesh = TriangleMesh::default();
    for _ in 0..positions {
        mesh.positions_in_patient.push(float(triple()?));
    }
    for _ in 0..normals {
        mesh.normals.push(float(triple()?));
    }
    for _ in 0..triangles {
        mesh.triangles.push(triple()?.map(u32::from_le_bytes));
    }
    let finite = mesh.positions_in_patient.iter().flatten().all(|number| number.is_finite());
    let inside = mesh.triangles.iter().flatten().all(|&vertex| u64::from(vertex) < positions);
    (finite && inside).then_some(mesh)
}

/// A mesh as text; its normals are made anew when it is read.
pub fn to_text(mesh: &TriangleMesh) -> String {
    let bare = TriangleMesh {
        positions_in_patient: mesh.positions_in_patient.clone(),
        normals: Vec::new(),
        triangles: mesh.triangles.clone(),
    };
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(&encode_triangles(&bare)).and_then(|()| encoder.finish());
    base64(&packed.expect("memory takes bytes"))
}

/// Reads what [`to_text`] wrote; `None` when it does not add up.
pub fn from_text(text: &str) -> Option<TriangleMesh> {
    let packed = from_base64(text)?;
    let most = MAX_BYTES.min(packed.len() as u64 * MAX_RATIO + 64);
    let mut bytes = Vec::new();
    DeflateDecoder::new(&packed[..]).take(most + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > most {
        return None;
    }
    let mut mesh = decode_triangles(&bytes)?;
    recompute_normals(&mut mesh);
    Some(mesh)
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |n: usize| u32::from(three.get(n).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * n) & 63) as usize];
            text.push(if n <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let (fours, rest) = text.as_bytes().as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let value = |digit: u8| match digit {
        b'A'..=b'Z' => Some(u32::from(digit - b'A')),
        b'a'..=b'z' => Some(u32::from(digit - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(digit - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for (n, four) in fours.iter().enumerate() {
        let missing = four.iter().rev().take_while(|&&digit| digit == b'=').count();
        if missing > 2 || (missing > 0 && n + 1 != fours.len()) {
            return None;
        }
        let mut word = 0;
        for &digit in &four[..4 - missing] {
            word = word << 6 | value(digit)?;
        }
        word <<= 6 * missing;
        bytes.extend_from_slice(&word.to_be_bytes()[1..4 - missing]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_64_is_that_of_the_standard() {
        let pairs =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("\u{ff}", "w78=")];
        for (plain, text) in pairs {
            assert_eq!(base64(plain.as_bytes()), text);
            assert_eq!(from_base64(text).as_deref(), Some(plain.as_bytes()));
        }
        for bad in ["Z", "Zg=", "Z===", "Zg==Zg==", "Zm-v", "\u{e4}\u{e4}"] {
            assert_eq!(from_base64(bad), None, "{bad}");
        }
    }

    #[test]
    fn meshes_come_back_and_damage_is_refused() {
        let mesh = TriangleMesh {
            positions_in_patient: vec![[0.0, 0.5, 1.0], [2.0, 0.0, 0.0], [0.0, 3.0, 0.25]],
            normals: Vec::new(),
            triangles: vec![[0, 1, 2]],
        };
        let text = to_text(&mesh);
        let back = from_text(&text).expect("readable");
        assert_eq!((&back.positions_in_patient, &back.triangles), (&mesh.positions_in_patient, &mesh.triangles));
        assert_eq!(back.normals.len(), 3);
        assert_eq!(from_text(&text[..text.len() - 4]), None);
        let wrong = TriangleMesh { triangles: vec![[0, 1, 3]], ..mesh };
        assert_eq!(from_text(&to_text(&wrong)), None, "a corner that is not there");
    }
}
