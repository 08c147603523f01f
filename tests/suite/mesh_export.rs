//! STL files and their sidecars: what is written is what was there, or nothing is.

use std::path::Path;

use glam::DVec3;
use maquette::domain::grid::Grid;
use maquette::domain::mesh::TriangleMesh;
use maquette::domain::mesh::space::MeshSpace;
use maquette::domain::phantom::{Edge, Shape, shape_volume};
use maquette::domain::series_info::SeriesInfo;
use maquette::domain::surface::extract_volume;
use maquette::domain::volume::Volume;
use maquette::io::provenance::ImageSource;
use maquette::io::stl::read::{StlReadError, read_stl};
use maquette::io::stl::sidecar::{Sidecar, sidecar_path};
use maquette::io::stl::write_stl;
use maquette::ops::export::{MeshExport, export_all, export_mesh};
use maquette::task::Progress;

/// A ball to the patient's left, front and top of the origin.
fn ball() -> (Volume, TriangleMesh) {
    let grid = Grid::axis_aligned([20, 20, 20], DVec3::ONE, DVec3::new(20.0, -60.0, 90.0)).expect("a grid");
    let shape = Shape::Sphere { center_in_patient: DVec3::new(30.0, -50.0, 100.0), radius_mm: 7.0 };
    let volume = shape_volume(&shape, &grid, 1000.0, 0.0, Edge::Detector);
    let mesh = extract_volume(&volume, 500.0, &Progress::new()).expect("not cancelled");
    (volume, mesh)
}

fn export<'a>(mesh: &'a TriangleMesh, name: &'a str) -> MeshExport<'a> {
    MeshExport { mesh, name, source: None, steps: &[], parameters: &serde_json::Value::Null, out_of_date: false }
}

fn sorted_corners(mesh: &TriangleMesh) -> Vec<[[u32; 3]; 3]> {
    let corners = |t: &[u32; 3]| t.map(|v| mesh.positions_in_patient[v as usize].map(f32::to_bits));
    let mut all: Vec<_> = mesh.triangles.iter().map(corners).collect();
    all.sort_unstable();
    all
}

#[test]
fn what_is_written_is_read_back_to_the_last_bit() {
    let (_, mesh) = ball();
    let folder = tempfile::tempdir().expect("a folder");
    for space in [MeshSpace::Lps, MeshSpace::Ras] {
        let path = folder.path().join(format!("{}.stl", space.name()));
        let written = write_stl(&path, &mesh, space).expect("written");
        let bytes = std::fs::read(&path).expect("there");
        assert_eq!(written.bytes, bytes.len() as u64);
        assert_eq!(bytes.len(), 84 + 50 * mesh.triangles.len());
        assert_eq!(written.blake3, blake3_of(&bytes));
        let header = String::from_utf8(bytes[..80].to_vec()).expect("words");
        assert!(!header.starts_with("solid"), "{header}");
        for word in ["mm", space.name(), "Not for diagnostic use"] {
            assert!(header.contains(word), "{header}");
        }
        let (back, report) = read_stl(&bytes, space).expect("read");
        assert!(report.lines.is_empty());
        assert_eq!(sorted_corners(&back), sorted_corners(&mesh));
        assert_eq!(back.positions_in_patient.len(), mesh.positions_in_patient.len(), "corners are joined again");
        assert!((back.volume_mm3() - mesh.volume_mm3()).abs() < 1e-3, "and still turned outwards");
        // A cut-off copy is told from a whole one.
        let cut = read_stl(&bytes[..bytes.len() - 30], space).expect_err("cut off");
        assert!(matches!(cut, StlReadError::CutOff { .. }), "{cut}");
    }
}

fn blake3_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[test]
fn lps_and_ras_differ_by_half_a_turn() {
    let (_, mesh) = ball();
    let folder = tempfile::tempdir().expect("a folder");
    let center_of = |space: MeshSpace| {
        let path = folder.path().join("a.stl");
        write_stl(&path, &mesh, space).expect("written");
        // Read as if it were LPS: the numbers as they stand in the file.
        let (read, _) = read_stl(&std::fs::read(&path).expect("there"), MeshSpace::Lps).expect("read");
        assert!(read.volume_mm3() > 0.0, "neither space turns the mesh inside out");
        let (lower, upper) = read.bounds_in_patient().expect("vertices");
        (lower + upper) / 2.0
    };
    let (lps, ras) = (center_of(MeshSpace::Lps), center_of(MeshSpace::Ras));
    assert!(lps.distance(glam::Vec3::new(30.0, -50.0, 100.0)) < 0.2, "{lps}");
    assert!(ras.distance(glam::Vec3::new(-30.0, 50.0, 100.0)) < 0.2, "{ras}");
}

#[test]
fn the_sidecar_says_all_and_names_nobody() {
    let (volume, mesh) = ball();
    let info = SeriesInfo {
        patient_name: "DOE Jane".into(),
        patient_id: "SECRET-4711".into(),
        birth_date: "19610203".into(),
        study_date: "20260102".into(),
        series_description: "Doe follow-up".into(),
        series_uid: "1.2.840.99.1".into(),
        frame_of_reference_uid: "1.2.840.99.2".into(),
        modality: "CT".into(),
        ..SeriesInfo::default()
    };
    let source = ImageSource::new(&volume, &info);
    let steps = ["Threshold 300 HU".to_owned(), "Smooth (sinc, 20 passes)".to_owned()];
    let parameters = serde_json::json!({"iso": 300.0, "smooth": {"iterations": 20, "pass_band": 0.1}});
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bone.stl");
    let export = MeshExport {
        mesh: &mesh,
        name: "Bone",
        source: Some(&source),
        steps: &steps,
        parameters: &parameters,
        out_of_date: true,
    };
    let report = export_mesh(&path, &export, MeshSpace::Ras).expect("written");
    let file = &report.files[0];
    assert_eq!((file.path.as_path(), file.sidecar.as_path()), (path.as_path(), sidecar_path(&path).as_path()));
    assert!(file.topology.is_manifold() && (file.volume_ml - mesh.volume_mm3() / 1000.0).abs() < 1e-9);
    assert!(file.size_mm.iter().all(|size| (13.5..14.5).contains(size)), "{:?}", file.size_mm);
    assert_eq!(report.warnings.len(), 1);
    assert!(report.warnings[0].contains("out of date"), "{:?}", report.warnings);

    let text = std::fs::read_to_string(&file.sidecar).expect("there");
    for secret in ["DOE", "Doe", "Jane", "4711", "1961", "20260102", "1.2.840.99"] {
        assert!(!text.contains(secret), "{secret} is in the sidecar");
    }
    let said: Sidecar = serde_json::from_str(&text).expect("JSON");
    assert_eq!(said.blake3, blake3_of(&std::fs::read(&path).expect("there")));
    assert_eq!((said.units.as_str(), said.space, said.triangles), ("mm", MeshSpace::Ras, mesh.triangles.len() as u64));
    assert_eq!(said.software.intended_use, "Not for diagnostic use");
    assert_eq!(said.software.version, env!("CARGO_PKG_VERSION"));
    assert_eq!((said.steps.len(), said.parameters, said.out_of_date), (2, parameters, true));
    assert_eq!(said.source, Some(source));
    assert!(said.lower_mm[0] < -30.0 && said.upper_mm[0] < 0.0 && said.lower_mm[0] < said.upper_mm[0], "RAS bounds");
}

#[test]
fn nothing_is_written_where_nothing_can_be() {
    let (_, mesh) = ball();
    let folder = tempfile::tempdir().expect("a folder");
    let empty = TriangleMesh::default();
    let failed = write_stl(&folder.path().join("a.stl"), &empty, MeshSpace::Lps).expect_err("empty");
    assert!(failed.to_string().contains("no triangles"), "{failed}");
    let mut broken = mesh.clone();
    broken.positions_in_patient[5][1] = f32::NAN;
    assert!(write_stl(&folder.path().join("a.stl"), &broken, MeshSpace::Lps).is_err());
    assert!(write_stl(folder.path(), &mesh, MeshSpace::Lps).is_err(), "a folder is no file");
    assert!(write_stl(&folder.path().join("missing/a.stl"), &mesh, MeshSpace::Lps).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0, "and no rest is left");
}

#[cfg(target_os = "linux")]
#[test]
fn full_and_read_only_targets_are_named() {
    let (_, mesh) = ball();
    // The second cannot be written by anybody, root included.
    for target in ["/dev/full", "/proc/maquette.stl"] {
        let failed = export_mesh(Path::new(target), &export(&mesh, "Ball"), MeshSpace::Lps).expect_err(target);
        let cause = std::error::Error::source(&failed).expect("a cause").to_string();
        assert!(cause.contains(target), "{failed}: {cause}");
    }
    assert!(Path::new("/dev/full").metadata().is_ok_and(|found| !found.is_file()), "the device is still a device");
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_keeps_its_old_file() {
    use std::os::unix::fs::PermissionsExt;
    let (_, mesh) = ball();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ball.stl");
    export_mesh(&path, &export(&mesh, "Ball"), MeshSpace::Lps).expect("written");
    let before = std::fs::read(&path).expect("there");
    let lock = |mode| std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).expect("mode set");
    lock(0o555);
    let result = export_mesh(&path, &export(&mesh, "Ball"), MeshSpace::Ras);
    lock(0o755);
    // Root may write anywhere: then the new file is whole; everybody else is refused and the old one stays.
    let after = std::fs::read(&path).expect("still there");
    assert_eq!(result.is_err(), after == before);
    assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 2, "no rest is left");
}

#[test]
fn several_meshes_get_names_of_their_own() {
    let (_, mesh) = ball();
    let folder = tempfile::tempdir().expect("a folder");
    let exports = [export(&mesh, "Bone"), export(&mesh, "bone"), export(&mesh, "../evil")];
    let report = export_all(folder.path(), &exports, MeshSpace::Lps, &Progress::new()).expect("written");
    let names: Vec<_> = report.files.iter().map(|file| file.path.file_name().expect("a name").to_owned()).collect();
    assert_eq!(names, ["Bone.stl", "bone-2.stl", "evil.stl"]);
    assert!(report.files.iter().all(|file| file.path.exists() && file.sidecar.exists()));
    let progress = Progress::new();
    progress.cancel();
    assert!(export_all(folder.path(), &exports, MeshSpace::Lps, &progress).is_err());
}
