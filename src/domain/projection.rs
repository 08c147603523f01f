//! Numbers of the ways to draw a volume other than blending: X-ray and first surface. Shared by the ray-marcher
//! (`shaders/shared/projections.wgsl`) and its CPU twin (`render_reference`), so that both form the same picture.
//!
//! X-ray: attenuation along the ray, as a thickness of water of the same effect: `w = (HU + 1000) / 1000` a mm, brightness
//! `1 - exp(-(thickness / XRAY_DEPTH_MM) ^ XRAY_CONTRAST)`. For values that are no HU, `w` runs from 0 to 1 over the volume's values.
//! First surface: the first sample at or beyond the value, found again by bisection between it and the one before.

use super::transfer::{Blend, TransferFunction};
use super::volume::{Quantity, Volume};

/// Thickness of water, mm, that gives 63 % of the brightness of an X-ray picture.
pub const XRAY_DEPTH_MM: f32 = 180.0;
/// How much steeper brightness rises than attenuation: bone shall stand out of a skull, lungs stay dark.
pub const XRAY_CONTRAST: f32 = 1.5;
/// Halvings of the last step in search of a surface: a thousandth of a step.
pub const BISECTIONS: u32 = 10;

/// What a projection needs to know, in samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection {
    /// Inside the surface where `(sample - iso_sample) * inside_sign >= 0`.
    pub iso_sample: f32,
    /// 1, or -1 where values fall as samples rise.
    pub inside_sign: f32,
    /// Attenuation relative to water = `max(sample * attenuation_scale + attenuation_bias, 0)`.
    pub attenuation_scale: f32,
    /// See `attenuation_scale`.
    pub attenuation_bias: f32,
    /// Colour of the surface, sRGB.
    pub surface_color: [f32; 3],
}

impl Projection {
    /// The projection of a volume under a transfer function, which names the surface's value and its colour.
    pub fn of(transfer: &TransferFunction, volume: &Volume) -> Self {
        let rescale = volume.rescale();
        let (low, high) = volume.value_range();
        let (low, span) = if volume.quantity() == Quantity::Hounsfield { (-1000.0, 1000.0) } else { (low, high - low) };
        let per_value = 1.0 / span.max(1e-6);
        Self {
            iso_sample: rescale.sample(transfer.iso_value) as f32,
            inside_sign: if rescale.slope < 0.0 { -1.0 } else { 1.0 },
            attenuation_scale: (rescale.slope * per_value) as f32,
            attenuation_bias: ((rescale.value(0.0) - low) * per_value) as f32,
            surface_color: transfer.color_at(transfer.iso_value),
        }
    }

    /// Whether a sample lies inside the surface.
    #[inline]
    pub fn is_inside(&self, sample: f32) -> bool {
        (sample - self.iso_sample) * self.inside_sign >= 0.0
    }

    /// Whether any sample of a range lies inside the surface.
    pub fn reaches(&self, range: [i16; 2]) -> bool {
        range.iter().any(|&sample| self.is_inside(f32::from(sample)))
    }

    /// Attenuation of a sample relative to water.
    #[inline]
    pub fn attenuation(&self, sample: f32) -> f32 {
        sample.mul_add(self.attenuation_scale, self.attenuation_bias).max(0.0)
    }

    /// Brightness of an X-ray picture behind a thickness of water.
    #[inline]
    pub fn brightness(water_mm: f32) -> f32 {
        1.0 - (-(water_mm / XRAY_DEPTH_MM).powf(XRAY_CONTRAST)).exp()
    }
}

/// A grey ramp over values that shows something in a projection of CT: bone for the brightest, airways for the darkest.
/// Other volumes get their whole range.
pub fn ramp_for(blend: Blend, volume: &Volume) -> TransferFunction {
    let (low, high) = match (blend, volume.quantity()) {
        (Blend::MaximumIntensity, Quantity::Hounsfield) => (-100.0, 1500.0),
        (Blend::MinimumIntensity, Quantity::Hounsfield) => (-1000.0, -400.0),
        (Blend::Average, Quantity::Hounsfield) => (-800.0, 300.0),
        _ => volume.value_range(),
    };
    TransferFunction::gray_ramp(low, high, blend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grid::Grid;
    use crate::domain::transfer::preset;
    use crate::domain::volume::Rescale;
    use glam::DVec3;

    #[test]
    fn water_attenuates_once_whatever_the_rescale() {
        for rescale in [Rescale { slope: 1.0, intercept: -1024.0 }, Rescale { slope: -0.5, intercept: 900.0 }] {
            let grid = Grid::axis_aligned([2, 1, 1], DVec3::ONE, DVec3::ZERO).expect("valid grid");
            let volume = Volume::new(grid, vec![0, 4000], rescale, Quantity::Hounsfield);
            let bone = preset("CT-Bone").expect("CT-Bone");
            let projection = Projection::of(bone, &volume);
            let sample = |hu: f64| rescale.sample(hu) as f32;
            assert!((projection.attenuation(sample(0.0)) - 1.0).abs() < 1e-5);
            assert!((projection.attenuation(sample(1000.0)) - 2.0).abs() < 1e-5);
            assert!(projection.attenuation(sample(-1020.0)) == 0.0, "less than nothing is nothing");
            assert!(projection.is_inside(sample(bone.iso_value + 1.0)));
            assert!(!projection.is_inside(sample(bone.iso_value - 1.0)));
        }
        assert!((Projection::brightness(XRAY_DEPTH_MM) - 0.632).abs() < 1e-3);
    }
}
