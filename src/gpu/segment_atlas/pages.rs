//! The paged texture of set numbers: which pages are resident, and where.
//!
//! A page is 64^3 voxels, two mask bricks wide. A page whose voxels all have one set takes no texels: its table entry holds
//! the set. The texture grows layer by layer (copied on the device) and never beyond the WebGPU default of 2048 texels.

use super::label::{BRICK_VOXELS, BrickLabels};
use crate::domain::mask::{MASK_BRICK, brick_position};
use crate::gpu::context::Context;

/// Edge of an atlas page in voxels. Twin of `ATLAS_PAGE_BITS` in `shaders/shared/segments.wgsl`.
pub const ATLAS_PAGE: u32 = 64;
/// Marks a table entry that holds a set instead of a place. Twin of `UNIFORM_PAGE` there.
const UNIFORM_PAGE: u32 = 1 << 31;
/// Pages along one axis of the texture: 2048 / 64.
const MOST_PAGES_DEEP: u32 = 32;
/// Mask bricks along one edge of a page.
const BRICKS_ACROSS: u32 = ATLAS_PAGE / MASK_BRICK;
/// Bricks handed to the driver at once: 16 MiB of staging.
const BRICKS_PER_SUBMISSION: usize = 256;

/// Set numbers of a whole grid, on the device.
#[derive(Debug)]
pub(super) struct Pages {
    brick_dims: [u32; 3],
    page_dims: [u32; 3],
    /// Pages along the texture's first two axes.
    across: u32,
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    table: wgpu::Buffer,
    entries: Vec<u32>,
    free: Vec<u32>,
    /// Set of each brick; `None` where its voxels differ.
    brick_sets: Vec<Option<u16>>,
}

impl Pages {
    /// All voxels of a grid of `dims` in the empty set.
    pub(super) fn new(context: &Context, dims: [u32; 3]) -> Self {
        let brick_dims = dims.map(|n| n.div_ceil(MASK_BRICK));
        let page_dims = dims.map(|n| n.div_ceil(ATLAS_PAGE));
        let page_count: u32 = page_dims.iter().product();
        let across = if page_count <= 16 { 2 } else { 4 };
        let across = [across, 8, 16, 32].into_iter().find(|n| n * n * MOST_PAGES_DEEP >= page_count).unwrap_or(32);
        let texture = make_texture(context, across, 1);
        let table = context.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("segment pages"),
            size: u64::from(page_count) * 4,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut pages = Self {
            brick_dims,
            page_dims,
            across,
            view: texture.create_view(&wgpu::TextureViewDescriptor::default()),
            texture,
            table,
            entries: vec![UNIFORM_PAGE; page_count as usize],
            free: Vec::new(),
            brick_sets: vec![Some(0); brick_dims.iter().product::<u32>() as usize],
        };
        pages.free_layers(0, 1);
        pages.write_table(context);
        pages
    }

    pub(super) fn view(&self) -> &wgpu::TextureView {
        &self.view
    }

    pub(super) fn texture(&self) -> &wgpu::Texture {
        &self.texture
    }

    pub(super) fn table(&self) -> &wgpu::Buffer {
        &self.table
    }

    /// Table entry of the page that holds a voxel: its set, or the texel where the page begins.
    pub(super) fn place_of(&self, voxel: [u32; 3]) -> Result<[u32; 3], u16> {
        let [pi, pj, pk] = voxel.map(|n| n / ATLAS_PAGE);
        let entry = self.entries[(pi + self.page_dims[0] * (pj + self.page_dims[1] * pk)) as usize];
        if entry & UNIFORM_PAGE != 0 { Err(entry as u16) } else { Ok(origin(entry)) }
    }

    /// Number of pages that hold texels.
    pub(super) fn resident_count(&self) -> usize {
        self.entries.iter().filter(|entry| **entry & UNIFORM_PAGE == 0).count()
    }

    /// Takes new labels of bricks (by rising index) and uploads what is needed to show them; returns the number of bricks
    /// uploaded.
    pub(super) fn write(&mut self, context: &Context, bricks: &[(u32, BrickLabels)]) -> usize {
        for (brick_index, labels) in bricks {
            self.brick_sets[*brick_index as usize] = match labels {
                BrickLabels::Uniform(set) => Some(*set),
                BrickLabels::Each(_) => None,
            };
        }
        let became_resident = self.place_pages(context, bricks);
        let mut count = 0;
        let mut send = |pages: &Self, brick_index: u32, labels: &BrickLabels| {
            let entry = pages.entries[pages.page_of(brick_index) as usize];
            if entry & UNIFORM_PAGE != 0 {
                return;
            }
            let texel = pages.texel_of(brick_index, entry);
            match labels {
                BrickLabels::Each(labels) => upload(context, &pages.texture, texel, labels),
                BrickLabels::Uniform(set) => upload(context, &pages.texture, texel, &vec![*set; BRICK_VOXELS]),
            }
            count += 1;
            if count % BRICKS_PER_SUBMISSION == 0 {
                context.queue.submit([]);
            }
        };
        for (brick_index, labels) in bricks {
            send(self, *brick_index, labels);
        }
        for (page, set) in became_resident {
            for brick_index in self.bricks_of(page) {
                // The bricks in hand are already there, the others keep the set that the page had.
                if bricks.binary_search_by_key(&brick_index, |(index, _)| *index).is_err() {
                    send(self, brick_index, &BrickLabels::Uniform(set));
                }
            }
        }
        self.write_table(context);
        count
    }

    /// Gives the pages of these bricks texels or takes them away; returns those that have got them, with their old set.
    fn place_pages(&mut self, context: &Context, bricks: &[(u32, BrickLabels)]) -> Vec<(u32, u16)> {
        let mut touched: Vec<u32> = bricks.iter().map(|(brick_index, _)| self.page_of(*brick_index)).collect();
        touched.sort_unstable();
        touched.dedup();
        let mut became_resident = Vec::new();
        for page in touched {
            let entry = self.entries[page as usize];
            match self.uniform_set(page) {
                Some(set) => {
                    if entry & UNIFORM_PAGE == 0 {
                        self.free.push(entry);
                    }
                    self.entries[page as usize] = UNIFORM_PAGE | u32::from(set);
                }
                None if entry & UNIFORM_PAGE != 0 => {
                    self.entries[page as usize] = self.allocate(context);
                    became_resident.push((page, entry as u16));
                }
                None => {}
            }
        }
        became_resident
    }

    fn write_table(&self, context: &Context) {
        context.queue.write_buffer(&self.table, 0, bytemuck::cast_slice(&self.entries));
    }

    fn page_of(&self, brick_index: u32) -> u32 {
        let [pi, pj, pk] = brick_position(brick_index, self.brick_dims).map(|n| n / BRICKS_ACROSS);
        pi + self.page_dims[0] * (pj + self.page_dims[1] * pk)
    }

    /// The bricks of a page that lie in the grid.
    fn bricks_of(&self, page: u32) -> Vec<u32> {
        let first = brick_position(page, self.page_dims).map(|n| n * BRICKS_ACROSS);
        let mut found = Vec::with_capacity(8);
        for step in 0..BRICKS_ACROSS.pow(3) {
            let [bi, bj, bk] = brick_position(step, [BRICKS_ACROSS; 3]);
            let at = [first[0] + bi, first[1] + bj, first[2] + bk];
            if (0..3).all(|axis| at[axis] < self.brick_dims[axis]) {
                found.push(at[0] + self.brick_dims[0] * (at[1] + self.brick_dims[1] * at[2]));
            }
        }
        found
    }

    fn uniform_set(&self, page: u32) -> Option<u16> {
        let mut sets = self.bricks_of(page).into_iter().map(|brick| self.brick_sets[brick as usize]);
        let first = sets.next()??;
        sets.all(|set| set == Some(first)).then_some(first)
    }

    fn texel_of(&self, brick_index: u32, entry: u32) -> [u32; 3] {
        let within = brick_position(brick_index, self.brick_dims).map(|n| n % BRICKS_ACROSS * MASK_BRICK);
        let page = origin(entry);
        std::array::from_fn(|axis| page[axis] + within[axis])
    }

    fn allocate(&mut self, context: &Context) -> u32 {
        if self.free.is_empty() {
            self.grow(context);
        }
        self.free.pop().expect("a texture of 2048 texels a side holds every page of a grid of this size")
    }

    /// Doubles the texture along its last axis.
    fn grow(&mut self, context: &Context) {
        let deep = self.texture.depth_or_array_layers() / ATLAS_PAGE;
        let deeper = (deep * 2).min(MOST_PAGES_DEEP);
        let texture = make_texture(context, self.across, deeper);
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_texture_to_texture(
            self.texture.as_image_copy(),
            texture.as_image_copy(),
            wgpu::Extent3d {
                width: self.texture.width(),
                height: self.texture.height(),
                depth_or_array_layers: self.texture.depth_or_array_layers(),
            },
        );
        context.queue.submit([encoder.finish()]);
        self.view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        self.texture = texture;
        self.free_layers(deep, deeper);
    }

    fn free_layers(&mut self, from: u32, to: u32) {
        for z in (from..to).rev() {
            for n in (0..self.across * self.across).rev() {
                self.free.push((n % self.across) | ((n / self.across) << 8) | (z << 16));
            }
        }
    }
}

/// Texel at which a resident page begins.
fn origin(entry: u32) -> [u32; 3] {
    [entry & 255, (entry >> 8) & 255, (entry >> 16) & 255].map(|n| n * ATLAS_PAGE)
}

fn make_texture(context: &Context, across: u32, deep: u32) -> wgpu::Texture {
    context.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("segment atlas"),
        size: wgpu::Extent3d {
            width: across * ATLAS_PAGE,
            height: across * ATLAS_PAGE,
            depth_or_array_layers: deep * ATLAS_PAGE,
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D3,
        format: wgpu::TextureFormat::R16Uint,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    })
}

/// Writes one brick of the texture.
fn upload(context: &Context, texture: &wgpu::Texture, [x, y, z]: [u32; 3], labels: &[u16]) {
    context.queue.write_texture(
        wgpu::TexelCopyTextureInfo {
            texture,
            mip_level: 0,
            origin: wgpu::Origin3d { x, y, z },
            aspect: wgpu::TextureAspect::All,
        },
        bytemuck::cast_slice(labels),
        wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(MASK_BRICK * 2),
            rows_per_image: Some(MASK_BRICK),
        },
        wgpu::Extent3d { width: MASK_BRICK, height: MASK_BRICK, depth_or_array_layers: MASK_BRICK },
    );
}
