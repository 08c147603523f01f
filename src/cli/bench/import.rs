//! Bench case `import`: headers to a list of series, and files to a volume with its min-max cells and histogram.

use serde_json::json;

use crate::domain::phantom::thorax;
use crate::io::dicom::write_series;
use crate::ops::open::{load, pick, scan};
use crate::task::Progress;

use super::{Args, Row, measure};

/// Measures on `--input`, else on a phantom series written to a temporary folder.
///
/// # Errors
/// When the data cannot be read or the phantom cannot be written.
pub fn run(args: &Args, emit: &mut dyn FnMut(Row) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let progress = Progress::new();
    let mut phantom = None;
    let path = if let Some(path) = &args.input {
        path.clone()
    } else {
        let folder = tempfile::tempdir()?;
        let volume = thorax::volume(&thorax::grid([256, 256, 200])?, &progress)?;
        write_series(folder.path(), &volume, &thorax::series_info(), &progress)?;
        phantom.insert(folder).path().to_path_buf()
    };
    let (found, timing) = measure(args.runs, || scan(&path, &progress));
    let found = found?;
    let files: usize = found.entries.iter().map(|entry| entry.files.len()).sum();
    emit(timing.row("import/scan", "cpu", json!({"series": found.entries.len(), "files": files})))?;
    let entry = pick(&found, None)?;
    let (loaded, timing) = measure(args.runs, || load(entry, &progress, &|_| {}));
    let loaded = loaded?;
    let produced = json!({
        "voxels": loaded.volume.samples().len(),
        "sample_mb": loaded.volume.samples().len() as f64 * 2.0 / f64::from(1 << 20),
        "checksum": &loaded.content_hash()[..16],
    });
    emit(timing.row("import/load", "cpu", produced))?;
    let (_, timing) = measure(1, || (loaded.volume.cells().ranges.len(), loaded.volume.histogram().len()));
    emit(timing.row("import/cells and histogram", "cpu", json!({"range": loaded.volume.value_range()})))
}
