//! Main memory in use, for the status bar.

/// Resident bytes of this process; `None` where the system does not say.
pub fn resident_bytes() -> Option<u64> {
    // Pages of 4 KiB: the second number of statm (proc(5)).
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
