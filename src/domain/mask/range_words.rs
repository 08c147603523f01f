//! Comparing samples with a range, 32 at a time, into the words of a mask row.
//!
//! In: samples of one row, an inclusive sample range. Out: one bit a sample, lowest first.
//! One subtraction and one unsigned comparison decide both ends: `(s - lower) as u16 <= (upper - lower) as u16`.

/// Writes for each sample of `row` whether it lies in `lower..=upper`; the last word is filled up with zeros.
///
/// # Panics
/// When `words` is not one word for each 32 samples begun.
pub fn range_words(row: &[i16], (lower, upper): (i16, i16), words: &mut [u32]) {
    assert_eq!(words.len(), row.len().div_ceil(32), "one word for each 32 samples");
    let (whole, rest) = row.as_chunks::<32>();
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx2") {
            #[allow(unsafe_code, reason = "the kernel needs AVX2")]
            // SAFETY: AVX2 was detected.
            unsafe {
                avx2(whole, lower, upper, words);
            }
        } else {
            portable(whole, lower, upper, words);
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    portable(whole, lower, upper, words);
    if let (false, Some(last)) = (rest.is_empty(), words.last_mut()) {
        *last = bits_in_range(rest, lower, upper);
    }
}

/// The bits of at most 32 samples.
fn bits_in_range(samples: &[i16], lower: i16, upper: i16) -> u32 {
    let span = upper.wrapping_sub(lower) as u16;
    let inside = |sample: i16| u32::from(sample.wrapping_sub(lower) as u16 <= span);
    let bits = samples.iter().enumerate().fold(0, |word, (bit, &sample)| word | inside(sample) << bit);
    if lower <= upper { bits } else { 0 }
}

fn portable(chunks: &[[i16; 32]], lower: i16, upper: i16, words: &mut [u32]) {
    for (chunk, word) in chunks.iter().zip(words) {
        *word = bits_in_range(chunk, lower, upper);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(chunks: &[[i16; 32]], lower: i16, upper: i16, words: &mut [u32]) {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi16, _mm256_movemask_epi8, _mm256_packs_epi16, _mm256_permute4x64_epi64,
        _mm256_set1_epi16, _mm256_setzero_si256, _mm256_sub_epi16, _mm256_subs_epu16,
    };
    if lower > upper {
        words.fill(0);
        return;
    }
    let first = _mm256_set1_epi16(lower);
    let span = _mm256_set1_epi16(upper.wrapping_sub(lower));
    let inside = |samples: __m256i| {
        let above = _mm256_subs_epu16(_mm256_sub_epi16(samples, first), span);
        _mm256_cmpeq_epi16(above, _mm256_setzero_si256())
    };
    for (chunk, word) in chunks.iter().zip(words) {
        let [low, high]: [__m256i; 2] = bytemuck::cast(*chunk);
        let packed = _mm256_packs_epi16(inside(low), inside(high));
        *word = _mm256_movemask_epi8(_mm256_permute4x64_epi64::<0b11_01_10_00>(packed)) as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_plain_comparison() {
        let mut seed = 1_u32;
        let row: Vec<i16> = (0..157)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 16) as i16
            })
            .collect();
        let ranges = [(0, 0), (-300, 3071), (i16::MIN, i16::MAX), (i16::MIN, -1), (1, 0), (20000, i16::MAX), (5, -9)];
        for (lower, upper) in ranges {
            for length in [0, 1, 31, 32, 33, 64, 157] {
                let mut words = vec![u32::MAX; usize::div_ceil(length, 32)];
                range_words(&row[..length], (lower, upper), &mut words);
                for bit in 0..words.len() * 32 {
                    let expected = bit < length && (lower..=upper).contains(&row[bit]);
                    assert_eq!(words[bit / 32] >> (bit % 32) & 1 == 1, expected, "{lower}..={upper}, sample {bit}");
                }
            }
        }
    }
}
