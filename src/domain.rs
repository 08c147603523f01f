//! The science, as pure functions of their inputs: space, volumes, masks, surfaces, meshes, measurements.
//!
//! Invariant: nothing here reads a file, a clock, the network or a GPU, and nothing here logs.
//! Patient space is DICOM LPS in millimetres, `f64`. Voxel axes are i, j, k, i fastest; a voxel's centre has integer coordinates.

pub mod camera;
pub mod clip;
pub mod color_map;
pub mod grid;
pub mod histogram;
pub mod lettering;
pub mod mask;
pub mod measure;
pub mod mesh;
pub mod occupancy;
pub mod phantom;
pub mod picking;
pub mod picture;
pub mod plane;
pub mod projection;
pub mod reduced_volume;
pub mod render_reference;
pub mod segmentation;
pub mod series_info;
pub mod slice;
pub mod slice_reference;
pub mod slice_sampling;
pub mod surface;
pub mod threshold_preset;
pub mod transfer;
pub mod volume;
pub mod volume_scene;
pub mod window;
