#![no_main]
//! Any bytes as a ZIP archive, as a file in one, and as the index of a CD.

use std::io::Write;

use maquette_fuzz::io::import::scan;
use maquette_fuzz::task::Progress;
use maquette_fuzz::{read_images, with_file};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    read_images("a.zip", bytes);
    let mut packed = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    packed.start_file("deep/a.dcm", zip::write::SimpleFileOptions::default()).expect("a part");
    packed.write_all(bytes).expect("memory");
    read_images("b.zip", &packed.finish().expect("memory").into_inner());
    with_file("DICOMDIR", bytes, |path| drop(scan(path, &Progress::new())));
});
