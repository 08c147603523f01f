//! Every real DICOM file that pydicom and pydicom-data ship: what becomes of it, and its values against pydicom's.
//!
//! `import_corpus.tsv` has a row for each file: package and name, what a scan of the file alone gives, what opening it
//! gives, and how its stored values compare. A file without a row fails, so that a new release of the packages is looked
//! at. Found through `MAQUETTE_PEERS_PYTHON`, whose packages scripts/test installs; SKIPPED, said, without.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use maquette::io::dicom::header::read_headers;
use maquette::io::dicom::pixels::stored_values;
use maquette::ops::open::{load, scan};
use maquette::task::Progress;
use rayon::prelude::*;
use serde_json::Value;

const TABLE: &str = include_str!("import_corpus.tsv");

/// What pydicom says of each file, from tests/peers/corpus.py; `None`, said, where it cannot be asked.
#[allow(clippy::print_stderr, reason = "the closing summary of scripts/test gathers these lines")]
fn corpus() -> Option<Vec<Value>> {
    let skipped = |why: &str| eprintln!("SKIPPED: real files of pydicom and pydicom-data: {why}");
    let Some(python) = std::env::var_os("MAQUETTE_PEERS_PYTHON") else {
        skipped("MAQUETTE_PEERS_PYTHON is not set");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/corpus.py");
    let output = Command::new(python).arg(script).output().expect("a Python");
    if !output.status.success() {
        skipped("the packages are not installed (pydicom, pydicom-data, pylibjpeg with its plugins)");
        return None;
    }
    let lines = String::from_utf8(output.stdout).expect("text");
    Some(lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

/// What a scan of one file gives, in the words of the table.
fn outcome(path: &Path) -> String {
    let progress = Progress::new();
    let short = |text: String| {
        let without_path = text.replace(&*path.to_string_lossy(), "FILE");
        without_path.split("; nothing").next().unwrap_or_default().to_owned()
    };
    let scan = match scan(path, &progress) {
        Ok(scan) => scan,
        Err(error) => return format!("no image: {}", short(error.to_string())),
    };
    if !scan.entries.iter().any(|entry| entry.files.iter().any(|file| file == path)) {
        return "an index of files: its folder is looked through".to_owned();
    }
    let one = |entry: &maquette::ops::open::SeriesEntry| match load(entry, &progress, &|_| {}) {
        Ok(loaded) => {
            let [ni, nj, nk] = loaded.volume.grid().dims();
            let unit = loaded.volume.quantity().unit();
            format!("volume {ni} x {nj} x {nk}{}{unit}", if unit.is_empty() { "" } else { " " })
        }
        Err(error) => format!("refused: {}", short(error.to_string())),
    };
    scan.entries.iter().map(one).collect::<Vec<_>>().join(" + ")
}

/// How stored values compare with pydicom's, in the words of the table.
fn values(path: &Path, theirs: &Value) -> String {
    let Some(count) = theirs["count"].as_u64() else { return "not compared".to_owned() };
    let Ok(headers) = read_headers(path) else { return "not compared".to_owned() };
    let file = &headers[0].file;
    let mut crc = flate2::Crc::new();
    let (mut min, mut max, mut have) = (f64::INFINITY, f64::NEG_INFINITY, 0);
    for frame in 0..theirs["frames"].as_u64().unwrap_or(1) {
        let values = match stored_values(file, frame as u32) {
            Ok(values) => values,
            Err(error) => return format!("refused: {error}"),
        };
        have += values.len() as u64;
        (min, max) = values.iter().fold((min, max), |(min, max), &value| (min.min(value), max.max(value)));
        crc.update(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    }
    if have == count && u64::from(crc.sum()) == theirs["crc"].as_u64().unwrap_or(0) {
        return "equal".to_owned();
    }
    let kind = if file.is_lossy { "lossy" } else { "WRONG" };
    format!("{kind}: {min} to {max}, theirs {} to {}", theirs["min"], theirs["max"])
}

#[test]
fn every_real_file_is_opened_or_refused_as_the_table_says() {
    let Some(corpus) = corpus() else { return };
    let expected: BTreeMap<&str, &str> =
        TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|l| l.split_once('\t')).collect();
    let rows: Vec<(String, String)> = corpus
        .par_iter()
        .map(|file| {
            let path = PathBuf::from(file["path"].as_str().expect("a path"));
            (file["file"].as_str().expect("a name").to_owned(), format!("{}\t{}", outcome(&path), values(&path, file)))
        })
        .collect();
    if let Some(wanted) = std::env::var_os("WRITE_CORPUS_TABLE") {
        let text = rows.iter().map(|(name, row)| format!("{name}\t{row}")).collect::<Vec<_>>().join("\n");
        std::fs::write(wanted, text).expect("written");
        return;
    }
    let wrong: Vec<String> = rows
        .iter()
        .filter(|(name, row)| expected.get(name.as_str()) != Some(&row.as_str()))
        .map(|(name, row)| {
            format!("{name}\n  found    {row}\n  expected {}", expected.get(name.as_str()).unwrap_or(&"nothing"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert!(!TABLE.contains("WRONG"), "a table that accepts a wrong value is no table");
}
