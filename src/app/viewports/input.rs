//! What the hand does in a view during one frame: which button, where, how far the wheel turned.
//!
//! A button belongs to the view in which it went down until it goes up, wherever the pointer is meanwhile. Every position that
//! the pointer passed is kept, so that fast strokes have no corners cut off.

use egui::{Event, Key, MouseWheelUnit, PointerButton, Pos2, Rect, Response, Ui, Vec2};

use crate::app::bindings::mouse::{Deed, Mouse, Turn};
use crate::tools::options::ToolKind;
use crate::tools::pointer::{Modifiers, Phase};

use super::layout::Pane;

/// One notch of a wheel in points, where the system reports points.
const POINTS_PER_NOTCH: f32 = 40.0;

/// Size of a view's own controls, points.
const CONTROLS: Vec2 = Vec2::new(120.0, 24.0);

/// What a held button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grip {
    /// The active tool.
    Tool,
    /// The active tool, turned round: what paints erases.
    Erase,
    /// The picture follows the pointer.
    Pan,
    /// Window and level; in 3D nearer and farther.
    Adjust,
    /// The picture grows by a drag upwards.
    Zoom,
}

/// Which view holds a button.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    grip: Option<(Grip, PointerButton, Pane)>,
}

impl Held {
    /// What the held button does in a view.
    pub fn grip_in(self, pane: Pane) -> Option<Grip> {
        self.grip.filter(|(_, _, held_in)| *held_in == pane).map(|(grip, ..)| grip)
    }

    /// The view that holds a button.
    pub fn pane(self) -> Option<Pane> {
        self.grip.map(|(_, _, pane)| pane)
    }

    /// Lets go, as when a gesture is aborted.
    pub fn release(&mut self) {
        self.grip = None;
    }
}

/// The hand in one view during one frame.
#[derive(Debug, Clone, Default)]
pub struct ViewInput {
    /// What the left button does, in order.
    pub tool: Vec<(Phase, Pos2)>,
    /// The pointer over this view, or captured by it.
    pub pointer: Option<Pos2>,
    /// How far the picture is dragged, points.
    pub pan: Vec2,
    /// How far window and level are dragged, points.
    pub adjust: Vec2,
    /// How far the picture is dragged to grow, points upwards.
    pub grow: f32,
    /// Notches of the wheel towards the person (slices forward).
    pub scroll_notches: f32,
    /// Notches of the wheel with Ctrl, away from the person (nearer).
    pub zoom_notches: f32,
    /// Notches of the wheel with Shift, away from the person (larger brush).
    pub brush_notches: f32,
    /// Slices to step by keys, forward along the normal.
    pub key_steps: i32,
    /// The tool is turned round by its button.
    pub erases: bool,
    /// Keys held.
    pub modifiers: Modifiers,
}

impl ViewInput {
    fn take_wheel_and_keys(&mut self, event: &Event, mouse: Option<&Mouse>) {
        match event {
            Event::MouseWheel { unit, delta, modifiers, .. } => {
                let notches = match unit {
                    MouseWheelUnit::Point => (delta.x + delta.y) / POINTS_PER_NOTCH,
                    MouseWheelUnit::Line | MouseWheelUnit::Page => delta.x + delta.y,
                };
                match mouse.copied().unwrap_or_default().turn(keys_held(*modifiers)) {
                    Turn::Brush => self.brush_notches += notches,
                    Turn::Zoom => self.zoom_notches += notches,
                    Turn::Slices => self.scroll_notches -= notches,
                    Turn::Nothing => {}
                }
            }
            Event::Key { key, pressed: true, modifiers, .. } if modifiers.is_none() => {
                self.key_steps += match key {
                    Key::ArrowUp | Key::PageUp => 1,
                    Key::ArrowDown | Key::PageDown => -1,
                    _ => 0,
                };
            }
            _ => {}
        }
    }
}

/// Where a view's own controls stand, in its upper right corner: buttons that go down there are for them.
pub fn controls(view: Rect) -> Rect {
    Rect::from_min_size(view.right_top() - CONTROLS * Vec2::X, CONTROLS)
}

/// Keys held, as tools know them.
fn keys_held(keys: egui::Modifiers) -> Modifiers {
    Modifiers { shift: keys.shift, ctrl: keys.command || keys.ctrl, alt: keys.alt }
}

/// What a button does in a view. In 3D left is always the tool's, and whatever changes a picture moves the eye.
fn grip_of(button: PointerButton, keys: Modifiers, pane: Pane, (mouse, tool): (&Mouse, ToolKind)) -> Option<Grip> {
    let in_slice = pane != Pane::Volume;
    let deed = match button {
        PointerButton::Primary if in_slice => mouse.left(keys, tool),
        PointerButton::Primary => Deed::Tool,
        PointerButton::Middle => mouse.middle(),
        PointerButton::Secondary => mouse.right(keys, tool),
        _ => Deed::Nothing,
    };
    match deed {
        Deed::Tool => Some(Grip::Tool),
        Deed::Erase if in_slice => Some(Grip::Erase),
        Deed::Pan => Some(Grip::Pan),
        Deed::Zoom if in_slice => Some(Grip::Zoom),
        Deed::Window | Deed::Zoom | Deed::Erase => Some(Grip::Adjust),
        Deed::Nothing => None,
    }
}

/// Reads the hand in a view. `response` is that of the view's rectangle; `hand_of` says what buttons do and which tool it is.
pub fn gather(
    ui: &Ui,
    response: &Response,
    pane: Pane,
    held_button: &mut Held,
    hand_of: (&Mouse, ToolKind),
) -> ViewInput {
    let held = held_button;
    let controls = controls(response.rect);
    // A click beside an open menu closes it and does nothing else.
    let menu_is_open = egui::Popup::is_any_open(ui.ctx());
    let over = response.contains_pointer();
    ui.input(|input| {
        let keys = input.modifiers;
        let mut hand = ViewInput { modifiers: keys_held(keys), ..ViewInput::default() };
        let mut last = input.pointer.latest_pos().map(|now| now - input.pointer.delta());
        for event in &input.events {
            match event {
                Event::PointerMoved(at) => {
                    let moved = last.map_or(Vec2::ZERO, |last| *at - last);
                    last = Some(*at);
                    match held.grip_in(pane) {
                        Some(Grip::Tool | Grip::Erase) => hand.tool.push((Phase::Drag, *at)),
                        Some(Grip::Pan) => hand.pan += moved,
                        Some(Grip::Adjust) => hand.adjust += moved,
                        Some(Grip::Zoom) => hand.grow -= moved.y,
                        None if over && held.grip.is_none() => hand.tool.push((Phase::Hover, *at)),
                        None => {}
                    }
                }
                Event::PointerButton { pos, button, pressed: true, modifiers }
                    if over && held.grip.is_none() && !menu_is_open && !controls.contains(*pos) =>
                {
                    let Some(grip) = grip_of(*button, keys_held(*modifiers), pane, hand_of) else { continue };
                    held.grip = Some((grip, *button, pane));
                    last = Some(*pos);
                    hand.erases |= grip == Grip::Erase;
                    if matches!(grip, Grip::Tool | Grip::Erase) {
                        hand.tool.push((Phase::Press, *pos));
                    }
                }
                Event::PointerButton { pos, button, pressed: false, .. } => {
                    if let Some((grip, _, _)) =
                        held.grip.filter(|(_, with, held_in)| with == button && *held_in == pane)
                    {
                        held.grip = None;
                        hand.erases |= grip == Grip::Erase;
                        if matches!(grip, Grip::Tool | Grip::Erase) {
                            hand.tool.push((Phase::Release, *pos));
                        }
                    }
                }
                other if over => hand.take_wheel_and_keys(other, (pane != Pane::Volume).then_some(hand_of.0)),
                _ => {}
            }
        }
        let captured = held.grip_in(pane).is_some();
        hand.erases |= held.grip_in(pane) == Some(Grip::Erase);
        hand.modifiers.ctrl |= hand.erases;
        hand.pointer = input.pointer.latest_pos().filter(|_| over || captured);
        hand
    })
}
