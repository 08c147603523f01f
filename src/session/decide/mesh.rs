//! Deciding commands about meshes. The triangles are not made here: a mesh is a source and steps.

use crate::session::change::{Change, Edit};
use crate::session::command::Command;
use crate::session::document::{Document, VolumeId};
use crate::session::imported_model::NewModel;
use crate::session::mesh_object::{MeshId, MeshObject, MeshSource, MeshStatus, MeshStep};
use crate::session::refusal::Refusal;

use super::{free_name, usable_name};

/// Colour of a surface that has none of its own.
const BONE: [u8; 3] = [241, 214, 145];

pub(super) fn decide_mesh(document: &Document, command: &Command) -> Result<Change, Refusal> {
    match command {
        Command::AddMesh { name, source, steps } => add(document, name, source, steps),
        Command::SetMeshSteps { mesh, steps } => {
            check_steps(steps)?;
            rebuild(document, *mesh, |object, _| {
                object.steps.clone_from(steps);
                Ok(())
            })
        }
        Command::UpdateMesh { mesh } => {
            let object = document.mesh(*mesh).ok_or(Refusal::NoSuchMesh)?;
            if document.mesh_status(object) == MeshStatus::UpToDate {
                return Err(Refusal::NoEffect("the mesh shows its source as it is"));
            }
            rebuild(document, *mesh, |object, document| {
                object.source = present(document, &object.source)?;
                Ok(())
            })
        }
        Command::RenameMesh { mesh, name } => {
            let name = usable_name(name)?;
            describe(document, *mesh, |object| object.name = name)
        }
        Command::RecolorMesh { mesh, color } => describe(document, *mesh, |object| object.color = *color),
        Command::ShowMesh { mesh, visible } => describe(document, *mesh, |object| object.visible = *visible),
        Command::RemoveMesh { mesh } => {
            let index = index_of(document, *mesh)?;
            Ok(Change::one(Edit::Mesh { id: *mesh, index, value: None }))
        }
        _ => unreachable!("only commands about meshes come here"),
    }
}

fn index_of(document: &Document, id: MeshId) -> Result<usize, Refusal> {
    document.meshes().iter().position(|mesh| mesh.id == id).ok_or(Refusal::NoSuchMesh)
}

/// The source with the revision that it has now.
fn present(document: &Document, source: &MeshSource) -> Result<MeshSource, Refusal> {
    match *source {
        MeshSource::Segment { segment, .. } => {
            let object = document.segment(segment).ok_or(Refusal::NoSuchSegment)?;
            if object.segment.mask.is_empty() {
                return Err(Refusal::BadValue("the segment has no voxels, so it has no surface"));
            }
            Ok(MeshSource::Segment { segment, revision: object.mask_revision })
        }
        MeshSource::IsoValue { volume, value, .. } => {
            if !value.is_finite() {
                return Err(Refusal::BadValue("the iso value must be a number"));
            }
            let object = document.volume(volume).ok_or(Refusal::NoSuchVolume)?;
            Ok(MeshSource::IsoValue { volume, revision: object.revision, value })
        }
        MeshSource::Imported { volume, .. } => {
            document.volume(volume).ok_or(Refusal::NoSuchVolume)?;
            Ok(source.clone())
        }
    }
}

fn check_steps(steps: &[MeshStep]) -> Result<(), Refusal> {
    for step in steps {
        if let MeshStep::Smooth { passes, pass_band, .. } = step
            && !((1..=1000).contains(passes) && (1e-4..=2.0).contains(pass_band))
        {
            return Err(Refusal::BadValue("smoothing takes 1 to 1000 passes and a pass band of 0.0001 to 2"));
        }
    }
    Ok(())
}

fn add(document: &Document, name: &str, source: &MeshSource, steps: &[MeshStep]) -> Result<Change, Refusal> {
    check_steps(steps)?;
    let source = present(document, source)?;
    let (word, color) = match source {
        MeshSource::Segment { segment, .. } => {
            let info = &document.segment(segment).ok_or(Refusal::NoSuchSegment)?.segment.info;
            (info.name.clone(), info.color)
        }
        MeshSource::IsoValue { value, volume, .. } => {
            let quantity = document.volume(volume).ok_or(Refusal::NoSuchVolume)?.head.quantity;
            (format!("Iso {value} {}", quantity.unit()).trim_end().to_owned(), BONE)
        }
        MeshSource::Imported { .. } => ("Model".to_owned(), BONE),
    };
    let taken = |name: &str| document.meshes().iter().any(|mesh| mesh.name == name);
    let name = usable_name(name).unwrap_or(if taken(&word) { free_name(&word, taken) } else { word });
    let (id, revision) = (MeshId(document.next_id()), document.next_revision());
    let object = MeshObject {
        id,
        name,
        source,
        steps: steps.to_vec(),
        color,
        visible: true,
        revision,
        build_revision: revision,
        built: None,
    };
    Ok(Change::one(Edit::Mesh { id, index: document.meshes().len(), value: Some(Box::new(object)) }))
}

/// Adds models that were read from a file, at the end of the list, with names that no other mesh has.
pub(in crate::session) fn read_models(
    document: &Document,
    volume: VolumeId,
    models: Vec<NewModel>,
) -> Result<(Command, Change), Refusal> {
    document.volume(volume).ok_or(Refusal::NoSuchVolume)?;
    if models.is_empty() {
        return Err(Refusal::NoEffect("the file holds no model"));
    }
    let revision = document.next_revision();
    let mut names: Vec<String> = Vec::new();
    let mut edits = Vec::new();
    for (n, model) in models.into_iter().enumerate() {
        let taken = |name: &str| {
            document.meshes().iter().any(|mesh| mesh.name == name) || names.iter().any(|other| other == name)
        };
        let name = match usable_name(&model.name) {
            Ok(name) if taken(&name) => free_name(&name, taken),
            Ok(name) => name,
            Err(_) => free_name("Model", taken),
        };
        names.push(name.clone());
        let id = MeshId(document.next_id() + n as u32);
        let source = MeshSource::Imported { volume, model: model.model };
        let (color, steps) = (model.color.unwrap_or(BONE), Vec::new());
        let object = MeshObject {
            id,
            name,
            source,
            steps,
            color,
            visible: true,
            revision,
            build_revision: revision,
            built: None,
        };
        edits.push(Edit::Mesh { id, index: document.meshes().len() + n, value: Some(Box::new(object)) });
    }
    Ok((Command::ReadModels { volume, names }, Change { edits }))
}

fn describe(document: &Document, id: MeshId, alter: impl FnOnce(&mut MeshObject)) -> Result<Change, Refusal> {
    let index = index_of(document, id)?;
    let before = &document.meshes()[index];
    let mut object = before.clone();
    alter(&mut object);
    if object.same_recipe(before) {
        return Err(Refusal::NoEffect("the mesh is as asked"));
    }
    object.revision = document.next_revision();
    Ok(Change::one(Edit::Mesh { id, index, value: Some(Box::new(object)) }))
}

/// Alters what the triangles depend on; those that were built are dropped.
fn rebuild(
    document: &Document,
    id: MeshId,
    alter: impl FnOnce(&mut MeshObject, &Document) -> Result<(), Refusal>,
) -> Result<Change, Refusal> {
    let index = index_of(document, id)?;
    let before = &document.meshes()[index];
    let mut object = before.clone();
    alter(&mut object, document)?;
    if object.same_recipe(before) {
        return Err(Refusal::NoEffect("the mesh is as asked"));
    }
    object.revision = document.next_revision();
    object.build_revision = object.revision;
    object.built = None;
    Ok(Change::one(Edit::Mesh { id, index, value: Some(Box::new(object)) }))
}
