//! What is selected in the objects tree, and what of it is being renamed.

use crate::domain::segmentation::SegmentId;
use crate::session::Session;
use crate::session::command::Command;
use crate::session::document::{Document, VolumeId};
use crate::session::measurement::MeasurementId;
use crate::session::mesh_object::MeshId;

/// One object of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Selected {
    /// A volume.
    Volume(VolumeId),
    /// A segment.
    Segment(SegmentId),
    /// A mesh.
    Mesh(MeshId),
    /// A measurement.
    Measurement(MeasurementId),
}

impl Selected {
    /// Its name; `None` when it is no longer in the document.
    pub fn name(self, document: &Document) -> Option<&str> {
        match self {
            Self::Volume(id) => document.volume(id).map(|object| object.head.name.as_str()),
            Self::Segment(id) => document.segment(id).map(|object| object.segment.info.name.as_str()),
            Self::Mesh(id) => document.mesh(id).map(|object| object.name.as_str()),
            Self::Measurement(id) => document.measurement(id).map(|object| object.name.as_str()),
        }
    }

    /// The command that names it.
    pub fn rename(self, name: String) -> Command {
        match self {
            Self::Volume(volume) => Command::RenameVolume { volume, name },
            Self::Segment(segment) => Command::RenameSegment { segment, name },
            Self::Mesh(mesh) => Command::RenameMesh { mesh, name },
            Self::Measurement(measurement) => Command::RenameMeasurement { measurement, name },
        }
    }

    /// The command that removes it.
    pub fn remove(self) -> Command {
        match self {
            Self::Volume(volume) => Command::RemoveVolume { volume },
            Self::Segment(segment) => Command::RemoveSegment { segment },
            Self::Mesh(mesh) => Command::RemoveMesh { mesh },
            Self::Measurement(measurement) => Command::RemoveMeasurement { measurement },
        }
    }

    /// The command that shows or hides it; volumes are always drawn.
    pub fn show(self, visible: bool) -> Option<Command> {
        match self {
            Self::Volume(_) => None,
            Self::Segment(segment) => Some(Command::ShowSegment { segment, visible }),
            Self::Mesh(mesh) => Some(Command::ShowMesh { mesh, visible }),
            Self::Measurement(measurement) => Some(Command::ShowMeasurement { measurement, visible }),
        }
    }
}

/// The selection of the tree. The segment that tools change is part of the view state and follows it.
#[derive(Debug, Default)]
pub struct Selection {
    /// What properties and tools mean.
    chosen: Option<Selected>,
    /// What commands on several objects mean besides.
    also: Vec<Selected>,
    /// The object whose name is being typed, and the text so far.
    pub renaming: Option<(Selected, String)>,
}

impl Selection {
    /// What is selected, if it is still there.
    pub fn get(&self, document: &Document) -> Option<Selected> {
        self.chosen.filter(|chosen| chosen.name(document).is_some())
    }

    /// Everything that is selected, what properties mean first.
    pub fn all(&self, document: &Document) -> Vec<Selected> {
        let chosen = self.get(document);
        let also = self.also.iter().copied().filter(|also| Some(*also) != chosen && also.name(document).is_some());
        chosen.into_iter().chain(also).collect()
    }

    /// Adds an object to the selection, or takes it out (Ctrl and click).
    pub fn toggle(&mut self, selected: Selected, session: &mut Session) {
        let mut all = self.all(session.document());
        if let Some(place) = all.iter().position(|other| *other == selected) {
            all.remove(place);
        } else {
            all.insert(0, selected);
        }
        let Some(first) = all.first().copied() else { return };
        self.choose(first, session);
        self.also = all;
    }

    /// Selects everything in the list from what is selected to an object (Shift and click).
    pub fn extend_to(&mut self, selected: Selected, list: &[Selected], document: &Document) {
        let place = |wanted: Selected| list.iter().position(|object| *object == wanted);
        let (Some(from), Some(to)) = (self.get(document).and_then(place), place(selected)) else { return };
        self.also = list[from.min(to)..=from.max(to)].to_vec();
    }

    /// Selects an object; a segment becomes the one that tools change, a volume the one that is looked at.
    pub fn choose(&mut self, selected: Selected, session: &mut Session) {
        self.chosen = Some(selected);
        self.also.clear();
        match selected {
            Selected::Segment(id) => session.choose_segment(id),
            Selected::Volume(id) => session.look_at_volume(id),
            Selected::Measurement(id) => session.show_measurement(id),
            Selected::Mesh(_) => {}
        }
    }

    /// Follows the segment that became active elsewhere (a new one, an undone one).
    pub fn follow(&mut self, session: &Session) {
        let chosen = self.get(session.document());
        let active = session.view.active_segment.map(Selected::Segment);
        match chosen {
            Some(Selected::Segment(_)) | None if active.is_some() && chosen != active => {
                (self.chosen, self.also) = (active, Vec::new());
            }
            None => self.chosen = session.view.active_volume.map(Selected::Volume),
            // A click in a view beside another turns to its volume: what is said of a volume is said of that one.
            Some(Selected::Volume(id)) if self.also.is_empty() && session.view.active_volume != Some(id) => {
                self.chosen = session.view.active_volume.map(Selected::Volume);
            }
            Some(_) => {}
        }
    }

    /// Begins to rename an object.
    pub fn rename(&mut self, selected: Selected, document: &Document) {
        self.renaming = selected.name(document).map(|name| (selected, name.to_owned()));
    }
}
