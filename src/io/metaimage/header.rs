//! The text head of a MetaImage file: `Key = Value` lines, the last of which says where the samples are.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::domain::grid::MAX_VOXELS;
use crate::domain::volume::Rescale;
use crate::io::archive;
use crate::io::import::samples::SampleKind;

/// Bytes of a header that are believed; names of segments stay far below.
const MAX_HEADER_BYTES: u64 = 16 << 20;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum MetaError {
    /// Not a MetaImage at all.
    #[error("is not a MetaImage file")]
    NotMetaImage,
    /// The medium failed.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// A field is missing, wrong or not supported; completes the sentence that begins with the file.
    #[error("{0}")]
    Header(String),
}

fn bad(text: impl Into<String>) -> MetaError {
    MetaError::Header(text.into())
}

/// A parsed header.
#[derive(Debug, Clone)]
pub struct MetaHeader {
    /// Samples along each axis, fastest first.
    pub sizes: Vec<u64>,
    /// Values for each voxel.
    pub channels: u64,
    /// Number format.
    pub kind: SampleKind,
    /// Big endian samples.
    pub is_big_endian: bool,
    /// Whether the samples are packed (zlib).
    pub is_packed: bool,
    /// Whether they are packed as gzip, which MetaIO reads as well.
    pub is_gzip: bool,
    /// The file with the samples.
    pub data_file: PathBuf,
    /// Where they begin in it; `None`: they end with the file.
    pub data_start: Option<u64>,
    /// Distance of voxel centres along each axis, mm.
    pub spacing_mm: Vec<f64>,
    /// Centre of the first voxel, LPS mm.
    pub origin_mm: Vec<f64>,
    /// Unit vectors of the axes, one after the other.
    pub directions: Vec<f64>,
    /// The steps that float values lie on, where we wrote the file.
    pub lattice: Option<Rescale>,
    /// All fields.
    pub keys: BTreeMap<String, String>,
}

/// Reads the header of a file.
///
/// # Errors
/// When it is no MetaImage or asks for what is not supported.
pub fn read_header(path: &Path) -> Result<MetaHeader, MetaError> {
    let mut reader = BufReader::new(archive::open(path)?.take(MAX_HEADER_BYTES));
    let (mut keys, mut length, mut line) = (BTreeMap::new(), 0, Vec::new());
    loop {
        line.clear();
        let count = reader.read_until(b'\n', &mut line)?;
        length += count as u64;
        let text = String::from_utf8_lossy(&line);
        let pair = text.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
        let is_first = keys.is_empty();
        match pair {
            Some((key, value)) if !key.is_empty() && key.len() <= 256 => {
                let is_last = key == "ElementDataFile";
                keys.insert(key, value);
                if is_last {
                    break;
                }
            }
            _ if is_first && !text.trim().is_empty() => return Err(MetaError::NotMetaImage),
            _ if count == 0 && is_first => return Err(MetaError::NotMetaImage),
            _ if count == 0 => return Err(bad("is cut short: it ends in its header")),
            _ => {}
        }
    }
    if !keys.contains_key("NDims") {
        return Err(MetaError::NotMetaImage);
    }
    Fields { keys }.finish(path, length)
}

struct Fields {
    keys: BTreeMap<String, String>,
}

impl Fields {
    /// The value of the first of several names of one field.
    fn field(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.keys.get(*name)).map(String::as_str)
    }

    fn flag(&self, names: &[&str]) -> bool {
        self.field(names).is_some_and(|value| value.starts_with(['T', 't', '1']))
    }

    fn numbers(&self, names: &[&str], wanted: usize) -> Result<Option<Vec<f64>>, MetaError> {
        let Some(text) = self.field(names) else { return Ok(None) };
        let numbers: Vec<f64> = text.split_whitespace().map_while(|part| part.parse().ok()).collect();
        if numbers.len() < wanted || !numbers.iter().all(|number| number.is_finite()) {
            return Err(bad(format!("gives {text:?} as its {}", names[0])));
        }
        Ok(Some(numbers))
    }

    fn finish(self, path: &Path, header_length: u64) -> Result<MetaHeader, MetaError> {
        if self.field(&["ObjectType"]).is_some_and(|kind| !kind.eq_ignore_ascii_case("image")) {
            return Err(bad("is a MetaIO file, but not of an image"));
        }
        let count = self.numbers(&["NDims"], 1)?.map_or(0.0, |numbers| numbers[0]);
        if !(1.0..=10.0).contains(&count) || count.fract() != 0.0 {
            return Err(bad(format!("has {count} dimensions, which is not possible")));
        }
        let count = count as usize;
        let sizes = self.numbers(&["DimSize"], count)?.ok_or_else(|| bad("does not give its DimSize"))?;
        let sizes: Vec<u64> = sizes[..count].iter().map(|&size| if size >= 1.0 { size as u64 } else { 0 }).collect();
        let channels = self.numbers(&["ElementNumberOfChannels"], 1)?.map_or(1, |numbers| numbers[0] as u64);
        let samples = sizes.iter().chain([&channels]).try_fold(1_u64, |count, &size| count.checked_mul(size));
        if !samples.is_some_and(|samples| (1..=MAX_VOXELS).contains(&samples)) {
            return Err(bad(format!("says that it has {sizes:?} voxels, which is not possible")));
        }
        let kind = self.field(&["ElementType"]).unwrap_or("?");
        let kind = sample_kind(kind).ok_or_else(|| bad(format!("has samples of type {kind:?}, which is not read")))?;
        if self.field(&["BinaryData"]).is_some_and(|value| value.starts_with(['F', 'f', '0'])) {
            return Err(bad("keeps its samples as text, which is not read"));
        }
        let is_packed = self.flag(&["CompressedData"]);
        let bytes = samples.unwrap_or(0).saturating_mul(kind.bytes() as u64);
        let (data_file, data_start) = self.data(path, header_length, if is_packed { None } else { Some(bytes) })?;
        let identity = || (0..count * count).map(|n| if n % (count + 1) == 0 { 1.0 } else { 0.0 }).collect();
        let lattice = self.numbers(&["MaquetteRescale"], 2)?.map(|n| Rescale { slope: n[0], intercept: n[1] });
        Ok(MetaHeader {
            is_gzip: is_packed && starts_with_gzip(&data_file, data_start.unwrap_or(0)),
            channels,
            kind,
            is_big_endian: self.flag(&["BinaryDataByteOrderMSB", "ElementByteOrderMSB"]),
            is_packed,
            data_file,
            data_start,
            spacing_mm: self.numbers(&["ElementSpacing", "ElementSize"], count)?.unwrap_or_else(|| vec![1.0; count]),
            origin_mm: self.numbers(&["Offset", "Position", "Origin"], count)?.unwrap_or_else(|| vec![0.0; count]),
            directions: self
                .numbers(&["TransformMatrix", "Rotation", "Orientation"], count * count)?
                .unwrap_or_else(identity),
            lattice: lattice.filter(|rescale| rescale.slope.is_normal()),
            sizes,
            keys: self.keys,
        })
    }

    /// The file with the samples, and where they begin in it.
    fn data(
        &self,
        path: &Path,
        header_length: u64,
        raw_bytes: Option<u64>,
    ) -> Result<(PathBuf, Option<u64>), MetaError> {
        let name = self.field(&["ElementDataFile"]).unwrap_or_default();
        let skip = self.numbers(&["HeaderSize"], 1)?.map_or(0.0, |numbers| numbers[0]);
        if name.eq_ignore_ascii_case("local") {
            return Ok((path.to_path_buf(), Some(header_length)));
        }
        if name.is_empty() || name.starts_with("LIST") || name.contains('%') {
            return Err(bad("keeps its samples in several files, which is not read"));
        }
        let beside = path.parent().unwrap_or(Path::new("")).join(name);
        if archive::is_special(&beside) {
            return Err(bad("names no plain file for its samples"));
        }
        match raw_bytes {
            // A negative header size counts from the end.
            Some(bytes) if skip < 0.0 => {
                let length = archive::length(&beside).unwrap_or(0);
                Ok((beside, Some(length.saturating_sub(bytes))))
            }
            _ => Ok((beside, Some(skip.max(0.0) as u64))),
        }
    }
}

fn starts_with_gzip(path: &Path, start: u64) -> bool {
    let mut magic = [0; 2];
    let read = archive::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut magic)
    });
    read.is_ok() && magic == [0x1f, 0x8b]
}

fn sample_kind(name: &str) -> Option<SampleKind> {
    Some(match name {
        "MET_CHAR" => SampleKind::I8,
        "MET_UCHAR" => SampleKind::U8,
        "MET_SHORT" => SampleKind::I16,
        "MET_USHORT" => SampleKind::U16,
        // MetaIO's long has four bytes on every system.
        "MET_INT" | "MET_LONG" => SampleKind::I32,
        "MET_UINT" | "MET_ULONG" => SampleKind::U32,
        "MET_LONG_LONG" => SampleKind::I64,
        "MET_ULONG_LONG" => SampleKind::U64,
        "MET_FLOAT" => SampleKind::F32,
        "MET_DOUBLE" => SampleKind::F64,
        _ => return None,
    })
}
