//! The real CT is what the other suites think it is.

use crate::support::real_ct::real_ct;

#[test]
fn the_series_have_all_their_slices() {
    for (folder, slices) in [("skull-ct/dicom", 108), ("lung-ct/dicom", 61)] {
        let Some(folder) = real_ct(folder) else { continue };
        assert_eq!(std::fs::read_dir(folder).expect("readable").count(), slices);
    }
}
