//! Keys to commands: an exact match of modifiers, and never while somebody types text.

use egui::{Event, InputState, Key, Modifiers};

use super::bindings::{self, Bindings};
use super::commands::CommandId;

/// Takes the commands out of the pressed keys. `typing` is whether a text field has the keyboard.
pub fn take(input: &mut InputState, typing: bool, bindings: &Bindings) -> Vec<CommandId> {
    let mut found = Vec::new();
    input.events.retain(|event| {
        let Event::Key { key, pressed: true, repeat, modifiers, .. } = event else { return true };
        let Some(id) = command_of(*key, *modifiers, typing, bindings) else { return true };
        if !*repeat || matches!(id, CommandId::Undo | CommandId::Redo) {
            found.push(id);
        }
        false
    });
    found
}

fn command_of(key: Key, modifiers: Modifiers, typing: bool, bindings: &Bindings) -> Option<CommandId> {
    let function_key = matches!(key, Key::F1 | Key::F2);
    let text_edits = matches!(key, Key::A | Key::C | Key::V | Key::X | Key::Z | Key::Y);
    if typing && !function_key && (!modifiers.command || text_edits || key.name().starts_with("Arrow")) {
        return None;
    }
    bindings::pressed(key, modifiers).and_then(|keys| bindings.command_of(keys))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::camera::StandardView;
    use crate::tools::options::ToolKind;

    fn command_of(key: Key, modifiers: Modifiers, typing: bool) -> Option<CommandId> {
        super::command_of(key, modifiers, typing, &Bindings::new(&bindings::Chosen::default()))
    }

    #[test]
    fn modifiers_match_exactly() {
        let ctrl_shift = Modifiers { ctrl: true, command: true, shift: true, ..Modifiers::NONE };
        assert_eq!(command_of(Key::A, Modifiers::SHIFT, false), Some(CommandId::Standard(StandardView::Anterior)));
        assert_eq!(command_of(Key::A, Modifiers::NONE, false), Some(CommandId::Tool(ToolKind::Angle)));
        assert_eq!(command_of(Key::Z, ctrl_shift, false), Some(CommandId::Redo));
        assert_eq!(command_of(Key::Z, Modifiers::ALT, false), None);
    }

    #[test]
    fn typing_is_not_a_command() {
        assert_eq!(command_of(Key::P, Modifiers::NONE, true), None);
        assert_eq!(command_of(Key::Z, Modifiers::CTRL.plus(Modifiers::COMMAND), true), None);
        assert_eq!(command_of(Key::S, Modifiers::CTRL.plus(Modifiers::COMMAND), true), Some(CommandId::SaveCase));
    }
}
