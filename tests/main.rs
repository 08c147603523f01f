//! The only integration binary: one link step for all suites.
//!
//! Real CT is named by `MAQUETTE_TEST_DATA` (scripts/test sets it); GPU tests fail without an adapter unless
//! `SKIP_GPU_TESTS=1`.

mod support {
    pub(crate) mod device;
    pub(crate) mod nifti;
    pub(crate) mod peers;
    pub(crate) mod real_ct;
    pub(crate) mod series;
    pub(crate) mod surfaces;
}

mod suite {
    mod architecture;
    mod case_file;
    mod deidentify;
    mod device;
    mod dicom_objects;
    mod dicom_seg;
    mod draw_3d;
    mod draw_atlas;
    mod draw_slice;
    mod import;
    mod import_bad;
    mod import_choices;
    mod import_corpus;
    mod import_formats;
    mod import_frames;
    mod import_geometry;
    mod import_hostile;
    mod import_mutations;
    mod import_peers;
    mod import_pixels;
    mod import_wide;
    mod measure;
    mod mesh_export;
    mod mesh_truth;
    mod orientation;
    mod print_tools;
    mod real_ct;
    mod real_window;
    mod regressions;
    mod render;
    mod render_output;
    mod segment_cli;
    mod segment_grids;
    mod segment_masks;
    mod segment_scissors;
    mod segment_shapes;
    mod session;
    mod session_jobs;
    mod session_journal;
    mod shader_layouts;
    mod shaders;
    mod side_by_side;
    mod study_archive;
    mod study_index;
    mod surface;
    mod surface_cli;
    mod surface_gpu;
    mod surface_segmentation;
    mod tools;
    mod volume_texture;
    mod window;
    mod window_beside;
    mod window_bindings;
    mod window_browser;
    mod window_display;
    mod window_painter;
    mod window_phases;
}
