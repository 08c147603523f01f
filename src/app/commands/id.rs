//! What a command is called inside the program.

use crate::app::viewports::layout::Arrangement;
use crate::domain::camera::StandardView;
use crate::domain::color_map::ColorMap;
use crate::domain::plane::Plane;
use crate::domain::slice::{Interpolation, SlabMode};
use crate::domain::transfer::Blend;
use crate::session::view::fusion::FusionWay;
use crate::tools::options::ToolKind;

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
    /// Shows or hides another volume over the slices.
    ToggleFusion,
    /// How what lies over the slices is told from them.
    FusionWay(FusionWay),
    /// Views of volumes beside each other move together, or not.
    LinkViews,
    /// Layouts under names.
    Layouts,
    /// Puts the active view into its own window.
    Detach,
    /// Shows or hides the patient's identity.
    ToggleIdentity,
    /// Shows or hides the text in the corners of the pictures.
    ToggleCorners,
    /// Shows or hides the ruler grid.
    ToggleRuler,
    /// Plays through the slices.
    Cine,
    /// The next phase of the series.
    NextPhase,
    /// The phase before.
    PreviousPhase,
    /// Plays through the phases.
    PlayPhases,
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
    /// Keys and mouse buttons, to be changed.
    Preferences,
    /// A 3D preset, by its place in the list.
    Preset3d(u8),
    /// Edited colours that a preset has put aside.
    RestoreColors,
    /// The key list.
    Shortcuts,
    /// What the program is and is not for.
    About,
}
