//! Where the samples of a volume lie.
//!
//! In: a number of samples, or a vector of them. Out: a slice of `i16`. Large volumes take memory from the system in large
//! pages where it has them: it then clears and maps 2 MiB at a time instead of 4 KiB, which is a third of the time that a
//! study of the page cache takes to come in, and every pass over the volume misses fewer translations.
//! Source: Linux admin guide, "Transparent Hugepage Support".

use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

/// From here on pages are asked of the system, bytes.
const LARGE_BYTES: usize = 32 << 20;

/// The samples of a volume.
#[derive(Debug)]
pub struct Samples(Store);

#[derive(Debug)]
enum Store {
    Vector(Vec<i16>),
    Pages(MmapMut),
}

impl Samples {
    /// So many zeros, each page taken from the system when it is first written; `None` when memory is short.
    pub fn zeroed(count: usize) -> Option<Self> {
        let bytes = count.checked_mul(size_of::<i16>())?;
        if bytes >= LARGE_BYTES {
            let pages = MmapMut::map_anon(bytes).ok()?;
            // Small pages do as well.
            #[cfg(target_os = "linux")]
            let _advised = pages.advise(memmap2::Advice::HugePage);
            return Some(Self(Store::Pages(pages)));
        }
        let mut probe: Vec<i16> = Vec::new();
        probe.try_reserve_exact(count).ok()?;
        drop(probe);
        // Zeroed by the system: `resize` would touch every page twice.
        Some(Self(Store::Vector(vec![0; count])))
    }
}

impl From<Vec<i16>> for Samples {
    fn from(samples: Vec<i16>) -> Self {
        Self(Store::Vector(samples))
    }
}

impl Deref for Samples {
    type Target = [i16];

    fn deref(&self) -> &[i16] {
        match &self.0 {
            Store::Vector(samples) => samples,
            Store::Pages(pages) => bytemuck::cast_slice(pages),
        }
    }
}

impl DerefMut for Samples {
    fn deref_mut(&mut self) -> &mut [i16] {
        match &mut self.0 {
            Store::Vector(samples) => samples,
            Store::Pages(pages) => bytemuck::cast_slice_mut(pages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_samples_are_zeros_that_can_be_written() {
        for count in [0, 1, 1000, LARGE_BYTES / 2 + 3] {
            let mut samples = Samples::zeroed(count).expect("memory");
            assert_eq!(samples.len(), count);
            assert!(samples.iter().all(|&sample| sample == 0));
            if let Some(last) = samples.last_mut() {
                *last = -7;
                assert_eq!(samples[count - 1], -7);
            }
        }
        assert!(Samples::zeroed(usize::MAX).is_none(), "more than there is");
        assert!(Samples::zeroed(1 << 60).is_none(), "more than there is");
    }
}
