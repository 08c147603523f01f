#![no_main]
//! Any bytes as `a.dcm`.

mod read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read::read("a.dcm", bytes));
