//! Commands of what is seen: views, layouts, what lies over the pictures.

use egui::Key;

use crate::app::viewports::layout::Arrangement;

use super::Menu::View;
use super::Needs::{ThreeVolumes, TwoVolumes, Volume};
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
        "Three phases of a heart, or any three series.",
        ThreeVolumes,
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
    row(C::Detach, View, "View in its own window", "For a second monitor; closing it brings it back.", Volume).line(),
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
];
