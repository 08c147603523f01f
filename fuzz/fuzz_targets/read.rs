//! What every target does: put the bytes in a file of the right name and do all that a window would do with it.
//! Only a panic, a hang or memory without bound can fail it; a volume that comes out must be as large as it says.

use maquette::ops::open::{load, scan, tags, thumbnail};
use maquette::task::Progress;

pub fn read(name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    let progress = Progress::new();
    drop(tags(&path));
    drop(maquette::io::nrrd::read_segmentation(&path, &progress));
    let Ok(found) = scan(&path, &progress) else { return };
    for entry in &found.entries {
        drop(thumbnail(entry, 32));
        if let Ok(loaded) = load(entry, &progress, &|_| {}) {
            let voxels: usize = loaded.volume.grid().dims().iter().map(|&n| n as usize).product();
            assert_eq!(loaded.volume.samples().len(), voxels);
            assert!(entry.is_loadable());
        }
    }
}
