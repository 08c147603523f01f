//! Removal of the patient's identity, for the command line and the window: see [`crate::io::deidentify`].

pub use crate::io::deidentify::files::Deidentified;
pub use crate::io::deidentify::{Dates, DeidentifyError, Options, deidentify_path, series_info};
