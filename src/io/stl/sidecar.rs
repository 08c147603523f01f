//! The JSON file beside an STL file: what the format has no room for.
//!
//! Who wrote it from what with which parameters, in which space and units, how large it is, whether it is sound, and that it
//! is not for diagnostic use. Holds no patient identity.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::space::MeshSpace;
use crate::domain::mesh::topology::{Topology, topology};
use crate::io::atomic_file::{AtomicFileError, write_atomically};
use crate::io::provenance::{ImageSource, Software};

use super::StlWritten;

/// All that is said about one STL file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sidecar {
    /// Name of the STL file, without its folder.
    pub file: String,
    /// Its BLAKE3 hash.
    pub blake3: String,
    /// Who wrote it.
    pub software: Software,
    /// What the model is.
    pub name: String,
    /// Unit of the coordinates.
    pub units: String,
    /// Their space.
    pub space: MeshSpace,
    /// What the axes point to.
    pub axes: String,
    /// Number of triangles.
    pub triangles: u64,
    /// Number of vertices.
    pub vertices: u64,
    /// Enclosed volume, mm3.
    pub volume_mm3: f64,
    /// Surface, mm2.
    pub area_mm2: f64,
    /// Smallest coordinates, in the file's space, mm.
    pub lower_mm: [f32; 3],
    /// Largest coordinates, in the file's space, mm.
    pub upper_mm: [f32; 3],
    /// Whether it is sound.
    pub topology: Topology,
    /// The images it was made from.
    pub source: Option<ImageSource>,
    /// How it was made, oldest step first, in words.
    pub steps: Vec<String>,
    /// The parameters of the steps.
    pub parameters: serde_json::Value,
    /// Set when the segmentation has changed since the mesh was made.
    pub out_of_date: bool,
}

impl Sidecar {
    /// Describes a mesh that was written.
    pub fn new(path: &Path, mesh: &TriangleMesh, space: MeshSpace, written: &StlWritten) -> Self {
        let (lower, upper) = mesh.bounds_in_patient().unwrap_or_default();
        // Half a turn about z swaps the ends of x and y.
        let (a, b) = (space.from_patient(lower.to_array()), space.from_patient(upper.to_array()));
        Self {
            file: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            blake3: written.blake3.clone(),
            software: Software::default(),
            name: String::new(),
            units: "mm".into(),
            space,
            axes: space.axes().into(),
            triangles: mesh.triangles.len() as u64,
            vertices: mesh.positions_in_patient.len() as u64,
            volume_mm3: mesh.volume_mm3(),
            area_mm2: mesh.area_mm2(),
            lower_mm: std::array::from_fn(|axis| a[axis].min(b[axis])),
            upper_mm: std::array::from_fn(|axis| a[axis].max(b[axis])),
            topology: topology(mesh),
            source: None,
            steps: Vec::new(),
            parameters: serde_json::Value::Null,
            out_of_date: false,
        }
    }
}

/// Where the sidecar of a file stands: `bone.stl` has `bone.stl.json`.
pub fn sidecar_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    PathBuf::from(name)
}

/// Writes it beside its file, whole or not at all.
///
/// # Errors
/// When the system refuses.
pub fn write_sidecar(path: &Path, sidecar: &Sidecar) -> Result<PathBuf, AtomicFileError> {
    let beside = sidecar_path(path);
    let failed = |source| AtomicFileError::Io { path: beside.clone(), source };
    write_atomically(&beside, |file| {
        serde_json::to_writer_pretty(&mut *file, sidecar).map_err(|error| failed(error.into()))?;
        std::io::Write::write_all(file, b"\n").map_err(failed)
    })?;
    Ok(beside)
}
