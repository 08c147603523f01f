//! The panels around the views. Each file draws one of them from the state of the window and asks for commands.

pub mod about;
pub mod export;
pub mod gallery;
pub mod history;
pub mod keys;
pub mod mesh_options;
pub mod objects;
pub mod options;
pub mod properties;
pub mod rail;
pub mod series_list;
pub mod status_bar;
pub mod tags;
pub mod top_bar;
pub mod welcome;
