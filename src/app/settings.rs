//! What the user has set for the program itself: named layouts, and keys and buttons. One file in the user's configuration;
//! nothing of any patient.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bindings::Chosen;
use crate::session::view::tiling::NamedLayout;

/// What is kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Layouts by name, in the order in which they were saved.
    pub layouts: Vec<NamedLayout>,
    /// Keys and mouse buttons.
    pub bindings: Chosen,
}

/// The settings and where they are kept.
#[derive(Debug, Default)]
pub struct Settings {
    kept: Kept,
    file: Option<PathBuf>,
}

impl Settings {
    /// Those of this user; as at the start where they cannot be read.
    pub fn of_user() -> Self {
        let file =
            directories::ProjectDirs::from("", "", "maquette").map(|dirs| dirs.config_dir().join("settings.json"));
        Self::at(file)
    }

    /// Those of a file; without one nothing is kept.
    pub fn at(file: Option<PathBuf>) -> Self {
        let text = file.as_deref().and_then(|file| std::fs::read_to_string(file).ok());
        let kept = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Self { kept, file }
    }

    /// What is set.
    pub fn get(&self) -> &Kept {
        &self.kept
    }

    /// Changes what is set and keeps it.
    ///
    /// # Errors
    /// When it cannot be written; it holds until the program ends all the same.
    pub fn change(&mut self, change: impl FnOnce(&mut Kept)) -> std::io::Result<()> {
        let before = self.kept.clone();
        change(&mut self.kept);
        let Some(file) = self.file.as_ref().filter(|_| self.kept != before) else { return Ok(()) };
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // Written beside and moved, so that a crash leaves the old ones.
        let draft = file.with_extension("json.new");
        std::fs::write(&draft, serde_json::to_vec_pretty(&self.kept)?)?;
        std::fs::rename(draft, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_there_the_next_time_and_a_damaged_file_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("deep/settings.json");
        let mut settings = Settings::at(Some(file.clone()));
        let layout = NamedLayout { name: "Mine".to_owned(), arrangement: "3d".to_owned(), tiling: None };
        settings.change(|kept| kept.layouts.push(layout.clone())).expect("written");
        assert_eq!(Settings::at(Some(file.clone())).get().layouts, [layout]);
        std::fs::write(&file, b"{").expect("written");
        assert_eq!(Settings::at(Some(file)).get(), &Kept::default());
    }
}
