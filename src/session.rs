//! The document and everything that changes it: commands, history, journal, jobs, view state.
//!
//! Invariant: never names egui or wgpu; only the thread that owns the session changes the document.
