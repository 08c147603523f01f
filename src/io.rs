//! Bytes to values and back: DICOM objects, research formats, meshes, the case file, reports.
//!
//! Invariant: knows nothing of documents, windows or GPUs. Every reader says what it repaired or refused.
