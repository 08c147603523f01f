//! The segment atlas: whatever is edited, in whatever order, the device holds what a fresh upload would hold.

use glam::DVec3;
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::segmentation::SegmentId;
use maquette::domain::slice::{SegmentLayer, SegmentStyle};
use maquette::gpu::context::Context;
use maquette::gpu::segment_atlas::SegmentAtlas;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::device::device;

const DIMS: [u32; 3] = [150, 70, 90];

fn style(visible: bool) -> SegmentStyle {
    SegmentStyle { visible, ..SegmentStyle::new([10, 200, 30], 0.25) }
}

fn layers(masks: &[(u32, Mask)]) -> Vec<SegmentLayer<'_>> {
    masks.iter().map(|(id, mask)| SegmentLayer { id: SegmentId(*id), mask, style: style(true) }).collect()
}

fn block(from: [u32; 3], size: [u32; 3]) -> Mask {
    Mask::from_fn(DIMS, |i, j, k| {
        let at = [i, j, k];
        (0..3).all(|axis| at[axis] >= from[axis] && at[axis] < from[axis] + size[axis])
    })
}

/// Compares the device with the masks at places that matter: corners of bricks and pages, borders, and a lattice.
fn assert_holds(context: &Context, atlas: &SegmentAtlas, masks: &[(u32, Mask)]) {
    let axis = |n: u32| [0, 17, 31, 32, 63, 64, 96, n - 1].into_iter().filter(move |&at| at < n);
    for k in axis(DIMS[2]).step_by(2) {
        for j in axis(DIMS[1]).step_by(2) {
            for i in axis(DIMS[0]).skip(1).step_by(2) {
                let mut expected: Vec<SegmentId> =
                    masks.iter().filter(|(_, mask)| mask.contains(i, j, k)).map(|(id, _)| SegmentId(*id)).collect();
                expected.sort_unstable();
                assert_eq!(atlas.segments_at(context, [i, j, k]), expected, "voxel {i} {j} {k}");
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Edit {
    Fill { segment: usize, from: [u32; 3], size: [u32; 3] },
    Clear { segment: usize, from: [u32; 3], size: [u32; 3] },
    Everything { segment: usize },
    Remove { segment: usize },
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let area = || ((0..140_u32, 0..65_u32, 0..85_u32), (1..100_u32, 1..70_u32, 1..90_u32));
    let edit = prop_oneof![
        (0..4_usize, area()).prop_map(|(segment, (from, size))| Edit::Fill {
            segment,
            from: from.into(),
            size: size.into()
        }),
        (0..4_usize, area()).prop_map(|(segment, (from, size))| Edit::Clear {
            segment,
            from: from.into(),
            size: size.into()
        }),
        (0..4_usize).prop_map(|segment| Edit::Everything { segment }),
        (0..4_usize).prop_map(|segment| Edit::Remove { segment }),
    ];
    proptest::collection::vec(edit, 1..6)
}

fn apply(masks: &mut Vec<(u32, Mask)>, edit: &Edit, next_id: &mut u32) {
    let mut with = |segment: usize, op: &dyn Fn(&Mask) -> Mask| {
        if segment >= masks.len() {
            masks.push((*next_id, Mask::empty(DIMS)));
            *next_id += 1;
        }
        let place = segment.min(masks.len() - 1);
        masks[place].1 = op(&masks[place].1);
    };
    match edit {
        Edit::Fill { segment, from, size } => with(*segment, &|mask| mask.combined(&block(*from, *size), |a, b| a | b)),
        Edit::Clear { segment, from, size } => {
            with(*segment, &|mask| mask.combined(&block(*from, *size), |a, b| a & !b));
        }
        Edit::Everything { segment } => with(*segment, &|_| block([0; 3], DIMS)),
        Edit::Remove { segment } => {
            if *segment < masks.len() {
                masks.remove(*segment);
            }
        }
    }
}

#[test]
fn updates_equal_a_full_upload() {
    let Some(context) = &device() else { return };
    let grid = Grid::axis_aligned(DIMS, DVec3::ONE, DVec3::ZERO).expect("valid grid");
    let mut runner = TestRunner::new(Config { cases: 6, failure_persistence: None, ..Config::default() });
    let result = runner.run(&edits(), |edits| {
        let mut atlas = SegmentAtlas::new(context, &grid);
        let (mut masks, mut next_id) = (Vec::new(), 1);
        for edit in &edits {
            apply(&mut masks, edit, &mut next_id);
            atlas.update(context, &layers(&masks));
        }
        assert_holds(context, &atlas, &masks);
        let mut fresh = SegmentAtlas::new(context, &grid);
        fresh.update(context, &layers(&masks));
        assert_eq!(fresh.resident_page_count(), atlas.resident_page_count(), "pages are given back");
        Ok(())
    });
    result.expect("every sequence of edits");
}

#[test]
fn a_dab_uploads_its_bricks_and_no_more() {
    let Some(context) = &device() else { return };
    let grid = Grid::axis_aligned(DIMS, DVec3::ONE, DVec3::ZERO).expect("valid grid");
    let mut atlas = SegmentAtlas::new(context, &grid);
    let mut masks = vec![(1, block([20, 20, 20], [60, 40, 60]))];
    assert!(atlas.update(context, &layers(&masks)).bricks_uploaded > 8);
    let again = atlas.update(context, &layers(&masks));
    assert_eq!((again.bricks_uploaded, again.changed), (0, false), "nothing has changed");
    let dab = block([85, 30, 30], [10, 10, 10]);
    masks[0].1 = masks[0].1.combined(&dab, |a, b| a | b);
    let update = atlas.update(context, &layers(&masks));
    assert!(update.changed && (1..=4).contains(&update.bricks_uploaded), "{update:?}");
    assert_holds(context, &atlas, &masks);
}

#[test]
fn colour_and_visibility_cost_no_voxels() {
    let Some(context) = &device() else { return };
    let grid = Grid::axis_aligned(DIMS, DVec3::ONE, DVec3::ZERO).expect("valid grid");
    let mut atlas = SegmentAtlas::new(context, &grid);
    let mask = block([20, 20, 20], [60, 40, 60]);
    let layer = SegmentLayer { id: SegmentId(1), mask: &mask, style: style(true) };
    atlas.update(context, &[layer]);
    let hidden = atlas.update(context, &[SegmentLayer { style: style(false), ..layer }]);
    assert_eq!((hidden.bricks_uploaded, hidden.changed), (0, true));
    let full = SegmentAtlas::new(context, &grid);
    assert_eq!(full.resident_page_count(), 0, "no segment, no page");
}

#[test]
fn a_segment_of_everything_takes_no_pages_and_growth_keeps_what_is_there() {
    let Some(context) = &device() else { return };
    // 7 x 2 x 2 pages: more than the first layer of the atlas.
    let dims = [420, 100, 100];
    let grid = Grid::axis_aligned(dims, DVec3::ONE, DVec3::ZERO).expect("valid grid");
    let mut atlas = SegmentAtlas::new(context, &grid);
    let all = Mask::from_fn(dims, |_, _, _| true);
    let one = |mask| [SegmentLayer { id: SegmentId(1), mask, style: style(true) }];
    atlas.update(context, &one(&all));
    assert_eq!(atlas.resident_page_count(), 0, "uniform pages hold no texels");
    assert_eq!(atlas.segments_at(context, [419, 99, 99]), [SegmentId(1)]);
    let checks = Mask::from_fn(dims, |i, j, k| (i + j + k) % 2 == 0);
    atlas.update(context, &one(&checks));
    assert_eq!(atlas.resident_page_count(), 28);
    for voxel in [[0, 0, 0], [1, 0, 0], [64, 63, 1], [419, 99, 98], [418, 99, 98], [200, 64, 64]] {
        let expected: &[SegmentId] = if voxel.iter().sum::<u32>() % 2 == 0 { &[SegmentId(1)] } else { &[] };
        assert_eq!(atlas.segments_at(context, voxel), expected, "{voxel:?}");
    }
}

#[test]
fn bricks_that_come_a_few_at_a_time_end_where_all_at_once_do() {
    let Some(context) = device() else { return };
    let grid = Grid::axis_aligned(DIMS, DVec3::ONE, DVec3::ZERO).expect("a grid");
    let mut atlas = SegmentAtlas::new(&context, &grid);
    let before = [(1, block([0, 0, 0], [90, 70, 60])), (2, block([40, 10, 5], [100, 40, 80]))];
    let after = [(2, block([20, 0, 30], [100, 70, 50])), (3, block([0, 20, 0], [150, 30, 90]))];
    for masks in [before, after] {
        let mut calls = 0;
        while !atlas.update_some(&context, &layers(&masks), 3).complete {
            calls += 1;
            assert!(calls < 1000, "it ends");
        }
        assert!(calls > 3, "a few at a time");
        assert_holds(&context, &atlas, &masks);
    }
}
