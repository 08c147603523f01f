//! Writing a file so that it is there whole or not at all.
//!
//! The bytes go to a temporary file in the same folder, are synced, and take the target's name in one step; the folder is
//! synced too, so that a power cut cannot bring the old state back. On failure nothing of the new file is left and an old
//! one is untouched.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Why a file was not written; an old one is still as it was.
#[derive(Debug, thiserror::Error)]
pub enum AtomicFileError {
    /// The system refused.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The target.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The target is a folder, a device, a pipe.
    #[error("cannot write {}: it is there already and is not a file", .0.display())]
    NotAFile(PathBuf),
}

/// Writes `path` through `fill`, whole or not at all.
///
/// # Errors
/// When the folder is missing or read-only, the disk is full, the target is not a file, or `fill` fails.
pub fn write_atomically<E: From<AtomicFileError>>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |source| AtomicFileError::Io { path: path.to_path_buf(), source };
    if path.symlink_metadata().is_ok_and(|found| !found.is_file() && !found.is_symlink())
        || path.metadata().is_ok_and(|found| !found.is_file())
    {
        return Err(AtomicFileError::NotAFile(path.to_path_buf()).into());
    }
    if path.metadata().is_ok_and(|found| found.permissions().readonly()) {
        // Renaming would replace it all the same: whoever made it read-only meant it.
        return Err(failed(std::io::Error::new(std::io::ErrorKind::PermissionDenied, "it is read-only")).into());
    }
    // A link is followed, so that the file it names is replaced and not the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let temporary = tempfile::Builder::new().prefix(".maquette-").tempfile_in(&folder).map_err(failed)?;
    let mut writer = BufWriter::new(temporary.as_file());
    fill(&mut writer)?;
    writer.flush().map_err(failed)?;
    drop(writer);
    let file = temporary.as_file();
    match target.metadata() {
        Ok(before) => file.set_permissions(before.permissions()).map_err(failed)?,
        Err(_) => open_to_readers(file).map_err(failed)?,
    }
    file.sync_all().map_err(failed)?;
    temporary.persist(&target).map_err(|error| failed(error.error))?;
    // Some file systems cannot sync a folder; the file itself is safe by then.
    let _synced = File::open(&folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// A temporary file is private; a new file of the lab may be read by the lab's group, as the account's folder allows.
#[cfg(unix)]
fn open_to_readers(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o640))
}

#[cfg(not(unix))]
fn open_to_readers(_file: &File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, text: &str) -> Result<(), AtomicFileError> {
        write_atomically(path, |writer| {
            writer.write_all(text.as_bytes()).map_err(|source| AtomicFileError::Io { path: path.to_path_buf(), source })
        })
    }

    #[test]
    fn an_old_file_survives_a_failure_and_no_rest_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        put(&path, "first").expect("written");
        let failed: Result<(), AtomicFileError> = write_atomically(&path, |writer| {
            writer.write_all(b"half").expect("buffered");
            Err(AtomicFileError::NotAFile(path.clone()))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "first");
        put(&path, "second").expect("replaced");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "second");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_read_only_file_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        put(&path, "first").expect("written");
        let mut permissions = path.metadata().expect("there").permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&path, permissions).expect("set");
        assert!(put(&path, "second").expect_err("refused").to_string().contains("read-only"));
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "first");
    }

    #[test]
    fn folders_and_devices_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(put(folder.path(), "x").expect_err("refused").to_string().contains("not a file"));
        assert!(put(&folder.path().join("missing/a.txt"), "x").is_err());
        #[cfg(target_os = "linux")]
        assert!(put(Path::new("/dev/full"), "x").expect_err("refused").to_string().contains("/dev/full"));
    }
}
