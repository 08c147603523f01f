//! Reading STL, binary and text.
//!
//! In: bytes. Out: an indexed mesh in patient space and what was odd about the file.
//! Which of the two forms a file is in is decided by its size, not by its first word: some binary files begin with `solid`.

use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::normals::recompute_normals;
use crate::domain::mesh::space::MeshSpace;
use crate::domain::mesh::weld::weld;
use crate::io::report::Report;

use super::{HEADER_BYTES, TRIANGLE_BYTES};

/// Why bytes are no STL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StlReadError {
    /// Neither form.
    #[error("this is not an STL file")]
    NotStl,
    /// A binary file that ends too soon.
    #[error("the STL file is cut off: it announces {announced} triangles and holds {held}")]
    CutOff {
        /// Triangles by the header.
        announced: u32,
        /// Triangles that are there.
        held: u64,
    },
    /// A text file with something else where a number should be.
    #[error("line {0} of the STL file is not understood")]
    Line(usize),
    /// A coordinate is not a number.
    #[error("the STL file has a corner whose position is not a number")]
    NotFinite,
    /// There is no triangle.
    #[error("the STL file has no triangles")]
    Empty,
}

/// Reads a mesh that was written in `space`.
///
/// # Errors
/// When the bytes are no STL file, cut off, empty, or have impossible coordinates.
pub fn read_stl(bytes: &[u8], space: MeshSpace) -> Result<(TriangleMesh, Report), StlReadError> {
    let corners = if looks_binary(bytes) { read_binary(bytes)? } else { read_text(bytes)? };
    if corners.is_empty() {
        return Err(StlReadError::Empty);
    }
    if !corners.iter().flatten().flatten().all(|x| x.is_finite()) {
        return Err(StlReadError::NotFinite);
    }
    let corners: Vec<_> = corners.iter().map(|triangle| triangle.map(|corner| space.from_patient(corner))).collect();
    let (mut mesh, dropped) = weld(&corners);
    let mut report = Report::default();
    if dropped > 0 {
        report.repaired(format!("{dropped} triangles without area were left out."));
    }
    recompute_normals(&mut mesh);
    Ok((mesh, report))
}

/// The space that the first words of a file name: those of this program ("LPS.") and of 3D Slicer ("SPACE=RAS").
pub fn stated_space(bytes: &[u8]) -> Option<MeshSpace> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(160)]).into_owned();
    let first_words = start.lines().next().unwrap_or_default();
    let is_word = |wanted: &str| first_words.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == wanted);
    match (is_word("LPS"), is_word("RAS")) {
        (true, false) => Some(MeshSpace::Lps),
        (false, true) => Some(MeshSpace::Ras),
        _ => None,
    }
}

fn announced(bytes: &[u8]) -> Option<u32> {
    let count = bytes.get(80..84)?;
    Some(u32::from_le_bytes([count[0], count[1], count[2], count[3]]))
}

fn looks_binary(bytes: &[u8]) -> bool {
    let fits = |count: u32| HEADER_BYTES + TRIANGLE_BYTES * u64::from(count) == bytes.len() as u64;
    let is_text = bytes.trim_ascii_start().starts_with(b"solid") && !bytes.iter().take(512).any(|&byte| byte == 0);
    announced(bytes).is_some_and(fits) || !is_text
}

fn read_binary(bytes: &[u8]) -> Result<Vec<[[f32; 3]; 3]>, StlReadError> {
    let announced = announced(bytes).ok_or(StlReadError::NotStl)?;
    let body = &bytes[HEADER_BYTES as usize..];
    let held = body.len() as u64 / TRIANGLE_BYTES;
    if u64::from(announced) > held {
        // Random bytes announce billions; a file that lost its end still holds most of what it announces.
        let plausible = held > 0 && u64::from(announced) / held < 1000;
        return Err(if plausible { StlReadError::CutOff { announced, held } } else { StlReadError::NotStl });
    }
    let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let triangle = |bytes: &[u8]| {
        // 12 bytes of normal, then nine coordinates.
        std::array::from_fn(|corner| std::array::from_fn(|axis| number(&bytes[12 + 12 * corner + 4 * axis..])))
    };
    Ok(body.chunks_exact(TRIANGLE_BYTES as usize).take(announced as usize).map(triangle).collect())
}

fn read_text(bytes: &[u8]) -> Result<Vec<[[f32; 3]; 3]>, StlReadError> {
    let text = std::str::from_utf8(bytes).map_err(|_| StlReadError::NotStl)?;
    let mut corners: Vec<[f32; 3]> = Vec::new();
    for (line_number, line) in text.lines().enumerate() {
        let mut words = line.split_ascii_whitespace();
        if words.next() != Some("vertex") {
            continue;
        }
        let mut number = || words.next().and_then(|word| word.parse::<f32>().ok());
        let (Some(x), Some(y), Some(z)) = (number(), number(), number()) else {
            return Err(StlReadError::Line(line_number + 1));
        };
        corners.push([x, y, z]);
    }
    Ok(corners.chunks_exact(3).map(|three| [three[0], three[1], three[2]]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_space_that_a_file_names_is_found() {
        let of = |words: &str| stated_space(words.as_bytes());
        assert_eq!(of("Maquette 0.1.0 binary STL, mm, RAS. Not for diagnostic use."), Some(MeshSpace::Ras));
        assert_eq!(of("3D Slicer output. SPACE=LPS"), Some(MeshSpace::Lps));
        assert_eq!(of("# Maquette 0.1.0, mm, LPS. Not for diagnostic use.\nv 0 0 0"), Some(MeshSpace::Lps));
        assert_eq!(of("solid GRASP\nfacet RAS"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn text_is_read_and_rubbish_is_refused() {
        let text = b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\n";
        let (mesh, _) = read_stl(text, MeshSpace::Lps).expect("read");
        assert_eq!(mesh.triangles, [[0, 1, 2]]);
        assert_eq!(mesh.normals[0], [0.0, 0.0, 1.0]);
        assert_eq!(read_stl(b"", MeshSpace::Lps), Err(StlReadError::NotStl));
        assert_eq!(read_stl(b"solid empty\nendsolid\n", MeshSpace::Lps), Err(StlReadError::Empty));
        assert_eq!(read_stl(b"solid\nvertex 0 x 1\n", MeshSpace::Lps), Err(StlReadError::Line(2)));
        assert_eq!(read_stl(&[0xFF; 400], MeshSpace::Lps), Err(StlReadError::NotStl));
        let mut cut = vec![b' '; 80];
        cut.extend(7_u32.to_le_bytes());
        cut.extend([0; 150]);
        assert_eq!(read_stl(&cut, MeshSpace::Lps), Err(StlReadError::CutOff { announced: 7, held: 3 }));
        cut[80] = 3;
        cut[84 + 12..84 + 16].copy_from_slice(&f32::NAN.to_le_bytes());
        assert_eq!(read_stl(&cut, MeshSpace::Lps), Err(StlReadError::NotFinite));
    }
}
