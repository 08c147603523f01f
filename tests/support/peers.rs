//! Runs the scripts of `tests/peers` where a Python with their packages is named.
//!
//! `MAQUETTE_PEERS_PYTHON` is the interpreter of a virtual environment with what
//! `tests/peers/requirements-import.txt` lists.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// Runs a script with these arguments, which has to succeed; `false`, and said, where there is no Python for it.
#[allow(clippy::print_stderr, reason = "the closing summary of scripts/test gathers these lines")]
pub(crate) fn run(script: &str, arguments: &[&OsStr]) -> bool {
    let Some(python) = std::env::var_os("MAQUETTE_PEERS_PYTHON") else {
        eprintln!("SKIPPED: tests/peers/{script}: MAQUETTE_PEERS_PYTHON is not set");
        return false;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    let output = Command::new(python).arg(script).args(arguments).output().expect("a Python");
    let said = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    assert!(output.status.success(), "{said}");
    true
}
