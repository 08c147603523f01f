//! Export of meshes: STL, its sidecar, and a report of what was written.
//!
//! In: meshes and where they come from. Out: files, and an [`ExportReport`] that the window and the command line show.
//! De-identified: nothing of the patient goes in, not even into file names, which come from the model's name.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::topology::Topology;
use crate::io::atomic_file::AtomicFileError;
use crate::io::stl::sidecar::{Sidecar, sidecar_path, write_sidecar};
use crate::io::stl::{StlWriteError, write_stl};
use crate::task::{Cancelled, Progress};

pub use crate::domain::mesh::space::MeshSpace;
pub use crate::io::provenance::ImageSource;

/// One mesh to write, and what its sidecar says of it.
#[derive(Debug, Clone, Copy)]
pub struct MeshExport<'a> {
    /// The mesh.
    pub mesh: &'a TriangleMesh,
    /// What the model is, e.g. the name of its segment; gives the file its name in [`export_all`].
    pub name: &'a str,
    /// The images that it was made from.
    pub source: Option<&'a ImageSource>,
    /// How it was made, oldest step first, in words.
    pub steps: &'a [String],
    /// The parameters of the steps.
    pub parameters: &'a serde_json::Value,
    /// Whether the segmentation has changed since the mesh was made: the report and the sidecar then say so.
    pub out_of_date: bool,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ExportReport {
    /// The files, in order.
    pub files: Vec<ExportedFile>,
    /// What a person should know, as sentences.
    pub warnings: Vec<String>,
}

/// One mesh that was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportedFile {
    /// What the model is.
    pub name: String,
    /// The STL file.
    pub path: PathBuf,
    /// The JSON file beside it.
    pub sidecar: PathBuf,
    /// Size of the STL file.
    pub bytes: u64,
    /// Its space.
    pub space: MeshSpace,
    /// Number of triangles.
    pub triangles: u64,
    /// Enclosed volume, ml.
    pub volume_ml: f64,
    /// Edge lengths of the box around it, mm.
    pub size_mm: [f32; 3],
    /// Whether it is sound.
    pub topology: Topology,
}

/// Why a mesh was not written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The mesh cannot be written, or the system refused.
    #[error("{name} was not exported")]
    Mesh {
        /// What the model is.
        name: String,
        /// Why.
        source: StlWriteError,
    },
    /// The sidecar could not be written, so that the STL was taken away again.
    #[error("{name} was not exported, because the file that describes it could not be written")]
    Sidecar {
        /// What the model is.
        name: String,
        /// Why.
        source: AtomicFileError,
    },
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Writes one mesh as binary STL in mm with its sidecar.
///
/// # Errors
/// When the mesh is empty or the system refuses; then neither file is there (an older STL of that name survives unless it
/// was already replaced).
pub fn export_mesh(path: &Path, export: &MeshExport<'_>, space: MeshSpace) -> Result<ExportReport, ExportError> {
    let name = export.name.to_owned();
    let written =
        write_stl(path, export.mesh, space).map_err(|source| ExportError::Mesh { name: name.clone(), source })?;
    let sidecar = Sidecar {
        name: name.clone(),
        source: export.source.cloned(),
        steps: export.steps.to_vec(),
        parameters: export.parameters.clone(),
        out_of_date: export.out_of_date,
        ..Sidecar::new(path, export.mesh, space, &written)
    };
    if let Err(source) = write_sidecar(path, &sidecar) {
        // A model that nobody can trace must not lie about; if it can't be removed the error still tells of it.
        let _removed = std::fs::remove_file(path);
        return Err(ExportError::Sidecar { name, source });
    }
    let mut warnings = Vec::new();
    if !sidecar.topology.is_manifold() {
        warnings.push(format!("{name}: {} It may not print.", sidecar.topology.sentence()));
    }
    if sidecar.volume_mm3 < 0.0 {
        warnings.push(format!("{name} is turned inside out."));
    }
    if export.out_of_date {
        warnings.push(format!("{name} is out of date: its segment has changed since the mesh was made."));
    }
    let file = ExportedFile {
        name,
        path: path.to_path_buf(),
        sidecar: sidecar_path(path),
        bytes: written.bytes,
        space,
        triangles: sidecar.triangles,
        volume_ml: sidecar.volume_mm3 / 1000.0,
        size_mm: std::array::from_fn(|axis| sidecar.upper_mm[axis] - sidecar.lower_mm[axis]),
        topology: sidecar.topology,
    };
    Ok(ExportReport { files: vec![file], warnings })
}

/// Writes several meshes into a folder, each under its own name; models of the same name are numbered.
/// Files of an earlier export are replaced.
///
/// # Errors
/// At the first mesh that cannot be written, or when cancelled; those written before stay.
pub fn export_all(
    folder: &Path,
    exports: &[MeshExport<'_>],
    space: MeshSpace,
    progress: &Progress,
) -> Result<ExportReport, ExportError> {
    progress.phase("writing meshes");
    let mut report = ExportReport::default();
    let mut taken = HashSet::new();
    for (done, export) in exports.iter().enumerate() {
        progress.step(done, exports.len())?;
        let stem = file_stem(export.name);
        let numbered = std::iter::once(stem.clone()).chain((2..).map(|n| format!("{stem}-{n}")));
        let free = numbered.into_iter().find(|name| taken.insert(name.to_lowercase())).unwrap_or(stem);
        let one = export_mesh(&folder.join(format!("{free}.stl")), export, space)?;
        report.files.extend(one.files);
        report.warnings.extend(one.warnings);
    }
    Ok(report)
}

/// A file name that every system takes, from a name that a person gave.
pub fn file_stem(name: &str) -> String {
    let kept: String = name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { ' ' }).collect();
    let stem = kept.split_whitespace().collect::<Vec<_>>().join("-");
    let stem: String = stem.trim_matches(['.', '-']).chars().take(100).collect();
    if stem.is_empty() { "model".into() } else { stem }
}

#[cfg(test)]
mod tests {
    use super::file_stem;

    #[test]
    fn file_names_cannot_leave_the_folder() {
        assert_eq!(file_stem("Left ventricle"), "Left-ventricle");
        assert_eq!(file_stem("../../etc/passwd"), "etc-passwd");
        assert_eq!(file_stem("a/b\\c:d*e"), "a-b-c-d-e");
        assert_eq!(file_stem("  "), "model");
        assert_eq!(file_stem("\u{5927}\u{52d5}\u{8108}"), "\u{5927}\u{52d5}\u{8108}");
    }
}
