//! Questions before something is lost: unsaved steps of a case that is left, a file that is there already.

use std::path::PathBuf;

use egui::{Button, Color32, RichText};

use crate::app::MaquetteApp;
use crate::app::panels::modal;
use crate::app::theme;

/// What somebody wants to do instead of going on with the present case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// Look for images at a path.
    Open(PathBuf),
    /// Open the series that is chosen in the study browser.
    Chosen,
    /// Open a case file.
    OpenCase(PathBuf),
    /// Make the sample.
    Sample,
    /// Restore the session of a journal.
    Restore(PathBuf),
    /// Back to the first window.
    Close,
    /// End the program.
    Quit,
}

/// The question, and what follows the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// What follows.
    pub errand: Errand,
    /// Save was chosen: the errand waits for it.
    pub saving: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Save,
    Discard,
    Stay,
}

impl MaquetteApp {
    /// Leaves the present case for something else; asks when it has unsaved steps.
    pub(in crate::app) fn leave_for(&mut self, errand: Errand) {
        self.session.keep_after_all();
        if !self.session.is_dirty() {
            self.run_errand(errand);
            return;
        }
        // A save that is under way already is waited for instead of asked about.
        let saving = self.session.is_saving();
        self.keeping.leaving = Some(Leaving { errand, saving });
    }

    /// Draws the questions.
    pub(in crate::app) fn leaving_ui(&mut self, ctx: &egui::Context) {
        if self.keeping.replacing.is_some() {
            self.replacing_ui(ctx);
            return;
        }
        let Some(leaving) = self.keeping.leaving.clone().filter(|leaving| !leaving.saving) else { return };
        let mut answer = None;
        let close = modal(ctx, "Unsaved work", 460.0, |ui| {
            let steps = self.session.unsaved_count();
            let steps = if steps == 1 { "1 step is".to_owned() } else { format!("{steps} steps are") };
            ui.label(format!("{steps} in no case file yet."));
            let later = match leaving.errand {
                Errand::Quit => "Discarding gives them up for good.",
                Errand::Close => "Discarding gives them up when the case closes.",
                _ => "Discarding gives them up once the other images are open; if that fails, they stay.",
            };
            ui.label(RichText::new(later).small().color(theme::WEAK));
            ui.add_space(12.0);
            ui.horizontal(|ui| {
                let save = Button::new(RichText::new("Save the case").color(Color32::WHITE)).fill(theme::CHOSEN);
                let height = egui::Vec2::new(0.0, 28.0);
                for (button, chosen) in [
                    (save, Answer::Save),
                    (Button::new("Discard the steps"), Answer::Discard),
                    (Button::new("Cancel"), Answer::Stay),
                ] {
                    if ui.add(button.min_size(height)).clicked() {
                        answer = Some(chosen);
                    }
                }
            });
        });
        match answer.or(close.then_some(Answer::Stay)) {
            Some(Answer::Save) => {
                self.keeping.leaving = Some(Leaving { saving: true, ..leaving });
                self.save_case();
            }
            Some(Answer::Discard) => {
                self.keeping.leaving = None;
                self.session.agree_to_discard();
                self.run_errand(leaving.errand);
            }
            Some(Answer::Stay) => self.keeping.leaving = None,
            None => {}
        }
    }

    /// A file that would be replaced by the case.
    fn replacing_ui(&mut self, ctx: &egui::Context) {
        let Some(path) = self.keeping.replacing.clone() else { return };
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let (mut replace, mut stay) = (false, false);
        let close = modal(ctx, "There is a file already", 460.0, |ui| {
            ui.add(egui::Label::new(path.display().to_string()).wrap());
            ui.label(RichText::new("What is in it now will be gone.").small().color(theme::WEAK));
            ui.add_space(12.0);
            ui.horizontal(|ui| {
                let height = egui::Vec2::new(0.0, 28.0);
                let label = RichText::new(format!("Replace {name}")).color(Color32::WHITE);
                replace = ui.add(Button::new(label).fill(theme::CHOSEN).min_size(height)).clicked();
                stay = ui.add(Button::new("Choose another name").min_size(height)).clicked();
            });
        });
        if replace {
            self.keeping.replacing = None;
            self.write_case_to(&path, true);
        } else if stay {
            self.keeping.replacing = None;
            self.type_path(crate::app::open_flow::PickedFor::SaveCase, "");
        } else if close {
            (self.keeping.replacing, self.keeping.leaving) = (None, None);
        }
    }
}
