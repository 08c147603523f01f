//! Real CT series against what SimpleITK says of them.

use maquette::domain::volume::{Quantity, Volume};
use maquette::ops::open::SeriesEntry;
use maquette::ops::open::{open, scan};
use maquette::task::Progress;

use crate::support::real_ct::real_ct;

struct Expected {
    folder: &'static str,
    dims: [u32; 3],
    origin_mm: [f64; 3],
    spacing_mm: [f64; 3],
    range_hu: (f64, f64),
}

const SERIES: [Expected; 2] = [
    Expected {
        folder: "skull-ct/dicom",
        dims: [256, 256, 108],
        origin_mm: [-122.0215, -122.0215, 0.0],
        spacing_mm: [0.957, 0.957, 1.5],
        range_hu: (-1024.0, 2986.0),
    },
    Expected {
        folder: "lung-ct/dicom",
        dims: [512, 512, 61],
        origin_mm: [-170.5, -324.5, -360.0],
        spacing_mm: [0.627, 0.627, 5.0],
        range_hu: (-1024.0, 1671.0),
    },
];

#[test]
fn real_series_are_where_and_what_simpleitk_says() {
    for expected in SERIES {
        let Some(folder) = real_ct(expected.folder) else { continue };
        let loaded = open(&folder, None, &Progress::new(), &|_| {}).expect("a readable series");
        let grid = loaded.volume.grid();
        assert_eq!(grid.dims(), expected.dims);
        let affine = grid.patient_from_voxel();
        for axis in 0..3 {
            assert!((affine.translation[axis] - expected.origin_mm[axis]).abs() < 1e-3, "origin {affine:?}");
            assert!((grid.spacing_mm()[axis] - expected.spacing_mm[axis]).abs() < 1e-3, "spacing {affine:?}");
            assert!(affine.matrix3.col(axis)[axis] > 0.0, "identity directions");
        }
        assert_eq!(loaded.volume.value_range(), expected.range_hu);
        assert_eq!(loaded.volume.quantity(), Quantity::Hounsfield);
        assert!(loaded.volume.cells_if_built().is_some(), "cells are taken while slices are read");
        let again = Volume::new(*grid, loaded.volume.samples().to_vec(), loaded.volume.rescale(), Quantity::Hounsfield);
        assert_eq!((loaded.volume.cells(), loaded.volume.histogram()), (again.cells(), again.histogram()));
        assert_eq!(loaded.report.lines, [], "nothing to say of a clean series");
    }
}

#[test]
fn a_folder_of_several_series_lists_ct_first() {
    let Some(data) = real_ct("") else { return };
    let scan = scan(&data, &Progress::new()).expect("a readable folder");
    let slices: Vec<usize> = scan.entries.iter().take(2).map(SeriesEntry::slice_count).collect();
    assert_eq!(slices, [108, 61]);
}
