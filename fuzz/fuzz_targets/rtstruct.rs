#![no_main]
//! Any bytes as contours, filled on a small grid.

use glam::DVec3;
use maquette_fuzz::domain::grid::Grid;
use maquette_fuzz::io::rtstruct;
use maquette_fuzz::task::Progress;
use maquette_fuzz::with_file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let grid = Grid::axis_aligned([11, 8, 6], DVec3::new(0.7, 0.9, 2.5), DVec3::new(-31.5, 12.25, 407.0));
    let grid = grid.expect("valid");
    with_file("a.dcm", bytes, |path| {
        if let Ok(read) = rtstruct::read(path, &grid, &Progress::new()) {
            assert!(read.segments.iter().all(|(_, mask)| mask.dims() == grid.dims()));
        }
    });
});
