//! Stage `emit_vertices`: positions and normals. What goes in and out stands in `shaders/stages/emit_vertices.wgsl`.

use super::Stage;
use crate::gpu::context::Context;
use crate::gpu::layout::{storage, storage_written, uniform};

/// Compiles the stage.
pub(crate) fn stage(context: &Context) -> Stage {
    let bindings = [
        uniform(0),
        uniform(1),
        storage(2),
        storage(3),
        storage(4),
        storage(5),
        storage_written(6),
        storage_written(7),
    ];
    Stage::new(context, "stages/emit_vertices.wgsl", "main", &bindings)
}
