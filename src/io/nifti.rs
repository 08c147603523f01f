//! NIfTI-1 and NIfTI-2 volumes and label maps, in one file, plain or gzip-packed (`.nii`, `.nii.gz`): reading.
//!
//! Space: NIfTI counts in RAS; x and y change sign on the way to patient space (DICOM LPS, mm). The sform decides, else
//! the qform, as the standard says; a file with neither does not say how the patient lies, and that is reported.
//! Source: nifti.nimh.nih.gov, nifti1.h and nifti2.h.
//! Not here: header and image in two files, colour and complex numbers, more than the first volume of a series in time.

pub mod label_table;
pub mod write;

use std::io::{BufReader, Read};
use std::path::Path;

use glam::{DAffine3, DMat3, DQuat, DVec3};

use crate::domain::grid::Grid;
use crate::domain::volume::Rescale;
use crate::io::archive;
use crate::io::import::ImportError;
use crate::io::import::research::{Packing, ResearchPlan, stem};
use crate::io::import::samples::{SampleKind, gunzip};
use crate::io::label_map::SegmentationFile;
use crate::io::report::Report;
use crate::task::Progress;

/// Bytes of a NIfTI-1 header.
const HEADER_1: usize = 348;
/// Bytes of a NIfTI-2 header.
const HEADER_2: usize = 540;
/// Bytes of extensions that are looked at.
const MAX_EXTENSIONS: u64 = 16 << 20;
/// Two statements of one place that differ by more than this, mm, are said to differ.
const SAME_PLACE_MM: f64 = 0.1;

/// Reads a label map; names and colours come from its label table, where it has one.
///
/// # Errors
/// When the file is damaged, or has no table and too many values.
pub fn read_segments(path: &Path, progress: &Progress) -> Result<SegmentationFile, ImportError> {
    let (plan, report) = inspect(path)?;
    let end = if plan.packing == Packing::Gzip { plan.stream_start } else { plan.file_start.unwrap_or_default() };
    let mut head = Vec::new();
    let read = open(path).and_then(|(stream, _)| stream.take(end.min(MAX_EXTENSIONS)).read_to_end(&mut head));
    read.map_err(|error| ImportError::file(path, &format!("cannot be read: {error}")))?;
    let labels = label_table::labels(&head, &stem(path));
    crate::io::label_map::read_segments(path, &plan, labels, report, progress)
}

/// The bytes of a file, unpacked, and whether they were packed.
fn open(path: &Path) -> std::io::Result<(Box<dyn Read>, bool)> {
    let mut reader = BufReader::new(archive::open(path)?);
    let is_packed = reader.fill_magic()? == [0x1f, 0x8b];
    Ok((if is_packed { gunzip(reader) } else { Box::new(reader) }, is_packed))
}

/// Reads the header of a NIfTI file and says how to read its samples.
///
/// # Errors
/// When the file is no NIfTI file, is damaged or cut short, or holds what is not supported.
pub fn inspect(path: &Path) -> Result<(ResearchPlan, Report), ImportError> {
    let failed = |text: &str| ImportError::file(path, text);
    let (mut stream, is_packed) = open(path).map_err(|error| failed(&format!("cannot be read: {error}")))?;
    let mut bytes = Vec::new();
    stream
        .by_ref()
        .take(HEADER_2 as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&format!("cannot be read: {error}")))?;
    let header = Header::parse(&bytes).map_err(|text| failed(&text))?;
    let mut report = Report::default();
    let grid = header.grid(path, &mut report).map_err(|text| failed(&text))?;
    let kind = sample_kind(header.datatype).ok_or_else(|| {
        failed(&format!("holds samples of type {}, which is not read (colour or complex numbers)", header.datatype))
    })?;
    let offset = header.data_offset;
    if !(offset.is_finite() && (0.0..1e15).contains(&offset)) {
        return Err(failed("says that its samples begin where no file reaches"));
    }
    // Four bytes after the header say what else it carries; an offset of 0 means behind them.
    let start = if offset == 0.0 { header.bytes as u64 + 4 } else { (offset as u64).max(header.bytes as u64) };
    let plan = ResearchPlan {
        data_file: path.to_path_buf(),
        file_start: Some(if is_packed { 0 } else { start }),
        stream_start: if is_packed { start } else { 0 },
        packing: if is_packed { Packing::Gzip } else { Packing::Raw },
        kind,
        is_big_endian: header.is_big_endian,
        rescale: header.rescale,
        lattice: None,
        grid,
        components: 1,
    };
    plan.check()?;
    Ok((plan, report))
}

trait FillMagic {
    fn fill_magic(&mut self) -> std::io::Result<[u8; 2]>;
}

impl<R: Read> FillMagic for BufReader<R> {
    /// The first two bytes, not consumed.
    fn fill_magic(&mut self) -> std::io::Result<[u8; 2]> {
        use std::io::BufRead;
        Ok(self.fill_buf()?.first_chunk::<2>().copied().unwrap_or_default())
    }
}

/// The fields of either version that matter here.
struct Header {
    bytes: usize,
    is_big_endian: bool,
    dims: [i64; 8],
    datatype: i64,
    spacing: [f64; 8],
    data_offset: f64,
    rescale: Rescale,
    units: u8,
    qform_code: i64,
    sform_code: i64,
    quaternion: [f64; 3],
    qoffset: [f64; 3],
    srow: [[f64; 4]; 3],
}

/// Reads numbers at offsets of a header whose length is checked once.
struct Fields<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

impl Fields<'_> {
    fn at<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut part = [0; N];
        part.copy_from_slice(&self.bytes[offset..offset + N]);
        if self.is_big_endian {
            part.reverse();
        }
        part
    }

    fn i16(&self, offset: usize) -> i64 {
        i16::from_le_bytes(self.at(offset)).into()
    }

    fn i32(&self, offset: usize) -> i64 {
        i32::from_le_bytes(self.at(offset)).into()
    }

    fn i64(&self, offset: usize) -> i64 {
        i64::from_le_bytes(self.at(offset))
    }

    fn f32(&self, offset: usize) -> f64 {
        f32::from_le_bytes(self.at(offset)).into()
    }

    fn f64(&self, offset: usize) -> f64 {
        f64::from_le_bytes(self.at(offset))
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let size: [u8; 4] = bytes.first_chunk().copied().ok_or("is not a NIfTI file")?;
        let (version, is_big_endian) = match (u32::from_le_bytes(size), u32::from_be_bytes(size)) {
            (348, _) => (1, false),
            (_, 348) => (1, true),
            (540, _) => (2, false),
            (_, 540) => (2, true),
            _ => return Err("is not a NIfTI file".to_owned()),
        };
        let (length, magic_at) = if version == 1 { (HEADER_1, 344) } else { (HEADER_2, 4) };
        let magic = bytes.get(magic_at..magic_at + 3).ok_or("is cut short: it ends in its header")?;
        if bytes.len() < length {
            return Err("is cut short: it ends in its header".to_owned());
        }
        match magic {
            b"n+1" | b"n+2" => {}
            b"ni1" | b"ni2" => return Err("keeps its samples in a second file, which is not read".to_owned()),
            _ => return Err("is not a NIfTI file".to_owned()),
        }
        let fields = Fields { bytes, is_big_endian };
        Ok(if version == 1 { Self::version_1(&fields) } else { Self::version_2(&fields) })
    }

    fn version_1(fields: &Fields<'_>) -> Self {
        Self {
            bytes: HEADER_1,
            is_big_endian: fields.is_big_endian,
            dims: std::array::from_fn(|axis| fields.i16(40 + 2 * axis)),
            datatype: fields.i16(70),
            spacing: std::array::from_fn(|axis| fields.f32(76 + 4 * axis)),
            data_offset: fields.f32(108),
            rescale: rescale(fields.f32(112), fields.f32(116)),
            units: fields.bytes[123],
            qform_code: fields.i16(252),
            sform_code: fields.i16(254),
            quaternion: std::array::from_fn(|axis| fields.f32(256 + 4 * axis)),
            qoffset: std::array::from_fn(|axis| fields.f32(268 + 4 * axis)),
            srow: std::array::from_fn(|row| std::array::from_fn(|column| fields.f32(280 + 16 * row + 4 * column))),
        }
    }

    fn version_2(fields: &Fields<'_>) -> Self {
        Self {
            bytes: HEADER_2,
            is_big_endian: fields.is_big_endian,
            dims: std::array::from_fn(|axis| fields.i64(16 + 8 * axis)),
            datatype: fields.i16(12),
            spacing: std::array::from_fn(|axis| fields.f64(104 + 8 * axis)),
            data_offset: fields.i64(168) as f64,
            rescale: rescale(fields.f64(176), fields.f64(184)),
            units: (fields.i32(500) & 0xff) as u8,
            qform_code: fields.i32(344),
            sform_code: fields.i32(348),
            quaternion: std::array::from_fn(|axis| fields.f64(352 + 8 * axis)),
            qoffset: std::array::from_fn(|axis| fields.f64(376 + 8 * axis)),
            srow: std::array::from_fn(|row| std::array::from_fn(|column| fields.f64(400 + 32 * row + 8 * column))),
        }
    }

    fn grid(&self, path: &Path, report: &mut Report) -> Result<Grid, String> {
        let count = self.dims[0];
        if !(1..=7).contains(&count) {
            return Err(format!("says that it has {count} dimensions, which is not possible"));
        }
        let sizes = &self.dims[1..=count as usize];
        if sizes.iter().any(|&size| size < 1) {
            return Err(format!("says that it has {sizes:?} voxels, which is not possible"));
        }
        if count < 3 {
            return Err("is a single image, not a volume".to_owned());
        }
        let volumes: i64 = sizes[3..].iter().try_fold(1_i64, |n, &size| n.checked_mul(size)).unwrap_or(i64::MAX);
        if volumes > 1 {
            report.warning(format!("{} holds {volumes} volumes; only the first was read", path.display()));
        }
        let dims = [sizes[0], sizes[1], sizes[2]].map(|size| u32::try_from(size).unwrap_or(u32::MAX));
        let affine = self.patient_from_voxel(path, report)?;
        Grid::new(dims, affine).map_err(|error| format!("has no possible geometry: {error}"))
    }

    /// Patient (LPS, mm) from voxel.
    fn patient_from_voxel(&self, path: &Path, report: &mut Report) -> Result<DAffine3, String> {
        let scale = match self.units & 7 {
            0 | 2 => 1.0,
            1 => 1000.0,
            3 => 1e-3,
            other => return Err(format!("measures space in an unknown unit ({other})")),
        };
        let sform = (self.sform_code > 0).then(|| self.sform());
        let qform = (self.qform_code > 0).then(|| self.qform());
        if let (Some(sform), Some(qform)) = (sform, qform) {
            let last = DVec3::from(std::array::from_fn(|axis| (self.dims[axis + 1] - 1) as f64));
            let off = [DVec3::ZERO, last].map(|at| sform.transform_point3(at).distance(qform.transform_point3(at)));
            let off_mm = off[0].max(off[1]) * scale;
            if off_mm > SAME_PLACE_MM {
                report.warning(format!(
                    "{} gives two places that differ by {off_mm:.1} mm (sform and qform); the sform was taken",
                    path.display()
                ));
            }
        }
        let ras = sform.or(qform).unwrap_or_else(|| {
            report.warning(format!(
                "{} does not say how the patient lies: left and right may be exchanged",
                path.display()
            ));
            DAffine3::from_scale(self.axis_spacing())
        });
        let lps_from_ras = DAffine3::from_scale(DVec3::new(-scale, -scale, scale));
        Ok(lps_from_ras * ras)
    }

    fn axis_spacing(&self) -> DVec3 {
        DVec3::new(self.spacing[1].abs(), self.spacing[2].abs(), self.spacing[3].abs())
    }

    fn sform(&self) -> DAffine3 {
        let [x, y, z] = self.srow;
        let column = |index: usize| DVec3::new(x[index], y[index], z[index]);
        DAffine3 { matrix3: DMat3::from_cols(column(0), column(1), column(2)), translation: column(3) }
    }

    fn qform(&self) -> DAffine3 {
        let [b, c, d] = self.quaternion;
        let rest = 1.0 - (b * b + c * c + d * d);
        // Half a turn: what is left of a is the rounding of the other three, and its root would turn the patient.
        let a = if rest < 1e-7 { 0.0 } else { rest.sqrt() };
        let quaternion = DQuat::from_xyzw(b, c, d, a);
        let is_none = quaternion.length_squared() < 1e-12;
        let rotation = if is_none { DMat3::IDENTITY } else { DMat3::from_quat(quaternion.normalize()) };
        // The sign of the first spacing says whether k is turned round.
        let handed = if self.spacing[0] < 0.0 { -1.0 } else { 1.0 };
        let spacing = self.axis_spacing() * DVec3::new(1.0, 1.0, handed);
        DAffine3 { matrix3: rotation * DMat3::from_diagonal(spacing), translation: DVec3::from(self.qoffset) }
    }
}

fn rescale(slope: f64, intercept: f64) -> Rescale {
    let is_set = slope != 0.0 && slope.is_finite() && intercept.is_finite();
    if is_set { Rescale { slope, intercept } } else { Rescale::IDENTITY }
}

fn sample_kind(datatype: i64) -> Option<SampleKind> {
    Some(match datatype {
        2 => SampleKind::U8,
        4 => SampleKind::I16,
        8 => SampleKind::I32,
        16 => SampleKind::F32,
        64 => SampleKind::F64,
        256 => SampleKind::I8,
        512 => SampleKind::U16,
        768 => SampleKind::U32,
        1024 => SampleKind::I64,
        1280 => SampleKind::U64,
        _ => return None,
    })
}
