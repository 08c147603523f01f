//! One source for each kernel, compiled for several instruction sets and chosen when the program runs.
//!
//! A kernel is an `#[inline(always)]` method, so it takes on the instructions of the function that calls it. All levels
//! give the same bits: no fused multiply-add, no approximate reciprocal.
//! Not here: what the kernels do.

/// What this processor can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstructionSet {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Work that is compiled once for each instruction set.
pub(crate) trait Kernel {
    type Output;
    /// Must be `#[inline(always)]`.
    fn run<L: Level>(self) -> Self::Output;
}

/// The operations that compilers do not find by themselves.
pub(crate) trait Level {
    /// Bit n says whether `samples[n] ^ flip > threshold`.
    fn greater_mask(samples: &[i16; 64], flip: i16, threshold: i16) -> u64;

    /// Byte n gathers bit n of each word, word 0 lowest.
    fn cases(words: [u64; 8]) -> [u8; 64];

    /// Sum of `table[case n]` over the set bits n of `active`.
    #[inline(always)]
    fn sum_of_cases(words: [u64; 8], active: u64, table: &[u8; 256]) -> u32 {
        let (cases, mut left, mut sum) = (Self::cases(words), active, 0);
        while left != 0 {
            sum += u32::from(table[cases[left.trailing_zeros() as usize & 63] as usize]);
            left &= left - 1;
        }
        sum
    }

    /// The samples at sixteen places, and those that follow them. Places behind the last pair of samples give that pair.
    #[inline(always)]
    fn gather_pairs(samples: &[i16], places: &[u32; 16], flip: i16) -> [[i32; 16]; 2] {
        let last = samples.len() - 2;
        let mut pairs = [[0; 16]; 2];
        for lane in 0..16 {
            let place = (places[lane] as usize).min(last);
            pairs[0][lane] = i32::from(samples[place] ^ flip);
            pairs[1][lane] = i32::from(samples[place + 1] ^ flip);
        }
        pairs
    }

    /// Says that a sample will be needed soon.
    #[inline(always)]
    fn prefetch(_samples: &[i16], _place: usize) {}

    /// Writes the corners of the triangles of cell i: lane n < 8 is `next[n]` plus the set bits of `edges[n]` below i, lane n + 8
    /// also counts bit i. `lanes` says which lanes to write; its last byte says how many.
    #[inline(always)]
    fn write_cell(next: &[u64; 8], edges: &[u64; 8], i: u32, lanes: &[u8; 16], out: &mut [u32]) {
        let below = (1_u64 << (i & 63)) - 1;
        let mut ids = [0; 16];
        for n in 0..8 {
            ids[n] = next[n] as u32 + (edges[n] & below).count_ones();
            ids[n + 8] = ids[n] + (edges[n] >> (i & 63) & 1) as u32;
        }
        for (corner, &lane) in out[..usize::from(lanes[15])].iter_mut().zip(lanes) {
            *corner = ids[usize::from(lane & 15)];
        }
    }
}

impl InstructionSet {
    /// The best that this processor has.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            let has_avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vbmi")
                && is_x86_feature_detected!("avx512vpopcntdq");
            if has_avx2 && has_avx512 {
                return Self::Avx512;
            }
            if has_avx2 {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// All sets that this processor has, the portable one first.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        match Self::detect() {
            Self::Portable => {}
            Self::Avx2 => all.push(Self::Avx2),
            Self::Avx512 => all.extend([Self::Avx2, Self::Avx512]),
        }
        all
    }

    /// Runs a kernel with these instructions.
    #[inline]
    #[allow(unsafe_code, reason = "calls a function compiled for instructions that were detected")]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Self::Portable => kernel.run::<Portable>(),
            // SAFETY: values other than `Portable` come from `detect`, which found the instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { run_avx2(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { run_avx512(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx2>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vpopcntdq")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512>()
}

/// Plain Rust.
pub(crate) struct Portable;

impl Level for Portable {
    #[inline(always)]
    fn greater_mask(samples: &[i16; 64], flip: i16, threshold: i16) -> u64 {
        samples.iter().enumerate().fold(0, |mask, (n, &sample)| mask | u64::from(sample ^ flip > threshold) << n)
    }

    #[inline(always)]
    fn cases(words: [u64; 8]) -> [u8; 64] {
        std::array::from_fn(|n| {
            words.iter().enumerate().fold(0, |byte, (bit, word)| byte | ((word >> n & 1) as u8) << bit)
        })
    }
}

/// AVX2 and the bit instructions that came with it.
#[cfg(target_arch = "x86_64")]
pub(crate) struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Level for Avx2 {
    #[inline(always)]
    #[allow(unsafe_code, reason = "reached only through `run_avx2`")]
    fn greater_mask(samples: &[i16; 64], flip: i16, threshold: i16) -> u64 {
        // SAFETY: kernels run with this level only inside `run_avx2`, after detection.
        unsafe { avx2::greater_mask(samples, flip, threshold) }
    }

    #[inline(always)]
    #[allow(unsafe_code, reason = "reached only through `run_avx2`")]
    fn cases(words: [u64; 8]) -> [u8; 64] {
        // SAFETY: kernels run with this level only inside `run_avx2`, after detection.
        unsafe { avx2::cases(words) }
    }

    #[inline(always)]
    #[allow(unsafe_code, reason = "prefetches through a pointer")]
    fn prefetch(samples: &[i16], place: usize) {
        if let Some(sample) = samples.get(place) {
            // SAFETY: every x86-64 processor has this; it reads nothing and the pointer is valid.
            unsafe {
                std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(
                    std::ptr::from_ref(sample).cast(),
                );
            }
        }
    }
}

/// AVX-512 with byte and bit counting instructions (Ice Lake, Zen 4 and later).
#[cfg(target_arch = "x86_64")]
pub(crate) struct Avx512;

#[cfg(target_arch = "x86_64")]
impl Level for Avx512 {
    #[inline(always)]
    #[allow(unsafe_code, reason = "reached only through `run_avx512`")]
    fn greater_mask(samples: &[i16; 64], flip: i16, threshold: i16) -> u64 {
        // SAFETY: kernels run with this level only inside `run_avx512`, after detection.
        unsafe { avx512::greater_mask(samples, flip, threshold) }
    }

    #[inline(always)]
    #[allow(unsafe_code, reason = "reached only through `run_avx512`")]
    fn cases(words: [u64; 8]) -> [u8; 64] {
        // SAFETY: kernels run with this level only inside `run_avx512`, after detection.
        unsafe { avx512::cases(words) }
    }

    #[inline(always)]
    #[allow(unsafe_code, reason = "reached only through `run_avx512`")]
    fn sum_of_cases(words: [u64; 8], active: u64, table: &[u8; 256]) -> u32 {
        // SAFETY: kernels run with this level only inside `run_avx512`, after detection.
        unsafe { avx512::sum_of_cases(words, active, table) }
    }

    #[inline(always)]
    #[allow(unsafe_code, reason = "reached only through `run_avx512`")]
    fn gather_pairs(samples: &[i16], places: &[u32; 16], flip: i16) -> [[i32; 16]; 2] {
        // SAFETY: kernels run with this level only inside `run_avx512`, after detection.
        unsafe { avx512::gather_pairs(samples, places, flip) }
    }

    #[inline(always)]
    #[allow(unsafe_code, reason = "prefetches through a pointer")]
    fn prefetch(samples: &[i16], place: usize) {
        if let Some(sample) = samples.get(place) {
            // SAFETY: every x86-64 processor has this; it reads nothing and the pointer is valid.
            unsafe {
                std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(
                    std::ptr::from_ref(sample).cast(),
                );
            }
        }
    }

    #[inline(always)]
    #[allow(unsafe_code, reason = "reached only through `run_avx512`")]
    fn write_cell(next: &[u64; 8], edges: &[u64; 8], i: u32, lanes: &[u8; 16], out: &mut [u32]) {
        // SAFETY: kernels run with this level only inside `run_avx512`, after detection.
        unsafe { avx512::write_cell(next, edges, i, lanes, out) }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_cmpgt_epi16, _mm256_loadu_si256, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_packs_epi16, _mm256_permute4x64_epi64, _mm256_set1_epi8, _mm256_set1_epi16,
        _mm256_set1_epi32, _mm256_setr_epi8, _mm256_setr_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8,
        _mm256_storeu_si256, _mm256_xor_si256,
    };

    #[inline]
    #[target_feature(enable = "avx2")]
    #[allow(unsafe_code, clippy::cast_ptr_alignment, reason = "loads that need no alignment")]
    pub(super) fn greater_mask(samples: &[i16; 64], flip: i16, threshold: i16) -> u64 {
        let (flip, threshold) = (_mm256_set1_epi16(flip), _mm256_set1_epi16(threshold));
        let greater = |n: usize| {
            // SAFETY: n is 0 to 3, so the 16 samples that begin at 16 n lie in the array; the load needs no alignment.
            let block = unsafe { _mm256_loadu_si256(samples.as_ptr().add(16 * n).cast::<__m256i>()) };
            _mm256_cmpgt_epi16(_mm256_xor_si256(block, flip), threshold)
        };
        let half = |n: usize| {
            // Packing works within 128-bit halves; the permutation puts the bytes back in order.
            let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi16(greater(n), greater(n + 1)));
            u64::from(_mm256_movemask_epi8(bytes) as u32)
        };
        half(0) | half(2) << 32
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    #[allow(unsafe_code, clippy::cast_ptr_alignment, reason = "a store that needs no alignment")]
    pub(super) fn cases(words: [u64; 8]) -> [u8; 64] {
        let mut bytes = [0_u8; 64];
        // Byte n of a register takes byte n / 8 of the half word, then bit n % 8 of that.
        let spread = _mm256_setr_epi8(
            0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3,
        );
        let bits = _mm256_setr_epi64x(
            0x8040_2010_0804_0201_u64 as i64,
            0x8040_2010_0804_0201_u64 as i64,
            0x8040_2010_0804_0201_u64 as i64,
            0x8040_2010_0804_0201_u64 as i64,
        );
        for half in 0..2 {
            let mut gathered = _mm256_setzero_si256();
            for (bit, word) in words.iter().enumerate() {
                let spread_bits = _mm256_shuffle_epi8(_mm256_set1_epi32((word >> (32 * half)) as i32), spread);
                let is_set = _mm256_cmpeq_epi8(_mm256_and_si256(spread_bits, bits), bits);
                gathered = _mm256_or_si256(gathered, _mm256_and_si256(is_set, _mm256_set1_epi8((1_u8 << bit) as i8)));
            }
            // SAFETY: half is 0 or 1, so the 32 bytes lie in the array; the store needs no alignment.
            unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().add(32 * half).cast::<__m256i>(), gathered) };
        }
        bytes
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m128i, __m512i, _mm_loadu_si128, _mm512_add_epi64, _mm512_and_si512, _mm512_castsi256_si512,
        _mm512_cmpgt_epi16_mask, _mm512_cvtepi64_epi32, _mm512_cvtepu8_epi32, _mm512_i32gather_epi32,
        _mm512_inserti64x4, _mm512_loadu_si512, _mm512_mask_add_epi64, _mm512_mask_blend_epi8,
        _mm512_mask_storeu_epi32, _mm512_maskz_mov_epi8, _mm512_maskz_set1_epi8, _mm512_min_epu32, _mm512_movepi8_mask,
        _mm512_or_si512, _mm512_permutex2var_epi8, _mm512_permutexvar_epi32, _mm512_popcnt_epi64,
        _mm512_reduce_add_epi64, _mm512_sad_epu8, _mm512_set1_epi16, _mm512_set1_epi32, _mm512_set1_epi64,
        _mm512_setzero_si512, _mm512_slli_epi32, _mm512_srai_epi32, _mm512_storeu_si512, _mm512_test_epi64_mask,
        _mm512_xor_si512,
    };

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    #[allow(unsafe_code, clippy::cast_ptr_alignment, reason = "loads that need no alignment")]
    pub(super) fn greater_mask(samples: &[i16; 64], flip: i16, threshold: i16) -> u64 {
        let (flip, threshold) = (_mm512_set1_epi16(flip), _mm512_set1_epi16(threshold));
        let half = |n: usize| {
            // SAFETY: n is 0 or 32, so the 32 samples that begin there lie in the array; the load needs no alignment.
            let block = unsafe { _mm512_loadu_si512(samples.as_ptr().add(n).cast::<__m512i>()) };
            u64::from(_mm512_cmpgt_epi16_mask(_mm512_xor_si512(block, flip), threshold))
        };
        half(0) | half(32) << 32
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    #[allow(unsafe_code, clippy::cast_ptr_alignment, reason = "a store that needs no alignment")]
    pub(super) fn cases(words: [u64; 8]) -> [u8; 64] {
        let gathered = gathered_cases(words);
        let mut bytes = [0_u8; 64];
        // SAFETY: the array has the 64 bytes of the register; the store needs no alignment.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast::<__m512i>(), gathered) };
        bytes
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn gathered_cases(words: [u64; 8]) -> __m512i {
        let mut gathered = _mm512_setzero_si512();
        for (bit, &word) in words.iter().enumerate() {
            gathered = _mm512_or_si512(gathered, _mm512_maskz_set1_epi8(word, (1_u8 << bit) as i8));
        }
        gathered
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[allow(unsafe_code, clippy::cast_ptr_alignment, reason = "loads that need no alignment")]
    pub(super) fn sum_of_cases(words: [u64; 8], active: u64, table: &[u8; 256]) -> u32 {
        // SAFETY: the four quarters of the table, 64 bytes each, lie in its 256 bytes; the loads need no alignment.
        let quarter = |n: usize| unsafe { _mm512_loadu_si512(table.as_ptr().add(64 * n).cast::<__m512i>()) };
        let cases = gathered_cases(words);
        let lower = _mm512_permutex2var_epi8(quarter(0), cases, quarter(1));
        let upper = _mm512_permutex2var_epi8(quarter(2), cases, quarter(3));
        let looked_up = _mm512_mask_blend_epi8(_mm512_movepi8_mask(cases), lower, upper);
        let wanted = _mm512_maskz_mov_epi8(active, looked_up);
        _mm512_reduce_add_epi64(_mm512_sad_epu8(wanted, _mm512_setzero_si512())) as u32
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    #[allow(unsafe_code, clippy::cast_ptr_alignment, reason = "gathers; loads and stores that need no alignment")]
    pub(super) fn gather_pairs(samples: &[i16], places: &[u32; 16], flip: i16) -> [[i32; 16]; 2] {
        let last = u32::try_from(samples.len() - 2).unwrap_or(i32::MAX as u32).min(i32::MAX as u32);
        // SAFETY: the array is as long as the register.
        let places = unsafe { _mm512_loadu_si512(places.as_ptr().cast::<__m512i>()) };
        let places = _mm512_min_epu32(places, _mm512_set1_epi32(last as i32));
        // SAFETY: every place is at most two before the end of the samples, so its four bytes are samples.
        let pairs = unsafe { _mm512_i32gather_epi32::<2>(places, samples.as_ptr().cast::<i32>()) };
        let pairs = _mm512_xor_si512(pairs, _mm512_set1_epi16(flip));
        let mut out = [[0; 16]; 2];
        // SAFETY: each array is as long as the register.
        unsafe {
            let first = _mm512_srai_epi32::<16>(_mm512_slli_epi32::<16>(pairs));
            _mm512_storeu_si512(out[0].as_mut_ptr().cast::<__m512i>(), first);
            _mm512_storeu_si512(out[1].as_mut_ptr().cast::<__m512i>(), _mm512_srai_epi32::<16>(pairs));
        }
        out
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vpopcntdq")]
    #[allow(unsafe_code, clippy::cast_ptr_alignment, reason = "loads that need no alignment, a masked store")]
    pub(super) fn write_cell(next: &[u64; 8], edges: &[u64; 8], i: u32, lanes: &[u8; 16], out: &mut [u32]) {
        let count = usize::from(lanes[15]);
        assert!(count <= 15 && count <= out.len(), "room for the corners counted");
        // SAFETY: each array is as long as the register it fills; the loads need no alignment.
        let (next, edges, wanted) = unsafe {
            (
                _mm512_loadu_si512(next.as_ptr().cast::<__m512i>()),
                _mm512_loadu_si512(edges.as_ptr().cast::<__m512i>()),
                _mm_loadu_si128(lanes.as_ptr().cast::<__m128i>()),
            )
        };
        let bit = 1_u64 << (i & 63);
        let below = _mm512_popcnt_epi64(_mm512_and_si512(edges, _mm512_set1_epi64((bit - 1) as i64)));
        let at = _mm512_add_epi64(next, below);
        let is_cut = _mm512_test_epi64_mask(edges, _mm512_set1_epi64(bit as i64));
        let after = _mm512_mask_add_epi64(at, is_cut, at, _mm512_set1_epi64(1));
        let ids = _mm512_castsi256_si512(_mm512_cvtepi64_epi32(at));
        let ids = _mm512_inserti64x4::<1>(ids, _mm512_cvtepi64_epi32(after));
        let corners = _mm512_permutexvar_epi32(_mm512_cvtepu8_epi32(wanted), ids);
        let written = ((1_u32 << count) - 1) as u16;
        // SAFETY: only the first `count` lanes are written, and `out` has room for them.
        unsafe { _mm512_mask_storeu_epi32(out.as_mut_ptr().cast::<i32>(), written, corners) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Probe([i16; 64], [u64; 8]);

    impl Kernel for Probe {
        type Output = (u64, u64, [u8; 64], u32, [u32; 16], [[i32; 16]; 2]);
        #[inline(always)]
        fn run<L: Level>(self) -> Self::Output {
            let Self(samples, words) = self;
            let table = std::array::from_fn(|n| (n * 7) as u8);
            let mut corners = [9; 16];
            let lanes = [0, 8, 1, 9, 15, 14, 13, 7, 6, 5, 4, 3, 2, 0, 0, 12];
            L::write_cell(&words.map(|word| word >> 40), &words, (words[0] & 63) as u32, &lanes, &mut corners);
            (
                L::greater_mask(&samples, 0, -7),
                L::greater_mask(&samples, -1, 12),
                L::cases(words),
                L::sum_of_cases(words, words[3], &table),
                corners,
                L::gather_pairs(&samples, &std::array::from_fn(|n| words[n % 8] as u32 % 80), -1),
            )
        }
    }

    #[test]
    fn all_instruction_sets_agree() {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 16
        };
        for _ in 0..100 {
            let (samples, words) =
                (std::array::from_fn(|_| next() as i16 / 512), std::array::from_fn(|_| next() ^ next() << 20));
            let expected = InstructionSet::Portable.run(Probe(samples, words));
            for set in InstructionSet::all() {
                assert_eq!(set.run(Probe(samples, words)), expected, "{set:?}");
            }
        }
    }
}
