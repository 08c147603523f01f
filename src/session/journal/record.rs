//! Records of the journal and their frames.
//!
//! A file is the magic, then frames: length of the payload (u32, little endian), the first 16 bytes of its BLAKE3 hash,
//! the payload. A payload is the length of a JSON head (u32), the head, then the changes that the head tells the lengths
//! of. A frame that is cut off or does not fit its hash ends the file: what was before it counts.

use std::io::{self, Read, Seek, SeekFrom};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::wire::encode_change;
use crate::session::change::Change;
use crate::session::command::Envelope;

/// First bytes of a journal.
pub const MAGIC: &[u8; 8] = b"MAQJRNL1";
/// Bytes before a payload: length and hash.
pub const FRAME_HEAD: usize = 4 + 16;
/// A longer payload is taken for damage.
const MAX_PAYLOAD: u32 = 1 << 31;

/// What a record says, without its changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RecordHead {
    /// The case as it was when the journal began: a change from an empty document.
    Begin {
        /// Version of the program.
        software: String,
        /// When.
        when: DateTime<Utc>,
        /// Bytes of the change.
        base: usize,
    },
    /// A step was done.
    Step {
        /// Number in the history.
        number: u64,
        /// Words for the history panel.
        label: String,
        /// The command with its stamp.
        envelope: Box<Envelope>,
        /// Bytes of the change.
        forward: usize,
        /// Bytes of what turns it back.
        inverse: usize,
    },
    /// A step was turned back.
    Undo {
        /// Number in the history.
        number: u64,
        /// When.
        when: DateTime<Utc>,
    },
    /// A step was done again.
    Redo {
        /// Number in the history.
        number: u64,
        /// When.
        when: DateTime<Utc>,
    },
    /// The case was saved.
    Saved {
        /// Last step in the file.
        position: u64,
        /// When.
        when: DateTime<Utc>,
    },
}

impl RecordHead {
    /// When it was written.
    pub fn when(&self) -> DateTime<Utc> {
        match self {
            Self::Begin { when, .. } | Self::Undo { when, .. } | Self::Redo { when, .. } | Self::Saved { when, .. } => {
                *when
            }
            Self::Step { envelope, .. } => envelope.stamp.when,
        }
    }
}

/// A record to be written.
#[derive(Debug)]
pub enum Record {
    /// See [`RecordHead::Begin`].
    Begin(Box<Change>),
    /// See [`RecordHead::Step`].
    Step {
        /// Number in the history.
        number: u64,
        /// Words for the history panel.
        label: String,
        /// The command with its stamp.
        envelope: Box<Envelope>,
        /// The change.
        forward: Box<Change>,
        /// What turns it back.
        inverse: Box<Change>,
    },
    /// Undo, redo, saved: they have no changes of their own.
    Mark(RecordHead),
}

impl Record {
    /// The whole frame.
    pub fn to_frame(&self) -> Vec<u8> {
        let (head, blobs) = match self {
            Self::Begin(base) => {
                let base = encode_change(base);
                let software = env!("CARGO_PKG_VERSION").to_owned();
                (RecordHead::Begin { software, when: Utc::now(), base: base.len() }, base)
            }
            Self::Step { number, label, envelope, forward, inverse } => {
                let mut blobs = encode_change(forward);
                let forward = blobs.len();
                blobs.extend_from_slice(&encode_change(inverse));
                let inverse = blobs.len() - forward;
                let (label, envelope) = (label.clone(), envelope.clone());
                (RecordHead::Step { number: *number, label, envelope, forward, inverse }, blobs)
            }
            Self::Mark(head) => (head.clone(), Vec::new()),
        };
        let head = serde_json::to_vec(&head).expect("records are plain data");
        let mut payload = Vec::with_capacity(4 + head.len() + blobs.len());
        payload.extend_from_slice(&(head.len() as u32).to_le_bytes());
        payload.extend_from_slice(&head);
        payload.extend_from_slice(&blobs);
        let mut frame = Vec::with_capacity(FRAME_HEAD + payload.len());
        frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        frame.extend_from_slice(&blake3::hash(&payload).as_bytes()[..16]);
        frame.extend_from_slice(&payload);
        frame
    }

    /// Number of the step that this record describes.
    pub fn step_number(&self) -> Option<u64> {
        match self {
            Self::Step { number, .. } => Some(*number),
            _ => None,
        }
    }
}

/// A record that was read.
#[derive(Debug)]
pub struct ReadRecord {
    /// What it says.
    pub head: RecordHead,
    /// Where its frame begins in the file.
    pub offset: u64,
    /// Where the next frame begins.
    pub end: u64,
    blobs: Vec<u8>,
}

impl ReadRecord {
    /// The bytes of the change (base or forward).
    pub fn forward(&self) -> &[u8] {
        let count = match self.head {
            RecordHead::Begin { base, .. } => base,
            RecordHead::Step { forward, .. } => forward,
            _ => 0,
        };
        self.blobs.get(..count).unwrap_or_default()
    }

    /// The bytes of what turns it back.
    pub fn inverse(&self) -> &[u8] {
        match self.head {
            RecordHead::Step { forward, .. } => self.blobs.get(forward..).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// Reads the record whose frame begins at `offset`; `None` when there is no whole one.
///
/// # Errors
/// When the file cannot be read at all.
pub fn read_record(file: &mut (impl Read + Seek), offset: u64) -> io::Result<Option<ReadRecord>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut frame_head = [0; FRAME_HEAD];
    if !filled(file, &mut frame_head)? {
        return Ok(None);
    }
    let length = u32::from_le_bytes([frame_head[0], frame_head[1], frame_head[2], frame_head[3]]);
    if length > MAX_PAYLOAD {
        return Ok(None);
    }
    // Grows with what is there, so that a damaged length asks for no memory.
    let mut payload = Vec::new();
    file.by_ref().take(u64::from(length)).read_to_end(&mut payload)?;
    if payload.len() != length as usize || blake3::hash(&payload).as_bytes()[..16] != frame_head[4..] {
        return Ok(None);
    }
    let end = offset + FRAME_HEAD as u64 + u64::from(length);
    let Some((head_length, rest)) = payload.split_first_chunk::<4>() else { return Ok(None) };
    let Some((head, blobs)) = rest.split_at_checked(u32::from_le_bytes(*head_length) as usize) else { return Ok(None) };
    let Ok(head) = serde_json::from_slice(head) else { return Ok(None) };
    Ok(Some(ReadRecord { head, offset, end, blobs: blobs.to_vec() }))
}

fn filled(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
