//! DICOM: classic image series in and out, and the tags of a file for people to look at.
//!
//! The path of a file: [`layout`] finds its parts and checks its lengths, [`header`] reads what it says of itself,
//! `group` puts files of one series together, `geometry` puts them in order in the patient or says why that can't be
//! done, `pixels` turns stored bits into samples, `read` fills the volume.
//!
//! Not here: multi-frame (enhanced) objects, colour; both are refused with a sentence.

pub mod geometry;
pub mod group;
pub mod header;
pub mod layout;
pub mod pixels;
pub mod read;
pub mod source;
pub mod tag_rows;
pub mod write;

pub use group::{DicomGroup, group_series};
pub use read::{DicomPlan, load_series, read_slice};
pub use source::HeaderError;
pub use tag_rows::{TagRow, tags};
pub use write::{WriteError, write_series};
