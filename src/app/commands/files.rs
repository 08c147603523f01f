//! Commands of files and cases.

use egui::Key;

use super::Menu::File;
use super::Needs::{AnyMesh, Nothing, Tags, Volume};
use super::entry::{CTRL, CTRL_SHIFT, Entry, row};
use super::id::CommandId as C;

/// In the order of the menu.
pub(super) const ROWS: &[Entry] = &[
    row(C::OpenFolder, File, "Open folder\u{2026}", "A folder of DICOM files; its series are listed.", Nothing)
        .keys(CTRL, Key::O),
    row(C::OpenFile, File, "Open file\u{2026}", "A DICOM, NIfTI or NRRD file, or a saved case.", Nothing)
        .keys(CTRL_SHIFT, Key::O),
    row(
        C::Browse,
        File,
        "Browse studies\u{2026}",
        "Patients, studies and series of the places visited before.",
        Nothing,
    )
    .keys(CTRL, Key::B),
    row(C::OpenPath, File, "Open a typed path\u{2026}", "Type or paste where the images are.", Nothing)
        .keys(CTRL, Key::L),
    row(C::OpenSample, File, "Open the sample", "A synthetic thorax with a contrast-filled aorta.", Nothing),
    row(C::AddImages, File, "Add images to the case\u{2026}", "Another series beside the present one.", Volume),
    row(
        C::LoadSegments,
        File,
        "Load segments or models onto the images\u{2026}",
        "DICOM SEG, RT structure set, label map; surface segmentation, STL or OBJ, also encapsulated.",
        Volume,
    ),
    row(C::SaveCase, File, "Save case", "Writes images, segments, meshes and history to one file.", Volume)
        .keys(CTRL, Key::S)
        .line(),
    row(C::SaveCaseAs, File, "Save case as\u{2026}", "Writes the case to another file.", Volume)
        .keys(CTRL_SHIFT, Key::S),
    row(C::ExportMeshes, File, "Export meshes\u{2026}", "Binary STL in mm, with a report.", AnyMesh)
        .keys(CTRL, Key::E)
        .line(),
    row(C::ShowReport, File, "Import report", "What the importer repaired or refused.", Volume).line(),
    row(C::ShowTags, File, "DICOM tags\u{2026}", "All tags of the files of the volume.", Tags).keys(CTRL, Key::T),
    row(C::CloseCase, File, "Close case", "Back to the first window; asks when something is not saved.", Volume).line(),
    row(C::Quit, File, "Quit", "Asks when something is not saved.", Nothing).keys(CTRL, Key::Q),
];
