//! The segments of a grid on a device, kept up to date as masks change: what a window does after each dab, without a window.
//!
//! For measuring. The window itself draws through `gpu::segment_atlas`.

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::segmentation::SegmentId;
use crate::domain::slice::{SegmentLayer, SegmentStyle};
use crate::gpu::context::{Context, ContextError, LimitsRequest};
use crate::gpu::segment_atlas::SegmentAtlas;

/// One segment on a device.
#[derive(Debug)]
pub struct SegmentDisplay {
    context: Context,
    atlas: SegmentAtlas,
}

impl SegmentDisplay {
    /// An empty display of a grid on a device without a window; a software driver will do.
    ///
    /// # Errors
    /// When there is no device.
    pub fn headless(grid: &Grid) -> Result<Self, ContextError> {
        let context = Context::headless(LimitsRequest::Adapter)?;
        let atlas = SegmentAtlas::new(&context, grid);
        Ok(Self { context, atlas })
    }

    /// Name of the device.
    pub fn device_name(&self) -> &str {
        &self.context.info.name
    }

    /// Uploads what has changed of the mask since the last call and waits until the device has it. Returns the number of
    /// mask bricks uploaded.
    pub fn show(&mut self, mask: &Mask) -> usize {
        let style = SegmentStyle::new([241, 214, 145], 0.5);
        let update = self.atlas.update(&self.context, &[SegmentLayer { id: SegmentId(1), mask, style }]);
        self.context.queue.submit([]);
        self.context.wait();
        update.bricks_uploaded
    }
}
