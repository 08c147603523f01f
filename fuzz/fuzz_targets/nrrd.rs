#![no_main]
//! Any bytes as `a.seg.nrrd`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maquette_fuzz::read_images("a.seg.nrrd", bytes));
