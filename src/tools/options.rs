//! Which pointer tool is active, and what its panel says: the settings that tools read and panels write.
//!
//! Lengths are mm, values are those of the volume (HU for CT). Not here: the tools' gestures.

use crate::domain::plane::Plane;
use crate::session::command::{Brush, BrushShape, Combine, EditRule};

/// A pointer tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToolKind {
    /// Moves the crosshair; turns 3D views.
    Navigate,
    /// Takes voxels by value, with a live preview.
    Threshold,
    /// Adds voxels with a brush.
    Paint,
    /// Removes voxels with a brush.
    Erase,
    /// Cuts along a drawn outline.
    Scissors,
    /// Keeps the largest part, removes clicked or small parts.
    Islands,
    /// Fills enclosed holes.
    FillHoles,
    /// Grows or shrinks.
    Margin,
    /// Measures a length.
    Distance,
    /// Measures an angle.
    Angle,
    /// Measures the values inside an ellipse.
    Ellipse,
}

impl ToolKind {
    /// All tools in the order of the rail.
    pub const ALL: [Self; 11] = [
        Self::Navigate,
        Self::Threshold,
        Self::Paint,
        Self::Erase,
        Self::Scissors,
        Self::Islands,
        Self::FillHoles,
        Self::Margin,
        Self::Distance,
        Self::Angle,
        Self::Ellipse,
    ];

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Navigate => "Navigate",
            Self::Threshold => "Threshold",
            Self::Paint => "Paint",
            Self::Erase => "Erase",
            Self::Scissors => "Scissors",
            Self::Islands => "Islands",
            Self::FillHoles => "Fill holes",
            Self::Margin => "Grow or shrink",
            Self::Distance => "Distance",
            Self::Angle => "Angle",
            Self::Ellipse => "Ellipse",
        }
    }

    /// What the left button does in a slice view, in a word or two.
    pub fn left_button(self) -> &'static str {
        match self {
            Self::Navigate | Self::Threshold | Self::FillHoles | Self::Margin => "crosshair",
            Self::Paint => "paint",
            Self::Erase => "erase",
            Self::Scissors => "cut",
            Self::Islands => "pick part",
            Self::Distance | Self::Angle | Self::Ellipse => "measure",
        }
    }

    /// Whether the tool changes voxels of the selected segment.
    pub fn edits_segment(self) -> bool {
        !matches!(self, Self::Navigate | Self::Distance | Self::Angle | Self::Ellipse)
    }

    /// Whether the tool measures in slice views.
    pub fn measures(self) -> bool {
        matches!(self, Self::Distance | Self::Angle | Self::Ellipse)
    }

    /// Whether the brush belongs to the tool.
    pub fn has_brush(self) -> bool {
        matches!(self, Self::Paint | Self::Erase)
    }
}

/// Form of the brush, before a view says in which plane a disc lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrushForm {
    /// A ball.
    Sphere,
    /// A disc in the view's plane.
    Disc,
}

/// What a click of the islands tool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IslandClick {
    /// Removes the part under the pointer.
    Remove,
    /// Nothing: only the panel's buttons act.
    Nothing,
}

/// All settings of all tools.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolOptions {
    /// Form of the brush.
    pub brush_form: BrushForm,
    /// Radius of the brush, mm.
    pub radius_mm: f64,
    /// Whether edits are kept to voxels of a value range.
    pub range_is_on: bool,
    /// That range.
    pub only_within: (f64, f64),
    /// Whether voxels of other segments are left alone.
    pub protect_others: bool,
    /// Range of the threshold tool; drawn as a preview while the tool is active.
    pub threshold: (f64, f64),
    /// How thresholded voxels join the segment.
    pub threshold_combine: Combine,
    /// Scissors remove what is inside the outline, else what is outside.
    pub cut_inside: bool,
    /// Scissors add instead of removing.
    pub scissors_fill: bool,
    /// Scissors of slice views cut only this far to both sides of the slice, mm; `None` cuts through everything.
    pub cut_half_depth_mm: Option<f64>,
    /// What a click of the islands tool does.
    pub island_click: IslandClick,
    /// Parts below this are small, ml.
    pub small_part_ml: f64,
    /// Distance of grow and shrink, mm.
    pub margin_mm: f64,
}

impl Default for ToolOptions {
    fn default() -> Self {
        Self {
            brush_form: BrushForm::Sphere,
            radius_mm: 6.0,
            range_is_on: false,
            only_within: (226.0, 3071.0),
            protect_others: true,
            threshold: (226.0, 3071.0),
            threshold_combine: Combine::Replace,
            cut_inside: true,
            scissors_fill: false,
            cut_half_depth_mm: None,
            island_click: IslandClick::Remove,
            small_part_ml: 0.5,
            margin_mm: 1.0,
        }
    }
}

impl ToolOptions {
    /// Smallest and largest radius of the brush, mm.
    pub const RADIUS_RANGE_MM: (f64, f64) = (0.5, 60.0);

    /// What bounds every edit of voxels.
    pub fn rule(&self) -> EditRule {
        EditRule { protect_others: self.protect_others, only_within: self.range_is_on.then_some(self.only_within) }
    }

    /// The brush in a view of a plane; `None` stands for a 3D view, where a disc is a sphere.
    pub fn brush(&self, plane: Option<Plane>, erase: bool) -> Brush {
        let shape = match (self.brush_form, plane) {
            (BrushForm::Disc, Some(plane)) => BrushShape::Disc(plane),
            _ => BrushShape::Sphere,
        };
        Brush { shape, radius_mm: self.radius_mm, erase }
    }

    /// Makes the brush larger (steps over 0) or smaller, 20 % a step.
    pub fn resize_brush(&mut self, steps: f64) {
        let (low, high) = Self::RADIUS_RANGE_MM;
        self.radius_mm = (self.radius_mm * 1.2_f64.powf(steps)).clamp(low, high);
    }
}

/// The active tool, the one before it, and all settings.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolBox {
    active: ToolKind,
    previous: ToolKind,
    /// Settings.
    pub options: ToolOptions,
}

impl Default for ToolBox {
    fn default() -> Self {
        Self { active: ToolKind::Navigate, previous: ToolKind::Paint, options: ToolOptions::default() }
    }
}

impl ToolBox {
    /// The tool that the left button belongs to.
    pub fn active(&self) -> ToolKind {
        self.active
    }

    /// Takes another tool; the present one is remembered.
    pub fn choose(&mut self, tool: ToolKind) {
        if tool != self.active {
            self.previous = self.active;
            self.active = tool;
        }
    }

    /// Takes the tool that was active before.
    pub fn swap(&mut self) {
        std::mem::swap(&mut self.active, &mut self.previous);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapping_returns_to_the_last_tool() {
        let mut tools = ToolBox::default();
        tools.choose(ToolKind::Paint);
        tools.choose(ToolKind::Paint);
        tools.swap();
        assert_eq!(tools.active(), ToolKind::Navigate);
        tools.swap();
        assert_eq!(tools.active(), ToolKind::Paint);
    }

    #[test]
    fn a_disc_lies_in_the_plane_of_its_view() {
        let mut options = ToolOptions { brush_form: BrushForm::Disc, ..ToolOptions::default() };
        assert_eq!(options.brush(Some(Plane::Coronal), true).shape, BrushShape::Disc(Plane::Coronal));
        assert_eq!(options.brush(None, false).shape, BrushShape::Sphere);
        options.resize_brush(1000.0);
        assert_eq!(options.radius_mm, ToolOptions::RADIUS_RANGE_MM.1);
    }
}
