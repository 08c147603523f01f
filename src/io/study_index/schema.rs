//! The tables of the index, and the file that they are in.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

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

/// Opens the file, or makes it for its user alone.
pub(super) fn open(path: &Path) -> Result<Connection, IndexError> {
    make_private(path).map_err(|source| IndexError::Io { path: path.to_path_buf(), source })?;
    let ours = format!("{SCHEMA} {}", build());
    let mut places = Vec::new();
    if let Ok(connection) = connect(path) {
        let made_by = connection.query_row("SELECT words FROM made_by", [], |row| row.get::<_, String>(0));
        if made_by.is_ok_and(|found| found == ours) {
            return Ok(connection);
        }
        places = places_of(&connection).unwrap_or_default();
    }
    // Empty, damaged or of another build: only where somebody has been is worth keeping.
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        // One that is not there is as good as removed.
        drop(std::fs::remove_file(&name));
    }
    make_private(path).map_err(|source| IndexError::Io { path: path.to_path_buf(), source })?;
    let connection = connect(path)?;
    connection.execute_batch(TABLES)?;
    connection.execute("INSERT INTO made_by (words) VALUES (?1)", [ours])?;
    for place in places {
        connection
            .execute("INSERT OR REPLACE INTO place (path, series, files, visited) VALUES (?1, ?2, ?3, ?4)", place)?;
    }
    Ok(connection)
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
