//! The table of embedded shaders and their text import.
//!
//! `#import name` pastes `shaders/shared/name.wgsl` once, at most two deep; there is no `#ifdef`, variants are `override`
//! constants. A test asserts that this table equals the folder and that every entry shader validates.

use std::fmt::Write as _;

/// (path below `shaders/`, text) of every shader file, sorted.
pub const SHADERS: &[(&str, &str)] = &[
    ("render/composite.wgsl", include_str!("../../shaders/render/composite.wgsl")),
    ("render/line.wgsl", include_str!("../../shaders/render/line.wgsl")),
    ("render/mesh.wgsl", include_str!("../../shaders/render/mesh.wgsl")),
    ("render/opaque_distance.wgsl", include_str!("../../shaders/render/opaque_distance.wgsl")),
    ("render/panels.wgsl", include_str!("../../shaders/render/panels.wgsl")),
    ("render/plane.wgsl", include_str!("../../shaders/render/plane.wgsl")),
    ("render/raymarch.wgsl", include_str!("../../shaders/render/raymarch.wgsl")),
    ("render/slice.wgsl", include_str!("../../shaders/render/slice.wgsl")),
    ("shared/camera.wgsl", include_str!("../../shaders/shared/camera.wgsl")),
    ("shared/lighting.wgsl", include_str!("../../shaders/shared/lighting.wgsl")),
    ("shared/projections.wgsl", include_str!("../../shaders/shared/projections.wgsl")),
    ("shared/segments.wgsl", include_str!("../../shaders/shared/segments.wgsl")),
    ("shared/surface.wgsl", include_str!("../../shaders/shared/surface.wgsl")),
    ("shared/view.wgsl", include_str!("../../shaders/shared/view.wgsl")),
    ("shared/volume.wgsl", include_str!("../../shaders/shared/volume.wgsl")),
    ("stages/classify_voxels.wgsl", include_str!("../../shaders/stages/classify_voxels.wgsl")),
    ("stages/count_rows.wgsl", include_str!("../../shaders/stages/count_rows.wgsl")),
    ("stages/emit_triangles.wgsl", include_str!("../../shaders/stages/emit_triangles.wgsl")),
    ("stages/emit_vertices.wgsl", include_str!("../../shaders/stages/emit_vertices.wgsl")),
    ("stages/scan_counts.wgsl", include_str!("../../shaders/stages/scan_counts.wgsl")),
];

/// The embedded text of one shader file.
///
/// # Panics
/// When the table has no such file: a misspelt name in our own code.
pub fn source(path: &str) -> &'static str {
    let found = SHADERS.iter().find(|(name, _)| *name == path);
    found.unwrap_or_else(|| panic!("no shader {path} in the table")).1
}

/// The text of a shader with its imports pasted in.
///
/// # Panics
/// When an import names a file that the table lacks, or imports nest deeper than two.
pub fn expanded(path: &str) -> String {
    let (mut text, mut pasted) = (String::new(), Vec::new());
    expand_into(path, &mut text, &mut pasted, 0);
    text
}

fn expand_into(path: &str, text: &mut String, pasted: &mut Vec<String>, depth: usize) {
    assert!(depth <= 2, "imports nest deeper than two at {path}");
    for line in source(path).lines() {
        if let Some(name) = line.strip_prefix("#import ") {
            let import = format!("shared/{}.wgsl", name.trim());
            if !pasted.contains(&import) {
                pasted.push(import.clone());
                expand_into(&import, text, pasted, depth + 1);
            }
        } else {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{line}");
        }
    }
}

/// Compiles a shader of the table.
pub fn module(device: &wgpu::Device, path: &'static str) -> wgpu::ShaderModule {
    device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(path),
        source: wgpu::ShaderSource::Wgsl(expanded(path).into()),
    })
}
