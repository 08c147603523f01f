//! Commands of how slices are drawn.

use egui::Key;

use crate::domain::color_map::ColorMap;
use crate::domain::slice::{Interpolation, SlabMode};

use super::Menu::Slices;
use super::Needs::Volume;
use super::entry::{Entry, PLAIN, SHIFT, row};
use super::id::CommandId as C;

/// In the order of the menu.
pub(super) const ROWS: &[Entry] = &[
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
    row(
        C::PlayPhases,
        Slices,
        "Play phases",
        "Runs through the phases of the series that are open, and around.",
        Volume,
    ),
    row(C::NextPhase, Slices, "Next phase", "The same place a moment later; window and colours stay.", Volume)
        .keys(SHIFT, Key::CloseBracket),
    row(C::PreviousPhase, Slices, "Previous phase", "The same place a moment before.", Volume)
        .keys(SHIFT, Key::OpenBracket),
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
];
