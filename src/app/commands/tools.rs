//! Pointer tools, and commands that stand in no menu.

use egui::Key;
use egui_material_icons::icons;

use crate::domain::plane::Plane;
use crate::tools::options::ToolKind;

use super::Menu::Tool;
use super::Needs::{Nothing, Volume};
use super::entry::{Entry, PLAIN, row};
use super::id::CommandId as C;

/// In the order of the menu.
pub(super) const ROWS: &[Entry] = &[
    row(C::AddCut(Plane::Axial), Tool, "Cut along the axial plane", "Takes away what lies before it.", Volume),
    row(C::AddCut(Plane::Sagittal), Tool, "Cut along the sagittal plane", "Takes away what lies before it.", Volume),
    row(C::AddCut(Plane::Coronal), Tool, "Cut along the coronal plane", "Takes away what lies before it.", Volume),
    row(C::CutSlab(Plane::Axial), Tool, "Only a slab around the axial plane", "It follows the slice.", Volume),
    row(C::CutSlab(Plane::Sagittal), Tool, "Only a slab around the sagittal plane", "It follows the slice.", Volume),
    row(C::CutSlab(Plane::Coronal), Tool, "Only a slab around the coronal plane", "It follows the slice.", Volume),
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
];
