// emit_triangles: vertex ids of the triangles of every cell. CPU twin: domain::surface::triangles.
// In: mask, row starts, triangle starts, the case table. Out: three ids a triangle.
// Dispatch: one invocation per run of rows of cells, serial: ids run along with the row, a tree of selects picks them.

#import surface

@group(0) @binding(0) var<uniform> globals: SurfaceGlobals;
@group(0) @binding(1) var<storage, read> mask: array<u32>;
@group(0) @binding(2) var<uniform> cases: array<vec4<u32>, 256>;
@group(0) @binding(3) var<storage, read> row_starts: array<u32>;
@group(0) @binding(4) var<storage, read> triangle_starts: array<u32>;
// Which words of a row of cells hold triangles.
@group(0) @binding(5) var<storage, read> cell_words: array<u32>;
@group(0) @binding(6) var<storage, read_write> triangles: array<u32>;

fn id_of(edge: u32, along_i: vec4<u32>, along_j: vec4<u32>, along_k: vec4<u32>) -> u32 {
    let family = select(select(along_i, along_j, edge >= 4u), along_k, edge >= 8u);
    let half = select(family.xy, family.zw, (edge & 2u) != 0u);
    return select(half.x, half.y, (edge & 1u) != 0u);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let rows = globals.rows;
    let words = globals.words;
    let total = rows * globals.slices;
    let run = run_length(total, globals.runs);
    let group = globals.words_per_bit;
    let one = vec4<u32>(1u);
    let is_mirrored = globals.mirrored != 0u;
    var row = run_of(workgroup.x, local, globals.runs) * run;
    let end = min(row + run, total);
    // Counted along: dividing at every row costs too much.
    var k = row / rows;
    var j = row - rows * k;
    loop {
        // Rows of cells without a triangle have nothing to do; the last rows and slices are among them.
        loop {
            if row >= end || cell_words[row] != 0u { break; }
            row += 1u;
            j = select(j + 1u, 0u, j + 1u == rows);
            k += select(0u, 1u, j == 0u);
        }
        if row >= end { break; }
        let here = 3u * rows * k + j;
        let above = here + 3u * rows;
        // Next ids: four rows along i; two along j; two along k.
        var next_i = vec4<u32>(row_starts[here], row_starts[here + 1u], row_starts[above], row_starts[above + 1u]);
        var next_j = vec2<u32>(row_starts[here + rows], row_starts[above + rows]);
        var next_k = vec2<u32>(row_starts[here + 2u * rows], row_starts[here + 2u * rows + 1u]);
        let base = row * words;
        let step = vec4<u32>(0u, words, words * rows, words * rows + words);
        var place = 3u * triangle_starts[row];
        // From one word with triangles to the next: none between them has a cut edge, so that ids stand still.
        var ahead = cell_words[row];
        var w = 0u;
        var end_group = 0u;
        loop {
            if w >= end_group {
                if ahead == 0u { break; }
                w = group * firstTrailingBit(ahead);
                end_group = min(w + group, words);
                ahead &= ahead - 1u;
            }
            let at = base + w;
            let now = vec4<u32>(mask[at], mask[at + step.y], mask[at + step.z], mask[at + step.w]);
            let next = vec4<u32>(mask[at + 1u], mask[at + 1u + step.y], mask[at + 1u + step.z], mask[at + 1u + step.w]);
            let beside = (now >> one) | (next << vec4<u32>(31u));
            let joined = now | beside;
            let shared_bits = now & beside;
            let pairwise = vec4<u32>(joined.xy | joined.zw, ~(shared_bits.xy & shared_bits.zw));
            var uneven = (pairwise.x | pairwise.y) & (pairwise.z | pairwise.w);
            let cut_i = now ^ beside;
            let cut_j = now.xz ^ now.yw;
            let cut_k = now.xy ^ now.zw;
            loop {
                if uneven == 0u { break; }
                let i = firstTrailingBit(uneven);
                uneven &= uneven - 1u;
                let shift = vec4<u32>(i);
                let below = (1u << i) - 1u;
                let pairs = ((now >> shift) & one) | (((beside >> shift) & one) << one);
                let packed = cases[pairs.x | (pairs.y << 2u) | (pairs.z << 4u) | (pairs.w << 6u)].xy;
                let along_i = next_i + countOneBits(cut_i & vec4<u32>(below));
                let at_j = next_j + countOneBits(cut_j & vec2<u32>(below));
                let at_k = next_k + countOneBits(cut_k & vec2<u32>(below));
                let after_j = at_j + ((cut_j >> shift.xy) & one.xy);
                let after_k = at_k + ((cut_k >> shift.xy) & one.xy);
                let along_j = vec4<u32>(at_j.x, after_j.x, at_j.y, after_j.y);
                let along_k = vec4<u32>(at_k.x, after_k.x, at_k.y, after_k.y);
                let end_cell = place + 3u * (packed.y >> 28u);
                var low = packed.x;
                var high = packed.y;
                loop {
                    if place >= end_cell { break; }
                    let b = id_of((low >> 4u) & 15u, along_i, along_j, along_k);
                    let c = id_of((low >> 8u) & 15u, along_i, along_j, along_k);
                    triangles[place] = id_of(low & 15u, along_i, along_j, along_k);
                    triangles[place + 1u] = select(b, c, is_mirrored);
                    triangles[place + 2u] = select(c, b, is_mirrored);
                    low = (low >> 12u) | (high << 20u);
                    high = high >> 12u;
                    place += 3u;
                }
            }
            next_i += countOneBits(cut_i);
            next_j += countOneBits(cut_j);
            next_k += countOneBits(cut_k);
            w += 1u;
        }
        row += 1u;
        j = select(j + 1u, 0u, j + 1u == rows);
        k += select(0u, 1u, j == 0u);
    }
}
