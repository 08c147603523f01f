//! Segments and models of a file onto the open images: a job reads them, one step of the document adds them.

use std::path::PathBuf;

use super::MaquetteApp;
use super::notices::{Gravity, Notice, sentence};
use super::open_flow::{failure, is_case};
use super::outcome::Outcome;
use super::selection::Selected;
use crate::ops::load_models::{FileModel, LoadedModels, load_models, model_kind};
use crate::ops::load_segments::{self, Holds, LoadedSegments};
use crate::ops::open::Report;
use crate::session::document::{SegmentObject, VolumeId};
use crate::session::imported_model::{ImportedModel, NewModel};
use crate::session::jobs::Lane;

impl MaquetteApp {
    /// Something was dropped on the window: segments and models go onto the open images, anything else is opened.
    pub(in crate::app) fn take_dropped(&mut self, path: PathBuf) {
        if self.session.view.active_volume.is_none() || is_case(&path) || path.is_dir() {
            self.open_path(path);
            return;
        }
        let asked = self.work.submit(Lane::Background, "dropped", "Looking at the file", move |progress| {
            let holds = load_segments::what_holds(&path, progress);
            Ok(Outcome::Dropped(path, holds))
        });
        if let Err(error) = asked {
            self.notices.error("Not opened", &error);
        }
    }

    /// What was dropped goes where it belongs.
    pub(in crate::app) fn use_dropped(&mut self, path: PathBuf, holds: Holds) {
        match holds {
            Holds::Segments | Holds::Models => self.load_segments(path),
            Holds::MaybeLabels => self.open_flow.offered = Some(path),
            Holds::Other => self.open_path(path),
        }
    }

    /// Reads segments, or models, onto the active images.
    pub(in crate::app) fn load_segments(&mut self, path: PathBuf) {
        let active = self.session.view.active_volume.and_then(|id| self.session.document().volume(id));
        let Some((id, grid, info)) = active.map(|volume| (volume.id, volume.head.grid, volume.head.info.clone()))
        else {
            self.notices.warn("Segments and models need images to lie on. Open these first.");
            return;
        };
        let case = self.session.case_number();
        let asked = self.work.submit(Lane::Background, "segments", "Loading onto the images", move |progress| {
            if model_kind(&path).is_some() {
                let loaded = load_models(&path, &info, progress).map_err(|error| failure(&error))?;
                return Ok(Outcome::Models(case, id, loaded));
            }
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
                self.say_loaded(words, &loaded.report);
            }
            Err(refusal) => self.notices.warn(refusal.to_string()),
        }
    }

    /// Models were read: they join the case that they were read for, as one step.
    pub(in crate::app) fn take_models(&mut self, case: u64, volume: VolumeId, loaded: LoadedModels) {
        if self.session.case_number() != case {
            self.notices.warn("The models were not loaded: another case was opened before they were read.");
            return;
        }
        let origin = loaded.origin;
        let new = |model: FileModel| NewModel {
            name: model.name,
            color: model.color,
            model: ImportedModel::new(origin, model.mesh),
        };
        match self.session.add_models(volume, loaded.models.into_iter().map(new).collect()) {
            Ok(count) => {
                if let Some(last) = self.session.document().meshes().last().map(|mesh| mesh.id) {
                    self.selection.choose(Selected::Mesh(last), &mut self.session);
                }
                let words =
                    if count == 1 { "1 model was loaded".to_owned() } else { format!("{count} models were loaded") };
                self.say_loaded(words, &loaded.report);
            }
            Err(refusal) => self.notices.warn(refusal.to_string()),
        }
    }

    fn say_loaded(&mut self, words: String, report: &Report) {
        if report.is_empty() {
            self.notices.good(words);
            return;
        }
        let remarks: Vec<String> = report.lines.iter().map(|line| sentence(&line.text)).collect();
        let notice = Notice::new(Gravity::Warning, format!("{words}. {}", remarks.join(" ")));
        self.notices.push(notice.of_case());
    }
}
