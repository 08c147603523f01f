// scan_counts: counts become starts (exclusive prefix sums), in place. CPU twin: domain::surface::count::Layout.
// Three dispatches: sums of runs, starts of runs, starts of elements. Serial runs, no barriers, no atomics.

struct ScanGlobals {
    count: u32,
    run: u32,
    run_count: u32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> globals: ScanGlobals;
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;

@compute @workgroup_size(64)
fn sum_runs(@builtin(global_invocation_id) id: vec3<u32>) {
    var n = min(id.x * globals.run, globals.count);
    let end = min(n + globals.run, globals.count);
    var sum = 0u;
    loop {
        if n >= end { break; }
        sum += values[n];
        n += 1u;
    }
    if id.x < globals.run_count {
        sums[id.x] = sum;
    }
}

@compute @workgroup_size(1)
fn scan_sums() {
    var sum = 0u;
    var n = 0u;
    loop {
        if n >= globals.run_count { break; }
        let value = sums[n];
        sums[n] = sum;
        sum += value;
        n += 1u;
    }
}

@compute @workgroup_size(64)
fn spread_sums(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= globals.run_count {
        return;
    }
    var n = id.x * globals.run;
    let end = min(n + globals.run, globals.count);
    var sum = sums[id.x];
    loop {
        if n >= end { break; }
        let value = values[n];
        values[n] = sum;
        sum += value;
        n += 1u;
    }
}
