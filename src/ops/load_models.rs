//! Loads models from a file onto images that are open: surface segmentations, encapsulated STL and OBJ, plain STL and OBJ.
//!
//! In: a file and the words of the images. Out: meshes with names and colours, and what a person should know: another frame of
//! reference, another patient, no word on the space. Not here: the formats (`io`), the step of the document (`session`).

use std::path::Path;

use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::space::MeshSpace;
use crate::domain::series_info::SeriesInfo;
use crate::io::dicom::belongs::belongs_to;
use crate::io::dicom::elements::class_and_instance;
use crate::io::dicom_model;
use crate::io::import::ImportError;
use crate::io::obj;
use crate::io::report::Report;
use crate::io::stl::read::{read_stl, stated_space};
use crate::io::surface_segmentation::{self, SURFACE_SEGMENTATION};
use crate::task::Progress;

use super::load_segments::doubts;

/// One model of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileModel {
    /// Name for people; empty where the file has none.
    pub name: String,
    /// Colour, sRGB, where the file has one.
    pub color: Option<[u8; 3]>,
    /// Points and triangles, patient space.
    pub mesh: TriangleMesh,
}

/// The models of a file.
#[derive(Debug)]
pub struct LoadedModels {
    /// In the order of the file.
    pub models: Vec<FileModel>,
    /// The kind of file: "Surface Segmentation", "Encapsulated STL", ...
    pub origin: &'static str,
    /// What a person should know.
    pub report: Report,
}

/// What kind of model file lies at a path; `None` where it is none. Reads the header of DICOM files.
pub fn model_kind(path: &Path) -> Option<&'static str> {
    let ends = |end: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(end));
    if ends("stl") {
        return Some("STL");
    }
    if ends("obj") {
        return Some("OBJ");
    }
    if !path.is_file() || crate::io::volume_file::format_of(path).is_some() {
        return None;
    }
    match class_and_instance(path)?.0.as_str() {
        SURFACE_SEGMENTATION => Some("Surface Segmentation"),
        dicom_model::STL => Some("Encapsulated STL"),
        dicom_model::OBJ => Some("Encapsulated OBJ"),
        _ => None,
    }
}

/// Reads the models of a file.
///
/// # Errors
/// When the file is no model, is damaged or empty, or the work was cancelled.
pub fn read_models(path: &Path, progress: &Progress) -> Result<LoadedModels, ImportError> {
    progress.phase("Reading the model");
    let failed = |error: &dyn std::fmt::Display| ImportError::file(path, &error.to_string());
    let mut report = Report::default();
    let origin = model_kind(path).ok_or_else(|| failed(&"holds no model"))?;
    let bytes = || std::fs::read(path).map_err(|error| failed(&format!("cannot be read: {error}")));
    let plain = |mesh: TriangleMesh| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        vec![FileModel { name, color: None, mesh }]
    };
    let models = match origin {
        "STL" | "OBJ" => {
            let bytes = bytes()?;
            let stated = stated_space(&bytes);
            let space = stated.unwrap_or_default();
            match stated {
                Some(MeshSpace::Ras) => report.repaired(
                    "the file counts to the right and to the front (RAS): it was turned into the patient's space",
                ),
                Some(MeshSpace::Lps) => {}
                None => report.warning(
                    "the file does not say its space: it was taken as DICOM's (LPS, mm); check left and right",
                ),
            }
            if origin == "OBJ" {
                plain(obj::read_obj(&bytes, space).map_err(|error| failed(&format!("cannot be read: {error}")))?)
            } else {
                let (mesh, said) =
                    read_stl(&bytes, space).map_err(|error| failed(&format!("cannot be read: {error}")))?;
                report.extend(said);
                plain(mesh)
            }
        }
        "Surface Segmentation" => {
            let surfaces = surface_segmentation::read(path, &mut report)?;
            let model = |surface: surface_segmentation::Surface| FileModel {
                name: surface.name,
                color: Some(surface.color),
                mesh: surface.mesh,
            };
            surfaces.into_iter().map(model).collect()
        }
        _ => {
            let model = dicom_model::read(path)?;
            report.extend(model.report);
            vec![FileModel { name: model.name, color: None, mesh: model.mesh }]
        }
    };
    progress.check()?;
    Ok(LoadedModels { models, origin, report })
}

/// Reads the models of a file that are to join images; doubts about whether they belong there are in the report.
///
/// # Errors
/// As [`read_models`].
pub fn load_models(path: &Path, info: &SeriesInfo, progress: &Progress) -> Result<LoadedModels, ImportError> {
    let mut loaded = read_models(path, progress)?;
    if let Some(belongs) = belongs_to(path) {
        doubts(&belongs, info, "models", &mut loaded.report);
    }
    Ok(loaded)
}
