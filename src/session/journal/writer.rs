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
