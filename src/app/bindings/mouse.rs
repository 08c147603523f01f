//! What the mouse's buttons and wheel do in the views.
//!
//! Left alone is the active tool's, and Ctrl and left too (it turns tools round); everything else can be set.

use serde::{Deserialize, Serialize};

use crate::tools::options::ToolKind;
use crate::tools::pointer::Modifiers;

/// A button and what is held with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Drag {
    /// The left button while Navigate is the tool.
    #[serde(rename = "left with navigate")]
    LeftNavigating,
    /// Shift and left.
    #[serde(rename = "shift+left")]
    ShiftLeft,
    /// Alt and left.
    #[serde(rename = "alt+left")]
    AltLeft,
    /// The middle button.
    #[serde(rename = "middle")]
    Middle,
    /// The right button.
    #[serde(rename = "right")]
    Right,
    /// The right button while the tool has a brush.
    #[serde(rename = "right with a brush")]
    RightPainting,
    /// Shift and right.
    #[serde(rename = "shift+right")]
    ShiftRight,
    /// Ctrl and right.
    #[serde(rename = "ctrl+right")]
    CtrlRight,
}

/// What a drag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    /// The active tool.
    Tool,
    /// The active tool, erasing.
    Erase,
    /// The picture follows the pointer.
    Pan,
    /// Window and level; nearer and farther in 3D.
    Window,
    /// Enlarges; nearer and farther in 3D.
    Zoom,
    /// Nothing.
    Nothing,
}

/// The wheel and what is held with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wheel {
    /// The wheel alone.
    Plain,
    /// Shift.
    Shift,
    /// Ctrl.
    Ctrl,
    /// Alt.
    Alt,
}

/// What the wheel does in slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// Steps slices.
    Slices,
    /// Enlarges at the pointer.
    Zoom,
    /// Size of the brush.
    Brush,
    /// Nothing.
    Nothing,
}

impl Drag {
    /// All of them, in the order of the list.
    pub const ALL: [Self; 8] = [
        Self::LeftNavigating,
        Self::ShiftLeft,
        Self::AltLeft,
        Self::Middle,
        Self::Right,
        Self::RightPainting,
        Self::ShiftRight,
        Self::CtrlRight,
    ];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeftNavigating => "Left, with Navigate",
            Self::ShiftLeft => "Shift+left",
            Self::AltLeft => "Alt+left",
            Self::Middle => "Middle",
            Self::Right => "Right",
            Self::RightPainting => "Right, with a brush",
            Self::ShiftRight => "Shift+right",
            Self::CtrlRight => "Ctrl+right",
        }
    }
}

impl Deed {
    /// All of them, in the order of the list.
    pub const ALL: [Self; 6] = [Self::Tool, Self::Erase, Self::Pan, Self::Window, Self::Zoom, Self::Nothing];

    /// For people, in a list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tool => "Active tool",
            Self::Erase => "Active tool, erasing",
            Self::Pan => "Pan",
            Self::Window => "Window and level",
            Self::Zoom => "Zoom",
            Self::Nothing => "Nothing",
        }
    }

    /// In a word, for the hint line.
    pub fn hint(self, tool: ToolKind) -> &'static str {
        match self {
            Self::Tool => tool.left_button(),
            Self::Erase => "erase",
            Self::Pan => "pan",
            Self::Window => "window",
            Self::Zoom => "zoom",
            Self::Nothing => "",
        }
    }
}

impl Wheel {
    /// All of them, in the order of the list.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Shift, Self::Ctrl, Self::Alt];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "Wheel",
            Self::Shift => "Shift+wheel",
            Self::Ctrl => "Ctrl+wheel",
            Self::Alt => "Alt+wheel",
        }
    }
}

impl Turn {
    /// All of them, in the order of the list.
    pub const ALL: [Self; 4] = [Self::Slices, Self::Zoom, Self::Brush, Self::Nothing];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slices => "Slices",
            Self::Zoom => "Zoom",
            Self::Brush => "Size of the brush",
            Self::Nothing => "Nothing",
        }
    }
}

/// All of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    drags: [Deed; Drag::ALL.len()],
    wheel: [Turn; Wheel::ALL.len()],
}

impl Default for Mouse {
    /// Our own.
    fn default() -> Self {
        Self {
            drags: [
                Deed::Tool,
                Deed::Pan,
                Deed::Tool,
                Deed::Pan,
                Deed::Window,
                Deed::Window,
                Deed::Window,
                Deed::Window,
            ],
            wheel: [Turn::Slices, Turn::Brush, Turn::Zoom, Turn::Nothing],
        }
    }
}

impl Mouse {
    /// What a drag does.
    pub fn drag(&self, drag: Drag) -> Deed {
        self.drags[drag as usize]
    }

    /// What the wheel does.
    pub fn wheel(&self, wheel: Wheel) -> Turn {
        self.wheel[wheel as usize]
    }

    /// Says what a drag does from now on; the right button alone says it for brushes too.
    pub fn set_drag(&mut self, drag: Drag, deed: Deed) {
        self.drags[drag as usize] = deed;
        if drag == Drag::Right {
            self.drags[Drag::RightPainting as usize] = deed;
        }
    }

    /// Says what the wheel does from now on.
    pub fn set_wheel(&mut self, wheel: Wheel, turn: Turn) {
        self.wheel[wheel as usize] = turn;
    }

    /// What the left button does, with keys held, in a slice view.
    pub fn left(&self, keys: Modifiers, tool: ToolKind) -> Deed {
        match (keys.shift, keys.alt, keys.ctrl) {
            (true, _, _) => self.drag(Drag::ShiftLeft),
            (_, true, _) => self.drag(Drag::AltLeft),
            (_, _, false) if tool == ToolKind::Navigate => self.drag(Drag::LeftNavigating),
            _ => Deed::Tool,
        }
    }

    /// What the middle button does.
    pub fn middle(&self) -> Deed {
        self.drag(Drag::Middle)
    }

    /// What the right button does, with keys held.
    pub fn right(&self, keys: Modifiers, tool: ToolKind) -> Deed {
        match (keys.shift, keys.ctrl) {
            (true, _) => self.drag(Drag::ShiftRight),
            (_, true) => self.drag(Drag::CtrlRight),
            _ if tool.has_brush() => self.drag(Drag::RightPainting),
            _ => self.drag(Drag::Right),
        }
    }

    /// What the wheel does with keys held.
    pub fn turn(&self, keys: Modifiers) -> Turn {
        match (keys.shift, keys.ctrl, keys.alt) {
            (true, _, _) => self.wheel(Wheel::Shift),
            (_, true, _) => self.wheel(Wheel::Ctrl),
            (_, _, true) => self.wheel(Wheel::Alt),
            _ => self.wheel(Wheel::Plain),
        }
    }

    /// What left, middle and right do now, in a word each.
    pub fn hints(&self, tool: ToolKind) -> [&'static str; 3] {
        let none = Modifiers::default();
        [self.left(none, tool), self.middle(), self.right(none, tool)].map(|deed| deed.hint(tool))
    }
}
