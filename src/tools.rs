//! Pointer tools as small state machines: patient-space pointer events in, actions out.
//!
//! Invariant: a tool knows nothing of the toolkit, and changes nothing itself: it answers each event with [`action::Action`]s
//! that the session carries out. Every tool can be aborted at any time and then leaves nothing behind.

pub mod action;
pub mod hand;
pub mod islands;
pub mod measure;
pub mod navigate;
pub mod options;
pub mod overlay;
pub mod paint;
pub mod pointer;
pub mod scissors;
