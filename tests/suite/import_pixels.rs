//! Stored bits to values: every layout that classic DICOM allows, and what is refused.

use std::path::{Path, PathBuf};

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use maquette::domain::volume::Quantity;
use maquette::ops::open::{LoadedVolume, Severity, open, scan};
use maquette::task::Progress;

use crate::support::series::{axial, edit, rewrite_as, volume, written};

fn read(folder: &Path) -> LoadedVolume {
    open(folder, None, &Progress::new(), &|_| {}).expect("a readable series")
}

fn put_number(object: &mut InMemDicomObject, tag: Tag, number: u16) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(number)));
}

/// Replaces stored words.
fn remap(object: &mut InMemDicomObject, map: impl Fn(usize, i16) -> u16) {
    let bytes = object.element(tags::PIXEL_DATA).expect("there").to_bytes().expect("bytes").into_owned();
    let words = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    let words = words.enumerate().map(|(n, word)| map(n, word)).collect();
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(words)));
}

fn each(files: &[PathBuf], change: impl Fn(usize, &mut InMemDicomObject)) {
    for (k, file) in files.iter().enumerate() {
        edit(file, |object| change(k, object));
    }
}

#[test]
fn every_uncompressed_transfer_syntax_gives_the_same_values() {
    let before = volume(axial());
    let big_endian = "1.2.840.10008.1.2.2";
    for syntax in [uids::IMPLICIT_VR_LITTLE_ENDIAN, big_endian, uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN] {
        let (folder, files) = written(&before);
        for file in &files {
            rewrite_as(file, syntax);
        }
        let after = read(folder.path());
        assert_eq!(after.volume.samples(), before.samples(), "{syntax}");
        assert_eq!(after.volume.rescale(), before.rescale(), "{syntax}");
    }
}

#[test]
fn unsigned_16_bit_data_stay_exact() {
    let (folder, files) = written(&volume(axial()));
    each(&files, |k, object| {
        remap(object, |n, _| if (n + k) % 2 == 0 { 65535 } else { 3 });
        put_number(object, tags::PIXEL_REPRESENTATION, 0);
        object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "-1000");
    });
    let loaded = read(folder.path());
    assert_eq!(loaded.volume.value_range(), (-997.0, 64535.0));
    assert_eq!(loaded.volume.value(0, 0, 0), 64535.0);
}

#[test]
fn unused_bits_are_masked_and_signs_extended() {
    let (folder, files) = written(&volume(axial()));
    each(&files, |_, object| {
        // 12 bits, signed, in the upper part of the word, with rubbish below.
        remap(object, |n, _| if n == 0 { 0x8005 } else { 0x7ff5 });
        put_number(object, tags::BITS_STORED, 12);
        put_number(object, tags::HIGH_BIT, 15);
        object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "0");
    });
    let loaded = read(folder.path());
    assert_eq!((loaded.volume.value(0, 0, 0), loaded.volume.value(1, 0, 0)), (-2048.0, 2047.0));
}

#[test]
fn padding_becomes_air() {
    let (folder, files) = written(&volume(axial()));
    each(&files, |_, object| {
        remap(object, |n, word| if n < 5 { -2000_i16 as u16 } else { word as u16 });
        object.put(DataElement::new(tags::PIXEL_PADDING_VALUE, VR::SS, PrimitiveValue::from(-2000_i16)));
        object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "0");
    });
    let loaded = read(folder.path());
    assert_eq!(loaded.volume.value(0, 0, 0), -1024.0);
    assert!(loaded.report.lines.iter().any(|line| line.text.contains("padding")), "{:?}", loaded.report);
}

#[test]
fn slices_with_different_rescales_become_one_volume_with_the_error_said() {
    let before = volume(axial());
    let (folder, files) = written(&before);
    each(&files, |k, object| {
        object.put_str(tags::RESCALE_SLOPE, VR::DS, format!("{}", 1.0 + k as f64 * 0.37));
    });
    let loaded = read(folder.path());
    let line = loaded.report.lines.iter().find(|line| line.text.contains("different rescales")).expect("said");
    assert_eq!(line.severity, Severity::Repaired);
    let (low, high) = loaded.volume.value_range();
    let tolerance = (high - low) / 65535.0;
    for (n, &sample) in before.samples().iter().enumerate() {
        let k = n / (before.samples().len() / files.len());
        let expected = (1.0 + k as f64 * 0.37) * f64::from(sample) - 24.0;
        let found = loaded.volume.rescale().value(f64::from(loaded.volume.samples()[n]));
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }
}

#[test]
fn negatives_are_inverted_in_mr_and_kept_in_ct() {
    let change = |modality: &'static str| {
        let before = volume(axial());
        let (folder, files) = written(&before);
        each(&files, |_, object| {
            object.put_str(tags::MODALITY, VR::CS, modality);
            object.put_str(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1");
        });
        let loaded = read(folder.path());
        assert!(loaded.report.lines.iter().any(|line| line.text.contains("MONOCHROME1")), "{:?}", loaded.report);
        (before.samples()[1], loaded.volume.samples()[1], loaded.volume.quantity())
    };
    let (before, after, quantity) = change("CT");
    assert_eq!((after, quantity), (before, Quantity::Hounsfield));
    let (before, after, quantity) = change("MR");
    assert_eq!((after, quantity), (-1 - before, Quantity::Arbitrary));
}

#[test]
fn values_are_called_hu_only_when_they_are() {
    type Case = (&'static str, fn(&mut InMemDicomObject));
    let cases: [Case; 2] = [
        ("no rescale", |object| {
            object.remove_element(tags::RESCALE_SLOPE);
            object.remove_element(tags::RESCALE_INTERCEPT);
        }),
        ("iodine map", |object| drop(object.put_str(tags::RESCALE_TYPE, VR::LO, "mgI/ml"))),
    ];
    for (name, change) in cases {
        let (folder, files) = written(&volume(axial()));
        each(&files, |_, object| change(object));
        let loaded = read(folder.path());
        assert_eq!(loaded.volume.quantity(), Quantity::Arbitrary, "{name}");
        assert!(loaded.report.lines.iter().any(|line| line.text.contains("HU")), "{name}: {:?}", loaded.report);
    }
}

#[test]
fn what_has_no_grey_values_is_refused_with_the_reason() {
    type Case = (&'static str, fn(&mut InMemDicomObject), &'static str);
    let cases: [Case; 8] = [
        ("colour", |o| put_number(o, tags::SAMPLES_PER_PIXEL, 3), "colour image"),
        ("palette", |o| drop(o.put_str(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "PALETTE COLOR")), "PALETTE COLOR"),
        ("24 bits", |o| put_number(o, tags::BITS_ALLOCATED, 24), "only 8, 16 and 32 bits"),
        ("bits that do not fit", |o| put_number(o, tags::BITS_STORED, 17), "17 of 16 bits"),
        ("many frames", |o| drop(o.put_str(tags::NUMBER_OF_FRAMES, VR::IS, "30")), "30 frames"),
        ("no size", |o| put_number(o, tags::ROWS, 0), "0 rows"),
        ("larger than its pixels", |o| put_number(o, tags::ROWS, 4000), "cut short"),
        (
            "no pixels",
            |o| {
                o.remove_element(tags::PIXEL_DATA);
            },
            "holds no image",
        ),
    ];
    for (name, change, words) in cases {
        let (folder, files) = written(&volume(axial()));
        each(&files, |_, object| change(object));
        let scan = scan(folder.path(), &Progress::new()).expect("a scan");
        let refusal = scan.entries[0].refusal.as_deref().unwrap_or_else(|| panic!("{name}: was accepted"));
        assert!(refusal.contains(words), "{name}: {refusal}");
    }
}

/// The header of a PET series that was injected an hour before its scan.
fn put_pet(object: &mut InMemDicomObject) {
    let texts = [
        (tags::MODALITY, VR::CS, "PT"),
        (tags::UNITS, VR::CS, "BQML"),
        (tags::DECAY_CORRECTION, VR::CS, "START"),
        (tags::CORRECTED_IMAGE, VR::CS, "ATTN\\SCAT\\DECY"),
        (tags::PATIENT_WEIGHT, VR::DS, "70"),
        (tags::SERIES_DATE, VR::DA, "20240301"),
        (tags::SERIES_TIME, VR::TM, "110000"),
        (tags::ACQUISITION_DATE, VR::DA, "20240301"),
        (tags::ACQUISITION_TIME, VR::TM, "110500"),
        (tags::RESCALE_INTERCEPT, VR::DS, "0"),
    ];
    for (tag, vr, value) in texts {
        object.put_str(tag, vr, value);
    }
    let mut isotope = InMemDicomObject::new_empty();
    isotope.put_str(tags::RADIONUCLIDE_TOTAL_DOSE, VR::DS, "350000000");
    isotope.put_str(tags::RADIONUCLIDE_HALF_LIFE, VR::DS, "6586.2");
    isotope.put_str(tags::RADIOPHARMACEUTICAL_START_TIME, VR::TM, "100000");
    let items = dicom_core::value::DataSetSequence::from(vec![isotope]);
    object.put(DataElement::new(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE, VR::SQ, items));
}

#[test]
fn pet_becomes_suv_only_when_everything_that_it_takes_is_there() {
    let before = volume(axial());
    let (folder, files) = written(&before);
    each(&files, |_, object| put_pet(object));
    let loaded = read(folder.path());
    assert_eq!(loaded.volume.quantity(), Quantity::Suv);
    // 70 kg over what is left of 350 MBq of fluorine-18 after an hour.
    let factor = 70_000.0 / (350e6 * 0.5_f64.powf(3600.0 / 6586.2));
    let (found, stored) = (loaded.volume.value(3, 2, 1), before.value(3, 2, 1) + 24.0);
    assert!((found / (stored * factor) - 1.0).abs() < 1e-9, "{found} is not {}", stored * factor);

    type Case = (Tag, VR, &'static str, &'static str);
    let cases: [Case; 4] = [
        (tags::PATIENT_WEIGHT, VR::DS, "", "weight"),
        (tags::UNITS, VR::CS, "CNTS", "counts"),
        (tags::SERIES_TIME, VR::TM, "120000", "start of the scan is not known"),
        (tags::CORRECTED_IMAGE, VR::CS, "SCAT", "attenuation and decay"),
    ];
    for (tag, vr, value, words) in cases {
        let (folder, files) = written(&before);
        each(&files, |_, object| {
            put_pet(object);
            object.put_str(tag, vr, value);
        });
        let loaded = read(folder.path());
        assert_eq!(loaded.volume.quantity(), Quantity::Arbitrary, "{words}");
        assert_eq!(loaded.volume.value(3, 2, 1), before.value(3, 2, 1) + 24.0, "{words}");
        let said = loaded.report.lines.iter().any(|line| line.text.contains("not SUV") && line.text.contains(words));
        assert!(said, "{words}: {:?}", loaded.report);
    }
}

#[test]
fn a_modality_table_gives_the_values() {
    let before = volume(axial());
    let (folder, files) = written(&before);
    each(&files, |_, object| {
        remap(object, |n, _| (n % 7) as u16);
        object.remove_element(tags::RESCALE_SLOPE);
        object.remove_element(tags::RESCALE_INTERCEPT);
        let mut table = InMemDicomObject::new_empty();
        let descriptor = PrimitiveValue::U16([4, 1, 16].as_slice().into());
        table.put(DataElement::new(tags::LUT_DESCRIPTOR, VR::US, descriptor));
        let data = PrimitiveValue::U16([100, 200, 400, 60_000].as_slice().into());
        table.put(DataElement::new(tags::LUT_DATA, VR::OW, data));
        table.put_str(tags::MODALITY_LUT_TYPE, VR::LO, "OD");
        let items = dicom_core::value::DataSetSequence::from(vec![table]);
        object.put(DataElement::new(tags::MODALITY_LUT_SEQUENCE, VR::SQ, items));
    });
    let loaded = read(folder.path());
    let found: Vec<f64> = (0..7).map(|i| loaded.volume.value(i, 0, 0)).collect();
    assert_eq!(found, [100.0, 100.0, 200.0, 400.0, 60_000.0, 60_000.0, 60_000.0]);
    assert_eq!(loaded.volume.quantity(), Quantity::Arbitrary, "optical density is not HU");
    assert!(loaded.report.lines.iter().any(|line| line.text.contains("in OD")), "{:?}", loaded.report);
}

#[test]
fn the_same_volume_is_written_as_the_same_bytes() {
    let volume = volume(axial());
    let ((_a, first), (_b, second)) = (written(&volume), written(&volume));
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(std::fs::read(a).expect("readable"), std::fs::read(b).expect("readable"));
    }
}

#[test]
fn padding_of_negatives_is_dark_once_they_are_turned_round() {
    let (folder, files) = written(&volume(axial()));
    each(&files, |k, object| {
        remap(object, |n, _| if n < 5 { 900 } else { 100 + n as u16 % 7 });
        put_number(object, tags::PIXEL_REPRESENTATION, 0);
        put_number(object, tags::BITS_STORED, 12);
        put_number(object, tags::HIGH_BIT, 11);
        object.put_str(tags::MODALITY, VR::CS, "MR");
        object.put_str(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1");
        object.put(DataElement::new(tags::PIXEL_PADDING_VALUE, VR::US, PrimitiveValue::from(900_u16)));
        object.put_str(tags::WINDOW_CENTER, VR::DS, "100");
        object.put_str(tags::WINDOW_WIDTH, VR::DS, "50");
        // Different slopes: brought to one rescale after they were turned round.
        object.put_str(tags::RESCALE_SLOPE, VR::DS, format!("{}", 1 + k % 2));
        object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "0");
    });
    let loaded = read(folder.path());
    let (low, high) = loaded.volume.value_range();
    assert!((loaded.volume.value(0, 0, 0) - low).abs() < 1.0, "padding is what is darkest");
    // 4095 less the stored values, times the slope of the slice.
    assert!((high - 2.0 * (4095.0 - 100.0)).abs() < 1.0, "{high}");
    assert!((loaded.volume.value(5, 0, 0) - (4095.0 - 105.0)).abs() < 1.0);
    assert!(loaded.info.windows.is_empty(), "a window of the negative fits no longer");
}

#[test]
fn images_that_differ_in_what_their_values_mean_are_not_called_hu() {
    let (folder, files) = written(&volume(axial()));
    each(&files[1..2], |_, object| {
        object.put_str(tags::RESCALE_TYPE, VR::LO, "US");
        object.remove_element(tags::RESCALE_SLOPE);
        object.remove_element(tags::RESCALE_INTERCEPT);
    });
    let loaded = read(folder.path());
    assert_eq!(loaded.volume.quantity(), Quantity::Arbitrary);
    let line = loaded.report.lines.iter().find(|line| line.text.contains("differ in what")).expect("said");
    assert_eq!(line.severity, Severity::Warning);
}

#[test]
fn images_with_one_uid_at_many_places_are_all_kept() {
    let before = volume(axial());
    let (folder, files) = written(&before);
    each(&files, |_, object| {
        object.put_str(tags::SOP_INSTANCE_UID, VR::UI, "1.2.3.4");
    });
    let loaded = read(folder.path());
    assert_eq!(loaded.volume.grid().dims(), before.grid().dims());
    assert_eq!(loaded.volume.samples(), before.samples());
}
