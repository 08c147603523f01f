//! Commands of how the 3D view is drawn.

use egui::Key;

use crate::domain::camera::StandardView;
use crate::domain::transfer::{self, Blend, TransferFunction};

use super::Menu::{Tool, Volume3d};
use super::Needs::Volume;
use super::entry::{Entry, PLAIN, SHIFT, row};
use super::id::CommandId as C;

/// In the order of the menu.
pub(super) const ROWS: &[Entry] = &[
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
    row(
        C::RestoreColors,
        Volume3d,
        "Bring edited colours back",
        "Those that another preset has taken the place of.",
        Volume,
    ),
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
];

/// A row for each 3D preset: in the palette and among the keys, not in the menu, which has them as pictures.
pub(super) fn presets() -> Vec<Entry> {
    let of = |(n, preset): (usize, &'static TransferFunction)| {
        // Names of presets last as long as the program; so do the texts made of them, once.
        let text: &'static str = Box::leak(format!("3D preset: {}", preset.name).into_boxed_str());
        row(C::Preset3d(n as u8), Tool, text, "Draws the volume with these colours and opacities.", Volume)
    };
    transfer::presets().iter().enumerate().map(of).collect()
}
