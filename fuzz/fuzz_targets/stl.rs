#![no_main]
//! Any bytes as an STL file.

use maquette_fuzz::domain::mesh::space::MeshSpace;
use maquette_fuzz::io::stl::read::read_stl;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok((mesh, _)) = read_stl(bytes, MeshSpace::Lps) {
        assert!(mesh.triangles.iter().flatten().all(|&corner| (corner as usize) < mesh.positions_in_patient.len()));
    }
});
