//! The tables of the index, and the file that they are in.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::IndexError;
use crate::io::provenance;

/// How long one window waits for another that writes.
const WAIT: Duration = Duration::from_secs(3);

/// Grows with the tables.
const SCHEMA: &str = "1";

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS made_by (words TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS file (
        path TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, record BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS picture (
        path TEXT NOT NULL, part TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, gray BLOB NOT NULL,
        PRIMARY KEY (path, part)
    );
    CREATE TABLE IF NOT EXISTS place (
        path TEXT PRIMARY KEY, series INTEGER NOT NULL, files INTEGER NOT NULL, visited INTEGER NOT NULL
    );
";

/// Marks the file as an index ("MaqI"), in its first bytes: what is damaged further on is still known as one.
const MARK: u32 = 0x4d61_7149;
/// What every file of SQLite begins with, and where the mark lies (SQLite, "Database File Format", 1.3).
const MAGIC: &[u8] = b"SQLite format 3\0";
const MARK_AT: usize = 68;

/// Opens the file, or makes it for its user alone. A file that is no index is an error and stays as it is.
pub(super) fn open(path: &Path) -> Result<Connection, IndexError> {
    let failed = |source| IndexError::Io { path: path.to_path_buf(), source };
    let is_empty = match std::fs::metadata(path) {
        Ok(found) => found.is_file() && found.len() == 0,
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(failed(error)),
    };
    if !is_empty && !is_index(path)? {
        return Err(IndexError::NotAnIndex { path: path.to_path_buf() });
    }
    make_private(path).map_err(failed)?;
    let ours = format!("{SCHEMA} {}", build());
    let mut places = Vec::new();
    if !is_empty {
        match connect(path).and_then(|connection| Ok((made_by(&connection)?, connection))) {
            Ok((found, connection)) if found == ours => return Ok(connection),
            // Of another build: only where somebody has been is worth keeping.
            Ok((_, connection)) => places = places_of(&connection).unwrap_or_default(),
            Err(error) if is_damage(&error) => {}
            // Busy, or the medium fails: that says nothing against the index.
            Err(error) => return Err(error.into()),
        }
        for end in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            // One that is not there is as good as removed.
            drop(std::fs::remove_file(&name));
        }
        make_private(path).map_err(failed)?;
    }
    let connection = Connection::open(path)?;
    // Before there is a log of changes, so that the mark is in the file itself.
    connection.pragma_update(None, "application_id", MARK)?;
    drop(connection);
    let connection = connect(path)?;
    connection.execute_batch(TABLES)?;
    connection.execute("INSERT INTO made_by (words) VALUES (?1)", [ours])?;
    for place in places {
        connection
            .execute("INSERT OR REPLACE INTO place (path, series, files, visited) VALUES (?1, ?2, ?3, ?4)", place)?;
    }
    Ok(connection)
}

/// Whether a file is an index: it has the mark, or, made before there was one, says what made it. Changes nothing.
fn is_index(path: &Path) -> Result<bool, IndexError> {
    let failed = |source| IndexError::Io { path: path.to_path_buf(), source };
    if !path.is_file() {
        return Ok(false);
    }
    let mut head = Vec::new();
    File::open(path).and_then(|file| file.take(100).read_to_end(&mut head)).map_err(failed)?;
    if !head.starts_with(MAGIC) {
        return Ok(false);
    }
    if head.get(MARK_AT..MARK_AT + 4) == Some(&MARK.to_be_bytes()) {
        return Ok(true);
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(WAIT)?;
    match made_by(&connection) {
        Ok(_) => Ok(true),
        Err(error) if is_damage(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn made_by(connection: &Connection) -> Result<String, rusqlite::Error> {
    connection.query_row("SELECT words FROM made_by", [], |row| row.get(0))
}

/// Whether an error says that the file does not hold what an index holds, now and at any later time.
fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        // The last is what a missing table gives.
        rusqlite::Error::SqliteFailure(..) | rusqlite::Error::SqlInputError { .. } => matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown)
        ),
        other => matches!(other, rusqlite::Error::QueryReturnedNoRows | rusqlite::Error::InvalidColumnType(..)),
    }
}

/// Which build this is; where the build does not say, which file it runs from.
fn build() -> String {
    let file = (provenance::GIT_HASH == "unknown").then(|| std::env::current_exe().ok()?.metadata().ok()).flatten();
    let file = file.map(|found| (found.len(), found.modified().ok()));
    format!("{} {} {file:?}", provenance::VERSION, provenance::GIT_HASH)
}

/// Places by path, series, files and time of visit.
fn places_of(connection: &Connection) -> Result<Vec<(String, i64, i64, i64)>, rusqlite::Error> {
    let mut found = connection.prepare("SELECT path, series, files, visited FROM place")?;
    let rows = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.collect()
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(WAIT)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;")?;
    Ok(connection)
}

/// Makes the folder and an empty file that only their user can read; SQLite gives its side files the same rights.
fn make_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        options.mode(0o600).open(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
    }
    #[cfg(not(unix))]
    options.open(path).map(drop)
}
