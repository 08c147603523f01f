//! Writes volumes and label maps as MetaImage, packed: `.mha`, or `.mhd` with its samples in a `.zraw` beside it.
//!
//! The head is written before it is known how long the packed samples are, and MetaIO wants that number in it: samples are
//! packed into a temporary file first.

use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use glam::DVec3;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::segmentation::SegmentInfo;
use crate::domain::volume::Volume;
use crate::io::atomic_file::write_atomically;
use crate::io::import::samples::SampleKind;
use crate::io::label_map::{LabelMap, slicer_keys};
use crate::io::volume_file::{StoredAs, VolumeFileError};
use crate::task::Progress;

/// Writes a volume: values as 16-bit numbers where these are exact, else as floats.
///
/// # Errors
/// When the medium refuses or the work was cancelled; nothing is half written.
pub fn write_volume(path: &Path, volume: &Volume, progress: &Progress) -> Result<(), VolumeFileError> {
    progress.phase("Writing MetaImage");
    let stored = StoredAs::values_of(volume);
    let mut keys = Vec::new();
    if stored == StoredAs::Floats {
        let rescale = volume.rescale();
        keys.push(("MaquetteRescale".to_owned(), format!("{} {}", rescale.slope, rescale.intercept)));
    }
    write(path, volume.grid(), stored.kind(), &keys, |out| {
        stored.for_each_slice(volume, progress, |bytes| Ok(out.write_all(bytes)?))
    })
}

/// Writes segments of one grid as a label map; names and colours stand in the header under 3D Slicer's keys.
///
/// # Errors
/// When segments overlap, the medium refuses, or the work was cancelled; nothing is half written.
pub fn write_segments(
    path: &Path,
    grid: &Grid,
    segments: &[(&SegmentInfo, &Mask)],
    progress: &Progress,
) -> Result<(), VolumeFileError> {
    progress.phase("Writing MetaImage");
    let map = LabelMap::flat(grid, segments)?;
    let kind = if map.is_wide() { SampleKind::U16 } else { SampleKind::U8 };
    write(path, grid, kind, &slicer_keys::keys(&map), |out| {
        map.for_each_slice(progress, |bytes| Ok(out.write_all(bytes)?))
    })
}

fn write(
    path: &Path,
    grid: &Grid,
    kind: SampleKind,
    keys: &[(String, String)],
    fill: impl FnOnce(&mut dyn Write) -> Result<(), VolumeFileError>,
) -> Result<(), VolumeFileError> {
    let mut packer = flate2::write::ZlibEncoder::new(tempfile::tempfile()?, flate2::Compression::fast());
    fill(&mut packer)?;
    let mut packed = packer.finish()?;
    let length = packed.stream_position()?;
    packed.seek(SeekFrom::Start(0))?;
    let copy = |out: &mut dyn Write, packed: File| io::copy(&mut BufReader::new(packed), &mut { out });
    if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("mhd")) {
        let beside = path.with_extension("zraw");
        let name = beside.file_name().unwrap_or_default().to_string_lossy().into_owned();
        write_atomically(&beside, |out| -> Result<(), VolumeFileError> {
            copy(out, packed)?;
            Ok(())
        })?;
        return write_atomically(path, |out| Ok(write_head(out, grid, kind, length, keys, &name)?));
    }
    write_atomically(path, |out| {
        write_head(out, grid, kind, length, keys, "LOCAL")?;
        copy(out, packed)?;
        Ok(())
    })
}

fn write_head(
    out: &mut dyn Write,
    grid: &Grid,
    kind: SampleKind,
    packed_bytes: u64,
    keys: &[(String, String)],
    data_file: &str,
) -> io::Result<()> {
    let affine = grid.patient_from_voxel();
    let (spacing, origin) = (grid.spacing_mm(), affine.translation);
    let axes = affine.matrix3;
    let units = [axes.x_axis / spacing.x, axes.y_axis / spacing.y, axes.z_axis / spacing.z];
    let directions: Vec<String> = units.iter().flat_map(DVec3::to_array).map(|part| part.to_string()).collect();
    let [ni, nj, nk] = grid.dims();
    writeln!(out, "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False")?;
    writeln!(out, "CompressedData = True\nCompressedDataSize = {packed_bytes}")?;
    writeln!(out, "TransformMatrix = {}", directions.join(" "))?;
    writeln!(out, "Offset = {} {} {}\nCenterOfRotation = 0 0 0", origin.x, origin.y, origin.z)?;
    writeln!(out, "AnatomicalOrientation = {}", orientation_letters(units.map(|axis| axis.to_array())))?;
    writeln!(out, "ElementSpacing = {} {} {}\nDimSize = {ni} {nj} {nk}", spacing.x, spacing.y, spacing.z)?;
    writeln!(out, "Comment = Maquette {}. Not for diagnostic use.", env!("CARGO_PKG_VERSION"))?;
    for (key, value) in keys {
        writeln!(out, "{key} = {}", value.replace(['\n', '\r'], " "))?;
    }
    writeln!(out, "ElementType = {}\nElementDataFile = {data_file}", type_name(kind))
}

/// Where each axis comes from (`RAI`: from right, front and feet), as MetaIO spells it.
fn orientation_letters(axes: [[f64; 3]; 3]) -> String {
    let letters = [['R', 'L'], ['A', 'P'], ['I', 'S']];
    axes.iter()
        .map(|axis| {
            let along = (0..3).max_by(|&a, &b| axis[a].abs().total_cmp(&axis[b].abs())).unwrap_or(0);
            letters[along][usize::from(axis[along] < 0.0)]
        })
        .collect()
}

fn type_name(kind: SampleKind) -> &'static str {
    match kind {
        SampleKind::I8 => "MET_CHAR",
        SampleKind::U8 => "MET_UCHAR",
        SampleKind::I16 => "MET_SHORT",
        SampleKind::U16 => "MET_USHORT",
        SampleKind::I32 => "MET_INT",
        SampleKind::U32 => "MET_UINT",
        SampleKind::I64 => "MET_LONG_LONG",
        SampleKind::U64 => "MET_ULONG_LONG",
        SampleKind::F32 => "MET_FLOAT",
        SampleKind::F64 => "MET_DOUBLE",
    }
}
