//! Cases opened before, for the first window. De-identified: where they lie, what was imaged, when; never a name or id.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::session::document::VolumeHead;

/// At most this many are kept.
const KEPT: usize = 8;

/// One case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentCase {
    /// What was opened.
    pub path: PathBuf,
    /// Name of the images without patient identity.
    pub title: String,
    /// Voxels and modality.
    pub details: String,
}

/// The list, newest first, and where it is kept.
#[derive(Debug, Default)]
pub struct Recent {
    cases: Vec<RecentCase>,
    file: Option<PathBuf>,
}

impl Recent {
    /// The list of this user; empty when it cannot be read.
    pub fn of_user() -> Self {
        let file = directories::ProjectDirs::from("", "", "maquette").map(|dirs| dirs.config_dir().join("recent.json"));
        let text = file.as_deref().and_then(|file| std::fs::read_to_string(file).ok());
        let cases = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Self { cases, file }
    }

    /// Cases that are still there, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &RecentCase> {
        self.cases.iter()
    }

    /// Puts a case first and keeps the list. That the list cannot be written is no reason to stop.
    pub fn remember(&mut self, path: &Path, head: &VolumeHead) {
        let [ni, nj, nk] = head.grid.dims();
        let modality = if head.info.modality.is_empty() { "Images" } else { &head.info.modality };
        let details = format!("{modality} {ni}\u{d7}{nj}\u{d7}{nk}");
        self.cases.retain(|case| case.path != path);
        self.cases.insert(0, RecentCase { path: path.to_path_buf(), title: head.name.clone(), details });
        self.cases.truncate(KEPT);
        if let Err(error) = self.write() {
            tracing::debug!(%error, "recent cases are not kept");
        }
    }

    fn write(&self) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, serde_json::to_vec_pretty(&self.cases)?)
    }
}
