//! Parses the command line, chooses window or headless, prints the error chain, sets the exit code.

fn main() {}
