//! ZIP archives of images: what is in them, and the bytes of one file in one, without unpacking anything to disk.
//!
//! A file in an archive has the path `archive.zip/name/inside`, which [`open`] understands as well as a plain path; so a
//! series in an archive is scanned, shown and read like any other. Bytes are unpacked only as far as they are asked for.
//!
//! Bounds: number of entries, size of a packed file (it is unpacked into memory), and what the archive claims to hold against
//! its own size (a bomb of overlapping or endlessly repeating entries claims thousands of times its size). Names that lead
//! out of the archive, encrypted files, archives in archives and unknown packing are left out and said. Nothing is ever
//! written.
//! Not here: case files, which are containers of their own kind (`case_file`).

mod member;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use zip::{CompressionMethod, ZipArchive};

use member::{Inflating, Section};

/// Files of an archive that are listed.
const MAX_ENTRIES: usize = 500_000;
/// An archive may claim this much whatever its size.
const FREE_BYTES: u64 = 1 << 30;
/// Beyond that it may claim this many times its own size; images that are all air pack well, whole studies do not.
const MAX_RATIO: u64 = 100;
/// The largest single file that lies in the archive as it is: it is read where it lies.
const MAX_MEMBER_BYTES: u64 = 16 << 30;
/// The largest single file that is packed: it is unpacked into memory.
const MAX_UNPACKED_BYTES: u64 = 1 << 30;
/// Archives whose lists are kept.
const KEPT_ARCHIVES: usize = 4;

/// Bytes that can be read and sought.
pub trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// Why an archive is not read. Completes the sentence that begins with its name.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The medium, or no archive at all.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// Its list is damaged.
    #[error("is not a ZIP archive, or a damaged one")]
    Damaged,
    /// More entries than are listed.
    #[error("holds {0} files, more than the {MAX_ENTRIES} that are looked at in one archive")]
    TooMany(usize),
    /// It claims to hold far more than can be.
    #[error("claims to hold {gigabytes} GB, far more than an archive of its size can: it was not unpacked")]
    Bomb {
        /// What it claims.
        gigabytes: u64,
    },
}

/// One file in an archive.
#[derive(Debug, Clone)]
struct Member {
    index: usize,
    size: u64,
    packed_size: u64,
    data_start: u64,
    is_packed: bool,
    crc32: u32,
}

/// What an archive holds.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    stamp: (u64, Option<SystemTime>),
    members: HashMap<PathBuf, Member>,
    /// Names of files that are left out, with the reason; completes the sentence that begins with the name.
    pub left_out: Vec<(String, &'static str)>,
}

impl Archive {
    /// Lists an archive; the list of one that was not changed since is kept.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is a bomb.
    pub fn list(path: &Path) -> Result<Arc<Self>, ArchiveError> {
        let stamp = stamp_of(&std::fs::metadata(path)?);
        let kept = |archives: &Vec<Arc<Self>>| {
            archives.iter().find(|kept| kept.path == path && kept.stamp == stamp).map(Arc::clone)
        };
        if let Some(found) = kept(&LISTED.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(found);
        }
        let listed = Arc::new(Self::read(path, stamp)?);
        let mut archives = LISTED.lock().unwrap_or_else(PoisonError::into_inner);
        archives.retain(|kept| kept.path != path);
        archives.insert(0, Arc::clone(&listed));
        archives.truncate(KEPT_ARCHIVES);
        Ok(listed)
    }

    fn read(path: &Path, stamp: (u64, Option<SystemTime>)) -> Result<Self, ArchiveError> {
        let mut zip = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(|_| ArchiveError::Damaged)?;
        if zip.len() > MAX_ENTRIES {
            return Err(ArchiveError::TooMany(zip.len()));
        }
        let (mut members, mut left_out, mut claimed) = (HashMap::new(), Vec::new(), 0_u64);
        for index in 0..zip.len() {
            let Ok(entry) = zip.by_index_raw(index) else {
                left_out.push((format!("file {} of the archive", index + 1), "is damaged"));
                continue;
            };
            if entry.is_dir() {
                continue;
            }
            // Some writers of Windows part folders the other way.
            let name = entry.name().replace('\\', "/");
            claimed = claimed.saturating_add(entry.size());
            let method = entry.compression();
            let plain = plain(&name);
            let reason = if plain.is_none() {
                Some("has a name that leads out of the archive")
            } else if entry.encrypted() {
                Some("is encrypted: unpack the archive with its password first")
            } else if is_archive(Path::new(&name)) {
                Some("is an archive inside an archive: unpack it first")
            } else if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
                Some("is packed in a way that is not read: unpack the archive first")
            } else if entry.size() > MAX_MEMBER_BYTES {
                Some("is larger than can be read from an archive: unpack it first")
            } else if method == CompressionMethod::Deflated && entry.size() > MAX_UNPACKED_BYTES {
                Some("is larger than can be unpacked in memory: unpack the archive first")
            } else {
                None
            };
            match (reason, plain.zip(entry.data_start())) {
                (Some(reason), _) => left_out.push((name, reason)),
                (None, None) => left_out.push((name, "is damaged")),
                (None, Some((plain, data_start))) => {
                    let member = Member {
                        index,
                        size: entry.size(),
                        packed_size: entry.compressed_size(),
                        data_start,
                        is_packed: method == CompressionMethod::Deflated,
                        crc32: entry.crc32(),
                    };
                    members.insert(plain, member);
                }
            }
        }
        if claimed > FREE_BYTES && claimed / MAX_RATIO > stamp.0 {
            return Err(ArchiveError::Bomb { gigabytes: claimed >> 30 });
        }
        Ok(Self { path: path.to_path_buf(), stamp, members, left_out })
    }

    /// The paths of its files, in the order of the archive, with their unpacked sizes.
    pub fn files(&self) -> Vec<(PathBuf, u64)> {
        let mut members: Vec<(&PathBuf, &Member)> = self.members.iter().collect();
        members.sort_by_key(|(_, member)| member.index);
        members.into_iter().map(|(name, member)| (self.path.join(name), member.size)).collect()
    }

    fn open_member(&self, name: &Path) -> io::Result<Box<dyn ReadSeek>> {
        let Some(member) = self.members.get(name) else { return Err(io::ErrorKind::NotFound.into()) };
        let file = File::open(&self.path)?;
        if member.is_packed {
            let section = Section::new(file, member.data_start, member.packed_size, None)?;
            Ok(Box::new(Inflating::new(section, member.size, member.crc32)))
        } else {
            Ok(Box::new(Section::new(file, member.data_start, member.packed_size, Some(member.crc32))?))
        }
    }
}

/// Lists of the archives that were read last: a series is opened one file after the other, and each asks where it lies.
static LISTED: Mutex<Vec<Arc<Archive>>> = Mutex::new(Vec::new());

fn stamp_of(metadata: &std::fs::Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}

/// A name inside an archive, without the `./` that some writers begin it with; `None` for one that leads out of the archive.
fn plain(name: &str) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in Path::new(name).components() {
        match component {
            Component::Normal(part) => plain.push(part),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => return None,
        }
    }
    (!plain.as_os_str().is_empty() && !name.contains('\0')).then_some(plain)
}

/// Whether a name is that of an archive that is looked into.
pub fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("zip"))
}

/// Whether the bytes of a file begin like a ZIP archive, whatever its name.
pub fn begins_like_archive(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == *b"PK\x03\x04"
}

/// The archive that a path leads into, and the name inside it.
fn inside(path: &Path) -> Option<(&Path, &Path)> {
    let archive = path.ancestors().skip(1).find(|parent| parent.is_file())?;
    Some((archive, path.strip_prefix(archive).ok()?))
}

/// Opens a file, or a file in an archive.
///
/// # Errors
/// When there is no such file, or the medium fails.
pub fn open(path: &Path) -> io::Result<Box<dyn ReadSeek>> {
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => match inside(path) {
            Some((archive, name)) => Archive::list(archive).map_err(io::Error::other)?.open_member(name),
            None => Err(error),
        },
    }
}

/// Whether a path is there and neither a file nor a folder: a pipe or a device, which may never give what a reader waits for.
pub fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Length of a file, or of a file in an archive.
///
/// # Errors
/// As [`open`].
pub fn length(path: &Path) -> io::Result<u64> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(_) => open(path)?.seek(SeekFrom::End(0)),
    }
}
