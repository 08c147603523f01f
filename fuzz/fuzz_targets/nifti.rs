#![no_main]
//! Any bytes as `a.nii`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maquette_fuzz::read_images("a.nii", bytes));
