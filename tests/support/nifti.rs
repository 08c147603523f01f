//! NIfTI-1 files, byte by byte.

/// A little-endian single-file NIfTI-1 with an sform (RAS) and these samples.
pub(crate) fn nifti_1(dims: [i16; 3], datatype: i16, srow: [[f32; 4]; 3], samples: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
    put(0, &348_i32.to_le_bytes());
    put(40, &3_i16.to_le_bytes());
    for axis in 0..3 {
        put(42 + 2 * axis, &dims[axis].to_le_bytes());
        put(80 + 4 * axis, &1.0_f32.to_le_bytes());
        for column in 0..4 {
            put(280 + 16 * axis + 4 * column, &srow[axis][column].to_le_bytes());
        }
    }
    put(70, &datatype.to_le_bytes());
    put(108, &352.0_f32.to_le_bytes());
    put(123, &[2]);
    put(254, &1_i16.to_le_bytes());
    put(344, b"n+1\0");
    bytes.extend_from_slice(samples);
    bytes
}
