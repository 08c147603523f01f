//! Textures and buffers back to main memory, row padding removed.
//!
//! Waits for the device: for pictures that are saved, for tests and for single texels, never inside a frame.

use super::context::Context;

/// Bytes of a 2D texture, row by row without padding. The texture needs `COPY_SRC`.
pub fn texture_bytes(context: &Context, texture: &wgpu::Texture) -> Vec<u8> {
    let size = wgpu::Extent3d { width: texture.width(), height: texture.height(), depth_or_array_layers: 1 };
    region_bytes(context, texture, wgpu::Origin3d::ZERO, size)
}

/// Bytes of one texel of a 2D texture.
///
/// # Panics
/// When the texel lies outside.
pub fn texel_bytes(context: &Context, texture: &wgpu::Texture, x: u32, y: u32) -> Vec<u8> {
    assert!(x < texture.width() && y < texture.height(), "a texel of the texture");
    let size = wgpu::Extent3d { width: 1, height: 1, depth_or_array_layers: 1 };
    region_bytes(context, texture, wgpu::Origin3d { x, y, z: 0 }, size)
}

/// Bytes of a box of texels, i fastest, without padding.
pub fn region_bytes(
    context: &Context,
    texture: &wgpu::Texture,
    origin: wgpu::Origin3d,
    size: wgpu::Extent3d,
) -> Vec<u8> {
    let texel_size = texture.format().block_copy_size(None).unwrap_or(4);
    let row = size.width * texel_size;
    let padded = row.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let rows = size.height * size.depth_or_array_layers;
    let buffer = mappable(context, u64::from(padded) * u64::from(rows));
    let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_texture_to_buffer(
        wgpu::TexelCopyTextureInfo { texture, mip_level: 0, origin, aspect: wgpu::TextureAspect::All },
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(padded),
                rows_per_image: Some(size.height),
            },
        },
        size,
    );
    let bytes = mapped(context, encoder, &buffer);
    bytes.chunks(padded as usize).flat_map(|line| &line[..row as usize]).copied().collect()
}

/// Single words of several buffers, in one wait. The buffers need `COPY_SRC`.
pub fn words<const N: usize>(context: &Context, places: [(&wgpu::Buffer, u64); N]) -> [u32; N] {
    let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let buffer = mappable(context, N as u64 * 4);
    for (n, (source, index)) in places.into_iter().enumerate() {
        encoder.copy_buffer_to_buffer(source, index * 4, &buffer, n as u64 * 4, 4);
    }
    bytemuck::pod_read_unaligned(&mapped(context, encoder, &buffer))
}

/// Bytes of a part of a buffer; offset and size are multiples of four. The buffer needs `COPY_SRC`.
pub fn buffer_bytes(context: &Context, source: &wgpu::Buffer, offset: u64, size: u64) -> Vec<u8> {
    let buffer = mappable(context, size);
    let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(source, offset, &buffer, 0, size);
    mapped(context, encoder, &buffer)
}

fn mappable(context: &Context, size: u64) -> wgpu::Buffer {
    context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("readback"),
        size,
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    })
}

/// Submits and waits, then takes the bytes.
fn mapped(context: &Context, encoder: wgpu::CommandEncoder, buffer: &wgpu::Buffer) -> Vec<u8> {
    context.queue.submit([encoder.finish()]);
    buffer.map_async(wgpu::MapMode::Read, .., |_| {});
    context.wait();
    // A lost device maps nothing: zeros then, and Context::is_lost() tells.
    buffer.get_mapped_range(..).map_or_else(|_| vec![0; buffer.size() as usize], |bytes| bytes.to_vec())
}
