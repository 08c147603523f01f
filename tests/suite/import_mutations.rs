//! Files bent at random: every reader gives a value or a sentence, never a panic, a hang or a volume of another size.
//!
//! The same entry points and seeds as the fuzz targets (`fuzz/`), without the fuzzer, so that any build checks some thousands
//! of inputs; `MAQUETTE_MUTATIONS` is the number for each seed file (300 and more for a long run). The same numbers give the same
//! inputs: a failure names seed file and number.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use glam::DVec3;
use maquette::domain::grid::Grid;
use maquette::domain::mesh::TriangleMesh;
use maquette::domain::mesh::space::MeshSpace;
use maquette::io::case_file::read_case;
use maquette::io::deidentify::{Options, deidentify_path};
use maquette::io::dicom::elements::read_object;
use maquette::io::import::{load, scan, thumbnail};
use maquette::io::report::Report;
use maquette::io::stl::read::read_stl;
use maquette::io::{dicom_model, dicom_seg, obj, packed_mesh, rtstruct, surface_segmentation, volume_file};
use maquette::task::Progress;

/// Inputs made of each seed.
const EACH: u64 = 24;

/// A small generator (splitmix64): the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides.max(1) as u64) as usize
    }

    /// Bends bytes in one to four places.
    fn bend(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.roll(4) {
            let at = self.roll(bytes.len());
            match self.roll(7) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.roll(8),
                1 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'\\', b' '][self.roll(7)],
                2 if bytes.len() > at + 4 => {
                    let number = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX, bytes.len() as u32][self.roll(6)];
                    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
                }
                3 if bytes.len() > at + 2 => {
                    let number = [0, 1, 0x7fff, 0x8000, u16::MAX][self.roll(5)];
                    bytes[at..at + 2].copy_from_slice(&number.to_le_bytes());
                }
                4 => bytes.truncate(at),
                5 => {
                    let end = (at + 1 + self.roll(64)).min(bytes.len());
                    drop(bytes.drain(at..end));
                }
                _ => {
                    let end = (at + 1 + self.roll(64)).min(bytes.len());
                    let part = bytes[at..end].to_vec();
                    let to = self.roll(bytes.len());
                    bytes.splice(to..to, part);
                }
            }
        }
        bytes
    }
}

fn check_mesh(mesh: &TriangleMesh) {
    assert!(mesh.triangles.iter().flatten().all(|&corner| (corner as usize) < mesh.positions_in_patient.len()));
    assert!(mesh.positions_in_patient.iter().flatten().all(|part| part.is_finite()));
}

fn read_images(path: &Path) {
    let progress = Progress::new();
    drop(maquette::io::dicom::tags(path));
    drop(volume_file::read_segments(path, &progress));
    let Ok(found) = scan(path, &progress) else { return };
    for entry in &found.entries {
        drop(thumbnail(entry, 32));
        if let Ok(loaded) = load(entry, &progress, &|_| {}) {
            let voxels: usize = loaded.volume.grid().dims().iter().map(|&n| n as usize).product();
            assert_eq!(loaded.volume.samples().len(), voxels);
        }
    }
}

/// What the fuzz target of this name does.
fn read(target: &str, bytes: &[u8], folder: &Path) {
    let progress = Progress::new();
    let put = |name: &str| -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    match target {
        // Apart from the others: the decoder (openjp2 0.6) frees null pointers of blocks without data, which the checks of
        // nightly's library end the fuzzer for, and which the allocator passes over.
        "dicom" | "jpeg2000" => read_images(&put("a.dcm")),
        "nifti" => read_images(&put("a.nii")),
        "nrrd" => read_images(&put("a.seg.nrrd")),
        "metaimage" => read_images(&put("a.mha")),
        "archive" => read_images(&put("a.zip")),
        "case_file" => drop(read_case(&put("a.maquette"))),
        "dicom_seg" => drop(dicom_seg::read(&put("a.dcm"), &progress)),
        "stl" => {
            if let Ok((mesh, _)) = read_stl(bytes, MeshSpace::Lps) {
                check_mesh(&mesh);
            }
        }
        "rtstruct" => {
            let grid = Grid::axis_aligned([5, 4, 3], DVec3::ONE, DVec3::ZERO).expect("valid");
            let path = put("a.dcm");
            if let Ok(read) = rtstruct::read(&path, &grid, &progress) {
                assert!(read.segments.iter().all(|(_, mask)| mask.dims() == grid.dims()));
            }
        }
        "models" => {
            let path = put("a.dcm");
            let mut meshes: Vec<TriangleMesh> = dicom_model::read(&path).into_iter().map(|model| model.mesh).collect();
            let surfaces = surface_segmentation::read(&path, &mut Report::default());
            meshes.extend(surfaces.into_iter().flatten().map(|surface| surface.mesh));
            meshes.extend(obj::read_obj(bytes, MeshSpace::Lps));
            meshes.extend(std::str::from_utf8(bytes).ok().and_then(packed_mesh::from_text));
            for mesh in &meshes {
                check_mesh(mesh);
            }
        }
        "deidentify" => {
            let path = put("a.dcm");
            let out = folder.join("out.dcm");
            if let Ok(done) = deidentify_path(&path, &out, &Options::default(), &progress) {
                read_object(&done.files[0]).expect("what was written can be read");
            }
        }
        other => panic!("no reader is named for the seeds of {other}"),
    }
}

#[test]
fn files_bent_at_random_are_read_or_refused() {
    use rayon::prelude::*;

    let each = std::env::var("MAQUETTE_MUTATIONS").ok().and_then(|number| number.parse().ok()).unwrap_or(EACH);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let files = |folder: &Path| -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder).expect("seeds").flatten().map(|entry| entry.path()).collect();
        files.sort();
        files
    };
    let seeds: Vec<(String, PathBuf)> = files(&root)
        .iter()
        .flat_map(|folder| {
            let target = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files(folder).into_iter().map(move |file| (target.clone(), file))
        })
        .collect();
    assert!(seeds.len() > 30, "{} seeds", seeds.len());
    let failed: Vec<String> = seeds
        .par_iter()
        .enumerate()
        .flat_map_iter(|(index, (target, file))| {
            let folder = tempfile::tempdir().expect("a folder");
            let bytes = std::fs::read(file).expect("readable");
            // As they are, they are read; then bent.
            read(target, &bytes, folder.path());
            let mut dice = Dice(index as u64);
            let one = |number: u64| {
                let bent = dice.bend(&bytes);
                let done = catch_unwind(AssertUnwindSafe(|| read(target, &bent, folder.path())));
                done.is_err().then(|| format!("{target}/{} number {number}", file.display()))
            };
            (0..each).filter_map(one).collect::<Vec<_>>()
        })
        .collect();
    assert!(failed.is_empty(), "{} inputs: {failed:#?}", failed.len());
}
