//! The text head of an NRRD file: fields, key-value pairs, and where the samples are.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use glam::{DAffine3, DMat3, DVec3};

use crate::io::archive;
use crate::io::import::samples::SampleKind;

/// Bytes of a header that are believed; segment names and references stay far below.
const MAX_HEADER_BYTES: u64 = 16 << 20;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum NrrdError {
    /// Not NRRD at all.
    #[error("is not an NRRD file")]
    NotNrrd,
    /// The medium failed.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// A field is missing, wrong or not supported; completes the sentence that begins with the file.
    #[error("{0}")]
    Header(String),
}

fn bad(text: impl Into<String>) -> NrrdError {
    NrrdError::Header(text.into())
}

/// How samples are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NrrdEncoding {
    /// As they are.
    Raw,
    /// gzip.
    Gzip,
    /// Numbers as text.
    Text,
}

/// A parsed header.
#[derive(Debug, Clone)]
pub struct NrrdHeader {
    /// Samples along each axis, fastest first.
    pub sizes: Vec<u64>,
    /// Number format.
    pub kind: SampleKind,
    /// Big endian samples.
    pub is_big_endian: bool,
    /// Packing.
    pub encoding: NrrdEncoding,
    /// The file with the samples.
    pub data_file: PathBuf,
    /// Where they begin in it; `None`: at the very end, counted back from the file's end.
    pub data_start: Option<u64>,
    /// Direction of each axis in the file's space, mm; `None` for axes that are not of space.
    pub directions: Vec<Option<DVec3>>,
    /// Centre of the first voxel in the file's space, mm.
    pub origin: DVec3,
    /// Turns the file's space into patient space (LPS); `None` where the file does not say how it lies.
    pub patient_from_space: Option<DVec3>,
    /// `key:=value` pairs.
    pub keys: BTreeMap<String, String>,
}

impl NrrdHeader {
    /// Patient (LPS, mm) from voxel for the three axes of space; and the index of the one other axis, if any.
    ///
    /// # Errors
    /// When there are not three axes of space.
    pub fn patient_from_voxel(&self) -> Result<DAffine3, NrrdError> {
        let axes: Vec<DVec3> = self.directions.iter().flatten().copied().collect();
        let [i, j, k] = axes.as_slice() else {
            return Err(bad(format!("has {} axes of space; three are needed", axes.len())));
        };
        let flip = self.patient_from_space.unwrap_or(DVec3::ONE);
        Ok(DAffine3 { matrix3: DMat3::from_cols(*i * flip, *j * flip, *k * flip), translation: self.origin * flip })
    }

    /// Samples along the three axes of space.
    ///
    /// # Errors
    /// When there are not three, or one is longer than any grid.
    pub fn space_dims(&self) -> Result<[u32; 3], NrrdError> {
        let sizes = self.sizes.iter().zip(&self.directions).filter(|(_, direction)| direction.is_some());
        let dims: Vec<u32> = sizes.map(|(&size, _)| u32::try_from(size).unwrap_or(u32::MAX)).collect();
        <[u32; 3]>::try_from(dims).map_err(|dims| bad(format!("has {} axes of space; three are needed", dims.len())))
    }

    /// All samples of the file.
    ///
    /// # Errors
    /// When their number cannot be.
    pub fn sample_count(&self) -> Result<u64, NrrdError> {
        let count = self.sizes.iter().try_fold(1_u64, |count, &size| count.checked_mul(size));
        let possible = count.filter(|&count| count > 0 && count <= crate::domain::grid::MAX_VOXELS);
        possible.ok_or_else(|| bad(format!("says that it has {:?} samples, which is not possible", self.sizes)))
    }
}

/// Reads the header of a file.
///
/// # Errors
/// When it is no NRRD file or asks for what is not supported.
pub fn read_header(path: &Path) -> Result<NrrdHeader, NrrdError> {
    let mut reader = BufReader::new(archive::open(path)?.take(MAX_HEADER_BYTES));
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).map_err(|_| NrrdError::NotNrrd)?;
    if &magic != b"NRRD" {
        return Err(NrrdError::NotNrrd);
    }
    let mut raw = RawHeader::default();
    let mut length = 4;
    let mut line = Vec::new();
    let mut is_first = true;
    let ended_by_blank = loop {
        line.clear();
        let count = reader.read_until(b'\n', &mut line)?;
        length += count as u64;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        match (count, text) {
            (0, _) => break false,
            (_, "") if !is_first => break true,
            _ if is_first => {}
            _ => raw.line(text),
        }
        is_first = false;
        if raw.is_list {
            break true;
        }
    };
    if length >= MAX_HEADER_BYTES {
        return Err(bad("has a header without end"));
    }
    raw.finish(path, length, ended_by_blank)
}

#[derive(Default)]
struct RawHeader {
    fields: BTreeMap<String, String>,
    keys: BTreeMap<String, String>,
    is_list: bool,
}

impl RawHeader {
    fn line(&mut self, text: &str) {
        if text.starts_with('#') {
            return;
        }
        if let Some((key, value)) = text.split_once(":=") {
            self.keys.insert(key.to_owned(), unescape(value));
        } else if let Some((field, value)) = text.split_once(": ") {
            let field = field.trim().to_ascii_lowercase().replace(' ', "");
            self.is_list = field == "datafile" && value.trim().starts_with("LIST");
            self.fields.insert(field, value.trim().to_owned());
        }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    fn finish(self, path: &Path, header_length: u64, ended_by_blank: bool) -> Result<NrrdHeader, NrrdError> {
        let dimension: usize = parse(self.field("dimension"), "dimension")?;
        if !(1..=16).contains(&dimension) {
            return Err(bad(format!("has {dimension} dimensions, which is not possible")));
        }
        let sizes: Vec<u64> = numbers(self.field("sizes"), "sizes")?;
        if sizes.len() != dimension {
            return Err(bad("gives sizes that do not fit its dimension"));
        }
        let kind = self.field("type").and_then(sample_kind);
        let kind = kind.ok_or_else(|| bad(format!("has samples of type {:?}", self.field("type").unwrap_or("?"))))?;
        let encoding = match self.field("encoding").unwrap_or("raw").to_ascii_lowercase().as_str() {
            "raw" => NrrdEncoding::Raw,
            "gzip" | "gz" => NrrdEncoding::Gzip,
            "text" | "txt" | "ascii" => NrrdEncoding::Text,
            other => return Err(bad(format!("is packed with {other}, which is not read"))),
        };
        let (data_file, data_start) = self.data(path, header_length, ended_by_blank)?;
        let (directions, origin, patient_from_space) = self.space(dimension)?;
        let is_big_endian = self.field("endian").is_some_and(|endian| endian.eq_ignore_ascii_case("big"));
        Ok(NrrdHeader {
            sizes,
            kind,
            is_big_endian,
            encoding,
            data_file,
            data_start,
            directions,
            origin,
            patient_from_space,
            keys: self.keys,
        })
    }

    fn data(&self, path: &Path, header_length: u64, ended_by_blank: bool) -> Result<(PathBuf, Option<u64>), NrrdError> {
        if self.field("lineskip").is_some_and(|skip| skip != "0") {
            return Err(bad("skips lines before its samples, which is not read"));
        }
        let skip: i64 = self.field("byteskip").map_or(Ok(0), |skip| parse(Some(skip), "byte skip"))?;
        let Some(name) = self.field("datafile") else {
            if !ended_by_blank {
                return Err(bad("is cut short: it ends in its header"));
            }
            return Ok((path.to_path_buf(), Some(header_length + skip.max(0) as u64)));
        };
        if self.is_list || name.contains('%') {
            return Err(bad("keeps its samples in several files, which is not read"));
        }
        let beside = path.parent().unwrap_or(Path::new("")).join(name);
        if archive::is_special(&beside) {
            return Err(bad("names no plain file for its samples"));
        }
        Ok((beside, u64::try_from(skip).ok()))
    }

    #[allow(clippy::type_complexity, reason = "three values that are only used once, by name")]
    fn space(&self, dimension: usize) -> Result<(Vec<Option<DVec3>>, DVec3, Option<DVec3>), NrrdError> {
        let patient_from_space = self.field("space").and_then(space_signs);
        let scale = unit_mm(self.field("spaceunits"))?;
        let directions: Vec<Option<DVec3>> = if let Some(text) = self.field("spacedirections") {
            vectors(text)?.into_iter().map(|vector| vector.map(|vector| vector * scale)).collect()
        } else {
            let spacings: Vec<f64> = match self.field("spacings") {
                Some(text) => numbers(Some(text), "spacings")?,
                None => vec![1.0; dimension],
            };
            let is_space = |mm: &f64| mm.is_finite();
            let mut axes = DMat3::IDENTITY.to_cols_array_2d().map(DVec3::from).into_iter();
            spacings.iter().map(|mm| is_space(mm).then(|| axes.next().map(|axis| axis * *mm)).flatten()).collect()
        };
        if directions.len() != dimension {
            return Err(bad("gives directions that do not fit its dimension"));
        }
        let origin = match self.field("spaceorigin") {
            Some(text) => vectors(text)?.first().copied().flatten().unwrap_or(DVec3::ZERO) * scale,
            None => DVec3::ZERO,
        };
        Ok((directions, origin, patient_from_space))
    }
}

fn parse<T: std::str::FromStr>(text: Option<&str>, field: &str) -> Result<T, NrrdError> {
    let text = text.ok_or_else(|| bad(format!("does not give its {field}")))?;
    text.trim().parse().map_err(|_| bad(format!("gives {text:?} as its {field}")))
}

fn numbers<T: std::str::FromStr>(text: Option<&str>, field: &str) -> Result<Vec<T>, NrrdError> {
    let text = text.ok_or_else(|| bad(format!("does not give its {field}")))?;
    text.split_whitespace().map(|part| parse(Some(part), field)).collect()
}

/// `(x,y,z)` and `none`, separated by spaces; spaces inside parentheses are allowed.
fn vectors(text: &str) -> Result<Vec<Option<DVec3>>, NrrdError> {
    let damaged = || bad(format!("gives {text:?} as a direction or origin"));
    let mut vectors = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("none") {
            vectors.push(None);
            rest = after.trim_start();
            continue;
        }
        let (inside, after) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or_else(damaged)?;
        let parts: Result<Vec<f64>, _> = inside.split(',').map(|part| part.trim().parse::<f64>()).collect();
        let parts: [f64; 3] = parts.map_err(|_| damaged())?.try_into().map_err(|_| damaged())?;
        // Slicer writes `(nan,nan,nan)` for axes that are not of space in old files.
        vectors.push(parts.iter().all(|part| part.is_finite()).then(|| DVec3::from(parts)));
        rest = after.trim_start();
    }
    Ok(vectors)
}

/// Signs that turn a space into LPS; `None` for spaces that do not say how the patient lies.
fn space_signs(space: &str) -> Option<DVec3> {
    let space = space.to_ascii_lowercase();
    let letters: String = match space.as_str() {
        short if short.len() == 3 => short.to_owned(),
        long => long.split('-').filter_map(|word| word.chars().next()).collect(),
    };
    let [x, y, z]: [char; 3] = letters.chars().collect::<Vec<_>>().try_into().ok()?;
    let sign = |letter: char, plus: char, minus: char| match letter {
        letter if letter == plus => Some(1.0),
        letter if letter == minus => Some(-1.0),
        _ => None,
    };
    Some(DVec3::new(sign(x, 'l', 'r')?, sign(y, 'p', 'a')?, sign(z, 's', 'i')?))
}

fn unit_mm(units: Option<&str>) -> Result<f64, NrrdError> {
    let unit = units.and_then(|units| units.split('"').nth(1)).unwrap_or("mm");
    match unit.trim() {
        "" | "mm" => Ok(1.0),
        "cm" => Ok(10.0),
        "m" => Ok(1000.0),
        "um" | "µm" => Ok(1e-3),
        other => Err(bad(format!("measures space in {other:?}, which is not known"))),
    }
}

fn sample_kind(name: &str) -> Option<SampleKind> {
    Some(match name.to_ascii_lowercase().as_str() {
        "signed char" | "int8" | "int8_t" => SampleKind::I8,
        "uchar" | "unsigned char" | "uint8" | "uint8_t" => SampleKind::U8,
        "short" | "short int" | "signed short" | "signed short int" | "int16" | "int16_t" => SampleKind::I16,
        "ushort" | "unsigned short" | "unsigned short int" | "uint16" | "uint16_t" => SampleKind::U16,
        "int" | "signed int" | "int32" | "int32_t" => SampleKind::I32,
        "uint" | "unsigned int" | "uint32" | "uint32_t" => SampleKind::U32,
        "longlong"
        | "long long"
        | "long long int"
        | "signed long long"
        | "signed long long int"
        | "int64"
        | "int64_t" => SampleKind::I64,
        "ulonglong" | "unsigned long long" | "unsigned long long int" | "uint64" | "uint64_t" => SampleKind::U64,
        "float" => SampleKind::F32,
        "double" => SampleKind::F64,
        _ => return None,
    })
}

fn unescape(value: &str) -> String {
    value.replace("\\n", "\n").replace("\\\\", "\\")
}

/// A value for a `key:=value` line.
pub fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace(['\n', '\r'], "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_turn_into_lps() {
        assert_eq!(space_signs("left-posterior-superior"), Some(DVec3::ONE));
        assert_eq!(space_signs("RAS"), Some(DVec3::new(-1.0, -1.0, 1.0)));
        assert_eq!(space_signs("left-anterior-superior"), Some(DVec3::new(1.0, -1.0, 1.0)));
        assert_eq!(space_signs("scanner-xyz"), None);
        assert_eq!(space_signs("3D-right-handed"), None);
    }

    #[test]
    fn vectors_are_read_in_every_spelling() {
        let read = vectors("none (1,0, 0) ( 0 , 2,0)(nan,nan,nan)").unwrap();
        assert_eq!(read, [None, Some(DVec3::X), Some(DVec3::Y * 2.0), None]);
        for wrong in ["(1,2)", "(1,2,3", "x", "(a,b,c)"] {
            assert!(vectors(wrong).is_err(), "{wrong}");
        }
    }
}
