//! The active volume and its segments on the device, shared by all views: loaded on a worker, brought up to date each frame.

use std::sync::Arc;

use crate::app::device::WindowDevice;
use crate::domain::plane::Plane;
use crate::domain::segmentation::SegmentId;
use crate::domain::slice::{SegmentLayer, SegmentStyle, SliceFrame, SliceStyle};
use crate::domain::volume::Volume;
use crate::domain::window::Window;
use crate::gpu::context::Context;
use crate::gpu::render::slice::{SliceRenderer, SliceScene, SliceVolume};
use crate::gpu::residency::GpuMemory;
use crate::gpu::segment_atlas::SegmentAtlas;
use crate::gpu::view_texture::ViewTexture;
use crate::gpu::volume_texture::ResidentVolume;
use crate::session::Session;
use crate::session::document::{Revision, VolumeObject};
use crate::session::jobs::{JobEnd, JobError, Jobs, Landing, Lane};

use super::surfaces::Waker;

/// Mask bricks that are labelled and uploaded in one frame: more of them (a threshold, a walk through the history) come over
/// several frames, so that the hand never waits.
const BRICKS_A_FRAME: usize = 192;

/// Size of the picture that is drawn to warm up: like most views', no power of two.
const WARM_UP_PX: [u32; 2] = [9, 9];

/// Volumes that a worker has brought to the device.
type Arrivals = Vec<Arc<ResidentVolume>>;

/// What a segment's picture depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct SegmentKey {
    id: SegmentId,
    mask: Revision,
    style: SegmentStyle,
}

/// Volume and segments on the device.
#[derive(Default)]
pub struct PictureSource {
    on_device: Option<OnDevice>,
    jobs: Option<Jobs<Arrivals>>,
    /// The volume that is on the device or on its way there.
    wanted: Option<Arc<Volume>>,
    resident: Option<Arc<ResidentVolume>>,
    atlas: Option<(SegmentAtlas, Vec<SegmentKey>)>,
    /// Segments are drawn.
    pub hide_segments: bool,
    version: u64,
}

struct OnDevice {
    slices: SliceRenderer,
    memory: GpuMemory,
}

impl PictureSource {
    /// Changes whenever a picture made of this would be different.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The volume that is on the device.
    pub fn resident(&self) -> Option<&Arc<ResidentVolume>> {
        self.resident.as_ref()
    }

    /// Brings volume and segments up to date. Returns the sentence of a failure.
    pub fn sync(&mut self, device: &WindowDevice, session: &Session, waker: &Waker) -> Option<String> {
        let on_device = self.on_device.get_or_insert_with(|| OnDevice {
            slices: SliceRenderer::new(&device.context),
            memory: GpuMemory::for_device(&device.context),
        });
        let object = session.view.active_volume.and_then(|id| session.document().volume(id));
        let Some(object) = object else {
            self.forget();
            return None;
        };
        let mut failure = None;
        if self.wanted.as_ref().is_none_or(|wanted| !Arc::ptr_eq(wanted, &object.volume)) {
            let memory = on_device.memory.clone();
            self.forget();
            self.wanted = Some(Arc::clone(&object.volume));
            failure = self.load(device.context.clone(), memory, Arc::clone(&object.volume), waker).err();
        }
        failure = failure.or_else(|| self.land());
        self.sync_segments(&device.context, session, object, waker);
        failure
    }

    fn forget(&mut self) {
        if self.wanted.take().is_some() {
            self.resident = None;
            self.atlas = None;
            self.version += 1;
        }
    }

    fn load(&mut self, context: Context, memory: GpuMemory, volume: Arc<Volume>, waker: &Waker) -> Result<(), String> {
        let jobs = match &mut self.jobs {
            Some(jobs) => jobs,
            None => {
                let mut jobs = Jobs::start().map_err(|error| error.to_string())?;
                jobs.set_waker(Arc::clone(waker));
                self.jobs.insert(jobs)
            }
        };
        let work = move |progress: &crate::task::Progress| {
            let resident = ResidentVolume::load(&context, &volume, &memory, progress)
                .map_err(|error| JobError::Failed(error.to_string()))?;
            let landing: Landing<Arrivals> = Box::new(move |arrivals| arrivals.push(resident));
            Ok(landing)
        };
        let queued = jobs.submit(Lane::Derive, Some("volume".to_owned()), "Show volume", work);
        queued.map(|_| ()).map_err(|error| error.to_string())
    }

    fn land(&mut self) -> Option<String> {
        let mut failure = None;
        let mut arrivals = Arrivals::new();
        for finished in self.jobs.as_mut().map(Jobs::poll).unwrap_or_default() {
            if let Some(landing) = finished.landing {
                landing(&mut arrivals);
            }
            if let JobEnd::Failed(why) = finished.end {
                failure = Some(why);
            }
        }
        // A volume that is no longer wanted is dropped again.
        let wanted = |resident: &Arc<ResidentVolume>| {
            self.wanted.as_ref().is_some_and(|wanted| Arc::ptr_eq(wanted, &resident.volume))
        };
        if let Some(resident) = arrivals.into_iter().rfind(wanted) {
            self.resident = Some(resident);
            self.version += 1;
        }
        failure
    }

    fn sync_segments(&mut self, context: &Context, session: &Session, object: &VolumeObject, waker: &Waker) {
        let hidden = self.hide_segments;
        let segments = || session.document().segments_of(object.id);
        let style = |info: &crate::domain::segmentation::SegmentInfo| SegmentStyle {
            color: info.color,
            opacity: info.opacity,
            visible: info.visible && !hidden,
            outline: 1.0,
        };
        let keys: Vec<SegmentKey> = segments()
            .map(|found| SegmentKey { id: found.id(), mask: found.mask_revision, style: style(&found.segment.info) })
            .collect();
        if self.atlas.is_none() {
            if keys.is_empty() && self.resident.is_none() {
                return;
            }
            self.atlas = Some((SegmentAtlas::new(context, &object.head.grid), Vec::new()));
            self.warm_up(context);
        }
        let Some((atlas, known)) = &mut self.atlas else { return };
        if *known == keys {
            return;
        }
        let layers: Vec<SegmentLayer<'_>> = segments()
            .map(|found| SegmentLayer { id: found.id(), mask: &found.segment.mask, style: style(&found.segment.info) })
            .collect();
        let update = atlas.update_some(context, &layers, BRICKS_A_FRAME);
        if update.changed {
            self.version += 1;
        }
        if update.complete {
            *known = keys;
        } else {
            waker();
        }
    }

    /// Draws a slice; black until the volume has arrived.
    pub fn draw_slice(&self, context: &Context, target: &mut ViewTexture, frame: SliceFrame, style: SliceStyle) {
        let segments = self.atlas.as_ref().filter(|(_, known)| !known.is_empty()).map(|(atlas, _)| atlas);
        self.draw(context, target, frame, style, segments);
    }

    /// Draws a few pixels with segments: a software driver compiles a shader when it first runs and clears a texture when it
    /// is first read, and the first dab of a brush shall not wait for that.
    fn warm_up(&self, context: &Context) {
        let Some((atlas, _)) = &self.atlas else { return };
        let frame = SliceFrame::of_plane(Plane::Axial, atlas.grid().center_in_patient(), 1.0, WARM_UP_PX);
        let mut target = ViewTexture::new(context, "warm-up", frame.size_px);
        self.draw(context, &mut target, frame, SliceStyle::new(Window::new(400.0, 40.0)), Some(atlas));
    }

    fn draw(
        &self,
        context: &Context,
        target: &mut ViewTexture,
        frame: SliceFrame,
        style: SliceStyle,
        segments: Option<&SegmentAtlas>,
    ) {
        let Some(on_device) = &self.on_device else { return };
        let volume = self.resident.as_ref().map(|resident| SliceVolume::from(&**resident).with_samples(resident));
        let scene = SliceScene { frame, volume, segments, style, transparent_outside: false };
        on_device.slices.draw(context, target, &scene);
    }
}
