//! The only integration binary: one link step for all suites.
//!
//! Real CT is named by `MAQUETTE_TEST_DATA` (scripts/test sets it); GPU tests fail without an adapter unless
//! `SKIP_GPU_TESTS=1`.

mod support {
    pub(crate) mod device;
    pub(crate) mod real_ct;
    pub(crate) mod surfaces;
}

mod suite {
    mod architecture;
    mod case_file;
    mod device;
    mod draw_slice;
    mod import;
    mod measure;
    mod real_ct;
    mod render;
    mod render_output;
    mod segment_cli;
    mod segment_grids;
    mod segment_masks;
    mod segment_scissors;
    mod segment_shapes;
    mod session;
    mod session_journal;
    mod shaders;
    mod surface;
    mod tools;
    mod volume_texture;
    mod window;
}
