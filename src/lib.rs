//! Maquette: CT and MR images to verified models, plans and prints, for the 3D imaging lab of a hospital.
//!
//! The rooms and the arrows between them are described in `ARCHITECTURE.md` and checked by `tests/suite/architecture.rs`.

pub mod task;

pub mod domain;

pub mod gpu;
pub mod io;

pub mod ops;

pub mod session;
pub mod tools;

pub mod app;
pub mod cli;
