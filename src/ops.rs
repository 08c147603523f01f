//! One function per operation of the program, choosing CPU or GPU. No state.

pub mod backend;
pub mod browse;
pub mod convert;
pub mod deidentify;
pub mod export;
pub mod load_models;
pub mod load_segments;
pub mod open;
pub mod picture_marks;
pub mod render;
pub mod segment;
pub mod segment_display;
pub mod slice;
pub mod surface;
pub mod transfer;
