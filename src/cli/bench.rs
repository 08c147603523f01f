//! `maquette bench`: what import, surface, render and brush cost on this machine.
//!
//! Figures are medians over the runs; CPU time is that of all threads. Compare only figures of one run of one machine, paired:
//! the scripts under `tests/peers` do that against other programs.

pub mod brush;
pub mod import;
pub mod mesh;
pub mod render;
pub mod segment;
pub mod slice;
pub mod surface;

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;

/// What to measure, and on what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Case to run; all when left out
    pub case: Option<Case>,
    /// Folder, file or series to run on instead of the phantom
    #[arg(long)]
    pub input: Option<PathBuf>,
    /// Value of the surface, for the case `surface`; bone on CT when left out
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub iso: Option<f64>,
    /// Where to compute
    #[arg(long, default_value = "auto", value_parser = ["cpu", "gpu", "auto"])]
    pub backend: String,
    /// Runs to take the median of
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
    /// One JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
}

/// The things that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Case {
    /// Files to volume, min-max cells and histogram
    Import,
    /// Isosurface, cold and with cells known
    Surface,
    /// Volume frames
    Render,
    /// Double-oblique slices, thin and thick
    Slice,
    /// Brush dabs: mask, undo record, upload, touched surface
    Brush,
    /// Threshold, connected parts, holes, closing, distance, statistics of a mask
    Segment,
    /// Check, smoothing, deviation and contours of a surface
    Mesh,
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Case and variant, e.g. `surface/cold`.
    pub case: String,
    /// `cpu`, or the name of the adapter.
    pub backend: String,
    /// Runs.
    pub n: u32,
    /// Median wall time of a run, ms.
    pub wall_ms: f64,
    /// Median CPU time of a run over all threads, ms.
    pub cpu_ms: f64,
    /// Peak resident memory of the process so far, MiB.
    pub peak_rss_mb: f64,
    /// What came out: counts and a checksum, so that two runs can be compared.
    pub produced: serde_json::Value,
}

/// Medians of several runs.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Runs.
    pub n: u32,
    /// Median wall time, ms.
    pub wall_ms: f64,
    /// Median CPU time over all threads, ms.
    pub cpu_ms: f64,
}

impl Timing {
    /// A table line of this timing.
    pub fn row(self, case: impl Into<String>, backend: impl Into<String>, produced: serde_json::Value) -> Row {
        let Self { n, wall_ms, cpu_ms } = self;
        Row { case: case.into(), backend: backend.into(), n, wall_ms, cpu_ms, peak_rss_mb: peak_rss_mb(), produced }
    }
}

/// Runs `work` `runs` times; returns the last result and the medians. What `work` returns is dropped outside the clock.
pub fn measure<T>(runs: u32, mut work: impl FnMut() -> T) -> (T, Timing) {
    let (mut wall_ms, mut cpu_ms) = (Vec::new(), Vec::new());
    let mut result = None;
    for _ in 0..runs.max(1) {
        drop(result.take());
        let (cpu_before, begin) = (cpu_time_ms(), Instant::now());
        result = Some(work());
        wall_ms.push(begin.elapsed().as_secs_f64() * 1e3);
        cpu_ms.push(cpu_time_ms() - cpu_before);
    }
    let timing = Timing { n: runs.max(1), wall_ms: median(&mut wall_ms), cpu_ms: median(&mut cpu_ms) };
    (result.expect("at least one run"), timing)
}

/// The value below which a part (0 to 1) of the values lie; 0 for none.
pub fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    values.get((last * part).round() as usize).copied().unwrap_or(0.0)
}

fn median(values: &mut [f64]) -> f64 {
    percentile(values, 0.5)
}

/// CPU time of this process over all its threads, ms.
fn cpu_time_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// Peak resident memory of this process, MiB; 0 where the system does not tell.
pub fn peak_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// Runs the cases and prints their rows.
///
/// # Errors
/// When data cannot be read or a backend is not there.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let wanted = |case: Case| args.case.is_none_or(|only| only == case);
    if !args.json {
        writeln!(
            out,
            "{:<34} {:<22} {:>4} {:>10} {:>10} {:>9}  produced",
            "case", "backend", "n", "wall ms", "cpu ms", "peak MiB"
        )?;
    }
    let cases: [(Case, CaseFn); 7] = [
        (Case::Import, import::run),
        (Case::Surface, surface::run),
        (Case::Render, render::run),
        (Case::Slice, slice::run),
        (Case::Brush, brush::run),
        (Case::Segment, segment::run),
        (Case::Mesh, mesh::run),
    ];
    for (case, measure_case) in cases {
        if wanted(case) {
            measure_case(args, &mut |row| print_row(out, &row, args.json))?;
        }
    }
    Ok(())
}

/// A case measures and hands each row on as soon as it is known.
type CaseFn = fn(&Args, &mut dyn FnMut(Row) -> anyhow::Result<()>) -> anyhow::Result<()>;

fn print_row(out: &mut dyn Write, row: &Row, json: bool) -> anyhow::Result<()> {
    if json {
        writeln!(out, "{}", serde_json::to_string(row)?)?;
    } else {
        let Row { case, backend, n, wall_ms, cpu_ms, peak_rss_mb, produced } = row;
        writeln!(out, "{case:<34} {backend:<22} {n:>4} {wall_ms:>10.2} {cpu_ms:>10.2} {peak_rss_mb:>9.1}  {produced}")?;
    }
    Ok(out.flush()?)
}
