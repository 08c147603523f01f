// count_rows: vertices of each row and axis, triangles of each row of cells. CPU twin: domain::surface::count.
// In: mask words, the case table. Out: counts in the order slices, axes, rows; triangles in the order slices, rows; for both,
// a bit for each word of the row that has any, so that the stages behind go from one to the next.
// Dispatch: one invocation per run of rows, serial. The last point of a row is padding, so a shift may take in the first bit
// of the next row: that is padding too.

#import surface

@group(0) @binding(0) var<uniform> globals: SurfaceGlobals;
@group(0) @binding(1) var<storage, read> mask: array<u32>;
// Per case: triangles as in domain::surface::tables, low word first.
@group(0) @binding(2) var<uniform> cases: array<vec4<u32>, 256>;
@group(0) @binding(3) var<storage, read_write> vertex_counts: array<u32>;
@group(0) @binding(4) var<storage, read_write> triangle_counts: array<u32>;
@group(0) @binding(5) var<storage, read_write> cut_words: array<u32>;
@group(0) @binding(6) var<storage, read_write> cell_words: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let rows = globals.rows;
    let words = globals.words;
    let total = rows * globals.slices;
    let run = run_length(total, globals.runs);
    var row = run_of(workgroup.x, local, globals.runs) * run;
    let end = min(row + run, total);
    // Counted along: dividing at every row costs too much.
    var k = row / rows;
    var j = row - rows * k;
    loop {
        if row >= end { break; }
        // A row without a neighbour is its own: nothing differs.
        let step_j = select(0u, words, j + 1u < rows);
        let step_k = select(0u, words * rows, k + 1u < globals.slices);
        let cells = select(0u, 0xffffffffu, step_j != 0u && step_k != 0u);
        let base = row * words;
        var found = vec3<u32>(0u);
        var triangles = 0u;
        var words_cut = vec3<u32>(0u);
        var words_uneven = 0u;
        var word_bit = 1u;
        var words_left = globals.words_per_bit;
        var now = vec4<u32>(mask[base], mask[base + step_j], mask[base + step_k], mask[base + step_j + step_k]);
        var w = 1u;
        loop {
            if w > words { break; }
            let at = base + w;
            let next = vec4<u32>(mask[at], mask[at + step_j], mask[at + step_k], mask[at + step_j + step_k]);
            let beside = (now >> vec4<u32>(1u)) | (next << vec4<u32>(31u));
            let cut = now.xxx ^ vec3<u32>(beside.x, now.y, now.z);
            found += countOneBits(cut);
            words_cut |= select(vec3<u32>(0u), vec3<u32>(word_bit), cut != vec3<u32>(0u));
            let joined = now | beside;
            let shared_bits = now & beside;
            let pairwise = vec4<u32>(joined.xy | joined.zw, ~(shared_bits.xy & shared_bits.zw));
            var uneven = (pairwise.x | pairwise.y) & (pairwise.z | pairwise.w) & cells;
            words_uneven |= select(0u, word_bit, uneven != 0u);
            loop {
                if uneven == 0u { break; }
                let i = vec4<u32>(firstTrailingBit(uneven));
                uneven &= uneven - 1u;
                let pairs = ((now >> i) & vec4<u32>(1u)) | (((beside >> i) & vec4<u32>(1u)) << vec4<u32>(1u));
                let case_index = pairs.x | (pairs.y << 2u) | (pairs.z << 4u) | (pairs.w << 6u);
                triangles += cases[case_index].y >> 28u;
            }
            words_left -= 1u;
            word_bit = select(word_bit, word_bit << 1u, words_left == 0u);
            words_left = select(words_left, globals.words_per_bit, words_left == 0u);
            now = next;
            w += 1u;
        }
        let place = 3u * rows * k + j;
        vertex_counts[place] = found.x;
        vertex_counts[place + rows] = found.y;
        vertex_counts[place + 2u * rows] = found.z;
        triangle_counts[row] = triangles;
        cut_words[place] = words_cut.x;
        cut_words[place + rows] = words_cut.y;
        cut_words[place + 2u * rows] = words_cut.z;
        cell_words[row] = words_uneven;
        row += 1u;
        j = select(j + 1u, 0u, j + 1u == rows);
        k += select(0u, 1u, j == 0u);
    }
}
