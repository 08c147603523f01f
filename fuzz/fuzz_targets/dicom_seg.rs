#![no_main]
//! Any bytes as a DICOM segmentation.

use maquette_fuzz::io::dicom_seg;
use maquette_fuzz::task::Progress;
use maquette_fuzz::with_file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    with_file("a.dcm", bytes, |path| {
        if let Ok(read) = dicom_seg::read(path, &Progress::new()) {
            assert!(read.file.segments.iter().all(|(_, mask)| mask.dims() == read.file.grid.dims()));
        }
    });
});
