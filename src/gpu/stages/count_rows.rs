//! Stage `count_rows`: vertices and triangles of every row. What goes in and out stands in `shaders/stages/count_rows.wgsl`.

use super::Stage;
use crate::gpu::context::Context;
use crate::gpu::layout::{storage, storage_written, uniform};

/// Compiles the stage.
pub(crate) fn stage(context: &Context) -> Stage {
    let bindings = [
        uniform(0),
        storage(1),
        uniform(2),
        storage_written(3),
        storage_written(4),
        storage_written(5),
        storage_written(6),
    ];
    Stage::new(context, "stages/count_rows.wgsl", "main", &bindings)
}
