// segments: which set of segments a voxel belongs to, and how that set is drawn. Rust twin: gpu::segment_atlas.
// Space: voxel indices of the segmentation's grid. Pages of 64^3 u16 set numbers in one 3D texture, found by a page table.

const ATLAS_PAGE_BITS: u32 = 6u;
const ATLAS_PAGE_MASK: i32 = 63;
// A page whose voxels all belong to one set has no texels: the entry itself holds the set.
const UNIFORM_PAGE: u32 = 0x80000000u;

// Fill is premultiplied; members are the visible segments of the set in drawing order.
struct SegmentSet {
    fill: vec4<f32>,
    first_member: u32,
    member_count: u32,
    reserved: vec2<u32>,
}

struct SegmentMember {
    color: vec3<f32>,
    slot: u32,
    // Width of the outline, as a multiple of the view's.
    outline: f32,
    reserved_a: f32,
    reserved_b: f32,
    reserved_c: f32,
}

@group(1) @binding(1) var segment_atlas: texture_3d<u32>;
@group(1) @binding(2) var<storage, read> segment_pages: array<u32>;
@group(1) @binding(3) var<storage, read> segment_sets: array<SegmentSet>;
@group(1) @binding(4) var<storage, read> segment_members: array<SegmentMember>;

// Number of the set of a voxel; 0, the empty set, outside the grid. Free of branches: CPU drivers pay for both sides.
fn segment_set_at(voxel: vec3<i32>, dims: vec3<i32>) -> u32 {
    let inside = all(voxel >= vec3<i32>(0)) && all(voxel < dims);
    let at = vec3<u32>(clamp(voxel, vec3<i32>(0), dims - vec3<i32>(1)));
    let page = at >> vec3<u32>(ATLAS_PAGE_BITS);
    let page_dims = vec3<u32>(dims + vec3<i32>(ATLAS_PAGE_MASK)) >> vec3<u32>(ATLAS_PAGE_BITS);
    let entry = segment_pages[page.x + page_dims.x * (page.y + page_dims.y * page.z)];
    let uniform_page = (entry & UNIFORM_PAGE) != 0u;
    let resident_entry = select(entry, 0u, uniform_page);
    let origin = vec3<i32>(vec3<u32>(resident_entry, resident_entry >> 8u, resident_entry >> 16u) & vec3<u32>(255u));
    let texel = (origin << vec3<u32>(ATLAS_PAGE_BITS)) + (vec3<i32>(at) & vec3<i32>(ATLAS_PAGE_MASK));
    let loaded = textureLoad(segment_atlas, texel, 0).r;
    return select(0u, select(loaded, entry & 0xffffu, uniform_page), inside);
}

// Whether a visible segment is in a set.
fn set_contains(set_index: u32, slot: u32) -> bool {
    let group = segment_sets[set_index];
    var found = false;
    for (var n = 0u; n < group.member_count; n++) {
        found = found || segment_members[group.first_member + n].slot == slot;
    }
    return found;
}
