//! Models in DICOM: Encapsulated STL and Encapsulated OBJ Storage, in and out.
//!
//! In: a file. Out: its mesh in patient space (DICOM LPS, mm); units that the object names are heeded. The other way: a mesh with
//! the images that it was made from, in their frame of reference.
//! Source: DICOM PS3.3 A.85, C.24, C.35.1. Not here: materials (Encapsulated MTL), surface segmentations.

use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::space::MeshSpace;
use crate::io::dicom::elements::{
    code_of, int, item, put_code, put_sequence, put_text, put_u32s, read_header_object, text,
};
use crate::io::dicom::write::write_object;
use crate::io::dicom_seg::SourceImages;
use crate::io::dicom_seg::source::DerivedObject;
use crate::io::import::ImportError;
use crate::io::obj;
use crate::io::provenance::NOT_FOR_DIAGNOSTIC_USE;
use crate::io::report::Report;
use crate::io::stl;
use crate::io::stl::StlWriteError;

/// Encapsulated STL Storage.
pub const STL: &str = "1.2.840.10008.5.1.4.1.1.104.3";
/// Encapsulated OBJ Storage.
pub const OBJ: &str = "1.2.840.10008.5.1.4.1.1.104.4";

/// Whether a SOP class is a model that is read here.
pub fn is_model(sop_class: &str) -> bool {
    matches!(sop_class, STL | OBJ)
}

/// What the document inside is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModelKind {
    /// Binary STL.
    #[default]
    Stl,
    /// OBJ.
    Obj,
}

/// A model with what its object says.
#[derive(Debug)]
pub struct DicomModel {
    /// The mesh.
    pub mesh: TriangleMesh,
    /// *Document Title*.
    pub name: String,
    /// *Frame of Reference UID*.
    pub frame_of_reference_uid: String,
    /// What is doubtful.
    pub report: Report,
}

/// Reads a model.
///
/// # Errors
/// When the file is no model, is damaged, or the document inside cannot be read.
pub fn read(path: &Path) -> Result<DicomModel, ImportError> {
    let failed = |reason: &str| ImportError::file(path, reason);
    let (object, _) = read_header_object(path).map_err(|reason| failed(&reason))?;
    let class = text(&object, tags::SOP_CLASS_UID);
    if !is_model(&class) {
        return Err(failed("holds no model"));
    }
    let mut report = Report::default();
    let document = object.get(tags::ENCAPSULATED_DOCUMENT).and_then(|element| element.to_bytes().ok());
    let document = document.ok_or_else(|| failed("holds no model"))?;
    // The value is padded to an even length; the object says how long the document is.
    let length = int(&object, tags::ENCAPSULATED_DOCUMENT_LENGTH).and_then(|length| usize::try_from(length).ok());
    let document = &document[..length.unwrap_or(document.len()).min(document.len())];
    let mut mesh = if class == STL {
        // Without a length the padding byte would make a binary STL one byte too long.
        let whole =
            document.len() - usize::from(length.is_none() && document.len() % 2 == 0 && document.len() % 50 == 35);
        let (mesh, said) =
            stl::read::read_stl(&document[..whole], MeshSpace::Lps).map_err(|error| failed(&error.to_string()))?;
        report.extend(said);
        mesh
    } else {
        obj::read_obj(document, MeshSpace::Lps).map_err(|error| failed(&error.to_string()))?
    };
    let unit = code_of(&object, tags::MEASUREMENT_UNITS_CODE_SEQUENCE).map(|code| code.value);
    let scale = match unit.as_deref() {
        Some("mm") => 1.0,
        Some("um") => 1e-3,
        Some("cm") => 10.0,
        Some("m") => 1e3,
        Some(other) => return Err(failed(&format!("measures in {other:?}, which is not known"))),
        None => {
            report.warning(format!("{} does not say its unit: it was taken as mm", path.display()));
            1.0
        }
    };
    if scale != 1.0 {
        mesh.positions_in_patient.iter_mut().flatten().for_each(|part| *part *= scale);
    }
    Ok(DicomModel {
        mesh,
        name: text(&object, tags::DOCUMENT_TITLE),
        frame_of_reference_uid: text(&object, tags::FRAME_OF_REFERENCE_UID),
        report,
    })
}

/// Writes a model; `source` says whose it is. A file for others has its identity removed by the caller, with
/// [`SourceImages::deidentified`].
///
/// # Errors
/// When the mesh is empty or the medium refuses; nothing is half written.
pub fn write(
    path: &Path,
    mesh: &TriangleMesh,
    name: &str,
    source: &SourceImages,
    kind: ModelKind,
) -> Result<(), StlWriteError> {
    let stl = stl::encode(mesh, MeshSpace::Lps)?;
    let (class, mime, document) = match kind {
        ModelKind::Stl => (STL, "model/stl", stl),
        ModelKind::Obj => (OBJ, "model/obj", obj::encode(mesh, MeshSpace::Lps)),
    };
    let hash = blake3::hash(&document).to_hex().to_string();
    let mut object = InMemDicomObject::new_empty();
    let derived =
        DerivedObject { class, modality: "M3D", series_number: "301", series_description: "Model", hash: &hash };
    source.put_identity(&mut object, &derived);
    put_document(&mut object, mime, name, document);
    put_sources(&mut object, source);
    Ok(write_object(path, object)?)
}

fn put_document(object: &mut InMemDicomObject, mime: &str, name: &str, mut document: Vec<u8>) {
    let length = document.len() as u32;
    if document.len() % 2 == 1 {
        document.push(0);
    }
    put_text(object, tags::ACQUISITION_DATE_TIME, VR::DT, "");
    put_text(object, tags::BURNED_IN_ANNOTATION, VR::CS, "NO");
    put_text(object, tags::DOCUMENT_TITLE, VR::ST, name);
    put_text(object, tags::CONTENT_DESCRIPTION, VR::LO, NOT_FOR_DIAGNOSTIC_USE);
    put_text(object, tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT, VR::LO, mime);
    put_code(object, tags::MEASUREMENT_UNITS_CODE_SEQUENCE, ["UCUM", "mm", "mm"]);
    put_u32s(object, tags::ENCAPSULATED_DOCUMENT_LENGTH, &[length]);
    object.put(DataElement::new(tags::ENCAPSULATED_DOCUMENT, VR::OB, PrimitiveValue::U8(document.into())));
}

/// What the model is called, and the images that it was made from.
fn put_sources(object: &mut InMemDicomObject, source: &SourceImages) {
    // CID 7061, model titles.
    match source.info.modality.as_str() {
        "CT" => put_code(object, tags::CONCEPT_NAME_CODE_SEQUENCE, ["LN", "85040-4", "CT 3D CAM model"]),
        "MR" => put_code(object, tags::CONCEPT_NAME_CODE_SEQUENCE, ["LN", "85041-2", "MR 3D CAM model"]),
        _ => put_sequence(object, tags::CONCEPT_NAME_CODE_SEQUENCE, Vec::new()),
    }
    if source.images.is_empty() {
        return;
    }
    let images = source.images.iter().map(|image| {
        item(|item| {
            put_text(item, tags::REFERENCED_SOP_CLASS_UID, VR::UI, &image.class);
            put_text(item, tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, &image.instance);
            put_code(item, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, ["DCM", "121324", "Source image"]);
        })
    });
    put_sequence(object, tags::SOURCE_INSTANCE_SEQUENCE, images.collect());
    source.put_references(object, source.images.iter());
}
