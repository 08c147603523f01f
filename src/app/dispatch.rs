//! Runs the commands of the table and lands what the window's jobs leave behind.

use super::MaquetteApp;
use super::commands::{CommandId, entry};
use super::notices::{Gravity, Notice};
use super::open_flow::{PickedFor, is_case};
use super::outcome::Outcome;
use super::panels::Dialog;
use super::panels::leaving::Errand;
use super::selection::Selected;
use super::stage::Stage;
use super::viewports::ViewCommand;
use crate::domain::window;
use crate::session::command::{Command, MaskEdit};
use crate::session::document::SegmentObject;
use crate::session::notice::NoticeLevel;
use crate::tools::options::ToolKind;

impl MaquetteApp {
    /// Runs a command, or says why it cannot run now.
    pub(in crate::app) fn run_command(&mut self, id: CommandId) {
        if let Some(missing) = entry(id).needs.missing(self.situation()) {
            self.notices.warn(missing);
            return;
        }
        match id {
            CommandId::OpenFolder => self.ask_path(PickedFor::OpenFolder),
            CommandId::OpenFile => self.ask_path(PickedFor::OpenFile),
            CommandId::Browse => self.browse_studies(),
            CommandId::OpenPath => self.type_path(PickedFor::OpenFolder, ""),
            CommandId::OpenSample => self.leave_for(Errand::Sample),
            CommandId::AddImages => self.ask_path(PickedFor::AddImages),
            CommandId::LoadSegments => self.ask_path(PickedFor::Segments),
            CommandId::SaveCase => self.save_case(),
            CommandId::SaveCaseAs => self.ask_path(PickedFor::SaveCase),
            CommandId::ExportMeshes => self.open_export(),
            CommandId::ShowTags => self.open_tags(),
            CommandId::ShowReport => self.dialog = Some(Dialog::Report),
            CommandId::CloseCase => self.leave_for(Errand::Close),
            CommandId::Quit => self.leave_for(Errand::Quit),
            CommandId::Undo | CommandId::Redo => self.turn_history(id == CommandId::Undo),
            CommandId::Palette => self.palette.open(),
            CommandId::Shortcuts => self.dialog = Some(Dialog::Keys),
            CommandId::Preferences => self.dialog = Some(Dialog::Preferences),
            CommandId::Preset3d(n) => self.choose_preset(usize::from(n)),
            CommandId::RestoreColors => {
                if !self.session.view.restore_colors() {
                    self.notices.warn("No edited colours were put aside.");
                }
            }
            CommandId::Layouts => self.dialog = Some(Dialog::Layouts),
            CommandId::About => self.dialog = Some(Dialog::About),
            CommandId::VolumePresets => self.dialog = Some(Dialog::VolumePresets),
            CommandId::WindowPresets => self.dialog = Some(Dialog::WindowPresets),
            CommandId::Window(key) => self.use_window_preset(key),
            CommandId::Tool(tool) => self.choose_tool(tool),
            CommandId::LastTool => {
                self.tools.swap();
                self.choose_tool(self.tools.active());
            }
            CommandId::ToggleIdentity => self.session.view.identity_visible ^= true,
            CommandId::ToggleCorners => self.session.view.corners_visible ^= true,
            CommandId::ToggleRuler => self.session.view.ruler_visible ^= true,
            CommandId::ToggleCrosshair => self.session.view.crosshair_visible ^= true,
            CommandId::VolumeDisplay => self.display_open ^= true,
            CommandId::LoadTransfer => self.ask_path(PickedFor::LoadTransfer),
            CommandId::SaveTransfer => self.ask_path(PickedFor::SaveTransfer),
            other if self.run_look_command(other) => {}
            other => match view_command(other) {
                Some(command) => self.with_scene(|viewports, scene| viewports.run(command, scene)),
                None => self.run_object_command(other),
            },
        }
    }

    /// Commands on segments, meshes and the selection.
    fn run_object_command(&mut self, id: CommandId) {
        let segment = self.active_segment().map(|object| (object.id(), object.segment.info.locked));
        let selected = self.selection.get(self.session.document());
        match (id, segment, selected) {
            (CommandId::AddSegment, ..) => self.add_segment(),
            (CommandId::DuplicateSegment, Some((segment, _)), _) => self.perform(Command::DuplicateSegment { segment }),
            (CommandId::ToggleLock, Some((segment, locked)), _) => {
                self.perform(Command::LockSegment { segment, locked: !locked });
            }
            (CommandId::MoveUp | CommandId::MoveDown, Some(_), _) => self.move_segment(id == CommandId::MoveUp),
            (CommandId::NextSegment | CommandId::PreviousSegment, ..) => {
                self.step_segment(id == CommandId::NextSegment);
            }
            (CommandId::RenameSelected, _, Some(object)) => self.selection.rename(object, self.session.document()),
            (CommandId::DeleteSelected, _, Some(_)) => {
                let document = self.session.document();
                let all = self.selection.all(document);
                let volumes = all.iter().filter(|object| matches!(object, Selected::Volume(_))).count();
                if volumes == document.volumes().len() {
                    self.notices.warn("These are the only images of the case. Close the case instead.");
                    return;
                }
                self.perform_on_all(all.into_iter().map(Selected::remove));
            }
            (CommandId::MakeMesh, Some(_), _) => {
                self.make_segment_mesh();
                self.choose_stage(Stage::Mesh);
            }
            (CommandId::MakeIsoMesh, ..) => {
                self.make_iso_mesh();
                self.choose_stage(Stage::Mesh);
            }
            (CommandId::RebuildMesh, _, Some(Selected::Mesh(mesh))) => self.perform(Command::UpdateMesh { mesh }),
            _ => {}
        }
    }

    /// Whether a command is a switch, and on.
    pub(in crate::app) fn is_on(&self, id: CommandId) -> Option<bool> {
        let view = &self.session.view;
        match id {
            CommandId::ToggleIdentity => Some(view.identity_visible),
            CommandId::ToggleCorners => Some(view.corners_visible),
            CommandId::ToggleRuler => Some(view.ruler_visible),
            CommandId::ToggleCrosshair => Some(view.crosshair_visible),
            CommandId::VolumeDisplay => Some(self.display_open),
            other => self
                .look_is_on(other)
                .or_else(|| view_command(other).and_then(|it| self.viewports.is_on(it, &self.session))),
        }
    }

    /// Shows the tools and panels of a stage; the work in hand stays.
    pub(in crate::app) fn choose_stage(&mut self, stage: Stage) {
        self.stage = stage;
        if !stage.has_tool(self.tools.active()) || stage == Stage::Mesh {
            self.tools.choose(ToolKind::Navigate);
        }
    }

    fn choose_tool(&mut self, tool: ToolKind) {
        self.tools.choose(tool);
        if !self.stage.has_tool(tool) {
            self.stage = Stage::Segment;
        }
        if tool.edits_segment() && tool != ToolKind::Threshold && self.session.document().segments().is_empty() {
            self.add_segment();
        }
    }

    fn add_segment(&mut self) {
        let Some(volume) = self.session.view.active_volume else { return };
        self.perform(Command::AddSegment { volume, name: String::new(), color: None });
        if let Some(last) = self.session.document().segments().last().map(SegmentObject::id) {
            self.selection.choose(Selected::Segment(last), &mut self.session);
        }
    }

    /// Edits the voxels of the active segment; one is made when there is none.
    pub(in crate::app) fn edit_segment(&mut self, edit: MaskEdit) {
        if self.active_segment().is_none() {
            self.add_segment();
        }
        let Some(segment) = self.session.view.active_segment else { return };
        let rule = self.tools.options.rule();
        self.perform(Command::EditMask { segment, edit, rule });
    }

    /// Carries out one command for each of several objects, as one step.
    pub(in crate::app) fn perform_on_all(&mut self, commands: impl Iterator<Item = Command>) {
        let mut commands: Vec<Command> = commands.collect();
        match commands.len() {
            0 => {}
            1 => self.perform(commands.remove(0)),
            _ => self.perform(Command::Together { commands }),
        }
    }

    fn move_segment(&mut self, up: bool) {
        let Some(segment) = self.session.view.active_segment else { return };
        let place = self.session.document().segments().iter().position(|object| object.id() == segment);
        let target = place.and_then(|place| if up { place.checked_sub(1) } else { Some(place + 1) });
        if let Some(index) = target.filter(|index| *index < self.session.document().segments().len()) {
            self.perform(Command::ReorderSegment { segment, index });
        }
    }

    fn step_segment(&mut self, forward: bool) {
        let ids: Vec<_> = self.session.document().segments().iter().map(SegmentObject::id).collect();
        let Some(active) = self.session.view.active_segment else { return };
        let Some(place) = ids.iter().position(|id| *id == active) else { return };
        let next = if forward { (place + 1) % ids.len() } else { (place + ids.len() - 1) % ids.len() };
        self.selection.choose(Selected::Segment(ids[next]), &mut self.session);
    }

    fn turn_history(&mut self, back: bool) {
        let label = if back { self.session.history().undo_label() } else { self.session.history().redo_label() };
        let label = label.unwrap_or_default().to_owned();
        let turned = if back { self.session.undo() } else { self.session.redo() };
        match turned {
            Ok(()) => tracing::debug!(label, back, "history"),
            Err(refusal) => self.notices.warn(refusal.to_string()),
        }
        self.selection.follow(&self.session);
    }

    /// A window preset, for the volume whose view was last under the pointer.
    fn use_window_preset(&mut self, key: u8) {
        let Some(id) = self.viewports.volume_under_hand(&self.session) else { return };
        let Some(volume) = self.session.document().volume(id) else { return };
        let window = match window::presets().iter().find(|preset| preset.key == key) {
            Some(preset) => preset.window,
            None => crate::session::view::default_window(&volume.head.info.windows, &volume.volume),
        };
        self.session.view.windows.insert(id, window);
    }

    /// Takes what the jobs left.
    pub(in crate::app) fn land(&mut self, outcomes: Vec<Outcome>, failures: Vec<String>) {
        for failure in failures {
            self.browser.take_failure(&failure);
            self.notices.push(Notice::new(Gravity::Bad, failure));
        }
        for outcome in outcomes {
            match outcome {
                Outcome::Figures(id, revision, figures) => self.facts.take_figures(id, revision, figures),
                Outcome::Bars(id, bars) => self.facts.take_bars(id, bars),
                // The system's own dialog has asked before replacing this very file.
                Outcome::Picked(PickedFor::SaveCase, path) if is_case(&path) => self.write_case_to(&path, true),
                Outcome::Picked(PickedFor::SaveTransfer, path) => self.save_transfer(&path, true),
                Outcome::Picked(wanted_for, path) => self.use_path(wanted_for, path),
                Outcome::NotPicked(wanted_for) => {
                    self.type_path(
                        wanted_for,
                        "No file dialog answered on this desktop, or it was closed. Type the path instead.",
                    );
                }
                Outcome::Listed(place, listing, from) => self.take_listing(&place, listing, from),
                Outcome::Scanned(place, scan) => self.take_scan(&place, scan),
                Outcome::Dropped(path, kind) => self.use_dropped(path, kind),
                Outcome::Models(case, volume, loaded) => self.take_models(case, volume, loaded),
                Outcome::Segments(case, volume, loaded) => self.take_segments(case, volume, loaded),
                Outcome::Places(places) => self.browser.places = places,
                Outcome::Loaded(path, title, series, loaded) => self.take_loaded(&path, title, series, *loaded),
                Outcome::Sample(volume) => self.take_sample(volume),
                Outcome::Picture(name, picture) => self.gallery.take(&self.ctx, name, &picture),
                Outcome::Thumbnail(key, image) => self.browser.take_picture(&self.ctx, key, image.as_ref()),
                Outcome::EarlySlice(slice) => self.take_slice(&slice),
                Outcome::Tags(volume, rows) => self.tags.take(volume, rows),
                Outcome::Restorable(found) => self.keeping.restorable = found,
                Outcome::Nothing => {}
            }
        }
        self.settle_open();
    }

    /// Shows what the session has to tell.
    pub(in crate::app) fn take_session_notices(&mut self) {
        let news: Vec<(u64, NoticeLevel, String)> = self
            .session
            .notices
            .all()
            .iter()
            .filter(|notice| notice.number > self.seen_notice)
            .map(|notice| (notice.number, notice.level, notice.text.clone()))
            .collect();
        for (number, level, text) in news {
            self.seen_notice = number;
            let gravity = match level {
                NoticeLevel::Info => Gravity::Good,
                NoticeLevel::Warning => Gravity::Warning,
                NoticeLevel::Error => Gravity::Bad,
            };
            self.notices.push(Notice::new(gravity, text));
        }
    }
}

fn view_command(id: CommandId) -> Option<ViewCommand> {
    Some(match id {
        CommandId::Fit => ViewCommand::Fit,
        CommandId::Reset => ViewCommand::Reset,
        CommandId::Center => ViewCommand::Center,
        CommandId::Maximise => ViewCommand::Maximise,
        CommandId::Arrange(arrangement) => ViewCommand::Arrange(arrangement),
        CommandId::Slab(mode) => ViewCommand::Slab(mode),
        CommandId::Detach => ViewCommand::Detach,
        CommandId::Cine => ViewCommand::Cine,
        CommandId::NextPhase => ViewCommand::StepPhase(1),
        CommandId::PreviousPhase => ViewCommand::StepPhase(-1),
        CommandId::PlayPhases => ViewCommand::PlayPhases,
        CommandId::ToggleSegments => ViewCommand::ToggleSegments,
        CommandId::ToggleVolume => ViewCommand::ToggleVolume,
        CommandId::ToggleSurfaces => ViewCommand::ToggleSurfaces,
        CommandId::ToggleCrop => ViewCommand::ToggleCrop,
        CommandId::Standard(view) => ViewCommand::Standard(view),
        _ => return None,
    })
}
