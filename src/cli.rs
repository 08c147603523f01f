//! The command line: the same engine, headless.
