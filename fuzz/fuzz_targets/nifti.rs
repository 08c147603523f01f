#![no_main]
//! Any bytes as `a.nii`.

mod read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read::read("a.nii", bytes));
