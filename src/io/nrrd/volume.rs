//! NRRD volumes: how to read one, and writing.

use std::io::{self, Write};
use std::path::Path;

use glam::DVec3;

use crate::domain::grid::Grid;
use crate::domain::volume::{Rescale, Volume};
use crate::io::atomic_file::write_atomically;
use crate::io::import::ImportError;
use crate::io::import::research::{Packing, ResearchPlan};
use crate::io::label_map::slicer_keys;
use crate::io::report::Report;
use crate::io::volume_file::{StoredAs, VolumeFileError};
use crate::task::Progress;

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
        slicer_keys::are_there(&self.header.keys)
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
        lattice: lattice(&header),
        grid,
        components,
    };
    plan.check()?;
    Ok(NrrdContents { header, plan, report })
}

/// The steps that values lie on, which [`write_volume`] notes where it writes floats.
fn lattice(header: &NrrdHeader) -> Option<Rescale> {
    let text = header.keys.get("maquette_rescale")?;
    let numbers: Vec<f64> = text.split_whitespace().map_while(|part| part.parse().ok()).collect();
    let &[slope, intercept] = numbers.as_slice() else { return None };
    (slope.is_normal() && intercept.is_finite()).then_some(Rescale { slope, intercept })
}

/// The rescale that early versions of this program noted where they wrote samples, not values.
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

/// Writes a volume as NRRD: `.nrrd`, or `.nhdr` with its samples in a `.raw.gz` beside it. Values, not samples, are
/// written: as 16-bit numbers where these are exact, else as floats, with the rescale that our reader takes to get the very
/// samples back in the key `maquette_rescale`.
///
/// # Errors
/// When the medium refuses or the work was cancelled; nothing is half written.
pub fn write_volume(path: &Path, volume: &Volume, progress: &Progress) -> Result<(), VolumeFileError> {
    progress.phase("Writing NRRD");
    let stored = StoredAs::values_of(volume);
    let kind = match stored {
        StoredAs::Signed(_) | StoredAs::Samples => "short",
        StoredAs::Unsigned(_) => "unsigned short",
        StoredAs::Floats => "float",
    };
    let rescale = volume.rescale();
    let head = |out: &mut dyn Write, data_file: Option<&str>| -> io::Result<()> {
        write_head(out, volume.grid(), &Head { kind, layers: None, encoding: "gzip", data_file })?;
        if stored == StoredAs::Floats {
            writeln!(out, "maquette_rescale:={} {}", rescale.slope, rescale.intercept)?;
        }
        if data_file.is_none() { writeln!(out) } else { Ok(()) }
    };
    let samples = |out: &mut dyn Write| -> Result<(), VolumeFileError> {
        let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
        stored.for_each_slice(volume, progress, |bytes| Ok::<(), VolumeFileError>(packer.write_all(bytes)?))?;
        packer.finish()?;
        Ok(())
    };
    if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("nhdr")) {
        let beside = path.with_extension("raw.gz");
        let name = beside.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // The samples first: a header that names a file which is not there is the worse half.
        write_atomically(&beside, |out| samples(out))?;
        return write_atomically(path, |out| Ok(head(out, Some(&name))?));
    }
    write_atomically(path, |out| {
        head(out, None)?;
        samples(out)
    })
}

/// What differs between the heads of volumes and segmentations.
pub(super) struct Head<'a> {
    /// Number format, as NRRD calls it.
    pub kind: &'a str,
    /// An axis of that many samples in front.
    pub layers: Option<usize>,
    /// Packing.
    pub encoding: &'a str,
    /// The file with the samples, when it is another.
    pub data_file: Option<&'a str>,
}

/// The fields of a header up to its keys.
pub(super) fn write_head(out: &mut dyn Write, grid: &Grid, head: &Head<'_>) -> io::Result<()> {
    let [ni, nj, nk] = grid.dims();
    let affine = grid.patient_from_voxel();
    let vector = |v: DVec3| format!("({},{},{})", v.x, v.y, v.z);
    let axes = affine.matrix3;
    let directions = [axes.x_axis, axes.y_axis, axes.z_axis].map(vector).join(" ");
    let (dimension, size, none, list) = match head.layers {
        Some(layers) => (4, format!("{layers} "), "none ", "list "),
        None => (3, String::new(), "", ""),
    };
    writeln!(out, "NRRD0005")?;
    writeln!(out, "# Written by Maquette {}. Not for diagnostic use.", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "type: {}\ndimension: {dimension}\nspace: left-posterior-superior", head.kind)?;
    writeln!(out, "sizes: {size}{ni} {nj} {nk}\nspace directions: {none}{directions}")?;
    writeln!(out, "kinds: {list}domain domain domain\nendian: little\nencoding: {}", head.encoding)?;
    writeln!(out, "space origin: {}", vector(affine.translation))?;
    // Last of the fields: what follows it in other programs' headers is a list of files.
    head.data_file.map_or(Ok(()), |name| writeln!(out, "data file: {name}"))
}
