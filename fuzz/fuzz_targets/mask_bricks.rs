#![no_main]
//! Any bytes as the bricks of a mask, packed and as they are.

use std::io::Write;

use maquette_fuzz::io::mask_bricks::{decode_delta, encode_delta};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _any = decode_delta(bytes);
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("memory");
    if let Ok((dims, delta)) = decode_delta(&packer.finish().expect("memory")) {
        assert_eq!(decode_delta(&encode_delta(dims, &delta)), Ok((dims, delta)));
    }
});
