//! How much memory of the device is in use, and how much may be.
//!
//! Every large texture holds a `Lease`; what does not fit is refused with a sentence before the driver is asked.
//! Not here: what to drop in favour of what (the session decides which volumes stay).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::context::Context;

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} MiB are needed on the graphics device, {} MiB of {} MiB are free", mib(*.needed), mib(.budget.saturating_sub(*.held)), mib(*.budget))]
pub struct OverBudget {
    /// Bytes asked for.
    pub needed: u64,
    /// Bytes in use.
    pub held: u64,
    /// Bytes that may be in use.
    pub budget: u64,
}

fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// The account of a device. Cloning gives another handle to the same account.
#[derive(Debug, Clone)]
pub struct GpuMemory {
    budget: u64,
    held: Arc<AtomicU64>,
}

/// Bytes in use until this is dropped.
#[derive(Debug)]
pub struct Lease {
    bytes: u64,
    held: Arc<AtomicU64>,
}

impl GpuMemory {
    /// An account of at most `budget` bytes.
    pub fn new(budget: u64) -> Self {
        Self { budget, held: Arc::default() }
    }

    /// A budget that suits the device: wgpu does not tell its memory, so this is a common size, more where the device
    /// shares the main memory.
    pub fn for_device(context: &Context) -> Self {
        let gib = match context.info.device_type {
            wgpu::DeviceType::Cpu | wgpu::DeviceType::IntegratedGpu => 6,
            _ => 4,
        };
        Self::new(gib << 30)
    }

    /// Bytes in use.
    pub fn held_bytes(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Bytes that may be in use.
    pub fn budget_bytes(&self) -> u64 {
        self.budget
    }

    /// Reserves memory.
    ///
    /// # Errors
    /// When that is more than is free.
    pub fn reserve(&self, bytes: u64) -> Result<Lease, OverBudget> {
        let fits = |held: u64| held.checked_add(bytes).filter(|sum| *sum <= self.budget);
        self.held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .map(|_| Lease { bytes, held: Arc::clone(&self.held) })
            .map_err(|held| OverBudget { needed: bytes, held, budget: self.budget })
    }
}

impl Lease {
    /// Bytes of this lease.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_add_up_and_come_back() {
        let memory = GpuMemory::new(10 << 20);
        let first = memory.reserve(6 << 20).expect("fits");
        let refused = memory.reserve(5 << 20).expect_err("does not fit");
        assert_eq!(refused.to_string(), "5 MiB are needed on the graphics device, 4 MiB of 10 MiB are free");
        drop(first);
        assert_eq!(memory.held_bytes(), 0);
        assert!(memory.reserve(u64::MAX).is_err() && memory.reserve(10 << 20).is_ok());
    }
}
