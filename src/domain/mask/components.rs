//! Connected parts of a mask, largest first.
//!
//! In: a mask. Out: `Components`: the runs of the mask with the number of the part that each belongs to.
//! Rows are cut into runs of voxels; runs of neighbouring rows that touch are joined in a union-find whose roots are
//! always the lowest run, so that the result does not depend on the order of the joins and rows can be joined in parallel.
//! Cost follows the runs, not the voxels.
//!
//! Source: He, Chao, Suzuki, "A Run-Based Two-Scan Labeling Algorithm", IEEE TIP 17(5), 2008; the lock-free union is that of
//! Anderson, Woll, "Wait-free parallel algorithms for the union-find problem", STOC 1991.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::task::{Cancelled, Progress};

use super::Mask;
use super::runs::{Run, Runs, set_bits};

/// Which voxels touch each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Connectivity {
    /// Those that share a face: 6 neighbours.
    #[default]
    Faces,
    /// Those that share a face, an edge or a corner: 26 neighbours.
    Corners,
}

/// The connected parts of a mask. Part 0 is the largest; equal ones come in the order of their first voxel.
#[derive(Debug, Clone)]
pub struct Components {
    runs: Runs,
    part_of_run: Vec<u32>,
    voxel_counts: Vec<u64>,
}

impl Components {
    /// Finds the connected parts of a mask.
    ///
    /// # Errors
    /// When cancelled.
    pub fn of(mask: &Mask, connectivity: Connectivity, progress: &Progress) -> Result<Self, Cancelled> {
        progress.phase("Connected parts");
        Self::of_runs(Runs::of(mask), Joins::volume(connectivity), progress)
    }

    /// Finds the connected parts of runs; `joins` says which rows touch a row.
    pub(super) fn of_runs(runs: Runs, joins: Joins, progress: &Progress) -> Result<Self, Cancelled> {
        let [_, nj, nk] = runs.dims();
        let parents: Vec<AtomicU32> = (0..runs.count() as u32).into_par_iter().map(AtomicU32::new).collect();
        (0..nk).into_par_iter().try_for_each(|k| {
            progress.check()?;
            for j in (0..nj).filter(|&j| !runs.row(j, k).is_empty()) {
                for &(dj, dk) in joins.rows {
                    let (other_j, other_k) = (j.wrapping_add_signed(dj), k.wrapping_add_signed(dk));
                    if other_j < nj && other_k < nk {
                        join_rows(&parents, &runs, [j, k], [other_j, other_k], joins.reach);
                    }
                }
            }
            Ok(())
        })?;
        Ok(Self::numbered(runs, &parents))
    }

    /// Numbers the trees, largest first.
    fn numbered(runs: Runs, parents: &[AtomicU32]) -> Self {
        let (mut part_of_run, mut counts) = (vec![0_u32; parents.len()], Vec::new());
        for (index, (run, parent)) in runs.all().iter().zip(parents).enumerate() {
            // A parent comes before its children, so it has its number already.
            let parent = parent.load(Ordering::Relaxed) as usize;
            part_of_run[index] = if parent == index {
                counts.push(0_u64);
                counts.len() as u32 - 1
            } else {
                part_of_run[parent]
            };
            counts[part_of_run[index] as usize] += u64::from(run.end - run.start);
        }
        let mut order: Vec<u32> = (0..counts.len() as u32).collect();
        order.sort_by_key(|&part| std::cmp::Reverse(counts[part as usize]));
        let mut rank = vec![0_u32; counts.len()];
        for (place, &part) in order.iter().enumerate() {
            rank[part as usize] = place as u32;
        }
        part_of_run.par_iter_mut().for_each(|part| *part = rank[*part as usize]);
        let voxel_counts = order.iter().map(|&part| counts[part as usize]).collect();
        Self { runs, part_of_run, voxel_counts }
    }

    /// Number of parts.
    pub fn count(&self) -> usize {
        self.voxel_counts.len()
    }

    /// Voxels of each part, most first.
    pub fn voxel_counts(&self) -> &[u64] {
        &self.voxel_counts
    }

    /// The part that holds a voxel; `None` when the voxel is not in the mask.
    pub fn part_at(&self, i: u32, j: u32, k: u32) -> Option<u32> {
        let [ni, nj, nk] = self.runs.dims();
        if i >= ni || j >= nj || k >= nk {
            return None;
        }
        let row = self.runs.row_range(j, k);
        let runs = &self.runs.all()[row.clone()];
        let place = runs.partition_point(|run| u32::from(run.end) <= i);
        let hit = place < runs.len() && u32::from(runs[place].start) <= i;
        hit.then(|| self.part_of_run[row.start + place])
    }

    /// The voxels of the parts for which `keep(part)` holds.
    pub fn mask_of(&self, keep: impl Fn(u32) -> bool + Sync) -> Mask {
        let runs = &self.runs;
        Mask::from_rows(runs.dims(), |j, k, words| {
            let row = runs.row_range(j, k);
            for (run, &part) in runs.all()[row.clone()].iter().zip(&self.part_of_run[row]) {
                if keep(part) {
                    set_bits(words, *run);
                }
            }
        })
    }

    /// The runs of a row and the part of each.
    pub(super) fn parts_of_row(&self, j: u32, k: u32) -> impl Iterator<Item = (Run, u32)> {
        let row = self.runs.row_range(j, k);
        self.runs.all()[row.clone()].iter().copied().zip(self.part_of_run[row].iter().copied())
    }
}

/// The rows before a row that it is joined with, and how.
#[derive(Clone, Copy)]
pub(super) struct Joins {
    rows: &'static [(i32, i32)],
    /// Voxels that runs of two rows may be apart along i and still touch.
    reach: u16,
}

impl Joins {
    /// Joins through the whole volume.
    pub(super) fn volume(connectivity: Connectivity) -> Self {
        match connectivity {
            Connectivity::Faces => Self { rows: &[(-1, 0), (0, -1)], reach: 0 },
            Connectivity::Corners => Self { rows: &[(-1, 0), (-1, -1), (0, -1), (1, -1)], reach: 1 },
        }
    }

    /// Joins by faces along the given steps only.
    pub(super) fn along(rows: &'static [(i32, i32)]) -> Self {
        Self { rows, reach: 0 }
    }
}

/// Joins the touching runs of two rows.
fn join_rows(parents: &[AtomicU32], runs: &Runs, row: [u32; 2], other: [u32; 2], reach: u16) {
    let (a, b) = (runs.row_range(row[0], row[1]), runs.row_range(other[0], other[1]));
    let (mut ia, mut ib) = (a.start, b.start);
    let all = runs.all();
    while ia < a.end && ib < b.end {
        let (ra, rb) = (all[ia], all[ib]);
        if ra.start < rb.end + reach && rb.start < ra.end + reach {
            join(parents, ia as u32, ib as u32);
        }
        // The run that ends first can touch nothing further.
        if ra.end < rb.end {
            ia += 1;
        } else {
            ib += 1;
        }
    }
}

/// The root of a tree, halving the path to it.
fn root_of(parents: &[AtomicU32], mut run: u32) -> u32 {
    loop {
        let parent = parents[run as usize].load(Ordering::Relaxed);
        if parent == run {
            return run;
        }
        let above = parents[parent as usize].load(Ordering::Relaxed);
        if above != parent {
            // A lost race here only means a longer path: every value ever stored is an ancestor.
            let _ = parents[run as usize].compare_exchange(parent, above, Ordering::Relaxed, Ordering::Relaxed);
        }
        run = above;
    }
}

fn join(parents: &[AtomicU32], a: u32, b: u32) {
    loop {
        let (a, b) = (root_of(parents, a), root_of(parents, b));
        if a == b {
            return;
        }
        let (low, high) = (a.min(b), a.max(b));
        if parents[high as usize].compare_exchange(high, low, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return;
        }
    }
}

/// The largest connected part of a mask.
///
/// # Errors
/// When cancelled.
pub fn largest_component(mask: &Mask, connectivity: Connectivity, progress: &Progress) -> Result<Mask, Cancelled> {
    Ok(Components::of(mask, connectivity, progress)?.mask_of(|part| part == 0))
}

/// The connected part that holds a voxel; `None` when the voxel is not in the mask.
///
/// # Errors
/// When cancelled.
pub fn component_at(
    mask: &Mask,
    [i, j, k]: [u32; 3],
    connectivity: Connectivity,
    progress: &Progress,
) -> Result<Option<Mask>, Cancelled> {
    if !mask.contains(i, j, k) {
        return Ok(None);
    }
    let components = Components::of(mask, connectivity, progress)?;
    Ok(components.part_at(i, j, k).map(|wanted| components.mask_of(|part| part == wanted)))
}

/// The parts of at least `voxel_count` voxels.
///
/// # Errors
/// When cancelled.
pub fn without_small_components(
    mask: &Mask,
    voxel_count: u64,
    connectivity: Connectivity,
    progress: &Progress,
) -> Result<Mask, Cancelled> {
    let components = Components::of(mask, connectivity, progress)?;
    Ok(components.mask_of(|part| components.voxel_counts[part as usize] >= voxel_count))
}
