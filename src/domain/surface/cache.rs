//! What an iso slider keeps between two positions: the ranges of the cells and the memory of the output.
//!
//! In: one volume, many iso values. Out: its surface, in the cache's own memory.

use super::bit_grid::BitGrid;
use super::cells::WordCells;
use super::count::Layout;
use super::fast;
use super::field::{IsoLevel, ScalarField};
use super::instruction_set::InstructionSet;
use super::placement::Placement;
use crate::domain::mesh::TriangleMesh;
use crate::domain::volume::Volume;
use crate::task::{Cancelled, Progress};

/// Memory and cells of one volume for extraction after extraction.
#[derive(Debug, Default)]
pub struct SurfaceCache {
    set: Option<InstructionSet>,
    cells: Option<WordCells>,
    grid: Option<BitGrid>,
    layout: Layout,
    mesh: TriangleMesh,
}

impl SurfaceCache {
    /// An empty cache for volumes of one size.
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds the cells, so that extraction need not read blocks that lie wholly on one side of the iso value.
    /// Costs more than one extraction saves (the volume's own min-max cells are made if they are not there yet).
    pub fn prepare(&mut self, volume: &Volume) {
        let words = BitGrid::padded([volume.grid().dims()[0], 0, 0]).words;
        self.cells = Some(WordCells::new(volume.cells(), words));
    }

    /// Extracts the surface at `iso_value` into the cache's memory. After [`SurfaceCache::prepare`] the volume must be the
    /// one that was prepared.
    ///
    /// # Errors
    /// When the work was cancelled; the mesh is then of no use until the next extraction.
    pub fn extract(
        &mut self,
        volume: &Volume,
        iso_value: f64,
        progress: &Progress,
    ) -> Result<&TriangleMesh, Cancelled> {
        let set = *self.set.get_or_insert_with(InstructionSet::detect);
        let dims = volume.grid().dims();
        let level = IsoLevel::of(volume, iso_value);
        let points = dims.map(|n| n as usize + 2);
        let grid = match &mut self.grid {
            Some(grid) if [grid.width, grid.rows, grid.slices] == points => grid,
            grid => grid.insert(BitGrid::padded(dims)),
        };
        progress.check()?;
        grid.classify(volume.samples(), dims, level, self.cells.as_ref().map(|cells| cells.at(level)).as_ref(), set);
        progress.step(1, 4)?;
        self.layout.count(grid, set, true);
        fast::resize(&mut self.mesh, &self.layout);
        progress.step(2, 4)?;
        let (field, placement) = (ScalarField::new(volume, level), Placement::new(volume.grid()));
        fast::fill_scalar_vertices(grid, &self.layout, &field, &placement, set, &mut self.mesh);
        progress.step(3, 4)?;
        fast::fill_triangles(grid, &self.layout, &placement, set, &mut self.mesh.triangles);
        progress.step(4, 4)?;
        Ok(&self.mesh)
    }

    /// The mesh of the last extraction, taken out; its memory is gone from the cache.
    pub fn take_mesh(&mut self) -> TriangleMesh {
        std::mem::take(&mut self.mesh)
    }

    /// Leaves the instructions beyond the portable ones unused, or uses just these.
    #[cfg(test)]
    pub(crate) fn with_set(set: InstructionSet) -> Self {
        Self { set: Some(set), ..Self::default() }
    }
}
