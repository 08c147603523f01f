//! What the fuzzer found, each made small: files that asked for more memory than they are long.

use maquette::io::deidentify::{Options, deidentify_path};
use maquette::ops::convert::read_segments;
use maquette::task::Progress;

use crate::support::series::{axial, volume, written};

/// A slice of a CT series with these bytes put in place of others.
fn bent(find: &[u8], put: impl Fn(&mut [u8])) -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, files) = written(&volume(axial()));
    let mut bytes = std::fs::read(&files[0]).expect("readable");
    let at = bytes.windows(find.len()).position(|part| part == find).expect("there");
    put(&mut bytes[at..]);
    let path = folder.path().join("bent.dcm");
    std::fs::write(&path, bytes).expect("written");
    (folder, path)
}

fn is_refused(path: &std::path::Path) -> String {
    let progress = Progress::new();
    let target = path.with_file_name("out.dcm");
    let error = deidentify_path(path, &target, &Options::default(), &progress).expect_err("refused").to_string();
    assert!(!target.exists());
    assert!(read_segments(path, &progress).is_err());
    error
}

#[test]
fn pixels_that_claim_gigabytes_ask_for_none() {
    // Pixel Data, explicit: OW, two bytes of nothing, the length.
    let (_folder, path) = bent(&[0xe0, 0x7f, 0x10, 0x00, b'O', b'W'], |bytes| bytes[8..12].fill(0xf0));
    assert!(is_refused(&path).contains("cut short"));
}

#[test]
fn a_file_head_that_claims_gigabytes_asks_for_none() {
    // Implementation Class UID made a text without bound.
    let (_folder, path) = bent(&[0x02, 0x00, 0x12, 0x00, b'U', b'I'], |bytes| {
        bytes[4..12].copy_from_slice(&[b'U', b'T', 0, 0, 0xf0, 0xff, 0xff, 0xdf]);
    });
    assert!(is_refused(&path).contains("cut short"));
}
