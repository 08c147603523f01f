//! Pixels that 16 bits do not hold as they are (32-bit whole numbers, floating point), and real-world value maps: values
//! are kept exactly where they can be, else to half a step of 65536, and the report says what was done.

use std::path::Path;

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use maquette::domain::volume::Quantity;
use maquette::ops::open::{ImportError, LoadedVolume, Severity, open};
use maquette::task::Progress;

use crate::support::series::{DIMS, axial, edit, rewrite_as, volume, written};

/// Pixels of a slice.
const PIXELS: usize = (DIMS[0] * DIMS[1]) as usize;

fn put(object: &mut InMemDicomObject, tag: Tag, number: u16) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(number)));
}

/// An MR series, bent slice by slice.
fn series(change: impl Fn(usize, &mut InMemDicomObject)) -> (tempfile::TempDir, Vec<std::path::PathBuf>) {
    let (folder, files) = written(&volume(axial()));
    for (k, file) in files.iter().enumerate() {
        edit(file, |object| {
            object.put_str(tags::MODALITY, VR::CS, "MR");
            object.remove_element(tags::RESCALE_SLOPE);
            object.remove_element(tags::RESCALE_INTERCEPT);
            object.remove_element(tags::RESCALE_TYPE);
            change(k, object);
        });
    }
    (folder, files)
}

fn put_words(object: &mut InMemDicomObject, stored: u16, signed: bool, words: impl Iterator<Item = u32>) {
    put(object, tags::BITS_ALLOCATED, 32);
    put(object, tags::BITS_STORED, stored);
    put(object, tags::HIGH_BIT, stored - 1);
    put(object, tags::PIXEL_REPRESENTATION, u16::from(signed));
    let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U8(bytes.into())));
}

fn try_read(folder: &Path) -> Result<LoadedVolume, ImportError> {
    open(folder, None, &Progress::new(), &|_| {})
}

fn read(folder: &Path) -> LoadedVolume {
    try_read(folder).expect("a readable series")
}

fn said(loaded: &LoadedVolume, words: &str) -> Option<Severity> {
    loaded.report.lines.iter().find(|line| line.text.contains(words)).map(|line| line.severity)
}

/// Every voxel has this value, to half a step where it says so.
fn assert_values(loaded: &LoadedVolume, tolerance: f64, expected: impl Fn(usize, usize) -> f64) {
    for (n, &sample) in loaded.volume.samples().iter().enumerate() {
        let (found, wanted) = (loaded.volume.rescale().value(f64::from(sample)), expected(n / PIXELS, n % PIXELS));
        assert!((found - wanted).abs() <= tolerance, "voxel {n}: {found} is not {wanted} within {tolerance}");
    }
}

#[test]
fn whole_numbers_of_32_bits_that_span_65536_are_exact() {
    // 20 of 32 bits with rubbish above, signed and not, in every uncompressed syntax.
    let stored = |k: usize, n: usize| -300_000 + (k * 997 + n * 131) as i32;
    for syntax in [uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN] {
        let (folder, files) = series(|k, object| {
            let words = (0..PIXELS).map(|n| (stored(k, n) as u32 & 0xf_ffff) | 0xabc0_0000);
            put_words(object, 20, true, words);
            object.put_str(tags::RESCALE_SLOPE, VR::DS, "0.5");
            object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "7");
        });
        for file in &files {
            rewrite_as(file, syntax);
        }
        assert_values(&read(folder.path()), 0.0, |k, n| f64::from(stored(k, n)) * 0.5 + 7.0);
    }
    let (folder, _files) = series(|k, object| {
        put_words(object, 32, false, (0..PIXELS).map(|n| u32::MAX - (k * 997 + n * 131) as u32));
    });
    let loaded = read(folder.path());
    assert_values(&loaded, 0.0, |k, n| f64::from(u32::MAX) - (k * 997 + n * 131) as f64);
    assert_eq!(said(&loaded, "16 bits"), None, "nothing changed");
}

#[test]
fn wider_numbers_are_kept_to_half_a_step_that_is_said() {
    let stored = |k: usize, n: usize| ((k * PIXELS + n) as u32).wrapping_mul(2_654_435_761);
    let (folder, _files) = series(|k, object| put_words(object, 32, false, (0..PIXELS).map(|n| stored(k, n))));
    let loaded = read(folder.path());
    assert_values(&loaded, f64::from(u32::MAX) / 65535.0 * 0.5001, |k, n| f64::from(stored(k, n)));
    assert_eq!(said(&loaded, "none changed by more than"), Some(Severity::Repaired));
}

#[test]
fn slices_with_rescales_of_their_own_share_one_scale() {
    let (folder, _files) = series(|k, object| {
        put_words(object, 32, false, (0..PIXELS).map(|n| 1_000_000 + n as u32));
        object.put_str(tags::RESCALE_SLOPE, VR::DS, format!("{}", 1 + k));
        object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "0");
    });
    let step = 6.0 * 1_000_087.0 / 65535.0;
    assert_values(&read(folder.path()), step / 2.0, |k, n| (1 + k) as f64 * (1_000_000 + n) as f64);
}

fn put_floats(object: &mut InMemDicomObject, double: bool, values: impl Iterator<Item = f64>) {
    for tag in [tags::PIXEL_DATA, tags::BITS_STORED, tags::HIGH_BIT, tags::PIXEL_REPRESENTATION] {
        object.remove_element(tag);
    }
    put(object, tags::BITS_ALLOCATED, if double { 64 } else { 32 });
    object.put(if double {
        let values = values.collect::<Vec<f64>>();
        DataElement::new(tags::DOUBLE_FLOAT_PIXEL_DATA, VR::OD, PrimitiveValue::F64(values.into()))
    } else {
        let values = values.map(|value| value as f32).collect::<Vec<f32>>();
        DataElement::new(tags::FLOAT_PIXEL_DATA, VR::OF, PrimitiveValue::F32(values.into()))
    });
}

#[test]
fn floating_point_pixels_become_values_and_what_is_no_number_is_counted() {
    let value = |k: usize, n: usize| ((k * PIXELS + n) as f64).sin() * 1.5e-3;
    for (double, big_endian) in [(false, false), (true, false), (false, true), (true, true)] {
        let (folder, files) = series(|k, object| {
            put_floats(object, double, (0..PIXELS).map(|n| if (k, n) == (2, 5) { f64::NAN } else { value(k, n) }));
        });
        if big_endian {
            for file in &files {
                rewrite_as(file, "1.2.840.10008.1.2.2");
            }
        }
        let loaded = read(folder.path());
        let lowest = loaded.volume.value_range().0;
        assert!((lowest + 1.5e-3).abs() < 1e-6, "{lowest}");
        let tolerance = 3e-3 / 65535.0 * 0.51 + 1.5e-3 * f64::from(f32::EPSILON);
        assert_values(&loaded, tolerance, |k, n| if (k, n) == (2, 5) { lowest } else { value(k, n) });
        assert_eq!(said(&loaded, "1 voxels are no numbers"), Some(Severity::Warning));
    }
}

#[test]
fn padding_of_floats_is_left_out_of_the_range() {
    let (folder, _files) = series(|_, object| {
        put_floats(object, false, (0..PIXELS).map(|n| if n < 4 { -1e30 } else { n as f64 }));
        object.put(DataElement::new(tags::FLOAT_PIXEL_PADDING_VALUE, VR::FL, PrimitiveValue::from(-1e30_f32)));
    });
    let loaded = read(folder.path());
    assert_values(&loaded, 0.0, |_, n| n.max(4) as f64);
    assert_eq!(said(&loaded, "24 voxels are marked as padding"), Some(Severity::Repaired));
}

#[test]
fn ranges_without_end_are_refused_and_extremes_are_warned_of() {
    let (folder, _files) = series(|_, object| {
        put_floats(object, true, (0..PIXELS).map(|n| if n == 0 { 1.7e308 } else { -1.7e308 }));
    });
    let error = try_read(folder.path()).expect_err("no scale holds it").to_string();
    assert!(error.contains("which no picture can show"), "{error}");
    let (folder, _files) = series(|k, object| {
        put_floats(object, false, (0..PIXELS).map(|n| if k + n == 0 { 1e9 } else { n as f64 / 10.0 }));
    });
    assert_eq!(said(&read(folder.path()), "fine detail is lost"), Some(Severity::Warning));
}

/// A real-world map: a line, or a table.
fn map(unit: &str, range: (i16, i16), line: Option<(f64, f64)>, table: &[f64]) -> InMemDicomObject {
    let mut map = InMemDicomObject::new_empty();
    let float = |tag, number: f64| DataElement::new(tag, VR::FD, PrimitiveValue::from(number));
    map.put(DataElement::new(tags::REAL_WORLD_VALUE_FIRST_VALUE_MAPPED, VR::SS, PrimitiveValue::from(range.0)));
    map.put(DataElement::new(tags::REAL_WORLD_VALUE_LAST_VALUE_MAPPED, VR::SS, PrimitiveValue::from(range.1)));
    if let Some((slope, intercept)) = line {
        map.put(float(tags::REAL_WORLD_VALUE_SLOPE, slope));
        map.put(float(tags::REAL_WORLD_VALUE_INTERCEPT, intercept));
    } else {
        let values = PrimitiveValue::F64(table.into());
        map.put(DataElement::new(tags::REAL_WORLD_VALUE_LUT_DATA, VR::FD, values));
    }
    let mut code = InMemDicomObject::new_empty();
    code.put_str(tags::CODE_VALUE, VR::SH, unit);
    code.put_str(tags::CODING_SCHEME_DESIGNATOR, VR::SH, "UCUM");
    map.put(DataElement::new(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, VR::SQ, DataSetSequence::from(vec![code])));
    map
}

fn put_maps(object: &mut InMemDicomObject, maps: Vec<InMemDicomObject>) {
    object.put(DataElement::new(tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE, VR::SQ, DataSetSequence::from(maps)));
}

/// What `volume` stores.
fn stored(k: usize, n: usize) -> f64 {
    (((k * PIXELS + n) * 37) % 3000) as f64 - 1000.0
}

#[test]
fn a_line_to_real_world_values_is_used_where_it_says_more_than_the_rescale() {
    let line = || vec![map("mm2/s", (-2000, 2000), Some((1e-6, 2e-3)), &[])];
    let (plain, _a) = series(|_, object| put_maps(object, line()));
    let (rescaled, _b) = series(|_, object| {
        put_maps(object, line());
        object.put_str(tags::RESCALE_SLOPE, VR::DS, "2.5");
        object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "0");
    });
    for folder in [&plain, &rescaled] {
        let loaded = read(folder.path());
        assert_values(&loaded, 1e-15, |k, n| stored(k, n) * 1e-6 + 2e-3);
        assert_eq!(said(&loaded, "real-world values in mm2/s"), Some(Severity::Repaired));
        assert_eq!(loaded.volume.quantity(), Quantity::Arbitrary);
    }
    assert_eq!(said(&read(rescaled.path()), "(2.5 x stored + 0) was not used"), Some(Severity::Repaired));

    // A map that says no unit yields to a rescale that does something.
    let (folder, _files) = series(|_, object| {
        put_maps(object, vec![map("1", (-2000, 2000), Some((9.0, 0.0)), &[])]);
        object.put_str(tags::RESCALE_SLOPE, VR::DS, "2.5");
        object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "0");
    });
    let loaded = read(folder.path());
    assert_values(&loaded, 1e-12, |k, n| stored(k, n) * 2.5);
    assert_eq!(said(&loaded, "which is not applied"), Some(Severity::Warning));
}

#[test]
fn ct_keeps_its_numbers_and_pet_takes_uptake_that_a_map_gives() {
    let (folder, _files) = series(|_, object| {
        put_maps(object, vec![map("mg/cm3", (-2000, 2000), Some((1.5, 0.0)), &[])]);
        object.put_str(tags::MODALITY, VR::CS, "CT");
        object.put_str(tags::RESCALE_SLOPE, VR::DS, "1");
        object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "-24");
    });
    let loaded = read(folder.path());
    assert_eq!(loaded.volume.quantity(), Quantity::Hounsfield);
    assert_values(&loaded, 0.0, |k, n| stored(k, n) - 24.0);

    let (folder, _files) = series(|_, object| {
        put_maps(object, vec![map("[hnsf'U]", (-2000, 2000), Some((1.0, 10.0)), &[])]);
        object.put_str(tags::MODALITY, VR::CS, "CT");
    });
    let loaded = read(folder.path());
    assert_eq!(loaded.volume.quantity(), Quantity::Hounsfield);
    assert_values(&loaded, 0.0, |k, n| stored(k, n) + 10.0);

    let (folder, _files) = series(|_, object| {
        let counts = map("{counts}", (-2000, 2000), Some((1.0, 0.0)), &[]);
        put_maps(object, vec![counts, map("{SUVbw}g/ml", (-2000, 2000), Some((0.01, 0.0)), &[])]);
        object.put_str(tags::MODALITY, VR::CS, "PT");
        object.put_str(tags::UNITS, VR::CS, "CNTS");
        object.put_str(tags::RESCALE_SLOPE, VR::DS, "3");
        object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "0");
    });
    let loaded = read(folder.path());
    assert_eq!(loaded.volume.quantity(), Quantity::Suv);
    assert_values(&loaded, 1e-12, |k, n| stored(k, n) * 0.01);
    assert_eq!(said(&loaded, "not SUV"), None);
}

#[test]
fn tables_and_several_ranges_are_followed_and_what_they_leave_out_is_counted() {
    let table: Vec<f64> = (0..1001).map(|n| f64::from(n).sqrt()).collect();
    let expected = |stored: f64| if stored < 0.0 { stored * 0.5 } else { stored.min(1000.0).sqrt() };
    let (folder, _files) = series(|_, object| {
        let below = map("ms", (-1000, -1), Some((0.5, 0.0)), &[]);
        put_maps(object, vec![below, map("ms", (0, 1000), None, &table)]);
    });
    let loaded = read(folder.path());
    assert_values(&loaded, 532.0 / 65535.0 * 0.51, |k, n| expected(stored(k, n)));
    let outside = (0..PIXELS * DIMS[2] as usize).filter(|n| stored(n / PIXELS, n % PIXELS) > 1000.0).count();
    assert!(outside > 0);
    assert_eq!(said(&loaded, &format!("{outside} voxels lie outside the range")), Some(Severity::Warning));
}

#[test]
fn a_damaged_table_is_as_good_as_none() {
    let (folder, _files) = series(|_, object| put_maps(object, vec![map("ms", (0, 1000), None, &[1.0, 2.0])]));
    assert_values(&read(folder.path()), 0.0, stored);
}
