//! How much may be marched at once: learns the cost of a pixel and cuts the work into pieces.
//!
//! A piece on a GPU stays at a few milliseconds, so that neither the window waits nor the driver resets. On a CPU driver the
//! pieces are larger, because it runs nothing beside them anyway, and each is waited for, so that the clock tells the truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::gpu::context::Context;

/// Rows of pixels of a tile.
pub(super) const TILE: u32 = 8;

/// Budgets of a kind of device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Longest piece of a full picture that is submitted at once.
    pub(super) piece: Duration,
    /// The same where nothing but the whole picture is waited for.
    pub(super) whole_piece: Duration,
    /// The same of a picture while something moves.
    pub(super) moving_piece: Duration,
    /// Time for a picture while something moves.
    pub(super) moving: Duration,
    /// Time for refinement in one frame of the window at rest.
    pub(super) refine: Duration,
}

impl Budget {
    /// Budgets for a device.
    pub(super) fn of(context: &Context) -> Self {
        let ms = Duration::from_millis;
        if context.is_software() {
            // With what the window itself takes to paint, 18 pictures a second; rows of very different cost follow each
            // other in a full picture, so its pieces are short.
            Self { piece: ms(12), whole_piece: ms(500), moving_piece: ms(38), moving: ms(38), refine: ms(40) }
        } else {
            Self { piece: ms(3), whole_piece: ms(3), moving_piece: ms(3), moving: ms(10), refine: ms(6) }
        }
    }
}

/// Learned cost of a pixel. The cost is that of the scene at hand; it drifts, so it is learned all the time.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// Nanoseconds a pixel, as the bits of an `f32`; zero when unknown.
    cost_bits: Arc<AtomicU32>,
    in_flight: Arc<AtomicU64>,
}

impl Pace {
    /// Nothing learned yet.
    pub(super) fn new() -> Self {
        Self { cost_bits: Arc::default(), in_flight: Arc::default() }
    }

    /// Nanoseconds a pixel; a cautious guess at first.
    pub(super) fn pixel_ns(&self, context: &Context) -> f32 {
        match f32::from_bits(self.cost_bits.load(Ordering::Relaxed)) {
            known if known > 0.0 => known,
            _ if context.is_software() => 1500.0,
            _ => 50.0,
        }
    }

    /// Rows of tiles of this width that fit into a time; at least one.
    pub(super) fn tile_rows(&self, context: &Context, width_px: u32, time: Duration) -> u32 {
        let row_ns = self.pixel_ns(context) * (width_px.max(1) * TILE) as f32;
        ((time.as_nanos() as f32 / row_ns) as u32).max(1)
    }

    /// Submits work on `pixels` pixels and learns what it cost.
    pub(super) fn submit(&self, context: &Context, commands: wgpu::CommandBuffer, pixels: u64) {
        let begin = Instant::now();
        let alone = self.in_flight.fetch_add(1, Ordering::Relaxed) == 0;
        context.queue.submit([commands]);
        let pace = self.clone();
        context.queue.on_submitted_work_done(move || {
            pace.in_flight.fetch_sub(1, Ordering::Relaxed);
            if alone {
                pace.learn(begin.elapsed(), pixels);
            }
        });
        if context.is_software() {
            context.wait();
        }
    }

    fn learn(&self, spent: Duration, pixels: u64) {
        let cost = spent.as_nanos() as f32 / pixels.max(1) as f32;
        let before = f32::from_bits(self.cost_bits.load(Ordering::Relaxed));
        // Dearer at once, cheaper by and by: after rows of air a piece must not be long when the patient begins.
        let mixed = if before > cost { before * 0.6 + cost * 0.4 } else { cost };
        self.cost_bits.store(mixed.to_bits(), Ordering::Relaxed);
    }
}
