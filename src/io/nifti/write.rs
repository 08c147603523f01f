//! Writes volumes and label maps as NIfTI-1 or NIfTI-2, one file, gzip-packed where the name ends in `.gz`.
//!
//! Space: patient space (DICOM LPS, mm) becomes RAS. The sform holds the affine whatever it is; the qform is given too where
//! it can be (no shear), because some programs read only that. NIfTI-1 keeps all this in 32-bit floats.
//! Values: whole numbers of 16 bits as such, else the samples with the rescale as scl_slope and scl_inter.
//!
//! Source: nifti.nimh.nih.gov, nifti1.h and nifti2.h.

use std::io::Write;
use std::path::Path;

use glam::{DAffine3, DMat3, DQuat, DVec3};

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::segmentation::SegmentInfo;
use crate::domain::volume::{Rescale, Volume};
use crate::io::atomic_file::write_atomically;
use crate::io::import::samples::SampleKind;
use crate::io::label_map::LabelMap;
use crate::io::report::Report;
use crate::io::volume_file::{StoredAs, VolumeFileError};
use crate::task::Progress;

use super::label_table;

/// Axes this far from a right angle (cosine) are sheared: a qform cannot say so.
const RIGHT_ANGLE: f64 = 1e-6;
/// Intent code of label maps.
const INTENT_LABEL: i16 = 1002;
/// Code of both forms: scanner coordinates.
const SCANNER: i16 = 1;

/// Which NIfTI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NiftiVersion {
    /// What everything reads.
    #[default]
    One,
    /// Numbers of 64 bits.
    Two,
}

/// Writes a volume; the report says what 32 bits could not hold exactly.
///
/// # Errors
/// When the medium refuses or the work was cancelled; nothing is half written.
pub fn write_volume(
    path: &Path,
    volume: &Volume,
    version: NiftiVersion,
    progress: &Progress,
) -> Result<Report, VolumeFileError> {
    progress.phase("Writing NIfTI");
    let mut report = Report::default();
    let (stored, rescale) = match StoredAs::values_of(volume) {
        StoredAs::Floats => (StoredAs::Samples, volume.rescale()),
        whole => (whole, Rescale::IDENTITY),
    };
    let head = Head { grid: volume.grid(), version: fitting(version, volume.grid()), kind: stored.kind(), rescale };
    let narrow = Rescale { slope: f64::from(rescale.slope as f32), intercept: f64::from(rescale.intercept as f32) };
    if head.version == NiftiVersion::One && narrow != rescale {
        let off = |sample: i16| (narrow.value(f64::from(sample)) - rescale.value(f64::from(sample))).abs();
        let most = off(i16::MIN).max(off(i16::MAX));
        report.warning(format!("NIfTI-1 keeps the rescale in 32 bits: values may be off by up to {most:.1e}"));
    }
    write(path, &head.bytes(0, &[]), |out| stored.for_each_slice(volume, progress, |bytes| Ok(out.write_all(bytes)?)))?;
    Ok(report)
}

/// Writes segments of one grid as a label map with a table of names and colours.
///
/// # Errors
/// When segments overlap, the medium refuses, or the work was cancelled; nothing is half written.
pub fn write_segments(
    path: &Path,
    grid: &Grid,
    segments: &[(&SegmentInfo, &Mask)],
    version: NiftiVersion,
    progress: &Progress,
) -> Result<(), VolumeFileError> {
    progress.phase("Writing NIfTI");
    let map = LabelMap::flat(grid, segments)?;
    let kind = if map.is_wide() { SampleKind::U16 } else { SampleKind::U8 };
    let head = Head { grid, version: fitting(version, grid), kind, rescale: Rescale::IDENTITY };
    let head = head.bytes(INTENT_LABEL, &label_table::extension(&map));
    write(path, &head, |out| map.for_each_slice(progress, |bytes| Ok(out.write_all(bytes)?)))
}

fn write(
    path: &Path,
    head: &[u8],
    fill: impl FnOnce(&mut dyn Write) -> Result<(), VolumeFileError>,
) -> Result<(), VolumeFileError> {
    let is_packed = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
    write_atomically(path, |out| {
        if is_packed {
            let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
            packer.write_all(head)?;
            fill(&mut packer)?;
            packer.finish()?;
        } else {
            out.write_all(head)?;
            fill(out)?;
        }
        Ok(())
    })
}

/// NIfTI-1 counts voxels in 16 bits.
fn fitting(version: NiftiVersion, grid: &Grid) -> NiftiVersion {
    let fits = grid.dims().iter().all(|&n| i16::try_from(n).is_ok());
    if fits { version } else { NiftiVersion::Two }
}

struct Head<'a> {
    grid: &'a Grid,
    version: NiftiVersion,
    kind: SampleKind,
    rescale: Rescale,
}

/// A header that is filled by offset, in numbers of either version.
struct Fields {
    bytes: Vec<u8>,
    is_wide: bool,
}

impl Fields {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Real numbers one after the other: 32 bits in version 1, 64 in version 2.
    fn reals(&mut self, at: usize, numbers: &[f64]) {
        for (n, &number) in numbers.iter().enumerate() {
            if self.is_wide {
                self.put(at + 8 * n, &number.to_le_bytes());
            } else {
                self.put(at + 4 * n, &(number as f32).to_le_bytes());
            }
        }
    }
}

impl Head<'_> {
    /// The header with its extension, as long as the offset of the samples.
    fn bytes(&self, intent: i16, extension: &[u8]) -> Vec<u8> {
        let is_wide = self.version == NiftiVersion::Two;
        let length = if is_wide { 540 } else { 348 };
        let offset = length + 4 + extension.len();
        let mut fields = Fields { bytes: vec![0; length + 4], is_wide };
        let dims = self.grid.dims();
        let (datatype, bits) = (datatype(self.kind), 8 * self.kind.bytes() as i16);
        let description = format!("Maquette {}. Not for diagnostic use.", env!("CARGO_PKG_VERSION"));
        fields.put(0, &(length as u32).to_le_bytes());
        fields.bytes[length] = u8::from(!extension.is_empty());
        let counts = [3, dims[0], dims[1], dims[2], 1, 1, 1, 1];
        if is_wide {
            fields.put(4, b"n+2\0\r\n\x1a\n");
            fields.put(12, &datatype.to_le_bytes());
            fields.put(14, &bits.to_le_bytes());
            counts.iter().enumerate().for_each(|(n, &count)| fields.put(16 + 8 * n, &i64::from(count).to_le_bytes()));
            fields.put(168, &(offset as i64).to_le_bytes());
            fields.reals(176, &[self.rescale.slope, self.rescale.intercept]);
            fields.put(240, description.as_bytes());
            fields.put(500, &2_i32.to_le_bytes());
            fields.put(504, &i32::from(intent).to_le_bytes());
        } else {
            counts.iter().enumerate().for_each(|(n, &count)| fields.put(40 + 2 * n, &(count as i16).to_le_bytes()));
            fields.put(68, &intent.to_le_bytes());
            fields.put(70, &datatype.to_le_bytes());
            fields.put(72, &bits.to_le_bytes());
            fields.reals(108, &[offset as f64, self.rescale.slope, self.rescale.intercept]);
            fields.put(123, &[2]);
            fields.put(148, description.as_bytes());
            fields.put(344, b"n+1\0");
        }
        self.place(&mut fields);
        fields.bytes.extend_from_slice(extension);
        fields.bytes
    }

    fn place(&self, fields: &mut Fields) {
        let ras_from_lps = DAffine3::from_scale(DVec3::new(-1.0, -1.0, 1.0));
        let ras = ras_from_lps * self.grid.patient_from_voxel();
        let spacing = self.grid.spacing_mm();
        let qform = quaternion(ras.matrix3, spacing);
        let handed = if ras.matrix3.determinant() < 0.0 { -1.0 } else { 1.0 };
        let pixdim = [handed, spacing.x, spacing.y, spacing.z, 1.0, 1.0, 1.0, 1.0];
        let (qform_code, [b, c, d]) = qform.map_or((0, [0.0; 3]), |bcd| (SCANNER, bcd));
        let o = ras.translation;
        let rows = ras.matrix3.transpose();
        let sform: Vec<f64> = [(rows.x_axis, o.x), (rows.y_axis, o.y), (rows.z_axis, o.z)]
            .iter()
            .flat_map(|(row, offset)| [row.x, row.y, row.z, *offset])
            .collect();
        if fields.is_wide {
            fields.reals(104, &pixdim);
            fields.put(344, &i32::from(qform_code).to_le_bytes());
            fields.put(348, &i32::from(SCANNER).to_le_bytes());
            fields.reals(352, &[b, c, d, o.x, o.y, o.z]);
            fields.reals(400, &sform);
        } else {
            fields.reals(76, &pixdim);
            fields.put(252, &qform_code.to_le_bytes());
            fields.put(254, &SCANNER.to_le_bytes());
            fields.reals(256, &[b, c, d, o.x, o.y, o.z]);
            fields.reals(280, &sform);
        }
    }
}

/// Imaginary parts of the rotation, its real part not negative; `None` for sheared axes. A left-handed system is turned
/// round along k, as the sign of the first spacing then says.
fn quaternion(axes: DMat3, spacing: DVec3) -> Option<[f64; 3]> {
    let mut unit = DMat3::from_cols(axes.x_axis / spacing.x, axes.y_axis / spacing.y, axes.z_axis / spacing.z);
    let skew = [unit.x_axis.dot(unit.y_axis), unit.x_axis.dot(unit.z_axis), unit.y_axis.dot(unit.z_axis)];
    if skew.iter().any(|cosine| cosine.abs() > RIGHT_ANGLE) {
        return None;
    }
    if unit.determinant() < 0.0 {
        unit.z_axis = -unit.z_axis;
    }
    let turn = DQuat::from_mat3(&unit).normalize();
    let turn = if turn.w < 0.0 { -turn } else { turn };
    Some([turn.x, turn.y, turn.z])
}

fn datatype(kind: SampleKind) -> i16 {
    match kind {
        SampleKind::U8 => 2,
        SampleKind::I16 => 4,
        SampleKind::I32 => 8,
        SampleKind::F32 => 16,
        SampleKind::F64 => 64,
        SampleKind::I8 => 256,
        SampleKind::U16 => 512,
        SampleKind::U32 => 768,
        SampleKind::I64 => 1024,
        SampleKind::U64 => 1280,
    }
}
