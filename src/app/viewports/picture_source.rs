//! The volumes that are seen and their segments on the device, shared by all views: loaded on a worker, brought up to date
//! each frame.

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
use crate::session::document::{Revision, VolumeId, VolumeObject};
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

/// One volume with its segments.
struct Shown {
    id: VolumeId,
    /// The volume that is on the device or on its way there.
    wanted: Arc<Volume>,
    resident: Option<Arc<ResidentVolume>>,
    atlas: Option<(SegmentAtlas, Vec<SegmentKey>)>,
    version: u64,
}

/// Volumes and segments on the device: the active volume, and those that are shown beside or over it.
#[derive(Default)]
pub struct PictureSource {
    on_device: Option<OnDevice>,
    jobs: Option<Jobs<Arrivals>>,
    shown: Vec<Shown>,
    active: Option<VolumeId>,
    /// Segments are drawn.
    pub hide_segments: bool,
    /// Versions that were given out.
    versions: u64,
}

struct OnDevice {
    slices: SliceRenderer,
    memory: GpuMemory,
}

impl PictureSource {
    /// Changes whenever a picture made of a volume would be different.
    pub fn version(&self, volume: VolumeId) -> u64 {
        self.of(volume).map_or(0, |shown| shown.version)
    }

    /// Whether a volume is on the device.
    pub fn is_resident(&self, volume: VolumeId) -> bool {
        self.of(volume).is_some_and(|shown| shown.resident.is_some())
    }

    /// The volume that is looked at, once it is on the device.
    pub fn resident(&self) -> Option<&Arc<ResidentVolume>> {
        self.of(self.active?)?.resident.as_ref()
    }

    fn of(&self, volume: VolumeId) -> Option<&Shown> {
        self.shown.iter().find(|shown| shown.id == volume)
    }

    /// Brings these volumes and their segments up to date; what else was on the device goes. Returns the sentence of a
    /// failure.
    pub fn sync(
        &mut self,
        device: &WindowDevice,
        session: &Session,
        volumes: &[VolumeId],
        waker: &Waker,
    ) -> Option<String> {
        let on_device = self.on_device.get_or_insert_with(|| OnDevice {
            slices: SliceRenderer::new(&device.context),
            memory: GpuMemory::for_device(&device.context),
        });
        let memory = on_device.memory.clone();
        self.active = session.view.active_volume;
        let objects: Vec<&VolumeObject> = volumes.iter().filter_map(|id| session.document().volume(*id)).collect();
        let same =
            |shown: &Shown, object: &VolumeObject| shown.id == object.id && Arc::ptr_eq(&shown.wanted, &object.volume);
        // What goes makes room before anything comes.
        self.shown.retain(|shown| objects.iter().any(|object| same(shown, object)));
        let mut failure = None;
        for object in &objects {
            if self.shown.iter().any(|shown| same(shown, object)) {
                continue;
            }
            self.versions += 1;
            let (wanted, version) = (Arc::clone(&object.volume), self.versions);
            self.shown.push(Shown { id: object.id, wanted, resident: None, atlas: None, version });
            failure = self.load(device.context.clone(), memory.clone(), object, waker).err().or(failure);
        }
        failure = failure.or_else(|| self.land());
        for object in objects {
            self.sync_segments(&device.context, session, object, waker);
        }
        failure
    }

    fn load(
        &mut self,
        context: Context,
        memory: GpuMemory,
        object: &VolumeObject,
        waker: &Waker,
    ) -> Result<(), String> {
        let jobs = match &mut self.jobs {
            Some(jobs) => jobs,
            None => {
                let mut jobs = Jobs::start().map_err(|error| error.to_string())?;
                jobs.set_waker(Arc::clone(waker));
                self.jobs.insert(jobs)
            }
        };
        let volume = Arc::clone(&object.volume);
        let work = move |progress: &crate::task::Progress| {
            let resident = ResidentVolume::load(&context, &volume, &memory, progress)
                .map_err(|error| JobError::Failed(error.to_string()))?;
            let landing: Landing<Arrivals> = Box::new(move |arrivals| arrivals.push(resident));
            Ok(landing)
        };
        let queued = jobs.submit(Lane::Derive, Some(format!("volume {}", object.id.0)), "Show volume", work);
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
        for resident in arrivals {
            for shown in self.shown.iter_mut().filter(|shown| Arc::ptr_eq(&shown.wanted, &resident.volume)) {
                self.versions += 1;
                (shown.resident, shown.version) = (Some(Arc::clone(&resident)), self.versions);
            }
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
            outline: info.outline,
        };
        let keys: Vec<SegmentKey> = segments()
            .map(|found| SegmentKey { id: found.id(), mask: found.mask_revision, style: style(&found.segment.info) })
            .collect();
        let Some(n) = self.shown.iter().position(|shown| shown.id == object.id) else { return };
        if self.shown[n].atlas.is_none() {
            if keys.is_empty() && self.shown[n].resident.is_none() {
                return;
            }
            self.shown[n].atlas = Some((SegmentAtlas::new(context, &object.head.grid), Vec::new()));
            self.warm_up(context, &self.shown[n]);
        }
        let Some((atlas, known)) = &mut self.shown[n].atlas else { return };
        if *known == keys {
            return;
        }
        let layers: Vec<SegmentLayer<'_>> = segments()
            .map(|found| SegmentLayer { id: found.id(), mask: &found.segment.mask, style: style(&found.segment.info) })
            .collect();
        let update = atlas.update_some(context, &layers, BRICKS_A_FRAME);
        if update.complete {
            *known = keys;
        } else {
            waker();
        }
        if update.changed {
            self.versions += 1;
            self.shown[n].version = self.versions;
        }
    }

    /// Draws a slice of a volume, with another one over it as the style says; black until it has arrived.
    pub fn draw_slice(
        &self,
        context: &Context,
        target: &mut ViewTexture,
        (volume, over): (VolumeId, Option<VolumeId>),
        (frame, style): (SliceFrame, SliceStyle),
    ) {
        let shown = self.of(volume);
        let over = over.and_then(|id| self.of(id)?.resident.as_ref());
        let atlas = shown.and_then(|shown| shown.atlas.as_ref()).filter(|(_, known)| !known.is_empty());
        self.draw(context, target, (frame, style), (shown, over), atlas.map(|(atlas, _)| atlas));
    }

    /// Draws a few pixels with segments: a software driver compiles a shader when it first runs and clears a texture when it
    /// is first read, and the first dab of a brush shall not wait for that.
    fn warm_up(&self, context: &Context, shown: &Shown) {
        let Some((atlas, _)) = &shown.atlas else { return };
        let frame = SliceFrame::of_plane(Plane::Axial, atlas.grid().center_in_patient(), 1.0, WARM_UP_PX);
        let mut target = ViewTexture::new(context, "warm-up", frame.size_px);
        let style = SliceStyle::new(Window::new(400.0, 40.0));
        self.draw(context, &mut target, (frame, style), (Some(shown), None), Some(atlas));
    }

    fn draw(
        &self,
        context: &Context,
        target: &mut ViewTexture,
        (frame, style): (SliceFrame, SliceStyle),
        (shown, over): (Option<&Shown>, Option<&Arc<ResidentVolume>>),
        segments: Option<&SegmentAtlas>,
    ) {
        let Some(on_device) = &self.on_device else { return };
        let resident = shown.and_then(|shown| shown.resident.as_ref());
        let [volume, over] = [resident, over]
            .map(|resident| resident.map(|resident| SliceVolume::from(&**resident).with_samples(resident)));
        let scene = SliceScene { frame, volume, over, segments, style, transparent_outside: false };
        on_device.slices.draw(context, target, &scene);
    }
}
