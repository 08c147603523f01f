//! Bytes to values and back: DICOM objects, research formats, meshes, the case file, reports.
//!
//! Invariant: knows nothing of documents, windows or GPUs. Every reader says what it repaired or refused.
//! The way in for images is [`scan`], which says what there is, then [`load`], which reads one of it.

pub mod animation;
pub mod archive;
pub mod atomic_file;
pub mod case_file;
pub mod deidentify;
pub mod dicom;
pub mod dicom_model;
pub mod dicom_seg;
pub mod import;
pub mod label_map;
pub mod mask_bricks;
pub mod metaimage;
pub mod nifti;
pub mod nrrd;
pub mod obj;
pub mod packed_mesh;
pub mod png;
pub mod provenance;
pub mod report;
pub mod rtstruct;
pub mod secondary_capture;
pub mod stl;
pub mod study_index;
pub mod surface_segmentation;
pub mod transfer_file;
pub mod volume_file;

pub use import::{
    GrayImage, ImportError, LoadedVolume, Scan, SeriesEntry, SeriesKind, SlicePreview, VolumeSource, content_hash,
    load, scan, thumbnail,
};
