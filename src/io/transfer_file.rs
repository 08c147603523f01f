//! Transfer functions in files of their own. Form of the text: `domain::transfer::preset_text`.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::atomic_file::{AtomicFileError, write_atomically};
use crate::domain::transfer::TransferFunction;
use crate::domain::transfer::preset_text::{PresetTextError, from_text, to_text};

/// A larger file is none of these.
const MOST_BYTES: u64 = 1 << 20;

/// Why a transfer function was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum TransferFileError {
    /// The system refused.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in it.
    #[error("{} was not loaded: {source}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: PresetTextError,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] AtomicFileError),
}

/// Reads the first transfer function of a file.
///
/// # Errors
/// When the file cannot be read, is too large or holds none that can be drawn.
pub fn read_transfer(path: &Path) -> Result<TransferFunction, TransferFileError> {
    let failed = |source| TransferFileError::Read { path: path.to_path_buf(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    from_text(&text).map_err(|source| TransferFileError::Text { path: path.to_path_buf(), source })
}

/// Writes a transfer function, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn write_transfer(path: &Path, transfer: &TransferFunction) -> Result<(), TransferFileError> {
    write_atomically(path, |file| {
        file.write_all(to_text(transfer).as_bytes())
            .map_err(|source| AtomicFileError::Io { path: path.to_path_buf(), source }.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::transfer::preset;

    #[test]
    fn what_is_written_is_read_again_and_damage_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bone.json");
        let bone = preset("CT-Bone").expect("CT-Bone");
        write_transfer(&path, bone).expect("written");
        assert_eq!(&read_transfer(&path).expect("read"), bone);
        std::fs::write(&path, "{").expect("damaged");
        let told = read_transfer(&path).expect_err("damaged").to_string();
        assert!(told.contains("bone.json") && told.contains("was not loaded"), "{told}");
        assert!(read_transfer(&folder.path().join("none.json")).is_err());
    }
}
