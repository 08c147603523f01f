//! Wavefront OBJ: triangles with shared corners, as text. Millimetres, like all meshes here.
//!
//! Out: `v` and `f` lines. In: those two; polygons become fans, what else the file holds (normals, materials, groups) is passed
//! over. Equal corners are joined.
//! Source: Wavefront, "Object Files (.obj)", appendix B1.

use std::fmt::Write;

use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::normals::recompute_normals;
use crate::domain::mesh::space::MeshSpace;
use crate::domain::mesh::weld::weld;
use crate::io::provenance::{NOT_FOR_DIAGNOSTIC_USE, PROGRAM, VERSION};

/// Why bytes are no mesh.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjReadError {
    /// A line with something else where a number or a corner should be.
    #[error("line {0} of the OBJ file is not understood")]
    Line(usize),
    /// There is no triangle.
    #[error("the OBJ file has no triangles")]
    Empty,
}

/// The text of a mesh.
pub fn encode(mesh: &TriangleMesh, space: MeshSpace) -> Vec<u8> {
    let mut text = format!("# {PROGRAM} {VERSION}, mm, {}. {NOT_FOR_DIAGNOSTIC_USE}.\n", space.name());
    for &position in &mesh.positions_in_patient {
        let [x, y, z] = space.from_patient(position);
        let _memory = writeln!(text, "v {x} {y} {z}");
    }
    for [a, b, c] in mesh.triangles.iter().map(|triangle| triangle.map(|corner| corner + 1)) {
        let _memory = writeln!(text, "f {a} {b} {c}");
    }
    text.into_bytes()
}

/// Reads a mesh that was written in `space`.
///
/// # Errors
/// When a line makes no sense or there is no triangle.
pub fn read_obj(bytes: &[u8], space: MeshSpace) -> Result<TriangleMesh, ObjReadError> {
    let text = String::from_utf8_lossy(bytes);
    let (mut positions, mut corners): (Vec<[f32; 3]>, Vec<[[f32; 3]; 3]>) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let wrong = || ObjReadError::Line(index + 1);
        let mut words = line.split_whitespace();
        match words.next() {
            Some("v") => {
                let numbers: Vec<f32> = words.take(3).map_while(|word| word.parse().ok()).collect();
                let &[x, y, z] = numbers.as_slice() else { return Err(wrong()) };
                if ![x, y, z].iter().all(|part| part.is_finite()) {
                    return Err(wrong());
                }
                positions.push(space.from_patient([x, y, z]));
            }
            Some("f") => {
                let corner = |word: &str| -> Option<[f32; 3]> {
                    let number: i64 = word.split('/').next()?.parse().ok()?;
                    // Negative numbers count back from the last position.
                    let at = if number < 0 { positions.len() as i64 + number } else { number - 1 };
                    positions.get(usize::try_from(at).ok()?).copied()
                };
                let polygon = words.map(corner).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
                if polygon.len() < 3 {
                    return Err(wrong());
                }
                corners.extend(polygon[1..].windows(2).map(|pair| [polygon[0], pair[0], pair[1]]));
            }
            _ => {}
        }
    }
    let (mut mesh, _) = weld(&corners);
    if mesh.triangles.is_empty() {
        return Err(ObjReadError::Empty);
    }
    recompute_normals(&mut mesh);
    Ok(mesh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meshes_come_back_and_lies_are_refused() {
        let corners = [[0.0, 0.0, 0.0], [1.5, 0.0, 0.0], [0.0, 2.5, 0.0], [0.0, 0.0, 3.25]];
        let triangles = vec![[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]];
        let mesh = TriangleMesh { positions_in_patient: corners.to_vec(), normals: Vec::new(), triangles };
        for space in [MeshSpace::Lps, MeshSpace::Ras] {
            let back = read_obj(&encode(&mesh, space), space).expect("readable");
            assert!((back.volume_mm3() - mesh.volume_mm3()).abs() < 1e-6);
            assert_eq!(back.bounds_in_patient(), mesh.bounds_in_patient());
        }
        let quad = read_obj(b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvn 0 0 1\nf 1//1 2//1 3//1 -1//1\n", MeshSpace::Lps);
        assert_eq!(quad.expect("a fan").triangles.len(), 2);
        for (text, line) in [("v 0 0\n", 1), ("v 0 0 0\nf 1 2 3\n", 2), ("v a b c\n", 1), ("v 0 0 0\nf 1 1\n", 2)] {
            assert_eq!(read_obj(text.as_bytes(), MeshSpace::Lps), Err(ObjReadError::Line(line)), "{text}");
        }
        assert_eq!(read_obj(b"", MeshSpace::Lps), Err(ObjReadError::Empty));
    }
}
