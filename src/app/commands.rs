//! The one table of commands. Menu bar, tool rail, palette and key list are views of it; running one is `super::dispatch`.

use egui::{Key, KeyboardShortcut, Modifiers};
use egui_material_icons::{MaterialIcon, icons};

use crate::domain::camera::StandardView;
use crate::domain::color_map::ColorMap;
use crate::domain::plane::Plane;
use crate::domain::slice::{Interpolation, SlabMode};
use crate::domain::transfer::Blend;
use crate::tools::options::ToolKind;

use super::viewports::layout::Arrangement;

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

/// Identity of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandId {
    /// Opens a folder through a dialog.
    OpenFolder,
    /// Opens a file through a dialog.
    OpenFile,
    /// Shows the study browser.
    Browse,
    /// Opens a typed path.
    OpenPath,
    /// Opens the built-in sample.
    OpenSample,
    /// Adds a series to the case.
    AddImages,
    /// Loads segments of a file onto the active images.
    LoadSegments,
    /// Saves the case where it was saved before.
    SaveCase,
    /// Saves the case to another file.
    SaveCaseAs,
    /// Writes meshes as STL.
    ExportMeshes,
    /// Shows the tags of the files of a volume.
    ShowTags,
    /// Shows what the importer repaired.
    ShowReport,
    /// Goes back to the first window.
    CloseCase,
    /// Ends the program.
    Quit,
    /// Takes back the last step.
    Undo,
    /// Does it again.
    Redo,
    /// New segment.
    AddSegment,
    /// Copy of the selected segment.
    DuplicateSegment,
    /// Removes the selected object.
    DeleteSelected,
    /// Renames the selected object.
    RenameSelected,
    /// Locks or unlocks the selected segment.
    ToggleLock,
    /// Makes a mesh of the selected segment.
    MakeMesh,
    /// Makes a mesh of an iso value.
    MakeIsoMesh,
    /// Builds the selected mesh again.
    RebuildMesh,
    /// Moves the selected segment up in the list.
    MoveUp,
    /// Moves the selected segment down.
    MoveDown,
    /// Selects the next segment.
    NextSegment,
    /// Selects the segment before.
    PreviousSegment,
    /// Fits the picture into the active view.
    Fit,
    /// Resets zoom, pan, camera and window.
    Reset,
    /// Centres the views on the crosshair.
    Center,
    /// Maximises the active view or gives it back its place.
    Maximise,
    /// An arrangement of the views.
    Arrange(Arrangement),
    /// Puts the active view into its own window.
    Detach,
    /// Shows or hides the patient's identity.
    ToggleIdentity,
    /// Shows or hides the text in the corners of the pictures.
    ToggleCorners,
    /// Plays through the slices.
    Cine,
    /// Shows or hides all segments.
    ToggleSegments,
    /// Shows or hides the crosshair.
    ToggleCrosshair,
    /// Dark on light.
    Invert,
    /// Smooth or blocky pixels.
    ToggleInterpolation,
    /// Shows or hides the ray-marched volume in 3D.
    ToggleVolume,
    /// Shows or hides the surfaces in 3D.
    ToggleSurfaces,
    /// How values between voxels are found.
    Interpolation(Interpolation),
    /// Colours of the slices.
    Colors(ColorMap),
    /// Thickness of the slice under the pointer.
    Slab(Option<SlabMode>),
    /// All planes back along the body.
    StraightenPlanes,
    /// Keeps the planes at right angles, or not.
    LockPlanes,
    /// Shows or hides the crop box.
    ToggleCrop,
    /// How the 3D view is drawn.
    Mode(Blend),
    /// Parallel projection, or perspective.
    ToggleParallel,
    /// Outlines of the slices in 3D.
    TogglePlanes,
    /// Cuts the volume along a slice's plane.
    AddCut(Plane),
    /// Draws only a slab around a slice's plane.
    CutSlab(Plane),
    /// Takes all cuts away.
    RemoveCuts,
    /// Colours and opacities of a file.
    LoadTransfer,
    /// Colours and opacities to a file.
    SaveTransfer,
    /// Colours and opacities as the preset says.
    ResetTransfer,
    /// The window of everything about the 3D picture.
    VolumeDisplay,
    /// Gallery of 3D presets.
    VolumePresets,
    /// Gallery of window presets.
    WindowPresets,
    /// A window preset by its digit.
    Window(u8),
    /// A standard view of 3D.
    Standard(StandardView),
    /// A tool.
    Tool(ToolKind),
    /// The tool before this one.
    LastTool,
    /// The command palette.
    Palette,
    /// The key list.
    Shortcuts,
    /// What the program is and is not for.
    About,
}

/// What has to be there for a command to make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A volume.
    Volume,
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

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Identity.
    pub id: CommandId,
    /// Text of the menu item; also the accessible name of its buttons.
    pub text: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Default keys.
    pub keys: Option<KeyboardShortcut>,
    /// Icon, for tools.
    pub icon: Option<MaterialIcon>,
    /// Where it stands.
    pub menu: Menu,
    /// When it can run.
    pub needs: Needs,
    /// Whether a line is drawn above it in its menu.
    pub line_above: bool,
}

const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
const SHIFT: Modifiers = Modifiers::SHIFT;
const PLAIN: Modifiers = Modifiers::NONE;

const fn row(id: CommandId, menu: Menu, text: &'static str, help: &'static str, needs: Needs) -> Entry {
    Entry { id, text, help, keys: None, icon: None, menu, needs, line_above: false }
}

impl Entry {
    const fn keys(self, modifiers: Modifiers, key: Key) -> Self {
        Self { keys: Some(KeyboardShortcut::new(modifiers, key)), ..self }
    }

    const fn line(self) -> Self {
        Self { line_above: true, ..self }
    }

    const fn icon(self, icon: MaterialIcon) -> Self {
        Self { icon: Some(icon), ..self }
    }

    /// Its keys in words, e.g. "Ctrl+Shift+Z"; empty when it has none.
    pub fn keys_text(&self) -> String {
        self.keys.map_or_else(String::new, |keys| keys.format(&egui::ModifierNames::NAMES, false))
    }
}

use CommandId as C;
use Menu::{Edit, File, Help, Slices, Tool, View, Volume3d};
use Needs::{AnyMesh, Nothing, Redo, Segment, Selection, Tags, Undo, Volume};

/// Every command, in the order of the menus.
pub const TABLE: &[Entry] = &[
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
        "Load segments onto the images\u{2026}",
        "DICOM SEG, RT structure set, or a label map (NRRD, NIfTI, MetaImage).",
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
    row(C::RebuildMesh, Edit, "Rebuild mesh", "Makes the selected mesh show what its source is now.", Needs::Mesh)
        .keys(CTRL, Key::R),
    row(C::Fit, View, "Fit", "Fits the picture into the view.", Volume).keys(PLAIN, Key::F),
    row(C::Reset, View, "Reset view", "Zoom, pan, camera and window as at the start.", Volume).keys(PLAIN, Key::R),
    row(C::Center, View, "Centre on crosshair", "Brings the crosshair to the middle of every view.", Volume)
        .keys(PLAIN, Key::C),
    row(C::Maximise, View, "Maximise view", "One view alone, or all again; double-click does the same.", Volume)
        .keys(PLAIN, Key::Q),
    row(
        C::Arrange(Arrangement::FourUp),
        View,
        "Four views",
        "Axial, 3D, sagittal and coronal in their places.",
        Volume,
    )
    .keys(CTRL, Key::Num0),
    row(
        C::Arrange(Arrangement::OneAndThree),
        View,
        "One large, three small",
        "3D large, the slices beside it.",
        Volume,
    )
    .keys(CTRL, Key::Num1),
    row(
        C::Arrange(Arrangement::SlicesOnly),
        View,
        "Slices only",
        "Axial large, sagittal and coronal beside it.",
        Volume,
    )
    .keys(CTRL, Key::Num2),
    row(C::Arrange(Arrangement::VolumeOnly), View, "3D only", "The 3D view alone.", Volume).keys(CTRL, Key::Num3),
    row(C::Detach, View, "View in its own window", "For a second monitor; closing it brings it back.", Volume),
    row(C::ToggleIdentity, View, "Patient identity", "Shows or hides it on the pictures.", Volume)
        .keys(CTRL, Key::H)
        .line(),
    row(
        C::ToggleCorners,
        View,
        "Corner text",
        "Window, position and scale on the pictures; sides always stay.",
        Volume,
    )
    .keys(SHIFT, Key::H),
    row(C::ToggleSegments, View, "Segments", "Shows or hides all segments.", Volume).keys(PLAIN, Key::G),
    row(C::ToggleCrosshair, View, "Crosshair", "Shows or hides the lines of the other views.", Volume)
        .keys(PLAIN, Key::X),
    row(C::WindowPresets, Slices, "Window presets", "Pictures of this slice with every window.", Volume)
        .keys(PLAIN, Key::W),
    row(
        C::Cine,
        Slices,
        "Play slices",
        "Runs through the slices of the view under the pointer; a click stops.",
        Volume,
    )
    .keys(PLAIN, Key::Y),
    row(C::Invert, Slices, "Inverted grey", "Slices from white to black, as on film.", Volume).keys(SHIFT, Key::N),
    row(
        C::ToggleInterpolation,
        Slices,
        "Smooth pixels",
        "Interpolates between voxels, or shows them as they are.",
        Volume,
    )
    .keys(PLAIN, Key::B),
    row(
        C::Interpolation(Interpolation::Nearest),
        Slices,
        "Nearest voxel",
        "The voxels as they are, as blocks.",
        Volume,
    )
    .line(),
    row(C::Interpolation(Interpolation::Linear), Slices, "Linear", "Values between voxels on straight lines.", Volume),
    row(
        C::Interpolation(Interpolation::Cubic),
        Slices,
        "Cubic",
        "Smooth, and still through every voxel's value.",
        Volume,
    ),
    row(C::Slab(None), Slices, "Thin slice", "The view under the pointer shows a plane without thickness.", Volume)
        .keys(SHIFT, Key::T)
        .line(),
    row(C::Slab(Some(SlabMode::Maximum)), Slices, "Slab: maximum (MIP)", "Brightest value: vessels, bone.", Volume)
        .keys(SHIFT, Key::M),
    row(C::Slab(Some(SlabMode::Minimum)), Slices, "Slab: minimum (MinIP)", "Darkest value: airways.", Volume),
    row(C::Slab(Some(SlabMode::Mean)), Slices, "Slab: mean", "Average: less noise.", Volume),
    row(
        C::StraightenPlanes,
        Slices,
        "Planes along the body",
        "Turned planes go back to axial, sagittal, coronal.",
        Volume,
    )
    .keys(SHIFT, Key::C)
    .line(),
    row(C::LockPlanes, Slices, "Planes at right angles", "The third plane follows when one is turned.", Volume),
    row(C::Colors(ColorMap::Grey), Slices, "Colours: grey", "Black to white.", Volume).line(),
    row(C::Colors(ColorMap::Fire), Slices, "Colours: fire", "Black, red, yellow, white.", Volume),
    row(C::Colors(ColorMap::Ice), Slices, "Colours: ice", "Black, blue, white.", Volume),
    row(C::Colors(ColorMap::Spectrum), Slices, "Colours: spectrum", "Blue, green, red.", Volume),
    row(
        C::VolumeDisplay,
        Volume3d,
        "3D display",
        "Way of drawing, colours, cuts: everything about the 3D picture.",
        Volume,
    )
    .keys(SHIFT, Key::D),
    row(
        C::ToggleVolume,
        Volume3d,
        "Volume in 3D",
        "Shows or hides the ray-marched volume; beside surfaces it is faded.",
        Volume,
    ),
    row(C::ToggleSurfaces, Volume3d, "Surfaces in 3D", "Shows or hides segments and meshes.", Volume),
    row(C::ToggleCrop, Volume3d, "Crop box", "Cuts the volume to a box.", Volume).keys(PLAIN, Key::K),
    row(C::VolumePresets, Volume3d, "3D presets", "Pictures of this volume with every preset.", Volume)
        .keys(PLAIN, Key::V),
    row(C::ToggleParallel, Volume3d, "Parallel projection", "Sizes can be compared; off is perspective.", Volume)
        .keys(SHIFT, Key::O)
        .line(),
    row(C::TogglePlanes, Volume3d, "Slices in 3D", "Outlines of the three slices.", Volume).keys(SHIFT, Key::X),
    row(C::Mode(Blend::Composite), Volume3d, "Draw as a volume", "Colours and opacities of the preset, lit.", Volume)
        .line(),
    row(C::Mode(Blend::MaximumIntensity), Volume3d, "Draw the maximum (MIP)", "Brightest value of each ray.", Volume),
    row(C::Mode(Blend::MinimumIntensity), Volume3d, "Draw the minimum (MinIP)", "Darkest value of each ray.", Volume),
    row(C::Mode(Blend::Average), Volume3d, "Draw the mean", "Mean value of each ray.", Volume),
    row(C::Mode(Blend::Isosurface), Volume3d, "Draw the first surface", "The first surface at a value, lit.", Volume),
    row(C::Mode(Blend::XRay), Volume3d, "Draw as X-ray", "Attenuation along each ray, as on a film.", Volume),
    row(C::AddCut(Plane::Axial), Tool, "Cut along the axial plane", "Takes away what lies before it.", Volume),
    row(C::AddCut(Plane::Sagittal), Tool, "Cut along the sagittal plane", "Takes away what lies before it.", Volume),
    row(C::AddCut(Plane::Coronal), Tool, "Cut along the coronal plane", "Takes away what lies before it.", Volume),
    row(C::CutSlab(Plane::Axial), Tool, "Only a slab around the axial plane", "It follows the slice.", Volume),
    row(C::CutSlab(Plane::Sagittal), Tool, "Only a slab around the sagittal plane", "It follows the slice.", Volume),
    row(C::CutSlab(Plane::Coronal), Tool, "Only a slab around the coronal plane", "It follows the slice.", Volume),
    row(
        C::LoadTransfer,
        Volume3d,
        "Load colours and opacity\u{2026}",
        "From a file in the form of the presets.",
        Volume,
    )
    .line(),
    row(C::SaveTransfer, Volume3d, "Save colours and opacity\u{2026}", "To a file in the form of the presets.", Volume),
    row(C::ResetTransfer, Volume3d, "Colours and opacity of the preset", "What was edited goes.", Volume),
    row(C::RemoveCuts, Volume3d, "Remove all cuts", "Planes and slab; the crop box stays.", Volume),
    row(C::Standard(StandardView::Anterior), Volume3d, "From the front", "Anterior view in 3D.", Volume)
        .keys(SHIFT, Key::A)
        .line(),
    row(C::Standard(StandardView::Posterior), Volume3d, "From the back", "Posterior view in 3D.", Volume)
        .keys(SHIFT, Key::P),
    row(C::Standard(StandardView::Left), Volume3d, "From the patient's left", "Left view in 3D.", Volume)
        .keys(SHIFT, Key::L),
    row(C::Standard(StandardView::Right), Volume3d, "From the patient's right", "Right view in 3D.", Volume)
        .keys(SHIFT, Key::R),
    row(C::Standard(StandardView::Superior), Volume3d, "From the head", "Superior view in 3D.", Volume)
        .keys(SHIFT, Key::S),
    row(C::Standard(StandardView::Inferior), Volume3d, "From the feet", "Inferior view in 3D.", Volume)
        .keys(SHIFT, Key::I),
    row(C::Tool(ToolKind::Navigate), Tool, "Navigate", "Moves the crosshair; turns 3D views.", Nothing)
        .keys(PLAIN, Key::N)
        .icon(icons::ICON_POINT_SCAN),
    row(C::Tool(ToolKind::Threshold), Tool, "Threshold", "Takes voxels by their value, with a live preview.", Volume)
        .keys(PLAIN, Key::T)
        .icon(icons::ICON_EQUALIZER)
        .line(),
    row(C::Tool(ToolKind::Paint), Tool, "Paint", "Adds voxels; Ctrl erases.", Volume)
        .keys(PLAIN, Key::P)
        .icon(icons::ICON_EDIT),
    row(C::Tool(ToolKind::Erase), Tool, "Erase", "Removes voxels.", Volume)
        .keys(PLAIN, Key::E)
        .icon(icons::ICON_INK_ERASER),
    row(C::Tool(ToolKind::Scissors), Tool, "Scissors", "Cuts away inside or outside a drawn outline.", Volume)
        .keys(PLAIN, Key::S)
        .icon(icons::ICON_CONTENT_CUT),
    row(C::Tool(ToolKind::Islands), Tool, "Islands", "Keeps the largest part, removes clicked or small ones.", Volume)
        .keys(PLAIN, Key::I)
        .icon(icons::ICON_BUBBLE_CHART),
    row(C::Tool(ToolKind::FillHoles), Tool, "Fill holes", "Fills what is enclosed.", Volume)
        .keys(PLAIN, Key::H)
        .icon(icons::ICON_FORMAT_COLOR_FILL),
    row(C::Tool(ToolKind::Margin), Tool, "Grow or shrink", "Moves the edge by a distance in mm.", Volume)
        .keys(PLAIN, Key::M)
        .icon(icons::ICON_ADJUST),
    row(C::Tool(ToolKind::Distance), Tool, "Distance", "Measures a length in mm.", Volume)
        .keys(PLAIN, Key::D)
        .icon(icons::ICON_STRAIGHTEN)
        .line(),
    row(C::Tool(ToolKind::Angle), Tool, "Angle", "Measures an angle with three clicks.", Volume)
        .keys(PLAIN, Key::A)
        .icon(icons::ICON_SQUARE_FOOT),
    row(C::Tool(ToolKind::Ellipse), Tool, "Ellipse", "Mean, sd, min, max and area inside an ellipse.", Volume)
        .keys(PLAIN, Key::O)
        .icon(icons::ICON_RADIO_BUTTON_UNCHECKED),
    row(C::LastTool, Tool, "Last tool", "Back to the tool before this one.", Nothing).keys(PLAIN, Key::Space),
    row(C::Window(1), Tool, "Window 1: Soft tissue", "W 400 L 40", Volume).keys(PLAIN, Key::Num1),
    row(C::Window(2), Tool, "Window 2: Lung", "W 1500 L \u{2212}600", Volume).keys(PLAIN, Key::Num2),
    row(C::Window(3), Tool, "Window 3: Bone", "W 2000 L 350", Volume).keys(PLAIN, Key::Num3),
    row(C::Window(4), Tool, "Window 4: Brain", "W 80 L 40", Volume).keys(PLAIN, Key::Num4),
    row(C::Window(5), Tool, "Window 5: Mediastinum", "W 400 L 40", Volume).keys(PLAIN, Key::Num5),
    row(C::Window(6), Tool, "Window 6: Angio / CTA", "W 600 L 200", Volume).keys(PLAIN, Key::Num6),
    row(C::Window(7), Tool, "Window 7: Liver", "W 150 L 90", Volume).keys(PLAIN, Key::Num7),
    row(C::Window(8), Tool, "Window 8: Cardiac calcium", "W 1200 L 350", Volume).keys(PLAIN, Key::Num8),
    row(C::Window(9), Tool, "Window 9: MIP", "W 380 L 120", Volume).keys(PLAIN, Key::Num9),
    row(C::Window(0), Tool, "Window 0: as the files say", "The window of the DICOM files, or automatic.", Volume)
        .keys(PLAIN, Key::Num0),
    row(C::Palette, Help, "Search commands\u{2026}", "Every command by name.", Nothing).keys(CTRL, Key::K),
    row(C::Shortcuts, Help, "Keys and mouse", "All shortcuts.", Nothing).keys(PLAIN, Key::F1),
    row(C::About, Help, "About Maquette", "Version, intended use, licences.", Nothing).line(),
];

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
