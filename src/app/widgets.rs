//! The small parts that panels are made of: labelled rows, number fields, segmented choices, icon buttons, histograms.
//!
//! Every control gets its accessible name here, so that a screen reader and a test find it.

pub mod curve;
pub mod field;
pub mod histogram;
pub mod row;
