//! Runs the comparisons with other programs where a Python with their packages is named.
//!
//! `MAQUETTE_PEERS_PYTHON` is the interpreter of a virtual environment with what
//! `tests/peers/requirements-import.txt` lists.

use std::path::Path;
use std::process::Command;

#[allow(clippy::print_stderr, reason = "the closing summary of scripts/test gathers these lines")]
fn run(script: &str) {
    let Some(python) = std::env::var_os("MAQUETTE_PEERS_PYTHON") else {
        eprintln!("SKIPPED: tests/peers/{script}: MAQUETTE_PEERS_PYTHON is not set");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    let output = Command::new(python).arg(script).arg(env!("CARGO_BIN_EXE_maquette")).output().expect("a Python");
    let said = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    assert!(output.status.success(), "{said}");
}

#[test]
fn simpleitk_sees_the_marker_at_the_same_patient_point() {
    run("orientation.py");
}
