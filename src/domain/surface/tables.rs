//! The 256 cases of a cell: which of its twelve cut edges make which triangles.
//!
//! Corner `c` of a cell is at `(c & 1, c >> 1 & 1, c >> 2)`; bit `c` of a case says that the corner is inside.
//! Edges 0 to 3 run along i and start at corners 0, 2, 4, 6; edges 4 to 7 along j from corners 0, 1, 4, 5; edges 8 to 11
//! along k from corners 0, 1, 2, 3.
//!
//! Rule for the faces with two inside corners on a diagonal: the inside corners are kept apart. The rule looks at the face
//! alone, so the two cells of a face agree and every surface is closed. The cut edges of a case make loops; each loop is
//! a fan whose first edge is chosen such that no diagonal lies on a face of the cell: a diagonal on a face could be an edge
//! of the neighbour's triangles too, and the mesh would not be manifold. The tests below check all of this.
//!
//! Source: the method is that of Lorensen and Cline, SIGGRAPH 1987; the table is generated from the two rules above.

/// Triangles of each case: 4 bits per corner hold an edge, lowest first, three to a triangle; the top 4 bits hold the number
/// of triangles (at most five). Triangles run counter-clockwise seen from outside where (i, j, k) is right-handed.
pub const CASE_TRIANGLES: [u64; 256] = [
    0x0000_0000_0000_0000,
    0x1000_0000_0000_0840,
    0x1000_0000_0000_0590,
    0x2000_0000_0098_4594,
    0x1000_0000_0000_04a1,
    0x2000_0000_00a1_08a0,
    0x2000_0000_004a_1590,
    0x3000_0008_a198_1591,
    0x1000_0000_0000_0b51,
    0x2000_0000_00b5_1840,
    0x2000_0000_00b9_01b0,
    0x3000_0008_4198_1b91,
    0x2000_0000_00b5_4ab4,
    0x3000_000b_50ab_08a0,
    0x3000_000b_90ab_04a0,
    0x2000_0000_00b9_8ab8,
    0x1000_0000_0000_0682,
    0x2000_0000_0064_0260,
    0x2000_0000_0068_2590,
    0x3000_0005_9245_2642,
    0x2000_0000_0068_24a1,
    0x3000_000a_106a_0260,
    0x3000_0006_824a_1590,
    0x4000_6a12_6192_1591,
    0x2000_0000_0068_2b51,
    0x3000_000b_5164_0260,
    0x3000_0006_82b9_01b0,
    0x4000_6412_6192_1b91,
    0x3000_000b_54ab_4682,
    0x4000_b50a_b06a_0260,
    0x4000_682b_90ab_04a0,
    0x3000_000b_92ab_26a2,
    0x1000_0000_0000_0972,
    0x2000_0000_0097_2840,
    0x2000_0000_0072_0570,
    0x3000_0005_7245_2842,
    0x2000_0000_0097_24a1,
    0x3000_0009_72a1_08a0,
    0x3000_0004_a172_0570,
    0x4000_8a12_8172_1571,
    0x2000_0000_0097_2b51,
    0x3000_0009_72b5_1840,
    0x3000_0007_20b7_01b0,
    0x4000_8412_8172_1b71,
    0x3000_000b_54ab_4972,
    0x4000_972b_50ab_08a0,
    0x4000_720b_70ab_04a0,
    0x3000_000b_72ab_28a2,
    0x2000_0000_0097_6896,
    0x3000_0006_4076_0970,
    0x3000_0006_8076_0570,
    0x2000_0000_0076_4574,
    0x3000_0009_7689_64a1,
    0x4000_a106_a076_0970,
    0x4000_4a16_8076_0570,
    0x3000_0006_a176_1571,
    0x3000_0009_7689_6b51,
    0x4000_b516_4076_0970,
    0x4000_6807_60b7_01b0,
    0x3000_0006_4176_1b71,
    0x4000_9768_96b5_4ab4,
    0x5b50_ab06_a076_0970,
    0x5680_760b_70ab_04a0,
    0x2000_0000_00b7_6ab6,
    0x1000_0000_0000_0a63,
    0x2000_0000_00a6_3840,
    0x2000_0000_00a6_3590,
    0x3000_0009_8459_4a63,
    0x2000_0000_0063_1461,
    0x3000_0003_1063_0860,
    0x3000_0006_3146_1590,
    0x4000_6318_6198_1591,
    0x2000_0000_00a6_3b51,
    0x3000_000a_63b5_1840,
    0x3000_000a_63b9_01b0,
    0x4000_a638_4198_1b91,
    0x3000_0004_6354_3b53,
    0x4000_b503_b063_0860,
    0x4000_b903_b063_0460,
    0x3000_0008_6398_3b93,
    0x2000_0000_00a8_23a2,
    0x3000_000a_403a_0230,
    0x3000_000a_823a_2590,
    0x4000_5924_52a4_23a2,
    0x3000_0002_3182_1481,
    0x2000_0000_0031_0230,
    0x4000_2318_2148_1590,
    0x3000_0002_3192_1591,
    0x3000_000a_823a_2b51,
    0x4000_b51a_403a_0230,
    0x4000_a823_a2b9_01b0,
    0x51b9_419a_493a_9239,
    0x4000_4825_42b5_23b2,
    0x3000_000b_503b_0230,
    0x5904_b943_b423_4824,
    0x2000_0000_00b9_23b2,
    0x2000_0000_00a6_3972,
    0x3000_000a_6397_2840,
    0x3000_000a_6372_0570,
    0x4000_a635_7245_2842,
    0x3000_0009_7263_1461,
    0x4000_9723_1063_0860,
    0x4000_6314_6172_0570,
    0x5631_8612_8172_1571,
    0x3000_000a_6397_2b51,
    0x4000_a639_72b5_1840,
    0x4000_a637_20b7_01b0,
    0x5a63_8412_8172_1b71,
    0x4000_4635_43b5_3972,
    0x5972_b503_b063_0860,
    0x5720_b703_b063_0460,
    0x4000_728b_783b_8638,
    0x3000_0009_7389_3a83,
    0x4000_a403_a073_0970,
    0x4000_a803_a073_0570,
    0x3000_0005_7345_3a43,
    0x4000_7319_7189_1481,
    0x3000_0003_1073_0970,
    0x5057_8074_8714_7317,
    0x2000_0000_0073_1571,
    0x4000_9738_93a8_3b51,
    0x5b51_a403_a073_0970,
    0x5a80_3a07_30b7_01b0,
    0x4000_1b74_17a4_73a7,
    0x5973_8934_8354_3b53,
    0x4000_b503_b073_0970,
    0x2000_0000_00b7_3480,
    0x1000_0000_0000_0b73,
    0x1000_0000_0000_07b3,
    0x2000_0000_007b_3840,
    0x2000_0000_007b_3590,
    0x3000_0009_8459_47b3,
    0x2000_0000_007b_34a1,
    0x3000_0007_b3a1_08a0,
    0x3000_0007_b34a_1590,
    0x4000_7b38_a198_1591,
    0x2000_0000_0075_1371,
    0x3000_0007_5137_1840,
    0x3000_0007_9037_0130,
    0x4000_8419_8179_1371,
    0x3000_0004_a354_3753,
    0x4000_7503_70a3_08a0,
    0x4000_7903_70a3_04a0,
    0x3000_0008_a398_3793,
    0x2000_0000_007b_3682,
    0x3000_0007_b364_0260,
    0x3000_0007_b368_2590,
    0x4000_7b35_9245_2642,
    0x3000_0007_b368_24a1,
    0x4000_7b3a_106a_0260,
    0x4000_7b36_824a_1590,
    0x57b3_6a12_6192_1591,
    0x3000_0006_8275_1371,
    0x4000_7513_7164_0260,
    0x4000_6827_9037_0130,
    0x5641_2619_2179_1371,
    0x4000_4a35_4375_3682,
    0x5750_370a_306a_0260,
    0x5682_7903_70a3_04a0,
    0x4000_26a9_2a79_a37a,
    0x2000_0000_00b3_29b2,
    0x3000_000b_329b_2840,
    0x3000_0003_20b3_05b0,
    0x4000_b325_b245_2842,
    0x3000_000b_329b_24a1,
    0x4000_b329_b2a1_08a0,
    0x4000_4a13_20b3_05b0,
    0x5a15_8a52_8532_5b35,
    0x3000_0009_5129_1321,
    0x4000_9512_9132_1840,
    0x2000_0000_0032_0130,
    0x3000_0008_4128_1321,
    0x4000_a324_a254_2952,
    0x508a_50a9_5a29_a32a,
    0x3000_0003_20a3_04a0,
    0x2000_0000_00a3_28a2,
    0x3000_0009_b389_3683,
    0x4000_6403_60b3_09b0,
    0x4000_6803_60b3_05b0,
    0x3000_0005_b345_3643,
    0x4000_9b38_9368_34a1,
    0x5a10_6a03_60b3_09b0,
    0x54a1_6803_60b3_05b0,
    0x4000_a156_a536_5b35,
    0x4000_9518_9168_1361,
    0x5409_6493_6913_9519,
    0x3000_0006_8036_0130,
    0x2000_0000_0064_1361,
    0x54a3_5439_5389_3683,
    0x2000_0000_006a_3950,
    0x4000_6803_60a3_04a0,
    0x1000_0000_0000_06a3,
    0x2000_0000_00ba_67b6,
    0x3000_000b_a67b_6840,
    0x3000_000b_a67b_6590,
    0x4000_ba67_b698_4594,
    0x3000_0007_b167_1461,
    0x4000_b107_b067_0860,
    0x4000_7b16_7146_1590,
    0x57b1_6718_6198_1591,
    0x3000_0007_5167_1a61,
    0x4000_7516_71a6_1840,
    0x4000_7906_70a6_01a0,
    0x5841_9817_9167_1a61,
    0x2000_0000_0075_4674,
    0x3000_0007_5067_0860,
    0x3000_0007_9067_0460,
    0x2000_0000_0098_6796,
    0x3000_000a_82ba_27b2,
    0x4000_a40b_a07b_0270,
    0x4000_a82b_a27b_2590,
    0x5592_452a_42ba_27b2,
    0x4000_7b12_7182_1481,
    0x3000_000b_107b_0270,
    0x57b1_2718_2148_1590,
    0x4000_7b12_7192_1591,
    0x4000_7512_7182_1a81,
    0x5402_a421_a251_2752,
    0x5901_7912_7182_1a81,
    0x2000_0000_0079_2a41,
    0x3000_0004_8254_2752,
    0x2000_0000_0075_0270,
    0x4000_9047_9427_4824,
    0x1000_0000_0000_0792,
    0x3000_000a_62ba_29b2,
    0x4000_a62b_a29b_2840,
    0x4000_620a_60ba_05b0,
    0x5a62_ba25_b245_2842,
    0x4000_9b12_9162_1461,
    0x5086_106b_169b_6296,
    0x505b_20b6_2b46_b14b,
    0x2000_0000_0086_25b1,
    0x4000_9512_9162_1a61,
    0x5951_2916_21a6_1840,
    0x3000_0006_20a6_01a0,
    0x4000_8412_8162_1a61,
    0x3000_0004_6254_2952,
    0x4000_0865_0695_6296,
    0x2000_0000_0062_0460,
    0x1000_0000_0000_0862,
    0x2000_0000_00ba_89b8,
    0x3000_000a_40ba_09b0,
    0x3000_000a_80ba_05b0,
    0x2000_0000_00ba_45b4,
    0x3000_0009_b189_1481,
    0x2000_0000_00b1_09b0,
    0x4000_05b8_0b48_b14b,
    0x1000_0000_0000_05b1,
    0x3000_0009_5189_1a81,
    0x4000_409a_491a_9519,
    0x2000_0000_00a8_01a0,
    0x1000_0000_0000_0a41,
    0x2000_0000_0095_4894,
    0x1000_0000_0000_0950,
    0x1000_0000_0000_0480,
    0x0000_0000_0000_0000,
];

/// As [`CASE_TRIANGLES`], for left-handed grids: the second and third corner of each triangle are exchanged.
pub const CASE_TRIANGLES_MIRRORED: [u64; 256] = mirrored();

/// Corners at the two ends of each edge, the lower one first.
pub const EDGE_CORNERS: [[u8; 2]; 12] =
    [[0, 1], [2, 3], [4, 5], [6, 7], [0, 2], [1, 3], [4, 6], [5, 7], [0, 4], [1, 5], [2, 6], [3, 7]];

/// Number of triangles of a case.
#[inline]
pub const fn triangle_count(packed_case: u64) -> u32 {
    (packed_case >> 60) as u32
}

/// The three edges of one triangle of a case.
#[inline]
pub const fn triangle_edges(packed_case: u64, triangle: u32) -> [usize; 3] {
    let nibbles = packed_case >> (12 * triangle);
    [(nibbles & 15) as usize, (nibbles >> 4 & 15) as usize, (nibbles >> 8 & 15) as usize]
}

const fn mirrored() -> [u64; 256] {
    let mut table = CASE_TRIANGLES;
    let mut case = 0;
    while case < 256 {
        let packed = CASE_TRIANGLES[case];
        let mut triangle = 0;
        let mut swapped = packed & (0xf << 60);
        while triangle < triangle_count(packed) {
            let [a, b, c] = triangle_edges(packed, triangle);
            let corners = a as u64 | (c as u64) << 4 | (b as u64) << 8;
            swapped |= corners << (12 * triangle);
            triangle += 1;
        }
        table[case] = swapped;
        case += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    type Segment = (usize, usize);

    fn is_cut(case: usize, edge: usize) -> bool {
        let [lower, upper] = EDGE_CORNERS[edge];
        (case >> lower & 1) != (case >> upper & 1)
    }

    /// Whether an edge lies on the face where coordinate `axis` is `side`.
    fn on_face(edge: usize, axis: usize, side: u8) -> bool {
        EDGE_CORNERS[edge].iter().all(|corner| corner >> axis & 1 == side)
    }

    fn share_a_face((a, b): Segment) -> bool {
        (0..3).any(|axis| (0..2).any(|side| on_face(a, axis, side) && on_face(b, axis, side)))
    }

    /// All directed sides of the triangles of a case.
    fn sides(case: usize) -> Vec<Segment> {
        let packed = CASE_TRIANGLES[case];
        let of = |[a, b, c]: [usize; 3]| [(a, b), (b, c), (c, a)];
        (0..triangle_count(packed)).flat_map(|triangle| of(triangle_edges(packed, triangle))).collect()
    }

    /// Sides that no other triangle of the case has: they must be met by the neighbours.
    fn outline(case: usize) -> Vec<Segment> {
        let all = sides(case);
        all.iter().copied().filter(|&(a, b)| !all.contains(&(b, a))).collect()
    }

    #[test]
    fn each_case_uses_its_cut_edges_and_no_other() {
        for case in 0..256 {
            let used: BTreeSet<usize> = sides(case).iter().map(|side| side.0).collect();
            let cut: BTreeSet<usize> = (0..12).filter(|&edge| is_cut(case, edge)).collect();
            assert_eq!(used, cut, "case {case:08b}");
            assert!(triangle_count(CASE_TRIANGLES[case]) <= 5);
        }
    }

    #[test]
    fn outlines_lie_on_faces_and_diagonals_never_do() {
        for case in 0..256 {
            let all = sides(case);
            let distinct: BTreeSet<Segment> = all.iter().copied().collect();
            assert_eq!(distinct.len(), all.len(), "case {case:08b} uses a side twice in one direction");
            for &(a, b) in &all {
                let is_diagonal = all.contains(&(b, a));
                assert_eq!(share_a_face((a, b)), !is_diagonal, "case {case:08b}, side {a}-{b}");
            }
        }
    }

    #[test]
    fn every_pair_of_neighbours_meets_on_the_shared_face() {
        for axis in 0..3 {
            let step = 1_usize << axis;
            // The edge of the upper cell that is the given edge of the lower cell's upper face.
            let moved = |edge: usize| {
                let corners = EDGE_CORNERS[edge].map(|corner| corner - step as u8);
                EDGE_CORNERS.iter().position(|&found| found == corners).expect("an edge of the lower face")
            };
            for (lower, upper) in (0..256_usize).flat_map(|lower| (0..256).map(move |upper| (lower, upper))) {
                let meets = (0..8).filter(|c| c & step != 0).all(|c| lower >> c & 1 == upper >> (c - step) & 1);
                if !meets {
                    continue;
                }
                let of_lower = outline(lower).into_iter().filter(|&(a, b)| on_face(a, axis, 1) && on_face(b, axis, 1));
                let of_upper = outline(upper).into_iter().filter(|&(a, b)| on_face(a, axis, 0) && on_face(b, axis, 0));
                let reversed: BTreeSet<Segment> = of_lower.map(|(a, b)| (moved(b), moved(a))).collect();
                assert_eq!(reversed, of_upper.collect(), "axis {axis}: {lower:08b} beside {upper:08b}");
            }
        }
    }

    #[test]
    fn triangles_face_away_from_the_inside() {
        for case in 1..255_usize {
            let packed = CASE_TRIANGLES[case];
            let middle = |edge: usize| {
                let [a, b] =
                    EDGE_CORNERS[edge].map(|c| glam::Vec3::new((c & 1) as f32, (c >> 1 & 1) as f32, (c >> 2) as f32));
                (a + b) / 2.0
            };
            // The sum of the triangles' areas as vectors points from the inside corners to the outside ones.
            let area: glam::Vec3 = (0..triangle_count(packed))
                .map(|triangle| triangle_edges(packed, triangle).map(middle))
                .map(|[a, b, c]| (b - a).cross(c - a))
                .sum();
            let mut outwards = glam::Vec3::ZERO;
            for (edge, &[lower, _]) in EDGE_CORNERS.iter().enumerate().filter(|(edge, _)| is_cut(case, *edge)) {
                outwards[edge / 4] += if case >> lower & 1 == 1 { 1.0 } else { -1.0 };
            }
            assert!(area.dot(outwards) > 0.0 || outwards == glam::Vec3::ZERO, "case {case:08b}");
        }
    }

    #[test]
    fn the_mirrored_table_turns_every_triangle_round() {
        for (plain, mirrored) in CASE_TRIANGLES.iter().zip(&CASE_TRIANGLES_MIRRORED) {
            assert_eq!(triangle_count(*plain), triangle_count(*mirrored));
            for triangle in 0..triangle_count(*plain) {
                let [a, b, c] = triangle_edges(*plain, triangle);
                assert_eq!(triangle_edges(*mirrored, triangle), [a, c, b]);
            }
        }
    }
}
