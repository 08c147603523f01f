//! Carries the wishes of the tools to the session: strokes dab by dab, edits, measurements, crosshair and camera.

use glam::DVec3;

use crate::app::notices::{Notices, sentence};
use crate::domain::segmentation::SegmentId;
use crate::session::Session;
use crate::session::command::{Brush, Command, EditRule, MaskEdit};
use crate::session::refusal::Refusal;
use crate::tools::action::Action;

/// The stroke under way: what the whole step will be.
#[derive(Debug, Clone, Default)]
pub struct StrokeUnderWay {
    running: Option<(Brush, EditRule, Vec<DVec3>)>,
}

impl StrokeUnderWay {
    /// Carries out one wish of a tool.
    pub fn carry_out(&mut self, action: Action, session: &mut Session, notices: &mut Notices) {
        if let Err(refusal) = self.try_carry_out(action, session, notices) {
            notices.warn(sentence(&refusal.to_string()));
        }
    }

    fn try_carry_out(&mut self, action: Action, session: &mut Session, notices: &mut Notices) -> Result<(), Refusal> {
        match action {
            Action::MoveCrosshair(point) => {
                let grid = session
                    .view
                    .active_volume
                    .and_then(|id| session.document().volume(id))
                    .map(|object| object.head.grid);
                if let Some(grid) = grid {
                    session.view.move_crosshair(point, &grid);
                }
                Ok(())
            }
            Action::Orbit { by_rad, pivot_in_patient } => {
                let camera = session.view.camera;
                session.view.camera = match pivot_in_patient {
                    Some(pivot) => camera.orbited_around(pivot, by_rad.x, by_rad.y),
                    None => camera.orbited(by_rad.x, by_rad.y),
                };
                Ok(())
            }
            Action::BeginStroke { brush, rule } => {
                let segment = segment_to_edit(session)?;
                session.begin_gesture(segment)?;
                self.running = Some((brush, rule, Vec::new()));
                Ok(())
            }
            Action::ExtendStroke(point) => self.extend(point, session),
            Action::CommitGesture => match self.running.take() {
                Some((brush, rule, points_in_patient)) => {
                    session.end_gesture(MaskEdit::Stroke { points_in_patient, brush }, rule)
                }
                None => Ok(()),
            },
            Action::AbortGesture => {
                self.running = None;
                session.abort_gesture();
                Ok(())
            }
            Action::Edit { edit, rule } => {
                let segment = session.view.active_segment.ok_or(Refusal::NoSuchSegment)?;
                session.start_command(Command::EditMask { segment, edit, rule }).map(|_| ())
            }
            Action::Measure(shape) => {
                let volume = session.view.active_volume.ok_or(Refusal::NoSuchVolume)?;
                session.do_command(Command::AddMeasurement { volume, shape })
            }
            Action::Do(command) => session.start_command(command).map(|_| ()),
            Action::Say(text) => {
                notices.warn(text);
                Ok(())
            }
        }
    }

    /// The capsule from the last point to this one.
    fn extend(&mut self, point: DVec3, session: &mut Session) -> Result<(), Refusal> {
        let Some((brush, rule, points)) = &mut self.running else { return Ok(()) };
        let path = match points.last() {
            Some(last) => vec![*last, point],
            None => vec![point],
        };
        points.push(point);
        session.stroke(&path, *brush, *rule)
    }
}

/// The segment that tools change; a first one is made when there is none, so that a brush paints at once.
fn segment_to_edit(session: &mut Session) -> Result<SegmentId, Refusal> {
    if let Some(segment) = session.view.active_segment {
        return Ok(segment);
    }
    let volume = session.view.active_volume.ok_or(Refusal::NoSuchVolume)?;
    session.do_command(Command::AddSegment { volume, name: String::new(), color: None })?;
    session.view.active_segment.ok_or(Refusal::NoSuchSegment)
}
