#![no_main]
//! Any bytes as a case file, and any bytes as its manifest.

use std::io::Write;

use maquette_fuzz::io::case_file::read_case;
use maquette_fuzz::with_file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    with_file("a.maquette", bytes, |path| drop(read_case(path)));
    let mut packed = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    packed.start_file("manifest.json", zip::write::SimpleFileOptions::default()).expect("a part");
    packed.write_all(bytes).expect("memory");
    let packed = packed.finish().expect("memory").into_inner();
    with_file("b.maquette", &packed, |path| drop(read_case(path)));
});
