//! Commands that change the document.

use egui::Key;

use super::Menu::Edit;
use super::Needs::{Mesh, Nothing, Redo, Segment, Selection, Undo, Volume};
use super::entry::{CTRL, CTRL_SHIFT, Entry, PLAIN, row};
use super::id::CommandId as C;

/// In the order of the menu.
pub(super) const ROWS: &[Entry] = &[
    row(C::Undo, Edit, "Undo", "Takes back the last step; there is no last one.", Undo).keys(CTRL, Key::Z),
    row(C::Redo, Edit, "Redo", "Does the step again that was taken back.", Redo).keys(CTRL_SHIFT, Key::Z),
    row(C::AddSegment, Edit, "New segment", "An empty segment of the volume.", Volume).keys(CTRL, Key::N).line(),
    row(C::DuplicateSegment, Edit, "Duplicate segment", "A copy below the selected one.", Segment).keys(CTRL, Key::D),
    row(C::RenameSelected, Edit, "Rename", "Names the selected object.", Selection).keys(PLAIN, Key::F2),
    row(C::DeleteSelected, Edit, "Delete", "Removes the selected object; undo brings it back.", Selection)
        .keys(PLAIN, Key::Delete),
    row(C::ToggleLock, Edit, "Lock or unlock segment", "A locked segment refuses edits of its voxels.", Segment),
    row(C::MoveUp, Edit, "Move segment up", "Earlier in the list.", Segment).keys(CTRL_SHIFT, Key::ArrowUp),
    row(C::MoveDown, Edit, "Move segment down", "Later in the list.", Segment).keys(CTRL_SHIFT, Key::ArrowDown),
    row(C::NextSegment, Edit, "Next segment", "Selects the next one.", Volume).keys(PLAIN, Key::Period),
    row(C::PreviousSegment, Edit, "Previous segment", "Selects the one before.", Volume).keys(PLAIN, Key::Comma),
    row(C::MakeMesh, Edit, "Make mesh of segment", "Extracts and smooths its surface.", Segment)
        .keys(CTRL, Key::M)
        .line(),
    row(C::MakeIsoMesh, Edit, "Make mesh of a value", "Extracts the surface at one value of the volume.", Volume),
    row(C::RebuildMesh, Edit, "Rebuild mesh", "Makes the selected mesh show what its source is now.", Mesh)
        .keys(CTRL, Key::R),
    row(
        C::Preferences,
        Edit,
        "Keys and buttons\u{2026}",
        "Sets for the hands of other programs; every key and button.",
        Nothing,
    )
    .keys(CTRL, Key::Comma)
    .line(),
];
