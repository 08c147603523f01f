//! The study browser's state: the place that is looked at, what is known of it, what is searched for and chosen.
//!
//! Looking through a place is a job that tells what it found so far; what the index knows from an earlier visit comes first.
//! The list stays when the browser is closed, so that it is there again at once. Nothing here reads a file.
//! Not here: how it is drawn (`panels::browser`), reading a series (`open_flow`).

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use egui::TextureHandle;

use super::MaquetteApp;
use super::commands::CommandId;
use super::notices::{Gravity, Notice};
use super::open_flow::{Stage, failure};
use super::outcome::Outcome;
use super::panels::leaving::Errand;
use super::viewports::layout::Arrangement;
use crate::ops::browse::tree::{Order, Patient, tree};
use crate::ops::browse::{self, GrayImage, ImportOptions, Listed, Listing, Place, Scan, SeriesEntry, StudyIndex};
use crate::ops::open::replan;
use crate::session::document::VolumeId;
use crate::session::jobs::{JobError, JobId, Lane};

/// Pictures that are made in one go: those in sight come first.
const PICTURES_AT_A_TIME: usize = 16;

/// Title of the job that looks through a place.
const LOOKING: &str = "Looking for images";

/// How chosen series are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In place of the present case; several of them side by side.
    Replace,
    /// They join the case.
    Add,
    /// They join the case and are shown beside the images that are looked at.
    Beside,
}

/// Which series: its middle file and its part. Another list that holds the same series has the same key.
pub type SeriesKey = (PathBuf, String);

/// Where a list comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Knowledge {
    /// From an earlier visit: not checked yet.
    #[default]
    Remembered,
    /// From the files.
    Seen,
    /// From the files, all of them.
    Complete,
}

/// The index of studies, opened on a worker when it is first wanted.
#[derive(Clone, Default)]
struct IndexFile {
    file: Option<PathBuf>,
    opened: Arc<OnceLock<Option<StudyIndex>>>,
}

impl IndexFile {
    /// The index; none where the user has no place for one, or it cannot be made.
    fn get(&self) -> Option<&StudyIndex> {
        let open = || {
            let opened = StudyIndex::open(self.file.as_deref()?);
            opened.inspect_err(|error| tracing::debug!(%error, "no index of studies")).ok()
        };
        self.opened.get_or_init(open).as_ref()
    }
}

/// The browser.
#[derive(Default)]
pub struct Browser {
    index: IndexFile,
    /// What is looked at.
    pub place: Option<PathBuf>,
    /// What is typed as the place.
    pub typed_place: String,
    /// What is known of it.
    pub listing: Listing,
    /// How well.
    pub knowledge: Knowledge,
    /// The job that looks.
    pub job: Option<JobId>,
    /// Why the last look ended without a list; a sentence.
    pub failure: Option<String>,
    /// Places that were visited.
    pub places: Vec<Place>,
    /// What is searched for.
    pub query: String,
    /// What comes first.
    pub order: Order,
    /// The chosen series.
    pub chosen: Option<SeriesKey>,
    /// More series that are opened with the chosen one, beside it.
    pub also: Vec<SeriesKey>,
    /// What is opened when the series that is being read has come.
    queue: VecDeque<SeriesKey>,
    /// What to do with missing slices and a tilted gantry in the chosen series.
    pub choices: ImportOptions,
    /// What the chosen series becomes by these choices; empty while they change nothing.
    pub mended: Vec<Arc<SeriesEntry>>,
    /// Which of those.
    pub mended_at: usize,
    /// The list scrolls to the chosen series in the next frame.
    pub reveal: bool,
    /// The present case may be left for another: that was asked already.
    pub may_leave: bool,
    pictures: HashMap<SeriesKey, Option<TextureHandle>>,
    tree: Option<Vec<Patient>>,
    opened: Vec<(String, String, usize)>,
}

/// The key of a series.
pub fn key_of(entry: &SeriesEntry) -> SeriesKey {
    (entry.files.get(entry.files.len() / 2).cloned().unwrap_or_default(), entry.part.clone())
}

impl Browser {
    /// Keeps the index of studies in this file from now on.
    pub fn keep_index_at(&mut self, file: Option<PathBuf>) {
        self.index = IndexFile { file, opened: Arc::default() };
    }

    /// All series of the list, in the order of their numbers.
    pub fn series(&self) -> Vec<Arc<SeriesEntry>> {
        self.listing.series.iter().map(|listed| Arc::clone(&listed.entry)).collect()
    }

    /// The list as patients and studies, as it is searched and sorted.
    pub fn tree(&mut self) -> Vec<Patient> {
        let series = self.series();
        self.tree.get_or_insert_with(|| tree(&series, &self.query, self.order)).clone()
    }

    /// The list has to be searched and sorted again.
    pub fn searched(&mut self) {
        self.tree = None;
    }

    /// Number of the chosen series in the list.
    pub fn chosen_index(&self) -> Option<usize> {
        let chosen = self.chosen.as_ref()?;
        self.listing.series.iter().position(|listed| key_of(&listed.entry) == *chosen)
    }

    /// The chosen series.
    pub fn chosen_series(&self) -> Option<&Listed> {
        self.chosen_index().map(|n| &self.listing.series[n])
    }

    /// Chooses a series; what was chosen to be done with the one before does not go over to it.
    pub fn choose(&mut self, key: SeriesKey) {
        if self.chosen.as_ref() != Some(&key) {
            (self.choices, self.mended, self.mended_at) = (ImportOptions::default(), Vec::new(), 0);
            self.chosen = Some(key);
        }
    }

    /// Takes a series to the chosen one, or away from it again.
    pub fn toggle(&mut self, key: SeriesKey) {
        if self.chosen.is_none() {
            self.choose(key);
        } else if let Some(at) = self.also.iter().position(|other| *other == key) {
            self.also.remove(at);
        } else if self.chosen.as_ref() != Some(&key) {
            self.also.push(key);
        }
    }

    /// Whether a series is the chosen one or taken to it.
    pub fn is_chosen(&self, entry: &SeriesEntry) -> bool {
        let key = key_of(entry);
        self.chosen.as_ref() == Some(&key) || self.also.contains(&key)
    }

    /// Nothing is opened after the present series.
    pub fn end_queue(&mut self) {
        self.queue.clear();
    }

    /// What the chosen series becomes by the present choices, the first part of it chosen.
    pub fn replan(&mut self) {
        self.mended_at = 0;
        let chosen = self.chosen_series().filter(|_| self.choices != ImportOptions::default());
        let entry = chosen.map(|listed| Arc::clone(&listed.entry));
        self.mended =
            entry.map(|entry| replan(&entry, self.choices)).unwrap_or_default().into_iter().map(Arc::new).collect();
    }

    /// What is opened: the chosen series, or what the choices make of it; only when it can be.
    pub fn to_open(&self) -> Option<Arc<SeriesEntry>> {
        let listed = self.chosen_series().filter(|listed| listed.is_complete)?;
        let entry = self.mended.get(self.mended_at).unwrap_or(&listed.entry);
        entry.is_loadable().then(|| Arc::clone(entry))
    }

    /// The picture of a series, once it is there.
    pub fn picture(&self, entry: &SeriesEntry) -> Option<&TextureHandle> {
        self.pictures.get(&key_of(entry)).and_then(Option::as_ref)
    }

    /// Shows the picture of a series.
    pub fn take_picture(&mut self, ctx: &egui::Context, key: SeriesKey, image: Option<&GrayImage>) {
        let texture = image.map(|image| {
            let size = [image.width as usize, image.height as usize];
            let picture = egui::ColorImage::from_gray(size, &image.pixels);
            ctx.load_texture(format!("series {}", self.pictures.len()), picture, egui::TextureOptions::LINEAR)
        });
        self.pictures.insert(key, texture);
    }

    /// Remembers how much of the chosen series was there when it was opened: as it is listed, for what choices make of it
    /// has a part of its own that no list holds.
    pub fn note_opened(&mut self) {
        let chosen = self.chosen_series().filter(|_| self.job.is_some()).map(|listed| Arc::clone(&listed.entry));
        // A file that is a series by itself has no number, and gets no more images.
        if let Some(entry) = chosen.filter(|entry| !entry.info.series_uid.is_empty()) {
            self.opened.push((entry.info.series_uid.clone(), entry.part.clone(), entry.files.len()));
        }
    }

    /// Keeps why a look failed, for the list to say.
    pub fn take_failure(&mut self, failure: &str) {
        if let Some(why) = failure.strip_prefix(LOOKING).and_then(|rest| rest.strip_prefix(": ")) {
            self.failure = Some(super::notices::sentence(why));
        }
    }

    fn take(&mut self, listing: Listing, knowledge: Knowledge) {
        (self.listing, self.knowledge, self.tree) = (listing, knowledge, None);
        // More images may bring more parts: the one that somebody chose is looked up again by its name.
        let part = self.mended.get(self.mended_at).map(|entry| entry.part.clone());
        self.replan();
        self.mended_at = self.mended.iter().position(|entry| Some(&entry.part) == part.as_ref()).unwrap_or(0);
    }
}

impl MaquetteApp {
    /// Shows the browser as it was left.
    pub(in crate::app) fn browse_studies(&mut self) {
        self.open_flow.adds = false;
        self.browser.may_leave = false;
        self.open_flow.stage = Stage::Choosing;
        self.ask_places();
        if self.browser.place.is_none() && self.browser.typed_place.is_empty() {
            self.browser.typed_place = super::open_flow::home().display().to_string();
        }
    }

    fn ask_places(&mut self) {
        let index = self.browser.index.clone();
        let asked = self.work.submit(Lane::Derive, "places", "", move |_| {
            Ok(Outcome::Places(index.get().map(StudyIndex::places).unwrap_or_default()))
        });
        if let Err(error) = asked {
            tracing::debug!(%error, "places are not listed");
        }
    }

    /// Looks through a place, as a job; a look at another place that is still running ends.
    pub(in crate::app) fn look_at(&mut self, path: PathBuf) -> Option<JobId> {
        let place = browse::absolute(&path);
        let (index, mailbox, target) = (self.browser.index.clone(), self.work.mailbox(), place.clone());
        let is_new = self.browser.place.as_ref() != Some(&place);
        let asked = self.work.submit(Lane::Index, "browse", LOOKING, move |progress| {
            let index = index.get();
            if let Some(index) = index.filter(|_| is_new) {
                let known = browse::known(&target, index);
                if !known.series.is_empty() {
                    mailbox.leave(Outcome::Listed(target.clone(), known, Knowledge::Remembered));
                }
            }
            progress.check()?;
            let on_listing = |listing| mailbox.leave(Outcome::Listed(target.clone(), listing, Knowledge::Seen));
            let scan = browse::visit(&target, index, &on_listing, progress).map_err(|error| failure(&error))?;
            Ok(Outcome::Scanned(target, scan))
        });
        match asked {
            Ok(job) => {
                if is_new {
                    self.browser.take(Listing::default(), Knowledge::Remembered);
                    (self.browser.chosen, self.browser.query) = (None, String::new());
                    self.browser.also.clear();
                    self.browser.pictures.clear();
                }
                self.browser.opened.clear();
                self.browser.failure = None;
                self.browser.typed_place = place.display().to_string();
                (self.browser.place, self.browser.job) = (Some(place), Some(job));
                Some(job)
            }
            Err(error) => {
                self.notices.error("Not opened", &error);
                None
            }
        }
    }

    /// Something is known of a place.
    pub(in crate::app) fn take_listing(&mut self, place: &Path, listing: Listing, from: Knowledge) {
        // What is told during a look may arrive after its end.
        if self.browser.place.as_deref() != Some(place) || self.browser.job.is_none() {
            return;
        }
        // While files are looked at again, what is known from before says more than the first few of them.
        let fewer = listing.series.len() < self.browser.listing.series.len();
        if from == Knowledge::Seen && fewer && self.browser.knowledge != Knowledge::Seen {
            let Listing { done, total, read, .. } = listing;
            (self.browser.listing.done, self.browser.listing.total, self.browser.listing.read) = (done, total, read);
            return;
        }
        let several = listing.series.len() > 1;
        self.browser.take(listing, from);
        if several && matches!(self.open_flow.stage, Stage::Scanning { .. }) {
            self.open_flow.stage = Stage::Choosing;
            self.ask_places();
        }
    }

    /// A place was looked through: one series is opened at once, several are offered.
    pub(in crate::app) fn take_scan(&mut self, place: &Path, scan: Scan) {
        if self.browser.place.as_deref() != Some(place) {
            return;
        }
        self.browser.job = None;
        self.warn_of_more(&scan.entries);
        let Scan { entries, report, file_count, read_count, .. } = scan;
        let likeliest = entries.first().map(key_of);
        let listed = |entry| Listed { entry: Arc::new(entry), is_complete: true };
        let series: Vec<Listed> = entries.into_iter().map(listed).collect();
        let alone = series.len() == 1 && series[0].entry.is_loadable();
        let listing = Listing { series, report, done: file_count, total: file_count, read: read_count };
        self.browser.take(listing, Knowledge::Complete);
        if read_count > 0 {
            // Those of files that are as they were come back from the index.
            self.browser.pictures.clear();
        }
        if self.browser.chosen_index().is_none() {
            self.browser.chosen = None;
            if let Some(key) = likeliest {
                self.browser.choose(key);
            }
            self.browser.reveal = true;
        }
        self.ask_places();
        if let Stage::Scanning { .. } = self.open_flow.stage {
            self.open_flow.stage = Stage::Choosing;
            if alone {
                self.load_chosen();
            }
        }
    }

    /// Says when a series that was opened during the look turned out to have more images.
    fn warn_of_more(&mut self, entries: &[SeriesEntry]) {
        for (uid, part, count) in std::mem::take(&mut self.browser.opened) {
            let same = |entry: &&SeriesEntry| entry.info.series_uid == uid && entry.part == part;
            if let Some(entry) = entries.iter().find(same).filter(|entry| entry.files.len() > count) {
                let title = entry.title();
                let text =
                    format!("More images of {title} were found after it was opened: open it again to have all of them");
                self.notices.push(Notice::new(Gravity::Warning, text));
            }
        }
    }

    /// Opens the chosen series, with the present case's images or in place of them.
    pub(in crate::app) fn open_chosen(&mut self, way: Way) {
        let adds = way != Way::Replace;
        self.open_flow.adds = adds;
        let shown = self.session.view.active_volume.into_iter();
        self.open_flow.beside = match way {
            Way::Replace => (!self.browser.also.is_empty()).then(Vec::new),
            Way::Add => None,
            Way::Beside => Some(shown.collect()),
        };
        self.browser.queue = std::mem::take(&mut self.browser.also).into();
        if adds || self.browser.may_leave {
            self.load_chosen();
        } else {
            self.leave_for(Errand::Chosen);
        }
    }

    /// A series has come: the next of those that were chosen together is read; after the last they are shown side by side,
    /// where that was asked for.
    pub(in crate::app) fn open_next(&mut self) {
        while let Some(key) = self.browser.queue.pop_front() {
            self.browser.choose(key);
            if self.browser.to_open().is_some() {
                self.open_flow.adds = true;
                self.load_chosen();
                return;
            }
            if let Some(listed) = self.browser.chosen_series() {
                let title = listed.entry.title();
                let why = listed.entry.refusal.clone().unwrap_or_else(|| "it is still being read".to_owned());
                self.notices.warn(format!("{title} was not opened: {why}"));
            }
        }
        if let Some(volumes) = self.open_flow.beside.take().filter(|volumes| volumes.len() > 1) {
            self.show_beside(&volumes);
        }
    }

    /// Shows volumes of the case side by side, the first ones where they are too many.
    pub(in crate::app) fn show_beside(&mut self, volumes: &[VolumeId]) {
        let document = self.session.document().clone();
        if !self.session.view.put_beside(volumes, &document) {
            self.notices.warn(super::viewports::NOT_LINKED);
        }
        let arrangement = if volumes.len() > 2 { Arrangement::ThreeSeries } else { Arrangement::TwoSeries };
        self.run_command(CommandId::Arrange(arrangement));
    }

    /// Has pictures made of the series in sight.
    pub(in crate::app) fn want_pictures(&mut self, in_sight: &[Arc<SeriesEntry>]) {
        let missing = in_sight.iter().filter(|entry| entry.is_loadable() || entry.can_be_mended());
        let missing: Vec<Arc<SeriesEntry>> = missing
            .filter(|entry| !self.browser.pictures.contains_key(&key_of(entry)))
            .take(PICTURES_AT_A_TIME)
            .cloned()
            .collect();
        if missing.is_empty() || self.work.has("pictures") {
            return;
        }
        let (index, mailbox) = (self.browser.index.clone(), self.work.mailbox());
        let asked = self.work.submit(Lane::Derive, "pictures", "", move |progress| {
            for entry in missing {
                progress.check()?;
                mailbox.leave(Outcome::Thumbnail(key_of(&entry), browse::picture(&entry, index.get())));
            }
            Ok(Outcome::Nothing)
        });
        if let Err(error) = asked {
            tracing::debug!(%error, "no pictures of series");
        }
    }

    /// Wipes a place out of the index.
    pub(in crate::app) fn forget_place(&mut self, place: PathBuf) {
        if self.browser.place.as_ref().is_some_and(|open| open.starts_with(&place)) {
            if let Some(job) = self.browser.job.take() {
                self.work.cancel(job);
            }
            self.browser.take(Listing::default(), Knowledge::Remembered);
            (self.browser.place, self.browser.chosen) = (None, None);
        }
        let index = self.browser.index.clone();
        let asked = self.work.submit(Lane::Index, "forget", "Forgetting a place", move |_| {
            let Some(index) = index.get() else { return Ok(Outcome::Nothing) };
            index.forget(&place).map_err(|error| JobError::Failed(error.to_string()))?;
            Ok(Outcome::Places(index.places()))
        });
        if let Err(error) = asked {
            self.notices.error("Not forgotten", &error);
        }
    }
}
