//! A model that was read from a file: its triangles, kept as they were, and what kind of file it came from.
//!
//! Shared by all copies of the document; as text (see `io::packed_mesh`) inside case files and the journal.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::mesh::TriangleMesh;
use crate::io::packed_mesh::{from_text, to_text};

/// A model to add to the document.
#[derive(Debug, Clone, PartialEq)]
pub struct NewModel {
    /// Name for people.
    pub name: String,
    /// Display colour, sRGB, where the file has one.
    pub color: Option<[u8; 3]>,
    /// Its triangles.
    pub model: ImportedModel,
}

/// A model of a file.
#[derive(Debug, Clone)]
pub struct ImportedModel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    origin: String,
    mesh: TriangleMesh,
    /// The mesh as text, once it was asked for.
    text: OnceLock<String>,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    origin: String,
    triangles: String,
}

impl ImportedModel {
    /// A model; `origin` is the kind of its file ("Surface Segmentation"), never a name or a path.
    pub fn new(origin: impl Into<String>, mesh: TriangleMesh) -> Self {
        Self(Arc::new(Inner { origin: origin.into(), mesh, text: OnceLock::new() }))
    }

    /// The kind of file that it came from.
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// Its triangles, in patient space.
    pub fn mesh(&self) -> &TriangleMesh {
        &self.0.mesh
    }

    /// Memory that it holds.
    pub fn memory_bytes(&self) -> usize {
        let mesh = &self.0.mesh;
        size_of_val(&mesh.positions_in_patient[..]) + size_of_val(&mesh.normals[..]) + size_of_val(&mesh.triangles[..])
    }
}

impl PartialEq for ImportedModel {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.origin == other.0.origin && self.0.mesh == other.0.mesh)
    }
}

impl Serialize for ImportedModel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let triangles = self.0.text.get_or_init(|| to_text(&self.0.mesh)).clone();
        Written { origin: self.0.origin.clone(), triangles }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ImportedModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { origin, triangles } = Written::deserialize(deserializer)?;
        let mesh =
            from_text(&triangles).ok_or_else(|| serde::de::Error::custom("the triangles of a model are damaged"))?;
        Ok(Self::new(origin, mesh))
    }
}
