//! The index of studies: what files turned out to be at an earlier visit, so that the next one reads only what changed.
//!
//! In and out: records of files by path, size and time of change ([`Memory`]), small pictures of series, the places that
//! were visited. Never images. One SQLite file that only its user can read: it holds patient identity, so it stays in the
//! state folder of the lab's own computer, and [`StudyIndex::forget`] wipes a place out of it, bytes overwritten.
//! Another build of the program starts it anew: what was read by older code is not trusted.
//! Not here: what a record says (`import::found`), where the file lies (`ops::browse`).

mod schema;

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::{Compress, Compression, FlushCompress, Status};
use rusqlite::{Connection, OptionalExtension, params};

use crate::io::import::{GrayImage, ImportOptions, Listing, Memory, Stamp, remembered};

/// Records that are written at a time.
const BATCH: usize = 512;
/// The largest record that is read back.
const MAX_RECORD_BYTES: u64 = 256 << 20;

/// Why there is no index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Its folder or file cannot be made.
    #[error("the index of studies cannot be kept at {}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is another file in its place.
    #[error("{} is no index of studies; it was left as it is: name another file for the index", path.display())]
    NotAnIndex {
        /// Which.
        path: PathBuf,
    },
    /// Another window reads the log of changes, which still holds what was forgotten.
    #[error(
        "another window is using the index of studies, so traces of the place are still in it: forget it once more later"
    )]
    InUse,
    /// The database.
    #[error("the index of studies cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
}

/// A place that was visited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Folder, archive or drive.
    pub path: PathBuf,
    /// Series that were found there.
    pub series: usize,
    /// Files that were looked at.
    pub files: usize,
    /// When, seconds since 1970.
    pub visited_s: i64,
}

struct Waiting {
    path: String,
    stamp: Stamp,
    record: Vec<u8>,
}

/// The index. Several threads and several windows may use one.
pub struct StudyIndex {
    connection: Mutex<Connection>,
    waiting: Mutex<Vec<Waiting>>,
}

impl std::fmt::Debug for StudyIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StudyIndex").finish_non_exhaustive()
    }
}

impl StudyIndex {
    /// Opens the index at `path`, or makes it. One that is damaged or of another build is begun anew; a file that is no index
    /// stays as it is.
    ///
    /// # Errors
    /// When the folder or file cannot be written, there is another file, or another window holds the index for too long.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let connection = schema::open(path)?;
        Ok(Self { connection: Mutex::new(connection), waiting: Mutex::default() })
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The series of a place as they were at the last visit: nothing but the index is read.
    pub fn known(&self, place: &Path, options: ImportOptions) -> Listing {
        let records = self.records_under(place).unwrap_or_else(|error| {
            tracing::debug!(%error, "the index is not read");
            Vec::new()
        });
        remembered(records, options)
    }

    fn records_under(&self, place: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, rusqlite::Error> {
        let Some([from, to]) = range(place) else { return Ok(Vec::new()) };
        let database = self.database();
        let mut found =
            database.prepare_cached("SELECT path, record FROM file WHERE path >= ?1 AND path < ?2 ORDER BY path")?;
        let rows =
            found.query_map(params![from, to], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let rows: Vec<(String, Vec<u8>)> = rows.collect::<Result<_, _>>()?;
        Ok(rows.into_iter().filter_map(|(path, packed)| Some((PathBuf::from(path), unpack(&packed)?))).collect())
    }

    /// Places that were visited, the last one first.
    pub fn places(&self) -> Vec<Place> {
        let read = || -> Result<Vec<Place>, rusqlite::Error> {
            let database = self.database();
            let mut found =
                database.prepare("SELECT path, series, files, visited FROM place ORDER BY visited DESC, path")?;
            let rows = found.query_map([], |row| {
                let path: String = row.get(0)?;
                let (series, files): (i64, i64) = (row.get(1)?, row.get(2)?);
                Ok(Place { path: path.into(), series: series as usize, files: files as usize, visited_s: row.get(3)? })
            })?;
            rows.collect()
        };
        read().unwrap_or_default()
    }

    /// Notes that a place was looked at to its end.
    pub fn note_visit(&self, place: &Place) {
        let Some(path) = place.path.to_str() else { return };
        let values = params![path, place.series as i64, place.files as i64, place.visited_s];
        let sql = "INSERT OR REPLACE INTO place (path, series, files, visited) VALUES (?1, ?2, ?3, ?4)";
        quietly(self.database().execute(sql, values));
    }

    /// Wipes a place and all below it out of the index, pictures included. The images are not touched.
    ///
    /// # Errors
    /// When the index cannot be written: then it still knows the place. [`IndexError::InUse`] when another window is reading
    /// it: then the place is forgotten, but bytes of it may stand in the log of changes until that is folded in.
    pub fn forget(&self, place: &Path) -> Result<(), IndexError> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let (Some(path), Some([from, to])) = (place.to_str(), range(place)) else { return Ok(()) };
        let mut database = self.database();
        let change = database.transaction()?;
        for table in ["file", "picture", "place"] {
            let sql = format!("DELETE FROM {table} WHERE path = ?1 OR (path >= ?2 AND path < ?3)");
            change.execute(&sql, params![path, from, to])?;
        }
        change.commit()?;
        // What was forgotten stands in the log of changes until that is folded in.
        let busy: i64 = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 { Ok(()) } else { Err(IndexError::InUse) }
    }

    /// The picture of the part of a series whose middle file is `file`, as the file was when it was last looked at: a look
    /// that finds it changed or gone drops the picture, and no other comparison is made here.
    pub fn picture(&self, file: &Path, part: &str) -> Option<GrayImage> {
        let database = self.database();
        let mut found =
            database.prepare_cached("SELECT width, height, gray FROM picture WHERE path = ?1 AND part = ?2").ok()?;
        let row = found.query_row(params![file.to_str()?, part], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?, row.get::<_, Vec<u8>>(2)?))
        });
        let (width, height, packed) = row.optional().ok()??;
        let pixels = unpack(&packed)?;
        (pixels.len() as u64 == u64::from(width) * u64::from(height)).then_some(GrayImage { width, height, pixels })
    }

    /// Keeps a picture, where its file is known.
    pub fn keep_picture(&self, file: &Path, part: &str, image: &GrayImage) {
        let (Some(path), Some(packed)) = (file.to_str(), pack(&image.pixels)) else { return };
        let sql = "INSERT OR REPLACE INTO picture (path, part, width, height, gray)
                   SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM file WHERE path = ?1)";
        quietly(self.database().execute(sql, params![path, part, image.width, image.height, packed]));
    }

    fn write(&self, rows: Vec<Waiting>) -> Result<(), rusqlite::Error> {
        let mut database = self.database();
        let change = database.transaction()?;
        {
            let mut put = change
                .prepare_cached("INSERT OR REPLACE INTO file (path, size, modified, record) VALUES (?1, ?2, ?3, ?4)")?;
            let mut stale = change.prepare_cached("DELETE FROM picture WHERE path = ?1")?;
            for row in &rows {
                put.execute(params![row.path, row.stamp.size as i64, row.stamp.modified_ns, row.record])?;
                stale.execute(params![row.path])?;
            }
        }
        change.commit()
    }
}

impl Memory for StudyIndex {
    fn recall(&self, path: &Path, stamp: Stamp) -> Option<Vec<u8>> {
        let packed = {
            let database = self.database();
            let sql = "SELECT record FROM file WHERE path = ?1 AND size = ?2 AND modified = ?3";
            let mut found = database.prepare_cached(sql).ok()?;
            let values = params![path.to_str()?, stamp.size as i64, stamp.modified_ns];
            found.query_row(values, |row| row.get::<_, Vec<u8>>(0)).optional().ok()??
        };
        unpack(&packed)
    }

    fn keep(&self, path: &Path, stamp: Stamp, record: Vec<u8>) {
        // A system that does not say when a file was written cannot say that it was changed.
        let (Some(path), Some(record), true) = (path.to_str(), pack(&record), stamp.modified_ns != 0) else { return };
        let full = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push(Waiting { path: path.to_owned(), stamp, record });
            (waiting.len() >= BATCH).then(|| std::mem::take(&mut *waiting))
        };
        if let Some(rows) = full {
            quietly(self.write(rows));
        }
    }

    fn flush(&self) {
        let rows = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if !rows.is_empty() {
            quietly(self.write(rows));
        }
    }

    fn keep_only(&self, place: &Path, files: &[(PathBuf, Stamp)]) {
        let there: HashSet<&Path> = files.iter().map(|(path, _)| path.as_path()).collect();
        let drop_gone = || -> Result<(), rusqlite::Error> {
            let Some([from, to]) = range(place) else { return Ok(()) };
            let mut database = self.database();
            let known: Vec<String> = {
                let mut found = database.prepare_cached("SELECT path FROM file WHERE path >= ?1 AND path < ?2")?;
                let rows = found.query_map(params![from, to], |row| row.get(0))?;
                rows.collect::<Result<_, _>>()?
            };
            let gone: Vec<String> = known.into_iter().filter(|path| !there.contains(Path::new(path))).collect();
            if gone.is_empty() {
                return Ok(());
            }
            let change = database.transaction()?;
            for path in &gone {
                change.execute("DELETE FROM file WHERE path = ?1", params![path])?;
                change.execute("DELETE FROM picture WHERE path = ?1", params![path])?;
            }
            change.commit()
        };
        quietly(drop_gone());
    }
}

/// Paths below a place, as the first and one past the last in the order of bytes; `None` for names that are no text.
fn range(place: &Path) -> Option<[String; 2]> {
    let place = place.to_str()?.trim_end_matches('/');
    // The slash is followed by the zero.
    Some([format!("{place}/"), format!("{place}0")])
}

/// A visit that cannot be kept is no reason to stop. Messages of the database hold no values.
fn quietly<T>(result: Result<T, rusqlite::Error>) {
    if let Err(error) = result {
        tracing::debug!(%error, "the index of studies is not written");
    }
}

thread_local! {
    /// A packer is large and slow to make, a record small.
    static PACKER: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
}

fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| {
        packer.reset();
        let mut packed = Vec::with_capacity(bytes.len() + bytes.len() / 8 + 64);
        let status = packer.compress_vec(bytes, &mut packed, FlushCompress::Finish).ok()?;
        packed.shrink_to_fit();
        (status == Status::StreamEnd).then_some(packed)
    })
}

fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(packed).take(MAX_RECORD_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
