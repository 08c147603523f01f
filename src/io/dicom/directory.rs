//! DICOMDIR: the index that stands on a CD of images. A hint and no more: what it names and is not there is said, what it
//! does not name is found all the same.
//!
//! In: a header. Out: the files that it names, relative to its folder. Source: DICOM PS3.3 F (Basic Directory), PS3.10 8.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use dicom_dictionary_std::tags;

use super::dataset::Dataset;
use super::source::{DicomSource, HeaderError};

/// Names that are taken from one index.
const MAX_NAMES: usize = 1_000_000;

/// The files that an index names, as paths with `/` relative to its folder. Names that lead out of the folder are dropped.
///
/// # Errors
/// When the file is no DICOM file or its header is damaged.
pub fn named_files(path: &Path) -> Result<Vec<String>, HeaderError> {
    let mut source = DicomSource::open(path)?;
    let bytes = source.header_bytes()?;
    let dataset = Dataset::parse(&bytes, source.layout.encoding);
    let records = dataset.items(tags::DIRECTORY_RECORD_SEQUENCE);
    let name = |record: &Dataset<'_>| {
        let id = record.text(tags::REFERENCED_FILE_ID);
        let parts: Vec<&str> = id.split('\\').map(str::trim).collect();
        let is_plain = |part: &&str| !part.is_empty() && !part.contains('/') && !matches!(*part, "." | "..");
        parts.iter().all(is_plain).then(|| parts.join("/"))
    };
    Ok(records.iter().take(MAX_NAMES).filter_map(name).collect())
}

/// The names of an index at `path` that none of `files` has. Media fold names to capitals, and some systems give them back
/// in small letters, with a version or a dot at the end: these are the same.
pub fn missing<'a>(path: &Path, names: &[String], files: impl Iterator<Item = &'a PathBuf>) -> Vec<String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let there: HashSet<String> = files
        .filter_map(|file| file.strip_prefix(folder).ok())
        .map(|file| folded(&file.to_string_lossy().replace('\\', "/")))
        .collect();
    names.iter().filter(|name| !there.contains(&folded(name))).cloned().collect()
}

fn folded(name: &str) -> String {
    let name = name.strip_suffix(";1").unwrap_or(name);
    name.trim_end_matches('.').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_media_write_them() {
        let names = ["DICOM/IM1".to_owned(), "DICOM/IM2".to_owned(), "DICOM/IM3".to_owned()];
        let files = ["/cd/dicom/im1", "/cd/DICOM/IM2.;1", "/elsewhere/DICOM/IM3"].map(PathBuf::from);
        assert_eq!(missing(Path::new("/cd/DICOMDIR"), &names, files.iter()), ["DICOM/IM3"]);
    }
}
