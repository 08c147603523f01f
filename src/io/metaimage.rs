//! MetaImage: volumes and label maps, `.mha` (one file) and `.mhd` (samples in another file).
//!
//! Space: ITK's, which is patient space (DICOM LPS, mm); *AnatomicalOrientation* says nothing that ITK heeds, and is not
//! heeded here. *TransformMatrix* holds the direction of each axis in turn; *ElementSpacing* its length.
//! Source: MetaIO documentation (Kitware), header tags; checked against files of SimpleITK.
//! Not here: samples in several files, several values for each voxel, objects that are no images.

pub mod header;
pub mod write;

use std::path::Path;

use glam::{DAffine3, DMat3, DVec3};

use crate::domain::grid::Grid;
use crate::domain::volume::Rescale;
use crate::io::import::ImportError;
use crate::io::import::research::{Packing, ResearchPlan, stem};
use crate::io::label_map::{SegmentationFile, slicer_keys};
use crate::io::report::Report;
use crate::task::Progress;

use header::{MetaHeader, read_header};

/// What is inside a MetaImage file.
#[derive(Debug)]
pub struct MetaContents {
    /// The header.
    pub header: MetaHeader,
    /// How to read the samples.
    pub plan: ResearchPlan,
    /// What is doubtful.
    pub report: Report,
}

impl MetaContents {
    /// Whether segments are named in it.
    pub fn is_segmentation(&self) -> bool {
        slicer_keys::are_there(&self.header.keys)
    }
}

/// Reads a header and checks that its samples are there.
///
/// # Errors
/// When the file is no MetaImage, is damaged, or is no volume.
pub fn inspect(path: &Path) -> Result<MetaContents, ImportError> {
    let failed = |reason: &str| ImportError::file(path, reason);
    let header = read_header(path).map_err(|error| failed(&error.to_string()))?;
    let mut report = Report::default();
    let sizes = &header.sizes;
    if sizes.len() < 3 {
        return Err(failed("is a single image, not a volume"));
    }
    let volumes = sizes[3..].iter().fold(1_u64, |count, &size| count.saturating_mul(size));
    if volumes > 1 {
        report.warning(format!("{} holds {volumes} volumes; only the first was read", path.display()));
    }
    let dims = [0, 1, 2].map(|axis| u32::try_from(sizes[axis]).unwrap_or(u32::MAX));
    let grid = Grid::new(dims, patient_from_voxel(&header))
        .map_err(|error| failed(&format!("has no possible geometry: {error}")))?;
    let packing = if header.is_packed { Packing::Zlib } else { Packing::Raw };
    let plan = ResearchPlan {
        data_file: header.data_file.clone(),
        file_start: header.data_start,
        stream_start: 0,
        packing: if header.is_gzip { Packing::Gzip } else { packing },
        kind: header.kind,
        is_big_endian: header.is_big_endian,
        rescale: Rescale::IDENTITY,
        lattice: header.lattice,
        grid,
        components: header.channels,
    };
    plan.check()?;
    Ok(MetaContents { header, plan, report })
}

/// The first three axes; what has more holds several volumes, and the first is taken.
fn patient_from_voxel(header: &MetaHeader) -> DAffine3 {
    let count = header.sizes.len();
    let part = |list: &[f64], index: usize| list.get(index).copied().unwrap_or(0.0);
    let axis = |n: usize| {
        let direction = DVec3::from([0, 1, 2].map(|row| part(&header.directions, n * count + row)));
        direction * part(&header.spacing_mm, n)
    };
    let origin = DVec3::from([0, 1, 2].map(|n| part(&header.origin_mm, n)));
    DAffine3 { matrix3: DMat3::from_cols(axis(0), axis(1), axis(2)), translation: origin }
}

/// Reads a label map; names and colours are those that we write into the header, else each value is a segment.
///
/// # Errors
/// When the file is damaged, or has no names and too many values.
pub fn read_segments(path: &Path, progress: &Progress) -> Result<SegmentationFile, ImportError> {
    let contents = inspect(path)?;
    let mut report = contents.report.clone();
    let labels = slicer_keys::labels(&contents.header.keys, &stem(path), &mut report);
    crate::io::label_map::read_segments(path, &contents.plan, labels, report, progress)
}
