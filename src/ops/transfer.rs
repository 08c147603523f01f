//! Transfer functions to files and back.

pub use crate::io::transfer_file::{TransferFileError, read_transfer, write_transfer};
