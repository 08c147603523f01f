//! The segments of a grid on the device: for each voxel one u16 number of a set of segments, in paged bricks.
//!
//! In: segments (masks of one grid with colour, opacity, visibility). Out: bindings 1 to 4 of group 1 of the shaders that
//! import `segments`. Segments may overlap. Colour, opacity and visibility live in a small table of sets, so that changing
//! them uploads a few bytes and no voxel. Edits are found by comparing bricks with those seen last (copy-on-write bricks
//! compare by address), so nobody has to say what is dirty and nothing can be forgotten.
//! Not here: drawing (`gpu::render::slice`), the masks themselves (`domain::mask`).

mod label;
mod pages;
mod sets;

use std::sync::{Arc, Mutex};

use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

use super::context::Context;
use super::{layout, readback};
use crate::domain::grid::Grid;
use crate::domain::mask::MaskBrick;
use crate::domain::segmentation::SegmentId;
use crate::domain::slice::{SegmentLayer, SegmentStyle};
use label::{BrickLabels, label_brick};
use pages::Pages;
use sets::SetTable;

pub use pages::ATLAS_PAGE;

/// Bricks that are labelled together: 16 MiB of labels.
const BRICKS_AT_ONCE: usize = 256;

/// Mirror of `SegmentSet` in `shaders/shared/segments.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
struct SegmentSet {
    fill: [f32; 4],
    first_member: u32,
    member_count: u32,
    reserved: [u32; 2],
}

/// Mirror of `SegmentMember` in `shaders/shared/segments.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
struct SegmentMember {
    color: [f32; 3],
    slot: u32,
    outline: f32,
    reserved_a: f32,
    reserved_b: f32,
    reserved_c: f32,
}

/// What an update has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AtlasUpdate {
    /// Mask bricks uploaded.
    pub bricks_uploaded: usize,
    /// Whether anything is drawn differently now.
    pub changed: bool,
    /// Whether more than 65 536 combinations of overlapping segments exist, so that some overlaps are not drawn.
    pub overlaps_dropped: bool,
    /// Whether everything is on the device now.
    pub complete: bool,
}

/// A segment as it was last uploaded.
#[derive(Debug)]
struct Held {
    id: SegmentId,
    bricks: Vec<MaskBrick>,
    style: SegmentStyle,
}

/// The segments of one grid on the device.
#[derive(Debug)]
pub struct SegmentAtlas {
    grid: Grid,
    pages: Pages,
    sets: SetTable,
    sets_buffer: wgpu::Buffer,
    members_buffer: wgpu::Buffer,
    /// By slot; `None` where a segment was removed.
    held: Vec<Option<Held>>,
}

impl SegmentAtlas {
    /// An atlas of a grid without segments.
    pub fn new(context: &Context, grid: &Grid) -> Self {
        let mut atlas = Self {
            grid: *grid,
            pages: Pages::new(context, grid.dims()),
            sets: SetTable::new(),
            sets_buffer: storage_buffer(context, "segment sets", 4096),
            members_buffer: storage_buffer(context, "segment members", 4096),
            held: Vec::new(),
        };
        atlas.write_tables(context);
        atlas
    }

    /// The grid of all segments.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Number of pages that hold texels.
    pub fn resident_page_count(&self) -> usize {
        self.pages.resident_count()
    }

    /// Texture of set numbers: binding 1.
    pub fn texture_view(&self) -> &wgpu::TextureView {
        self.pages.view()
    }

    /// Bindings 1 to 4 of group 1, made again for each draw since buffers grow.
    pub fn bindings(&self) -> [wgpu::BindGroupEntry<'_>; 4] {
        [
            wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::TextureView(self.pages.view()) },
            wgpu::BindGroupEntry { binding: 2, resource: self.pages.table().as_entire_binding() },
            wgpu::BindGroupEntry { binding: 3, resource: self.sets_buffer.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 4, resource: self.members_buffer.as_entire_binding() },
        ]
    }

    /// Layout of [`Self::bindings`].
    pub fn layout_entries() -> [wgpu::BindGroupLayoutEntry; 4] {
        [layout::index_volume(1), layout::storage(2), layout::storage(3), layout::storage(4)]
    }

    /// Brings the device up to date with all segments of the grid. Costs the bricks that changed since the last call.
    ///
    /// # Panics
    /// When a mask is not of the atlas's grid.
    pub fn update(&mut self, context: &Context, layers: &[SegmentLayer<'_>]) -> AtlasUpdate {
        self.update_some(context, layers, usize::MAX)
    }

    /// As [`Self::update`], but brings at most about so many bricks; what is left comes with the next calls.
    ///
    /// # Panics
    /// When a mask is not of the atlas's grid.
    pub fn update_some(&mut self, context: &Context, layers: &[SegmentLayer<'_>], most_bricks: usize) -> AtlasUpdate {
        assert!(layers.iter().all(|layer| layer.mask.dims() == self.grid.dims()), "masks of the atlas's grid");
        let restyled = self.take_styles(layers);
        let (dirty, complete) = self.take_bricks(layers, most_bricks);
        let known_sets = self.sets.sets().len();
        let mut bricks_uploaded = 0;
        for some in dirty.chunks(BRICKS_AT_ONCE) {
            let labelled = self.label(some);
            bricks_uploaded += self.pages.write(context, &labelled);
        }
        if complete {
            self.release_removed(layers);
        }
        if restyled || self.sets.sets().len() != known_sets {
            self.write_tables(context);
        }
        AtlasUpdate {
            bricks_uploaded,
            changed: restyled || !dirty.is_empty(),
            overlaps_dropped: self.sets.has_overflowed(),
            complete,
        }
    }

    /// The segments of a voxel, read back from the device: for tests.
    pub fn segments_at(&self, context: &Context, voxel: [u32; 3]) -> Vec<SegmentId> {
        let set = match self.pages.place_of(voxel) {
            Err(set) => set,
            Ok(page) => {
                let [x, y, z] = std::array::from_fn(|axis| page[axis] + voxel[axis] % ATLAS_PAGE);
                let one = wgpu::Extent3d { width: 1, height: 1, depth_or_array_layers: 1 };
                let bytes = readback::region_bytes(context, self.pages.texture(), wgpu::Origin3d { x, y, z }, one);
                u16::from_le_bytes([bytes[0], bytes[1]])
            }
        };
        let slots = self.sets.sets()[set as usize].iter();
        let mut ids: Vec<SegmentId> = slots.filter_map(|&slot| Some(self.held[slot as usize].as_ref()?.id)).collect();
        ids.sort_unstable();
        ids
    }

    /// Gives new segments a slot and takes the styles of all; says whether one has changed.
    fn take_styles(&mut self, layers: &[SegmentLayer<'_>]) -> bool {
        let brick_count = brick_count(&self.grid);
        let mut changed = false;
        for layer in layers {
            if let Some(held) = self.held.iter_mut().flatten().find(|held| held.id == layer.id) {
                changed |= held.style != layer.style;
                held.style = layer.style;
                continue;
            }
            let bricks = vec![MaskBrick::Empty; brick_count];
            let held = Some(Held { id: layer.id, bricks, style: layer.style });
            match self.held.iter_mut().find(|slot| slot.is_none()) {
                Some(slot) => *slot = held,
                None => self.held.push(held),
            }
            changed = true;
        }
        assert!(u16::try_from(self.held.len()).is_ok(), "at most 65 535 segments of one grid");
        changed
    }

    /// Takes over changed bricks, at most so many, and returns their indices, rising, and whether those were all.
    fn take_bricks(&mut self, layers: &[SegmentLayer<'_>], most: usize) -> (Vec<u32>, bool) {
        let mut dirty = Vec::new();
        for index in 0..brick_count(&self.grid) {
            let mut changed = false;
            for held in self.held.iter_mut().flatten() {
                let layer = layers.iter().find(|layer| layer.id == held.id);
                let after = layer.map_or(&MaskBrick::Empty, |layer| &layer.mask.bricks()[index]);
                let before = &mut held.bricks[index];
                if !same_brick(before, after) {
                    if dirty.len() >= most {
                        return (dirty, false);
                    }
                    *before = after.clone();
                    changed = true;
                }
            }
            dirty.extend(changed.then_some(index as u32));
        }
        (dirty, true)
    }

    fn label(&mut self, bricks: &[u32]) -> Vec<(u32, BrickLabels)> {
        let held = &self.held;
        let table = Mutex::new(&mut self.sets);
        let labels_of = |&brick_index: &u32| {
            let here: Vec<(u16, &MaskBrick)> = held
                .iter()
                .enumerate()
                .filter_map(|(slot, held)| Some((slot as u16, &held.as_ref()?.bricks[brick_index as usize])))
                .filter(|(_, brick)| **brick != MaskBrick::Empty)
                .collect();
            (brick_index, label_brick(&here, &table))
        };
        bricks.par_iter().map(labels_of).collect()
    }

    fn release_removed(&mut self, layers: &[SegmentLayer<'_>]) {
        for slot in &mut self.held {
            if slot.as_ref().is_some_and(|held| !layers.iter().any(|layer| layer.id == held.id)) {
                *slot = None;
            }
        }
    }

    /// Writes how each set is drawn.
    fn write_tables(&mut self, context: &Context) {
        let (sets, members) = self.tables();
        write_growing(context, &mut self.sets_buffer, "segment sets", bytemuck::cast_slice(&sets));
        write_growing(context, &mut self.members_buffer, "segment members", bytemuck::cast_slice(&members));
    }

    fn tables(&self) -> (Vec<SegmentSet>, Vec<SegmentMember>) {
        let mut members = Vec::new();
        let mut sets = Vec::with_capacity(self.sets.sets().len());
        for slots in self.sets.sets() {
            let mut visible: Vec<(SegmentId, u32, SegmentStyle)> = slots
                .iter()
                .filter_map(|&slot| self.held[slot as usize].as_ref().map(|held| (slot, held)))
                .filter(|(_, held)| held.style.visible)
                .map(|(slot, held)| (held.id, u32::from(slot), held.style))
                .collect();
            visible.sort_unstable_by_key(|(id, ..)| *id);
            let mut fill = [0.0; 4];
            let first_member = members.len() as u32;
            for (_, slot, style) in &visible {
                let (color, opacity) = (style.color.map(|c| f32::from(c) / 255.0), style.opacity.clamp(0.0, 1.0));
                let over = [color[0], color[1], color[2], 1.0];
                fill = std::array::from_fn(|c| over[c] * opacity + fill[c] * (1.0 - opacity));
                let outline = style.outline.max(0.0);
                members.push(SegmentMember { color, slot: *slot, outline, ..SegmentMember::zeroed() });
            }
            let member_count = visible.len() as u32;
            sets.push(SegmentSet { fill, first_member, member_count, reserved: [0; 2] });
        }
        (sets, members)
    }
}

fn brick_count(grid: &Grid) -> usize {
    grid.dims().map(|n| n.div_ceil(crate::domain::mask::MASK_BRICK) as usize).iter().product()
}

/// Shared bits are the same bits; only others are compared word by word.
fn same_brick(a: &MaskBrick, b: &MaskBrick) -> bool {
    match (a, b) {
        (MaskBrick::Bits(a), MaskBrick::Bits(b)) => Arc::ptr_eq(a, b) || a == b,
        _ => a == b,
    }
}

fn storage_buffer(context: &Context, label: &'static str, size: u64) -> wgpu::Buffer {
    context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn write_growing(context: &Context, buffer: &mut wgpu::Buffer, label: &'static str, bytes: &[u8]) {
    if buffer.size() < bytes.len() as u64 {
        *buffer = storage_buffer(context, label, (bytes.len() as u64).next_power_of_two());
    }
    context.queue.write_buffer(buffer, 0, bytes);
}
