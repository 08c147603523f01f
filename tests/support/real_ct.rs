//! Finds the real CT that `MAQUETTE_TEST_DATA` names.

use std::path::PathBuf;

/// A folder or file below `MAQUETTE_TEST_DATA`, e.g. `skull-ct/dicom`; says so and gives `None` where there is none.
#[allow(clippy::print_stderr, reason = "the closing summary of scripts/test gathers these lines")]
pub(crate) fn real_ct(path: &str) -> Option<PathBuf> {
    let found =
        std::env::var_os("MAQUETTE_TEST_DATA").map(|root| PathBuf::from(root).join(path)).filter(|path| path.exists());
    if found.is_none() {
        eprintln!("SKIPPED: tests on {path}: MAQUETTE_TEST_DATA has none");
    }
    found
}
