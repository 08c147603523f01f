//! Opens a DICOM file as bytes that can be read and sought, whatever its wrapping.
//!
//! A deflated file is inflated into memory first, within a bound.

use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use dicom_dictionary_std::uids;

use super::layout::{Encoding, FileLayout, LayoutError, guess_encoding, read_meta, walk_dataset};
use crate::io::archive;

pub use crate::io::archive::ReadSeek;

/// Most bytes that a deflated file may grow to.
const MAX_INFLATED_BYTES: u64 = 1 << 30;

/// An opened file with its parts found.
pub struct DicomSource {
    /// The bytes; offsets of the layout count in these.
    pub bytes: Box<dyn ReadSeek>,
    /// The parts.
    pub layout: FileLayout,
}

impl DicomSource {
    /// Opens a file, or a file in an archive, and finds its parts.
    ///
    /// # Errors
    /// When it is no DICOM file, is cut short in its header, or lies about lengths.
    pub fn open(path: &Path) -> Result<Self, LayoutError> {
        Self::from_bytes(BufReader::with_capacity(1 << 14, archive::open(path)?))
    }

    /// Finds the parts of a byte source.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_bytes(mut bytes: impl ReadSeek + 'static) -> Result<Self, LayoutError> {
        let (dataset_start, transfer_syntax) = read_meta(&mut bytes)?;
        bytes.seek(SeekFrom::Start(dataset_start))?;
        let mut bytes: Box<dyn ReadSeek> = Box::new(bytes);
        let mut start = dataset_start;
        let encoding = match transfer_syntax.as_str() {
            uids::IMPLICIT_VR_LITTLE_ENDIAN => Encoding::ImplicitLittle,
            "1.2.840.10008.1.2.2" => Encoding::ExplicitBig,
            "1.2.840.10008.1.2.1.99" => {
                let mut inflated = Vec::new();
                let inflater = flate2::read::DeflateDecoder::new(bytes);
                inflater.take(MAX_INFLATED_BYTES).read_to_end(&mut inflated)?;
                bytes = Box::new(Cursor::new(inflated));
                start = 0;
                Encoding::ExplicitLittle
            }
            "" => {
                let mut first = [0; 8];
                bytes.read_exact(&mut first).map_err(|_| LayoutError::NotDicom)?;
                guess_encoding(&first)
            }
            _ => Encoding::ExplicitLittle,
        };
        let layout = walk_dataset(&mut bytes, start, transfer_syntax, encoding)?;
        Ok(Self { bytes, layout })
    }

    /// The bytes of the header, without the pixels.
    ///
    /// # Errors
    /// When the medium fails.
    pub fn header_bytes(&mut self) -> Result<Vec<u8>, HeaderError> {
        let length = self.layout.header_end - self.layout.dataset_start;
        let mut header = vec![0; length as usize];
        self.bytes.seek(SeekFrom::Start(self.layout.dataset_start)).map_err(LayoutError::Read)?;
        self.bytes.read_exact(&mut header).map_err(LayoutError::Read)?;
        Ok(header)
    }
}

/// Why a header cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// Its parts do not fit.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}
