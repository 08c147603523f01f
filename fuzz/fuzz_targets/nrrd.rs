#![no_main]
//! Any bytes as `a.seg.nrrd`.

mod read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read::read("a.seg.nrrd", bytes));
