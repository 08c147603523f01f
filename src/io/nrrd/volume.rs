//! NRRD volumes: how to read one, and writing.

use std::io::{self, Write};
use std::path::Path;

use glam::DVec3;

use crate::domain::grid::Grid;
use crate::domain::volume::{Rescale, Volume};
use crate::io::atomic_file::write_atomically;
use crate::io::import::ImportError;
use crate::io::import::research::{Packing, ResearchPlan};
use crate::io::report::Report;
use crate::task::Progress;

use super::NrrdWriteError;
use super::header::{NrrdEncoding, NrrdHeader, read_header};

/// What is inside an NRRD file.
#[derive(Debug)]
pub struct NrrdContents {
    /// The header.
    pub header: NrrdHeader,
    /// How to read the samples.
    pub plan: ResearchPlan,
    /// What is doubtful.
    pub report: Report,
}

impl NrrdContents {
    /// Whether 3D Slicer's segment keys are there.
    pub fn is_segmentation(&self) -> bool {
        self.header.keys.keys().any(|key| key.starts_with("Segment0_"))
    }
}

/// Reads the header of an NRRD file and checks that its samples are there.
///
/// # Errors
/// When the file is no NRRD, is damaged, or is no block of three axes of space.
pub fn inspect(path: &Path) -> Result<NrrdContents, ImportError> {
    let failed = |error: &dyn std::fmt::Display| ImportError::file(path, &error.to_string());
    let header = read_header(path).map_err(|error| failed(&error))?;
    let mut header = header;
    squeeze(&mut header);
    header.sample_count().map_err(|error| failed(&error))?;
    let dims = header.space_dims().map_err(|error| failed(&error))?;
    let components: u64 =
        header.sizes.iter().zip(&header.directions).filter(|(_, axis)| axis.is_none()).map(|(size, _)| size).product();
    if components > 1 && header.directions[0].is_some() {
        return Err(failed(&"holds several volumes one after the other, which is not read"));
    }
    let affine = header.patient_from_voxel().map_err(|error| failed(&error))?;
    let grid = Grid::new(dims, affine).map_err(|error| failed(&format!("has no possible geometry: {error}")))?;
    let mut report = Report::default();
    if header.patient_from_space.is_none() {
        report.warning(format!(
            "{} does not say which side of the patient is left: it was taken as left-posterior-superior",
            path.display()
        ));
    }
    let packing = match header.encoding {
        NrrdEncoding::Raw => Packing::Raw,
        NrrdEncoding::Gzip => Packing::Gzip,
        NrrdEncoding::Text => Packing::Text,
    };
    let plan = ResearchPlan {
        data_file: header.data_file.clone(),
        file_start: header.data_start,
        stream_start: 0,
        packing,
        kind: header.kind,
        is_big_endian: header.is_big_endian,
        rescale: own_rescale(&header),
        grid,
        components,
    };
    plan.check()?;
    Ok(NrrdContents { header, plan, report })
}

/// The rescale that [`write_volume`] notes where it could not apply it.
fn own_rescale(header: &NrrdHeader) -> Rescale {
    let number = |key: &str| header.keys.get(key).and_then(|text| text.trim().parse::<f64>().ok());
    let usable = |number: &f64| number.is_finite();
    let slope = number("rescale_slope").filter(usable).filter(|slope| *slope != 0.0);
    Rescale { slope: slope.unwrap_or(1.0), intercept: number("rescale_intercept").filter(usable).unwrap_or(0.0) }
}

/// Drops axes of one sample that are not of space, and takes three plain axes as space where no directions are given.
fn squeeze(header: &mut NrrdHeader) {
    for axis in (0..header.sizes.len()).rev() {
        if header.sizes.len() > 3 && header.sizes[axis] == 1 && header.directions[axis].is_none() {
            header.sizes.remove(axis);
            header.directions.remove(axis);
        }
    }
}

/// Writes a volume as NRRD, gzip-packed, whole or not at all. The rescale is applied where it is a whole shift that fits
/// 16 bits; otherwise samples are written as stored, with the rescale in the keys `rescale_slope` and
/// `rescale_intercept`.
///
/// # Errors
/// When the medium refuses or the work was cancelled.
pub fn write_volume(path: &Path, volume: &Volume, progress: &Progress) -> Result<(), NrrdWriteError> {
    progress.phase("Writing NRRD");
    let rescale = volume.rescale();
    let shift = rescale.intercept;
    let (low, high) = volume.value_range();
    let fits = low >= f64::from(i16::MIN) && high <= f64::from(i16::MAX);
    let applied = rescale.slope == 1.0 && shift.fract() == 0.0 && fits;
    let slice_len = volume.grid().dims()[0] as usize * volume.grid().dims()[1] as usize;
    write_atomically(path, |out| -> Result<(), NrrdWriteError> {
        write_head(out, volume.grid(), "short", None)?;
        if !applied {
            write!(out, "rescale_slope:={}\nrescale_intercept:={}\n", rescale.slope, rescale.intercept)?;
        }
        writeln!(out)?;
        let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
        let mut bytes = Vec::with_capacity(slice_len * 2);
        for (k, slice) in volume.samples().chunks(slice_len).enumerate() {
            progress.step(k, volume.grid().dims()[2] as usize)?;
            bytes.clear();
            for &sample in slice {
                let stored = if applied { (f64::from(sample) + shift) as i16 } else { sample };
                bytes.extend_from_slice(&stored.to_le_bytes());
            }
            packer.write_all(&bytes)?;
        }
        packer.finish()?;
        Ok(())
    })
}

/// The fields of a header up to its keys; `layers` adds an axis of that many samples in front.
pub(super) fn write_head(out: &mut dyn Write, grid: &Grid, kind: &str, layers: Option<usize>) -> io::Result<()> {
    let [ni, nj, nk] = grid.dims();
    let affine = grid.patient_from_voxel();
    let vector = |v: DVec3| format!("({},{},{})", v.x, v.y, v.z);
    let axes = affine.matrix3;
    let directions = [axes.x_axis, axes.y_axis, axes.z_axis].map(vector).join(" ");
    let (dimension, size, none, list) = match layers {
        Some(layers) => (4, format!("{layers} "), "none ", "list "),
        None => (3, String::new(), "", ""),
    };
    writeln!(out, "NRRD0005")?;
    writeln!(out, "# Written by Maquette {}. Not for diagnostic use.", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "type: {kind}\ndimension: {dimension}\nspace: left-posterior-superior")?;
    writeln!(out, "sizes: {size}{ni} {nj} {nk}\nspace directions: {none}{directions}")?;
    writeln!(out, "kinds: {list}domain domain domain\nendian: little\nencoding: gzip")?;
    writeln!(out, "space origin: {}", vector(affine.translation))
}
