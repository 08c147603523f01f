//! Stage `classify_voxels`: one bit per point of the padded grid. What goes in and out stands in `shaders/stages/classify_voxels.wgsl`.

use super::Stage;
use crate::gpu::context::Context;
use crate::gpu::layout::{storage, storage_written, uniform};

/// Compiles the stage.
pub(crate) fn stage(context: &Context) -> Stage {
    let bindings = [uniform(0), uniform(1), storage(2), storage(3), storage_written(4)];
    Stage::new(context, "stages/classify_voxels.wgsl", "main", &bindings)
}
