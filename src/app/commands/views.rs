//! Commands of what is seen: views, layouts, what lies over the pictures.

use egui::Key;

use crate::app::viewports::layout::Arrangement;

use crate::session::view::fusion::FusionWay;

use super::Menu::View;
use super::Needs::{TwoVolumes, Volume};
use super::entry::{CTRL, Entry, PLAIN, SHIFT, row};
use super::id::CommandId as C;

/// In the order of the menu.
pub(super) const ROWS: &[Entry] = &[
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
    row(
        C::Arrange(Arrangement::TwoSeries),
        View,
        "Two series side by side",
        "Each with its own window, linked by the position in the patient.",
        TwoVolumes,
    )
    .keys(CTRL, Key::Num4)
    .line(),
    row(
        C::Arrange(Arrangement::ThreeSeries),
        View,
        "Three series side by side",
        "Three phases of a heart, any three series; of two, PET on CT beside both.",
        TwoVolumes,
    )
    .keys(CTRL, Key::Num5),
    row(
        C::LinkViews,
        View,
        "Link series",
        "Series side by side scroll, pan and zoom together, by the position in the patient.",
        TwoVolumes,
    )
    .keys(SHIFT, Key::K),
    row(
        C::ToggleFusion,
        View,
        "Series over the slices",
        "Another series of the case in its own colours over these: PET on CT.",
        TwoVolumes,
    )
    .keys(SHIFT, Key::F)
    .line(),
    row(C::FusionWay(FusionWay::Blend), View, "Over the slices: blend", "One shines through the other.", TwoVolumes),
    row(
        C::FusionWay(FusionWay::Swipe),
        View,
        "Over the slices: swipe",
        "A divider to drag between the two.",
        TwoVolumes,
    ),
    row(C::FusionWay(FusionWay::Blink), View, "Over the slices: blink", "One after the other, in turns.", TwoVolumes),
    row(C::Layouts, View, "Layouts\u{2026}", "Saves how the views lie under a name, or takes a saved one.", Volume)
        .keys(CTRL, Key::Num6)
        .line(),
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
    row(C::ToggleRuler, View, "Ruler grid", "Lines at round distances in mm over the slices.", Volume)
        .keys(SHIFT, Key::G),
    row(C::ToggleSegments, View, "Segments", "Shows or hides all segments.", Volume).keys(PLAIN, Key::G),
    row(C::ToggleCrosshair, View, "Crosshair", "Shows or hides the lines of the other views.", Volume)
        .keys(PLAIN, Key::X),
];
