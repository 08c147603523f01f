//! Stage `emit_triangles`: vertex ids of the triangles. What goes in and out stands in `shaders/stages/emit_triangles.wgsl`.

use super::Stage;
use crate::gpu::context::Context;
use crate::gpu::layout::{storage, storage_written, uniform};

/// Compiles the stage.
pub(crate) fn stage(context: &Context) -> Stage {
    let bindings = [uniform(0), storage(1), uniform(2), storage(3), storage(4), storage(5), storage_written(6)];
    Stage::new(context, "stages/emit_triangles.wgsl", "main", &bindings)
}
