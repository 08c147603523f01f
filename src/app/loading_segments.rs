//! Segments of a file onto the open images: a job reads them, one step of the document adds them.

use std::path::PathBuf;

use super::MaquetteApp;
use super::notices::{Gravity, Notice, sentence};
use super::open_flow::{failure, is_case};
use super::outcome::Outcome;
use super::selection::Selected;
use crate::ops::load_segments::{self, LoadedSegments};
use crate::session::document::{SegmentObject, VolumeId};
use crate::session::jobs::Lane;

impl MaquetteApp {
    /// Something was dropped on the window: segments go onto the open images, anything else is opened.
    pub(in crate::app) fn take_dropped(&mut self, path: PathBuf) {
        if self.session.view.active_volume.is_none() || is_case(&path) || path.is_dir() {
            self.open_path(path);
            return;
        }
        let asked = self.work.submit(Lane::Background, "dropped", "Looking at the file", move |_| {
            let is_segmentation = load_segments::is_segmentation(&path);
            Ok(Outcome::Dropped(path, is_segmentation))
        });
        if let Err(error) = asked {
            self.notices.error("Not opened", &error);
        }
    }

    /// Reads segments onto the active images.
    pub(in crate::app) fn load_segments(&mut self, path: PathBuf) {
        let active = self.session.view.active_volume.and_then(|id| self.session.document().volume(id));
        let Some((id, grid, info)) = active.map(|volume| (volume.id, volume.head.grid, volume.head.info.clone()))
        else {
            self.notices.warn("Segments need images to lie on. Open these first.");
            return;
        };
        let case = self.session.case_number();
        let asked = self.work.submit(Lane::Background, "segments", "Loading segments", move |progress| {
            let loaded = load_segments::load_segments(&path, &grid, &info, progress);
            Ok(Outcome::Segments(case, id, loaded.map_err(|error| failure(&error))?))
        });
        if let Err(error) = asked {
            self.notices.error("Not loaded", &error);
        }
    }

    /// Segments were read: they join the case that they were read for, as one step.
    pub(in crate::app) fn take_segments(&mut self, case: u64, volume: VolumeId, loaded: LoadedSegments) {
        // Images of another case may have the same number: its voxels are not what these segments were laid onto.
        if self.session.case_number() != case {
            self.notices.warn("The segments were not loaded: another case was opened before they were read.");
            return;
        }
        match self.session.add_segments(volume, loaded.segments) {
            Ok(count) => {
                if let Some(last) = self.session.document().segments().last().map(SegmentObject::id) {
                    self.selection.choose(Selected::Segment(last), &mut self.session);
                }
                let words = if count == 1 {
                    "1 segment was loaded".to_owned()
                } else {
                    format!("{count} segments were loaded")
                };
                if loaded.report.is_empty() {
                    self.notices.good(words);
                } else {
                    let remarks: Vec<String> = loaded.report.lines.iter().map(|line| sentence(&line.text)).collect();
                    let notice = Notice::new(Gravity::Warning, format!("{words}. {}", remarks.join(" ")));
                    self.notices.push(notice.of_case());
                }
            }
            Err(refusal) => self.notices.warn(refusal.to_string()),
        }
    }
}
