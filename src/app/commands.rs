//! The one table of commands. Menu bar, tool rail, palette and key list are views of it; running one is `super::dispatch`.
//!
//! Its rows stand in a file for each menu; a new command is an identity in `id` and a row.

mod edit;
mod entry;
mod files;
mod help;
mod id;
mod slices;
mod tools;
mod views;
mod volume_3d;

use std::sync::LazyLock;

pub use entry::Entry;
pub use id::CommandId;

/// Where a command stands in the menu bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Menu {
    /// Files and cases.
    File,
    /// Changes of the document.
    Edit,
    /// What is seen.
    View,
    /// How slices are drawn.
    Slices,
    /// How the 3D view is drawn.
    Volume3d,
    /// Pointer tools and others without a menu (rail, palette and key list).
    Tool,
    /// Help.
    Help,
}
/// What has to be there for a command to make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A volume.
    Volume,
    /// Two volumes in the case.
    TwoVolumes,
    /// A volume that was read from files with tags.
    Tags,
    /// A selected segment.
    Segment,
    /// A selected mesh.
    Mesh,
    /// Any mesh with triangles.
    AnyMesh,
    /// Any selected object.
    Selection,
    /// Something to undo.
    Undo,
    /// Something to do again.
    Redo,
}

/// What is there now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Situation {
    /// A volume is open.
    pub volume: bool,
    /// How many volumes the case has.
    pub volumes: usize,
    /// A volume with tags is open.
    pub tags: bool,
    /// A segment is selected.
    pub segment: bool,
    /// A mesh is selected.
    pub mesh: bool,
    /// Some mesh has triangles.
    pub any_mesh: bool,
    /// Something is selected.
    pub selection: bool,
    /// A step can be taken back.
    pub undo: bool,
    /// A step can be done again.
    pub redo: bool,
}

impl Needs {
    /// Why a command cannot run now; `None` when it can.
    pub fn missing(self, now: Situation) -> Option<&'static str> {
        let (present, words) = match self {
            Self::Nothing => (true, ""),
            Self::Volume => (now.volume, "Open images first."),
            Self::TwoVolumes => (now.volumes >= 2, "Add another series to the case first."),
            Self::Tags => (now.tags, "The selected volume has no DICOM tags."),
            Self::Segment => (now.segment, "Select a segment first."),
            Self::Mesh => (now.mesh, "Select a mesh first."),
            Self::AnyMesh => (now.any_mesh, "Make a mesh first."),
            Self::Selection => (now.selection, "Select an object first."),
            Self::Undo => (now.undo, "There is nothing to undo."),
            Self::Redo => (now.redo, "There is nothing to do again."),
        };
        (!present).then_some(words)
    }
}

/// Every command, in the order of the menus.
pub static TABLE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let presets = volume_3d::presets();
    let menus =
        [files::ROWS, edit::ROWS, views::ROWS, slices::ROWS, volume_3d::ROWS, &presets, tools::ROWS, help::ROWS];
    menus.concat()
});

/// The row of a command.
///
/// # Panics
/// When the table lacks it, which a test would have found.
pub fn entry(id: CommandId) -> &'static Entry {
    TABLE.iter().find(|entry| entry.id == id).expect("every command is in the table")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::options::ToolKind;

    #[test]
    fn no_two_commands_share_a_name_or_a_key() {
        for (n, entry) in TABLE.iter().enumerate() {
            for other in &TABLE[n + 1..] {
                assert!(entry.id != other.id && entry.text != other.text, "{}", entry.text);
                assert!(entry.keys.is_none() || entry.keys != other.keys, "{} and {}", entry.text, other.text);
            }
        }
    }

    #[test]
    fn every_tool_has_a_row_with_an_icon_and_a_key() {
        for tool in ToolKind::ALL {
            let row = entry(CommandId::Tool(tool));
            assert!(row.icon.is_some() && row.keys.is_some(), "{}", row.text);
        }
    }

    #[test]
    fn window_rows_say_what_the_presets_hold() {
        for preset in crate::domain::window::presets() {
            let row = entry(CommandId::Window(preset.key));
            let level = format!("{}", preset.window.level).replace('-', "\u{2212}");
            assert_eq!(row.help, format!("W {} L {level}", preset.window.width), "{}", row.text);
        }
    }
}
