//! The rooms that read bytes, compiled without window and GPU (links to `../src`), and what every target
//! does with a file.

pub mod domain;
pub mod io;
pub mod task;

use std::path::Path;

use io::import::{load, scan, thumbnail};
use task::Progress;

/// Decoders of other hands may panic: the reader catches that and refuses the file. The fuzzer ends at any panic, caught or not,
/// unless its hook is taken away; one that nobody catches still ends it.
fn let_decoders_panic() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|what| eprintln!("{what}"))));
}

/// Puts bytes into a file of this name and hands it over.
pub fn with_file(name: &str, bytes: &[u8], read: impl FnOnce(&Path)) {
    let_decoders_panic();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    read(&path);
}

/// Does all that a window would do with an image file. Only a panic, a hang or memory without bound can fail it; a volume
/// that comes out must be as large as it says.
pub fn read_images(name: &str, bytes: &[u8]) {
    with_file(name, bytes, |path| {
        let progress = Progress::new();
        drop(io::dicom::tags(path));
        drop(io::volume_file::read_segments(path, &progress));
        let Ok(found) = scan(path, &progress) else { return };
        for entry in &found.entries {
            drop(thumbnail(entry, 32));
            if let Ok(loaded) = load(entry, &progress, &|_| {}) {
                let voxels: usize = loaded.volume.grid().dims().iter().map(|&n| n as usize).product();
                assert_eq!(loaded.volume.samples().len(), voxels);
                assert!(entry.is_loadable());
            }
        }
    });
}
