#![no_main]
//! Any bytes as a DICOM file whose identity is removed: what comes out is read again.

use maquette_fuzz::io::deidentify::{Options, deidentify_path};
use maquette_fuzz::io::dicom::elements::read_object;
use maquette_fuzz::task::Progress;
use maquette_fuzz::with_file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    with_file("a.dcm", bytes, |path| {
        let out = path.with_file_name("out.dcm");
        if let Ok(done) = deidentify_path(path, &out, &Options::default(), &Progress::new()) {
            read_object(&done.files[0]).expect("what was written can be read");
        }
    });
});
