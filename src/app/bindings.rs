//! Which keys and mouse buttons do what: a set for the hands of one program, and what the user has changed of it.
//!
//! The commands' own keys stand in the table (`commands`); a set of `assets/bindings.json` says where it differs, the user's
//! settings where they differ from the set. Who asks for a key later takes it: a key means one command. Menus, palette,
//! tooltips and hints ask [`of`], so that they always say what is so.

pub mod mouse;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use egui::{Key, KeyboardShortcut, Modifiers};
use serde::{Deserialize, Serialize};

use super::commands::{CommandId, TABLE};
use mouse::{Deed, Drag, Mouse, Turn, Wheel};

/// Keys that mean a command besides its own, while they mean no other.
const ALSO: &[(Modifiers, Key, CommandId)] = &[(Modifiers::COMMAND, Key::Y, CommandId::Redo)];

/// Keys that views and dialogs need themselves.
const FIXED: [Key; 7] = [Key::Escape, Key::Enter, Key::Tab, Key::ArrowUp, Key::ArrowDown, Key::PageUp, Key::PageDown];

/// A set for the hands of one program.
#[derive(Debug, Clone, Deserialize)]
pub struct BindingSet {
    /// The program.
    pub name: String,
    /// Where that is from.
    pub source: String,
    /// What is different about it.
    pub note: String,
    keys: BTreeMap<String, Option<String>>,
    drags: BTreeMap<Drag, Deed>,
    wheel: BTreeMap<Wheel, Turn>,
}

#[derive(Deserialize)]
struct File {
    sets: Vec<BindingSet>,
}

/// All sets; the first is our own.
pub fn sets() -> &'static [BindingSet] {
    static SETS: LazyLock<Vec<BindingSet>> = LazyLock::new(|| {
        let file: File = serde_json::from_str(include_str!("../../assets/bindings.json")).expect("a valid file");
        file.sets
    });
    &SETS
}

/// What the user has chosen and changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Chosen {
    /// Name of the set; one that is not known is our own.
    pub set: String,
    /// Keys of commands, by [`name_of`]; `None` for none.
    pub keys: BTreeMap<String, Option<String>>,
    /// Drags.
    pub drags: BTreeMap<Drag, Deed>,
    /// The wheel.
    pub wheel: BTreeMap<Wheel, Turn>,
}

impl Chosen {
    /// The set that is chosen.
    pub fn set(&self) -> &'static BindingSet {
        sets().iter().find(|set| set.name == self.set).unwrap_or(&sets()[0])
    }

    /// Gives a command keys, or none. Another command that had them has none from now on.
    pub fn give(&mut self, id: CommandId, keys: Option<KeyboardShortcut>) {
        let now = Bindings::new(self);
        if let Some(other) = keys.and_then(|keys| now.command_of(keys)).filter(|other| *other != id) {
            self.keys.insert(name_of(other), None);
        }
        self.keys.insert(name_of(id), keys.map(text_of));
    }
}

/// What keys and buttons do.
#[derive(Debug, Clone, PartialEq)]
pub struct Bindings {
    keys: HashMap<CommandId, KeyboardShortcut>,
    /// The mouse.
    pub mouse: Mouse,
}

impl Bindings {
    /// By what the user has chosen.
    pub fn new(chosen: &Chosen) -> Self {
        let keys = TABLE.iter().filter_map(|entry| Some((entry.id, entry.keys?))).collect();
        let mut bindings = Self { keys, mouse: Mouse::default() };
        let set = chosen.set();
        for layer in [&set.keys, &chosen.keys] {
            for (name, keys) in layer {
                bindings.bind(name, keys.as_deref());
            }
        }
        for layer in [&set.drags, &chosen.drags] {
            for (drag, deed) in layer {
                bindings.mouse.set_drag(*drag, *deed);
            }
        }
        for layer in [&set.wheel, &chosen.wheel] {
            for (wheel, turn) in layer {
                bindings.mouse.set_wheel(*wheel, *turn);
            }
        }
        bindings
    }

    /// Gives a command its keys; whoever had them has none. A name or keys of another version change nothing.
    fn bind(&mut self, name: &str, keys: Option<&str>) {
        let Some(id) = TABLE.iter().map(|entry| entry.id).find(|id| name_of(*id) == name) else { return };
        match keys.map(keys_of) {
            Some(Some(keys)) => {
                self.keys.retain(|_, other| *other != keys);
                self.keys.insert(id, keys);
            }
            Some(None) => {}
            None => drop(self.keys.remove(&id)),
        }
    }

    /// Keys of a command.
    pub fn keys(&self, id: CommandId) -> Option<KeyboardShortcut> {
        self.keys.get(&id).copied()
    }

    /// The same in words, e.g. "Ctrl+Shift+Z"; empty when it has none.
    pub fn keys_text(&self, id: CommandId) -> String {
        self.keys(id).map_or_else(String::new, |keys| keys.format(&egui::ModifierNames::NAMES, false))
    }

    /// The command of keys.
    pub fn command_of(&self, keys: KeyboardShortcut) -> Option<CommandId> {
        let own = self.keys.iter().find(|(_, other)| **other == keys).map(|(id, _)| *id);
        own.or_else(|| {
            let also = |(modifiers, key, _): &&(Modifiers, Key, CommandId)| {
                *key == keys.logical_key && *modifiers == keys.modifiers
            };
            ALSO.iter().find(also).map(|(.., id)| *id)
        })
    }
}

/// What a command is called in files.
pub fn name_of(id: CommandId) -> String {
    format!("{id:?}")
}

/// Keys as they are pressed, told apart by Ctrl (or Command), Shift and Alt only; `None` for keys that cannot be given away.
pub fn pressed(key: Key, modifiers: Modifiers) -> Option<KeyboardShortcut> {
    let plain = Modifiers {
        command: modifiers.command || modifiers.ctrl,
        shift: modifiers.shift,
        alt: modifiers.alt,
        ..Modifiers::NONE
    };
    let is_fixed = FIXED.contains(&key) && !(plain.command || plain.alt);
    (!is_fixed).then_some(KeyboardShortcut::new(plain, key))
}

fn text_of(keys: KeyboardShortcut) -> String {
    let with = [(keys.modifiers.command, "Ctrl+"), (keys.modifiers.shift, "Shift+"), (keys.modifiers.alt, "Alt+")];
    let with: String = with.iter().filter(|(held, _)| *held).map(|(_, name)| *name).collect();
    format!("{with}{}", keys.logical_key.name())
}

fn keys_of(text: &str) -> Option<KeyboardShortcut> {
    let (mut modifiers, mut rest) = (Modifiers::NONE, text);
    for (name, modifier) in [("Ctrl+", Modifiers::COMMAND), ("Shift+", Modifiers::SHIFT), ("Alt+", Modifiers::ALT)] {
        if let Some(after) = rest.strip_prefix(name) {
            (modifiers, rest) = (modifiers.plus(modifier), after);
        }
    }
    Some(KeyboardShortcut::new(modifiers, Key::from_name(rest)?))
}

fn place() -> egui::Id {
    egui::Id::unique("bindings")
}

/// Makes bindings those that [`of`] gives.
pub fn install(ctx: &egui::Context, bindings: &Arc<Bindings>) {
    ctx.data_mut(|data| data.insert_temp(place(), Arc::clone(bindings)));
}

/// What keys and buttons do in this window.
pub fn of(ctx: &egui::Context) -> Arc<Bindings> {
    ctx.data(|data| data.get_temp(place())).unwrap_or_else(|| Arc::new(Bindings::new(&Chosen::default())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::options::ToolKind;

    fn of_set(name: &str) -> Bindings {
        Bindings::new(&Chosen { set: name.to_owned(), ..Chosen::default() })
    }

    #[test]
    fn sets_name_commands_and_keys_that_exist_and_give_no_key_twice() {
        assert_eq!(
            sets().iter().map(|set| set.name.as_str()).collect::<Vec<_>>(),
            ["Maquette", "3D Slicer", "ITK-SNAP", "PACS"]
        );
        for set in sets() {
            assert!(!set.source.is_empty() && !set.note.is_empty(), "{}", set.name);
            let bindings = of_set(&set.name);
            for (name, keys) in &set.keys {
                let id = TABLE.iter().map(|entry| entry.id).find(|id| name_of(*id) == *name);
                let id = id.unwrap_or_else(|| panic!("{}: no command {name}", set.name));
                let wanted = keys.as_deref().map(|keys| keys_of(keys).unwrap_or_else(|| panic!("no keys {keys}")));
                assert_eq!(bindings.keys(id), wanted, "{}: {name}", set.name);
            }
            let mut all: Vec<String> = bindings.keys.values().copied().map(text_of).collect();
            all.sort();
            let count = all.len();
            all.dedup();
            assert_eq!(all.len(), count, "{}", set.name);
        }
    }

    #[test]
    fn our_own_set_is_the_table() {
        let ours = of_set("Maquette");
        for entry in TABLE.iter() {
            assert_eq!(ours.keys(entry.id), entry.keys, "{}", entry.text);
            if let Some(keys) = entry.keys {
                assert_eq!(keys_of(&text_of(keys)), Some(keys), "{}", entry.text);
                assert!(
                    pressed(keys.logical_key, keys.modifiers).is_some() || keys.logical_key.name().contains("Arrow")
                );
            }
        }
        assert_eq!(of_set("of a later version"), ours);
    }

    #[test]
    fn who_is_given_a_key_takes_it() {
        let mut chosen = Chosen::default();
        let p = KeyboardShortcut::new(Modifiers::NONE, Key::P);
        assert_eq!(Bindings::new(&chosen).command_of(p), Some(CommandId::Tool(ToolKind::Paint)));
        chosen.give(CommandId::Tool(ToolKind::Erase), Some(p));
        let now = Bindings::new(&chosen);
        assert_eq!(now.command_of(p), Some(CommandId::Tool(ToolKind::Erase)));
        assert_eq!(now.keys(CommandId::Tool(ToolKind::Paint)), None);
        let text = serde_json::to_string(&chosen).expect("plain");
        assert_eq!(serde_json::from_str::<Chosen>(&text).expect("the same"), chosen);
        chosen.give(CommandId::Tool(ToolKind::Erase), None);
        assert_eq!(Bindings::new(&chosen).command_of(p), None);
        assert!(pressed(Key::Escape, Modifiers::NONE).is_none());
    }

    #[test]
    fn the_hands_of_other_programs_find_their_buttons() {
        use crate::tools::pointer::Modifiers as Held;
        let none = Held::default();
        assert_eq!(of_set("Maquette").mouse.hints(ToolKind::Paint)[1..], ["pan", "window"]);
        let slicer = of_set("3D Slicer").mouse;
        assert_eq!(slicer.right(none, ToolKind::Navigate), Deed::Zoom);
        assert_eq!(slicer.right(Held { ctrl: true, ..none }, ToolKind::Navigate), Deed::Window);
        let snap = of_set("ITK-SNAP").mouse;
        assert_eq!(snap.right(none, ToolKind::Paint), Deed::Erase);
        assert_eq!(snap.left(Held { alt: true, ..none }, ToolKind::Navigate), Deed::Pan);
        let pacs = of_set("PACS").mouse;
        assert_eq!(pacs.left(none, ToolKind::Navigate), Deed::Window);
        assert_eq!(pacs.left(none, ToolKind::Paint), Deed::Tool, "a brush keeps its button");
    }
}
