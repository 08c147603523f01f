//! Binary STL, the format that every printer's software reads: triangles in millimetres, no names, no units, no colours.
//!
//! Out: 80 bytes of words, a count, 50 bytes a triangle, little-endian. The words never begin with `solid`, which would make
//! readers take the file for text. What the format has no room for stands in a JSON file beside it ([`sidecar`]).
//! In: binary or text STL; equal corners are joined again.

pub mod read;
pub mod sidecar;

use std::io::Write;
use std::path::Path;

use glam::Vec3;

use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::space::MeshSpace;
use crate::io::atomic_file::{AtomicFileError, write_atomically};
use crate::io::provenance::{NOT_FOR_DIAGNOSTIC_USE, PROGRAM, VERSION};

/// Bytes before the first triangle.
const HEADER_BYTES: u64 = 84;
/// Bytes of a triangle.
const TRIANGLE_BYTES: u64 = 50;

/// Why a mesh was not written. No part of it is left behind; a file that was there before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum StlWriteError {
    /// There is no triangle.
    #[error("there is nothing to write: the mesh has no triangles")]
    Empty,
    /// The format counts triangles in 32 bits.
    #[error("the mesh has {0} triangles; an STL file holds at most 4294967295")]
    TooLarge(usize),
    /// A coordinate is not a number.
    #[error("the mesh has a vertex whose position is not a number")]
    NotFinite,
    /// The system refused.
    #[error(transparent)]
    File(#[from] AtomicFileError),
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StlWritten {
    /// Size of the file.
    pub bytes: u64,
    /// BLAKE3 hash of the file, hexadecimal.
    pub blake3: String,
}

/// Writes a mesh, whole or not at all.
///
/// # Errors
/// When the mesh is empty or has impossible coordinates; when the folder is missing or read-only, the disk is full, or the
/// target is no ordinary file.
pub fn write_stl(path: &Path, mesh: &TriangleMesh, space: MeshSpace) -> Result<StlWritten, StlWriteError> {
    let count_32 = count_of(mesh)?;
    let count = count_32 as usize;
    let mut hasher = blake3::Hasher::new();
    write_atomically(path, |file| -> Result<(), StlWriteError> {
        let mut put = |bytes: &[u8]| -> Result<(), StlWriteError> {
            hasher.update(bytes);
            let failed = |source| AtomicFileError::Io { path: path.to_path_buf(), source };
            Ok(file.write_all(bytes).map_err(failed)?)
        };
        put(&header(space))?;
        put(&count_32.to_le_bytes())?;
        // Blocks of triangles: fewer, longer writes and hash updates.
        let mut block = Vec::with_capacity(4096 * TRIANGLE_BYTES as usize);
        for triangles in mesh.triangles.chunks(4096) {
            block.clear();
            for &triangle in triangles {
                push_triangle(&mut block, mesh, triangle, space);
            }
            put(&block)?;
        }
        Ok(())
    })?;
    let bytes = HEADER_BYTES + TRIANGLE_BYTES * count as u64;
    Ok(StlWritten { bytes, blake3: hasher.finalize().to_hex().to_string() })
}

/// How many triangles a mesh has, when it can be written at all.
fn count_of(mesh: &TriangleMesh) -> Result<u32, StlWriteError> {
    let count = mesh.triangles.len();
    if count == 0 {
        return Err(StlWriteError::Empty);
    }
    let Ok(count_32) = u32::try_from(count) else { return Err(StlWriteError::TooLarge(count)) };
    if !mesh.positions_in_patient.iter().flatten().all(|x| x.is_finite()) {
        return Err(StlWriteError::NotFinite);
    }
    Ok(count_32)
}

/// A mesh as the bytes of a file.
///
/// # Errors
/// When the mesh is empty or has impossible coordinates.
pub fn encode(mesh: &TriangleMesh, space: MeshSpace) -> Result<Vec<u8>, StlWriteError> {
    let count = count_of(mesh)?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES as usize + TRIANGLE_BYTES as usize * count as usize);
    bytes.extend_from_slice(&header(space));
    bytes.extend_from_slice(&count.to_le_bytes());
    for &triangle in &mesh.triangles {
        push_triangle(&mut bytes, mesh, triangle, space);
    }
    Ok(bytes)
}

/// The words at the beginning of the file.
fn header(space: MeshSpace) -> [u8; 80] {
    let words = format!("{PROGRAM} {VERSION} binary STL, mm, {}. {NOT_FOR_DIAGNOSTIC_USE}.", space.name());
    let mut header = [b' '; 80];
    let length = words.len().min(80);
    header[..length].copy_from_slice(&words.as_bytes()[..length]);
    header
}

fn push_triangle(block: &mut Vec<u8>, mesh: &TriangleMesh, triangle: [u32; 3], space: MeshSpace) {
    let corners = triangle.map(|vertex| space.from_patient(mesh.positions_in_patient[vertex as usize]));
    let [a, b, c] = corners.map(|corner| Vec3::from(corner).as_dvec3());
    let normal = (b - a).cross(c - a).normalize_or_zero().as_vec3().to_array();
    for vector in std::iter::once(normal).chain(corners) {
        for x in vector {
            block.extend_from_slice(&x.to_le_bytes());
        }
    }
    block.extend_from_slice(&[0, 0]);
}
