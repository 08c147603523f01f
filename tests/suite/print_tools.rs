//! What the programs of a print lab say of our STL files: PrusaSlicer and admesh, where they are installed.
//!
//! PrusaSlicer ends with 0 even on files that it cannot read: its words are read, not its exit code.

use std::path::{Path, PathBuf};
use std::process::Command;

use maquette::domain::mesh::smooth::{SmoothOptions, smooth};
use maquette::domain::mesh::space::MeshSpace;
use maquette::domain::surface::extract_volume;
use maquette::io::stl::write_stl;
use maquette::ops::open::open;
use maquette::task::Progress;

use crate::support::real_ct::real_ct;

/// What a program prints, both streams; `None` when it is not installed.
#[allow(clippy::print_stderr, reason = "the closing summary of scripts/test gathers these lines")]
fn words_of(program: &str, arguments: &[&str], file: &Path) -> Option<String> {
    match Command::new(program).args(arguments).arg(file).output() {
        Ok(output) => {
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            Some(format!("{out}\n{err}"))
        }
        Err(_) => {
            eprintln!("SKIPPED: check of an STL by {program}: it is not installed");
            None
        }
    }
}

/// The skull at 300 HU, smoothed, as STL in a folder that lives as long as the test.
fn skull(folder: &Path) -> Option<(PathBuf, f64)> {
    let series = real_ct("skull-ct/dicom")?;
    let progress = Progress::new();
    let loaded = open(&series, None, &progress, &|_| ()).expect("the skull opens");
    let mesh = extract_volume(&loaded.volume, 300.0, &progress).expect("not cancelled");
    let (mesh, _) = smooth(&mesh, &SmoothOptions::default(), &progress).expect("not cancelled");
    let path = folder.join("skull.stl");
    write_stl(&path, &mesh, MeshSpace::Lps).expect("written");
    Some((path, mesh.volume_mm3()))
}

/// The number behind `name =` or `name:` in a report.
fn number_after(words: &str, name: &str) -> Option<f64> {
    let rest = &words[words.find(name)? + name.len()..];
    rest.trim_start_matches([' ', ':', '=']).split_whitespace().next()?.trim_end_matches('%').parse().ok()
}

#[test]
fn print_tools_find_nothing_wrong_with_the_skull() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((path, volume_mm3)) = skull(folder.path()) else { return };
    if let Some(words) = words_of("prusa-slicer", &["--info"], &path) {
        assert!(words.contains("manifold = yes"), "{words}");
        let found = number_after(&words, "volume").expect("a volume");
        assert!((found / volume_mm3 - 1.0).abs() < 1e-3, "{found} against {volume_mm3}");
    }
    if let Some(words) = words_of("admesh", &[], &path) {
        for fault in
            ["Degenerate facets", "Edges fixed", "Facets removed", "Facets added", "Facets reversed", "Backwards edges"]
        {
            assert_eq!(number_after(&words, fault), Some(0.0), "{fault}:\n{words}");
        }
    }
}
