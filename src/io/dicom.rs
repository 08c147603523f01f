//! DICOM: image series in and out, and the tags of a file for people to look at.
//!
//! The path of a file: [`layout`] finds its parts and checks its lengths, [`dataset`] lists its elements, [`header`] and
//! `frames` read what its images say of themselves, [`group`] puts images of one series together and `phases` takes
//! apart what shares a place, [`geometry`] puts them in order in the patient or says why that can't be done, [`pixels`]
//! turns stored bits into samples (`fragments` and `codec` where they are compressed), [`meaning`] chooses what they stand for,
//! [`read`] fills the volume, and `wide` does where stored values do not fit samples as they are.
//!
//! Not here: colour, video, waveforms; refused with a sentence.

pub mod belongs;
mod codec;
pub mod dataset;
pub mod directory;
pub mod elements;
mod fragments;
mod frames;
pub mod geometry;
pub mod group;
pub mod header;
pub mod layout;
pub mod lut;
pub mod meaning;
mod phases;
pub mod pixels;
pub mod read;
pub mod real_world;
mod resample;
pub mod source;
pub mod strip;
pub mod suv;
pub mod tag_rows;
pub mod text;
mod wide;
pub mod write;

pub use group::{DicomGroup, group_series};
pub use read::{DicomPlan, load_series, read_slice};
pub use source::HeaderError;
pub use tag_rows::{TagRow, tags};
pub use write::{WriteError, write_series};
