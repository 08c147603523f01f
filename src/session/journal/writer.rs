//! The journal's own thread: encodes records, appends them, syncs, and tries again when the disk refuses.
//!
//! A record counts as kept once it is synced. Nothing is skipped: when a record cannot be written it waits, with all after
//! it, and is tried again; meanwhile the state says so and the work goes on.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use chrono::Utc;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};

use super::record::Record;
use super::{Place, Shared};

/// How long after a failure the disk is asked again.
const RETRY: Duration = Duration::from_secs(2);

/// What the thread is told.
#[derive(Debug)]
pub enum Order {
    /// Append this.
    Write(Record),
    /// Answer when everything before this was written, or could not be: true when all is kept.
    Flush(Sender<bool>),
}

/// Where the bytes go: a file, or in tests something that refuses.
pub trait Sink: Send {
    /// Puts bytes at an offset, cutting off what lies behind.
    ///
    /// # Errors
    /// When not all was written.
    fn put(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes sure that it survives a power cut.
    ///
    /// # Errors
    /// When that is not sure.
    fn sync(&mut self) -> io::Result<()>;
}

impl Sink for File {
    fn put(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(offset))?;
        let written = self.write_all(bytes);
        if written.is_err() {
            // Half a record would be dropped by the reader anyway; cutting it off keeps the file tidy.
            let _cut = self.set_len(offset);
        }
        written
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

struct Waiting {
    step: Option<u64>,
    frame: Vec<u8>,
}

/// Runs until the orders end.
pub(super) fn run(mut sink: Box<dyn Sink>, mut end: u64, orders: &Receiver<Order>, shared: &Arc<Shared>) {
    let mut waiting: VecDeque<Waiting> = VecDeque::new();
    loop {
        let first = if waiting.is_empty() {
            orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            orders.recv_timeout(RETRY)
        };
        let (mut replies, mut ended) = (Vec::new(), false);
        let mut next = match first {
            Ok(order) => Some(order),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                ended = true;
                None
            }
        };
        while let Some(order) = next.take() {
            match order {
                Order::Write(record) => {
                    waiting.push_back(Waiting { step: record.step_number(), frame: record.to_frame() });
                }
                Order::Flush(reply) => replies.push(reply),
            }
            match orders.try_recv() {
                Ok(order) => next = Some(order),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => ended = true,
            }
        }
        let kept = append(&mut *sink, &mut end, &mut waiting, shared);
        for reply in replies {
            // Whoever asked may have gone.
            let _told = reply.send(kept);
        }
        if ended {
            return;
        }
    }
}

/// Writes what waits; returns whether nothing waits any more.
fn append(sink: &mut dyn Sink, end: &mut u64, waiting: &mut VecDeque<Waiting>, shared: &Shared) -> bool {
    if waiting.is_empty() {
        return true;
    }
    // Nothing leaves the queue before it is synced: a failed sync says nothing about what is on the disk.
    let mut places = Vec::new();
    let mut offset = *end;
    let written = waiting.iter().try_for_each(|record| {
        sink.put(offset, &record.frame)?;
        places.extend(record.step.map(|step| (step, Place { offset })));
        offset += record.frame.len() as u64;
        Ok(())
    });
    let lock = |text: Option<String>| *shared.failing.lock().unwrap_or_else(PoisonError::into_inner) = text;
    match written.and_then(|()| sink.sync()) {
        Ok(()) => {
            *end = offset;
            shared.places.lock().unwrap_or_else(PoisonError::into_inner).extend(places);
            *shared.last_kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Utc::now());
            shared.kept.fetch_add(waiting.len() as u64, std::sync::atomic::Ordering::Release);
            waiting.clear();
            lock(None);
            true
        }
        Err(error) => {
            lock(Some(error.to_string()));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crossbeam_channel::bounded;

    use super::super::record::{Record, RecordHead};
    use super::*;

    /// A disk that can be full.
    #[derive(Clone, Default)]
    struct Disk {
        full: Arc<AtomicBool>,
        bytes: Arc<Mutex<Vec<u8>>>,
    }

    impl Sink for Disk {
        fn put(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
            let mut held = self.bytes.lock().expect("not poisoned");
            held.truncate(offset as usize);
            if self.full.load(Ordering::SeqCst) {
                held.extend_from_slice(&bytes[..bytes.len() / 2]);
                return Err(io::ErrorKind::StorageFull.into());
            }
            held.extend_from_slice(bytes);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_full_disk_refused_is_written_when_there_is_room() {
        let (disk, shared) = (Disk::default(), Arc::new(Shared::default()));
        let (orders, queue) = bounded(16);
        let (sink, told) = (disk.clone(), Arc::clone(&shared));
        let thread =
            std::thread::Builder::new().spawn(move || run(Box::new(sink), 0, &queue, &told)).expect("a thread");
        let mark = |number| Record::Mark(RecordHead::Undo { number, when: Utc::now() });
        let flush = || {
            let (reply, answer) = bounded(1);
            orders.send(Order::Flush(reply)).expect("alive");
            answer.recv().expect("an answer")
        };
        let send = |number| orders.send(Order::Write(mark(number))).expect("alive");
        send(1);
        assert!(flush());
        disk.full.store(true, Ordering::SeqCst);
        send(2);
        send(3);
        assert!(!flush());
        assert!(shared.failing.lock().expect("not poisoned").is_some(), "said while it lasts");
        disk.full.store(false, Ordering::SeqCst);
        send(4);
        assert!(flush(), "all is kept");
        assert!(shared.failing.lock().expect("not poisoned").is_none());
        drop(orders);
        thread.join().expect("ended in order");
        let mut file = io::Cursor::new(disk.bytes.lock().expect("not poisoned").clone());
        let (mut offset, mut numbers) = (0, Vec::new());
        while let Some(record) = super::super::record::read_record(&mut file, offset).expect("readable") {
            offset = record.end;
            numbers.extend(match record.head {
                RecordHead::Undo { number, .. } => Some(number),
                _ => None,
            });
        }
        assert_eq!(numbers, [1, 2, 3, 4], "in order, none lost, none twice");
    }
}
