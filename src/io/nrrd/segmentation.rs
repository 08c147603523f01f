//! Segmentations as 3D Slicer keeps them (`.seg.nrrd`): label values in one or more layers, named and coloured by keys.
//!
//! Segments that overlap go to different layers, an axis in front of i. Written whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::segmentation::SegmentInfo;
use crate::io::atomic_file::write_atomically;
use crate::io::import::ImportError;
use crate::io::import::research::stem;
use crate::io::label_map::{LabelMap, SegmentationFile, read_segments, slicer_keys};
use crate::io::volume_file::VolumeFileError;
use crate::task::Progress;

use super::header::escape;
use super::volume::{Head, inspect, write_head};

/// Reads a `.seg.nrrd`, or a label volume, with its segments.
///
/// # Errors
/// When the file is damaged, or is no segmentation.
pub fn read_segmentation(path: &Path, progress: &Progress) -> Result<SegmentationFile, ImportError> {
    let contents = inspect(path)?;
    let mut report = contents.report.clone();
    let labels = slicer_keys::labels(&contents.header.keys, &stem(path), &mut report);
    read_segments(path, &contents.plan, labels, report, progress)
}

/// Writes segments of one grid, overlapping or not.
///
/// # Errors
/// When the medium refuses; nothing is half written.
///
/// # Panics
/// When a mask is not of the grid.
pub fn write_segmentation(path: &Path, grid: &Grid, segments: &[(&SegmentInfo, &Mask)]) -> Result<(), VolumeFileError> {
    let map = LabelMap::new(grid, segments)?;
    write_atomically(path, |out| -> Result<(), VolumeFileError> {
        let kind = if map.is_wide() { "unsigned short" } else { "unsigned char" };
        let layers = (map.layers() > 1).then_some(map.layers());
        write_head(out, grid, &Head { kind, layers, encoding: "gzip", data_file: None })?;
        write_keys(out, grid, &map)?;
        writeln!(out)?;
        let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
        map.for_each_slice(&Progress::new(), |bytes| Ok::<(), VolumeFileError>(packer.write_all(bytes)?))?;
        packer.finish()?;
        Ok(())
    })
}

fn write_keys(out: &mut dyn Write, grid: &Grid, map: &LabelMap<'_>) -> io::Result<()> {
    for (key, value) in slicer_keys::keys(map) {
        writeln!(out, "{key}:={}", escape(&value))?;
    }
    let [ni, nj, nk] = grid.dims();
    writeln!(out, "Segmentation_ContainedRepresentationNames:=Binary labelmap|")?;
    writeln!(out, "Segmentation_ConversionParameters:=")?;
    writeln!(out, "Segmentation_MasterRepresentation:=Binary labelmap")?;
    writeln!(out, "Segmentation_ReferenceImageExtent:=0 {} 0 {} 0 {}", ni - 1, nj - 1, nk - 1)?;
    writeln!(out, "Segmentation_ReferenceImageExtentOffset:=0 0 0")
}
