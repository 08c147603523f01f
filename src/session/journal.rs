//! The journal: every step of a session on disk as it happens, so that a crash loses nothing and undo has no bottom.
//!
//! One append-only file for each session, in a folder of the user's state, under a name that says nothing of the patient;
//! the images are named by path, the patient's identity is not in it. A thread of its own writes and syncs after every
//! command. While a session lives it holds a lock on its file, so that a second window does not take it for a crash.
//! In: steps, undos, redos, saves. Out: [`find_restorable`] after a crash, [`replay::replay`] to get the work back.
//!
//! Not here: what is in a record (`record`, `wire`), the thread (`writer`).

pub mod record;
pub mod replay;
pub mod wire;
pub mod writer;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, Utc};
use crossbeam_channel::{Sender, bounded};

use super::change::Change;
use super::document::VolumeHead;
use super::history::StepStore;
use record::{MAGIC, Record, RecordHead, read_record};
use writer::{Order, Sink};

/// Orders that may wait for the journal's thread.
const QUEUE: usize = 4096;

/// Where a step lies in the file.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
}

/// What the journal's thread tells.
#[derive(Debug, Default)]
struct Shared {
    places: Mutex<BTreeMap<u64, Place>>,
    failing: Mutex<Option<String>>,
    last_kept: Mutex<Option<DateTime<Utc>>>,
    kept: AtomicU64,
}

/// Whether the work is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Autosave {
    /// There is no journal, and why.
    Off(String),
    /// Everything is on disk, since when.
    Kept(Option<DateTime<Utc>>),
    /// The last steps are being written.
    Writing,
    /// The disk refuses; the steps are kept in memory and tried again.
    Failing(String),
}

impl Autosave {
    /// Words for the status bar.
    pub fn words(&self) -> String {
        match self {
            Self::Kept(None) => "Autosave on".to_owned(),
            Self::Kept(Some(when)) => format!("Autosaved {}", when.with_timezone(&chrono::Local).format("%H:%M")),
            Self::Writing => "Autosaving".to_owned(),
            Self::Off(why) | Self::Failing(why) => format!("NOT autosaved: {why}"),
        }
    }

    /// Whether work would be lost by a crash now.
    pub fn is_at_risk(&self) -> bool {
        matches!(self, Self::Off(_) | Self::Failing(_))
    }
}

/// Why there is no journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder or file cannot be made.
    #[error("the journal cannot be written in {}: {source}", path.display())]
    Create {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No home folder.
    #[error("this account has no folder for the state of programs")]
    NoFolder,
}

/// The folder of the journals of this account.
///
/// # Errors
/// When the account has no home folder.
pub fn default_folder() -> Result<PathBuf, JournalError> {
    let folders = directories::ProjectDirs::from("", "", "maquette").ok_or(JournalError::NoFolder)?;
    Ok(folders.state_dir().unwrap_or_else(|| folders.data_local_dir()).join("journals"))
}

/// The journal of a living session.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    orders: Option<Sender<Order>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    reader: Option<File>,
    /// Holds the lock for as long as the session lives.
    _lock: Option<File>,
    queued: u64,
    /// Set when a record could not even be queued: the chain is broken from there on.
    broken: bool,
}

impl Journal {
    /// Begins a journal in a folder, which is made when missing; `base` makes the case as it is now from an empty one.
    ///
    /// # Errors
    /// When folder or file cannot be made.
    pub fn begin(folder: &Path, base: Change) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Create { path: folder.to_path_buf(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let name = format!("{}-", Utc::now().format("%Y%m%dT%H%M%S"));
        // tempfile makes the name unique and the file private to the account.
        let mut made =
            tempfile::Builder::new().prefix(&name).suffix(".beginning").tempfile_in(folder).map_err(failed)?;
        std::io::Write::write_all(&mut made, MAGIC).map_err(failed)?;
        let lock = made.as_file().try_clone().map_err(failed)?;
        lock.try_lock().map_err(|error| failed(error.into()))?;
        // It gets its name when it is locked: a window that looks for crashed sessions would else take it for one.
        let path = made.path().with_extension("journal");
        let file = made.persist_noclobber(&path).map_err(|error| failed(error.error))?;
        let mut journal = Self::on(Box::new(file), MAGIC.len() as u64, path, Some(lock), BTreeMap::new())?;
        journal.write(Record::Begin(Box::new(base)));
        Ok(journal)
    }

    /// Goes on with a journal that was replayed; what lies behind its last whole record is cut off by the next one.
    ///
    /// # Errors
    /// When the file cannot be used.
    fn resume(file: File, path: &Path, end: u64, places: BTreeMap<u64, Place>) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Create { path: path.to_path_buf(), source };
        let lock = file.try_clone().map_err(failed)?;
        file.set_len(end).map_err(failed)?;
        Self::on(Box::new(file), end, path.to_path_buf(), Some(lock), places)
    }

    fn on(
        sink: Box<dyn Sink>,
        end: u64,
        path: PathBuf,
        lock: Option<File>,
        places: BTreeMap<u64, Place>,
    ) -> Result<Self, JournalError> {
        let shared = Arc::new(Shared { places: Mutex::new(places), ..Shared::default() });
        let (orders, queue) = bounded(QUEUE);
        let told = Arc::clone(&shared);
        let work = move || writer::run(sink, end, &queue, &told);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(work);
        let thread = thread.map_err(|source| JournalError::Create { path: path.clone(), source })?;
        let reader = File::open(&path).ok();
        let (orders, thread) = (Some(orders), Some(thread));
        Ok(Self { path, orders, shared, thread, reader, _lock: lock, queued: 0, broken: false })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a record; returns at once.
    pub fn write(&mut self, record: Record) {
        let Some(orders) = &self.orders else { return };
        if self.broken {
            return;
        }
        self.queued += 1;
        self.broken = orders.try_send(Order::Write(record)).is_err();
    }

    /// Waits until everything is on disk; false when the disk refuses.
    pub fn flush(&self) -> bool {
        let Some(orders) = &self.orders else { return false };
        let (reply, answer) = bounded(1);
        orders.send(Order::Flush(reply)).is_ok() && answer.recv_timeout(Duration::from_secs(30)).unwrap_or(false)
    }

    /// Whether the work is safe.
    pub fn autosave(&self) -> Autosave {
        if self.broken {
            return Autosave::Failing("the disk does not keep up; save the case now".to_owned());
        }
        if let Some(why) = self.shared.failing.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Autosave::Failing(why);
        }
        if self.shared.kept.load(Ordering::Acquire) < self.queued {
            return Autosave::Writing;
        }
        Autosave::Kept(*self.shared.last_kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the session in order: the file is removed, there is nothing to restore.
    pub fn remove(mut self) {
        self.stop();
        // A file that cannot be removed is offered for restoring; nothing is lost.
        let _removed = std::fs::remove_file(&self.path);
    }

    fn stop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // Its panic would have been reported by the tests; there is nothing to do about it here.
            let _ended = thread.join();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.stop();
    }
}

impl StepStore for Journal {
    fn holds(&self, step: u64) -> bool {
        self.shared.places.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&step)
    }

    fn read(&mut self, step: u64, inverse: bool) -> Result<Change, String> {
        let place = self.shared.places.lock().unwrap_or_else(PoisonError::into_inner).get(&step).copied();
        let place = place.ok_or_else(|| format!("step {step} was not written"))?;
        let reader = self.reader.as_mut().ok_or_else(|| "the file cannot be read".to_owned())?;
        let record = read_record(reader, place.offset).map_err(|error| error.to_string())?;
        let record = record.ok_or_else(|| format!("step {step} is damaged"))?;
        if !matches!(record.head, RecordHead::Step { number, .. } if number == step) {
            return Err(format!("step {step} is not where it should be"));
        }
        // Steps with volumes stay in memory, so no images are looked for here.
        wire::decode_change(if inverse { record.inverse() } else { record.forward() }, &|_| None)
    }
}

/// A session that ended without being closed. Holds the file's lock until it is restored, discarded or dropped.
#[derive(Debug)]
pub struct Restorable {
    /// The journal.
    pub path: PathBuf,
    /// When its last step was done.
    pub when: DateTime<Utc>,
    /// What it holds, without the patient's identity.
    pub what: String,
    /// Steps that are in effect.
    pub step_count: usize,
    /// The volumes whose images are needed.
    pub volumes: Vec<VolumeHead>,
    file: File,
}

impl Restorable {
    /// Removes the journal: its work is given up.
    pub fn discard(self) {
        // A file that cannot be removed is offered again; nothing is lost.
        let _removed = std::fs::remove_file(&self.path);
    }
}

/// Looks for sessions that ended without being closed, newest first. Journals of living sessions are left alone; journals
/// without a step are removed.
pub fn find_restorable(folder: &Path) -> Vec<Restorable> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let journals = paths.filter(|path| path.extension().is_some_and(|end| end == "journal"));
    let mut found: Vec<Restorable> = journals.filter_map(|path| open_restorable(&path)).collect();
    found.sort_by_key(|restorable| std::cmp::Reverse(restorable.when));
    found
}

fn open_restorable(path: &Path) -> Option<Restorable> {
    let mut file = OpenOptions::new().read(true).write(true).open(path).ok()?;
    // A process that is just being started by the dead one's window may hold the lock for a moment.
    let mut tries = 0;
    while let Err(refused) = file.try_lock() {
        tries += 1;
        if tries == 3 || matches!(refused, TryLockError::Error(_)) {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut magic = [0; MAGIC.len()];
    if file.read_exact(&mut magic).is_err() || &magic != MAGIC {
        // Another version's, or no journal at all: not ours to remove.
        return None;
    }
    let (mut offset, mut when, mut volumes) = (MAGIC.len() as u64, None, Vec::new());
    let (mut done, mut steps_seen, mut saved_at) = (Vec::new(), 0_usize, None);
    while let Ok(Some(record)) = read_record(&mut file, offset) {
        offset = record.end;
        when = Some(record.head.when());
        volumes.extend(wire::volumes_of(record.forward()));
        match record.head {
            RecordHead::Step { number, .. } => {
                steps_seen += 1;
                done.push(number);
            }
            RecordHead::Undo { .. } => drop(done.pop()),
            RecordHead::Redo { number, .. } => done.push(number),
            RecordHead::Saved { position, .. } => saved_at = Some(position),
            RecordHead::Begin { .. } => {}
        }
    }
    let nothing_to_lose = steps_seen == 0 || saved_at == Some(done.last().copied().unwrap_or(0));
    let Some(when) = when.filter(|_| !nothing_to_lose) else {
        let _removed = std::fs::remove_file(path);
        return None;
    };
    let name = volumes.first().map_or("a case", |head: &VolumeHead| head.name.as_str());
    let what = format!("{name}, {} steps, last at {}", done.len(), when.with_timezone(&chrono::Local).format("%H:%M"));
    let path = path.to_path_buf();
    Some(Restorable { path, when, what, step_count: done.len(), volumes, file })
}
