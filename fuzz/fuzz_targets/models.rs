#![no_main]
//! Any bytes as a model: surface segmentation, encapsulated STL or OBJ, OBJ by itself, and a mesh inside a case file.

use maquette_fuzz::domain::mesh::TriangleMesh;
use maquette_fuzz::domain::mesh::space::MeshSpace;
use maquette_fuzz::io::report::Report;
use maquette_fuzz::io::{dicom_model, obj, packed_mesh, surface_segmentation};
use maquette_fuzz::with_file;

fn check(mesh: &TriangleMesh) {
    assert!(mesh.triangles.iter().flatten().all(|&corner| (corner as usize) < mesh.positions_in_patient.len()));
    assert!(mesh.positions_in_patient.iter().flatten().all(|part| part.is_finite()));
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    with_file("a.dcm", bytes, |path| {
        if let Ok(model) = dicom_model::read(path) {
            check(&model.mesh);
        }
        if let Ok(surfaces) = surface_segmentation::read(path, &mut Report::default()) {
            surfaces.iter().for_each(|surface| check(&surface.mesh));
        }
    });
    if let Ok(mesh) = obj::read_obj(bytes, MeshSpace::Lps) {
        check(&mesh);
    }
    if let Some(mesh) = std::str::from_utf8(bytes).ok().and_then(packed_mesh::from_text) {
        check(&mesh);
    }
});
