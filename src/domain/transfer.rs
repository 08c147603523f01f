//! Transfer functions: value to colour and opacity, with the light they want.
//!
//! Presets are data: `assets/transfer-functions.json`, with their source.

pub mod edit;
pub mod preset_text;
mod presets;

use serde::{Deserialize, Serialize};

pub use presets::{default_for, fitted_to, preset, presets};

/// Opacity of a transfer function is that of a layer this thick, mm (VTK's scalar opacity unit distance).
pub const UNIT_DISTANCE_MM: f64 = 1.0;

/// Light parameters of a transfer function (Phong).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shading {
    /// Whether light is computed at all.
    pub shade: bool,
    /// Ambient part.
    pub ambient: f32,
    /// Diffuse part.
    pub diffuse: f32,
    /// Specular part.
    pub specular: f32,
    /// Specular exponent.
    pub power: f32,
}

/// How the samples along a ray become one colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Blend {
    /// Front to back, each sample hiding part of what is behind it.
    #[default]
    Composite,
    /// Only the largest value counts (MIP).
    MaximumIntensity,
    /// Only the smallest value counts (MinIP): airways, best within a slab.
    MinimumIntensity,
    /// The mean of all values.
    Average,
    /// The first surface at [`TransferFunction::iso_value`], lit.
    Isosurface,
    /// Attenuation along the ray, as on a film; colours and opacities have no say.
    XRay,
}

impl Blend {
    /// All ways, in the order of menus.
    pub const ALL: [Self; 6] =
        [Self::Composite, Self::MaximumIntensity, Self::MinimumIntensity, Self::Average, Self::Isosurface, Self::XRay];

    /// Name in menus.
    pub fn name(self) -> &'static str {
        match self {
            Self::Composite => "Volume",
            Self::MaximumIntensity => "Maximum (MIP)",
            Self::MinimumIntensity => "Minimum (MinIP)",
            Self::Average => "Average",
            Self::Isosurface => "Surface at a value",
            Self::XRay => "X-ray",
        }
    }

    /// Whether each sample takes part by its opacity, which is then that of a step.
    pub fn is_composite(self) -> bool {
        self == Self::Composite
    }
}

/// Piecewise-linear colour and opacity over rescaled values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransferFunction {
    /// Name for people, e.g. `CT-Bone`.
    pub name: String,
    /// (value, opacity 0..1), values rising.
    pub opacity: Vec<(f64, f64)>,
    /// (value, sRGB 0..1), values rising.
    pub color: Vec<(f64, [f32; 3])>,
    /// (gradient magnitude in value per mm, factor 0..1); constant 1 where it has no say.
    pub gradient_opacity: Vec<(f64, f64)>,
    /// Light.
    pub shading: Shading,
    /// How samples are blended.
    #[serde(default)]
    pub blend: Blend,
    /// Value of the surface that [`Blend::Isosurface`] shows.
    #[serde(default = "default_iso_value")]
    pub iso_value: f64,
}

/// Bone in CT.
fn default_iso_value() -> f64 {
    300.0
}

impl TransferFunction {
    /// From transparent black to opaque white, for projections.
    pub fn gray_ramp(low: f64, high: f64, blend: Blend) -> Self {
        Self {
            name: blend.name().to_owned(),
            opacity: vec![(low, 0.0), (high, 1.0)],
            color: vec![(low, [1.0; 3]), (high, [1.0; 3])],
            gradient_opacity: vec![(0.0, 1.0)],
            shading: Shading { shade: false, ambient: 1.0, diffuse: 0.0, specular: 0.0, power: 1.0 },
            blend,
            iso_value: low.midpoint(high),
        }
    }

    /// Opacity of a value, for a layer of [`UNIT_DISTANCE_MM`]; clamped to the end points outside.
    pub fn opacity_at(&self, value: f64) -> f64 {
        interpolate(&self.opacity, value, |a, b, t| a + (b - a) * t).unwrap_or(0.0)
    }

    /// Colour of a value, sRGB 0..1.
    pub fn color_at(&self, value: f64) -> [f32; 3] {
        let mix = |a: [f32; 3], b: [f32; 3], t: f64| std::array::from_fn(|c| a[c] + (b[c] - a[c]) * t as f32);
        interpolate(&self.color, value, mix).unwrap_or([0.0; 3])
    }

    /// Factor on the opacity for a gradient magnitude (value per mm).
    pub fn gradient_factor_at(&self, gradient_per_mm: f64) -> f64 {
        interpolate(&self.gradient_opacity, gradient_per_mm, |a, b, t| a + (b - a) * t).unwrap_or(1.0)
    }

    /// The same function for values `offset` higher: colour and opacity move together (the "shift" of a preset).
    #[must_use]
    pub fn shifted(&self, offset: f64) -> Self {
        let mut moved = self.clone();
        moved.opacity.iter_mut().for_each(|(value, _)| *value += offset);
        moved.color.iter_mut().for_each(|(value, _)| *value += offset);
        moved.iso_value += offset;
        moved
    }

    /// The same function stretched so that its opacity points run from `low` to `high`: for values without a fixed scale
    /// (MR), where the numbers of a preset mean nothing.
    #[must_use]
    pub fn stretched(&self, low: f64, high: f64) -> Self {
        let (Some(first), Some(last)) = (self.opacity.first(), self.opacity.last()) else { return self.clone() };
        let (first, scale) = (first.0, (high - low) / (last.0 - first.0).max(1e-9));
        let mut stretched = self.clone();
        stretched.opacity.iter_mut().for_each(|(value, _)| *value = low + (*value - first) * scale);
        stretched.color.iter_mut().for_each(|(value, _)| *value = low + (*value - first) * scale);
        stretched.iso_value = low + 0.4 * (high - low);
        stretched.gradient_opacity.iter_mut().for_each(|(gradient, _)| *gradient *= scale);
        stretched
    }

    /// Whether the gradient changes the opacity at all.
    pub fn uses_gradient_opacity(&self) -> bool {
        self.gradient_opacity.iter().any(|(_, factor)| *factor != 1.0)
    }

    /// RGBA at `count` equal steps from `low` to `high` inclusive.
    pub fn table(&self, low: f64, high: f64, count: usize) -> Vec<[f32; 4]> {
        let value = |n: usize| low + (high - low) * n as f64 / (count.max(2) - 1) as f64;
        (0..count)
            .map(|n| {
                let [r, g, b] = self.color_at(value(n));
                [r, g, b, self.opacity_at(value(n)) as f32]
            })
            .collect()
    }
}

fn interpolate<T: Copy>(points: &[(f64, T)], at: f64, mix: impl Fn(T, T, f64) -> T) -> Option<T> {
    let after = points.partition_point(|(value, _)| *value <= at);
    match (after.checked_sub(1).map(|before| points[before]), points.get(after).copied()) {
        (Some((v0, a)), Some((v1, b))) => Some(mix(a, b, (at - v0) / (v1 - v0))),
        (Some((_, only)), None) | (None, Some((_, only))) => Some(only),
        (None, None) => None,
    }
}
