//! Replaying a journal: from its base and its records to the document and the history as they were at the crash.

use std::collections::BTreeMap;

use super::record::{MAGIC, RecordHead, read_record};
use super::wire::{FindImages, decode_change};
use super::{Journal, JournalError, Place, Restorable};
use crate::session::change::Change;
use crate::session::command::Envelope;
use crate::session::document::Document;
use crate::session::history::History;
use crate::task::{Cancelled, Progress};

/// Why a journal could not be replayed at all; the file is kept.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Somebody stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The beginning is damaged or its images are gone.
    #[error("the session cannot be restored: {0}; its journal is kept")]
    Base(String),
    /// The journal cannot be gone on with.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file cannot be read.
    #[error("the journal cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

/// A session as it was.
#[derive(Debug)]
pub struct Replayed {
    /// The case.
    pub document: Document,
    /// Its steps; those of before are read from the journal when undo reaches them.
    pub history: History,
    /// The commands with their stamps.
    pub record: Vec<Envelope>,
    /// The last step that was in the last saved file.
    pub saved_position: Option<u64>,
    /// The journal, to go on with.
    pub journal: Journal,
    /// Why not everything came back, in words; `None` when it did.
    pub stopped: Option<String>,
}

/// Replays a journal. `images` finds the samples of each volume that it names.
///
/// # Errors
/// When cancelled, when the file cannot be read, or when not even the beginning can be brought back.
pub fn replay(
    restorable: Restorable,
    images: FindImages<'_>,
    budget_bytes: usize,
    progress: &Progress,
) -> Result<Replayed, ReplayError> {
    let Restorable { path, mut file, .. } = restorable;
    progress.phase("Restoring");
    let total = file.metadata()?.len() as usize;
    let mut state = State {
        document: Document::new(""),
        history: History::with_budget(budget_bytes),
        record: Vec::new(),
        places: BTreeMap::new(),
        saved_position: None,
    };
    let (mut offset, mut begun, mut stopped) = (MAGIC.len() as u64, false, None);
    while let Some(record) = read_record(&mut file, offset)? {
        progress.step(offset as usize, total)?;
        let outcome = match &record.head {
            RecordHead::Begin { .. } if !begun => {
                begun = true;
                let base = decode_change(record.forward(), images).map_err(ReplayError::Base)?;
                base.check(&state.document).map_err(ReplayError::Base)?;
                let _nothing = base.apply(&mut state.document);
                Ok(())
            }
            _ if !begun => return Err(ReplayError::Base("its beginning is missing".to_owned())),
            RecordHead::Step { number, label, envelope, .. } => {
                let place = Place { offset };
                decode_change(record.forward(), images)
                    .and_then(|change| state.step(*number, label.clone(), envelope, change, place))
            }
            head => state.mark(head, &mut file),
        };
        if let Err(why) = outcome {
            stopped = Some(why);
            break;
        }
        offset = record.end;
    }
    if !begun {
        return Err(ReplayError::Base("its beginning is damaged".to_owned()));
    }
    // A journal that stopped early is not written on: what could not be replayed stays in it for a person to look at.
    let journal = if stopped.is_some() {
        // Under another ending, so that it is not offered again.
        let _renamed = std::fs::rename(&path, path.with_extension("journal-kept"));
        let folder = path.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
        state.history = History::with_budget(budget_bytes);
        Journal::begin(&folder, base_of(&state.document))?
    } else {
        Journal::resume(file, &path, offset, state.places)?
    };
    let State { document, history, record, saved_position, .. } = state;
    Ok(Replayed { document, history, record, saved_position, journal, stopped })
}

struct State {
    document: Document,
    history: History,
    record: Vec<Envelope>,
    places: BTreeMap<u64, Place>,
    saved_position: Option<u64>,
}

impl State {
    fn step(
        &mut self,
        number: u64,
        label: String,
        envelope: &Envelope,
        change: Change,
        place: Place,
    ) -> Result<(), String> {
        change.check(&self.document)?;
        let spillable = change.is_spillable();
        let inverse = change.apply(&mut self.document);
        self.history.push_stored(number, label, envelope.stamp.when, (!spillable).then_some(inverse));
        self.record.push(envelope.clone());
        self.places.insert(number, place);
        Ok(())
    }

    fn mark(&mut self, head: &RecordHead, file: &mut std::fs::File) -> Result<(), String> {
        let mut store = Reader { file, places: &self.places };
        match head {
            RecordHead::Undo { .. } => {
                self.history.undo(&mut self.document, &mut store).map(drop).map_err(|refusal| refusal.to_string())
            }
            RecordHead::Redo { .. } => {
                self.history.redo(&mut self.document, &mut store).map(drop).map_err(|refusal| refusal.to_string())
            }
            RecordHead::Saved { position, .. } => {
                self.saved_position = Some(*position);
                Ok(())
            }
            RecordHead::Begin { .. } | RecordHead::Step { .. } => Err("the journal begins twice".to_owned()),
        }
    }
}

/// Reads steps of the very file that is being replayed.
struct Reader<'a> {
    file: &'a mut std::fs::File,
    places: &'a BTreeMap<u64, Place>,
}

impl crate::session::history::StepStore for Reader<'_> {
    fn holds(&self, step: u64) -> bool {
        self.places.contains_key(&step)
    }

    fn read(&mut self, step: u64, inverse: bool) -> Result<Change, String> {
        let place = self.places.get(&step).ok_or_else(|| format!("step {step} was not written"))?;
        let record = read_record(self.file, place.offset).map_err(|error| error.to_string())?;
        let record = record.ok_or_else(|| format!("step {step} is damaged"))?;
        decode_change(if inverse { record.inverse() } else { record.forward() }, &|_| None)
    }
}

/// The change that makes this document from an empty one.
pub fn base_of(document: &Document) -> Change {
    use crate::session::change::Edit;
    let mut edits = vec![Edit::CaseName(document.name().to_owned())];
    edits.extend(document.volumes().iter().enumerate().map(|(index, object)| Edit::Volume {
        id: object.id,
        index,
        value: Some(Box::new(object.clone())),
    }));
    edits.extend(document.segments().iter().enumerate().map(|(index, object)| Edit::Segment {
        id: object.id(),
        index,
        value: Some(Box::new(object.clone())),
    }));
    edits.extend(document.meshes().iter().enumerate().map(|(index, object)| Edit::Mesh {
        id: object.id,
        index,
        value: Some(Box::new(object.clone())),
    }));
    edits.extend(document.measurements().iter().enumerate().map(|(index, object)| Edit::Measurement {
        id: object.id,
        index,
        value: Some(Box::new(object.clone())),
    }));
    Change { edits }
}
