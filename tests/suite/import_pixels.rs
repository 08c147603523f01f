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
        ("32 bits", |o| put_number(o, tags::BITS_ALLOCATED, 32), "only 8 and 16 bits"),
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

#[test]
fn the_same_volume_is_written_as_the_same_bytes() {
    let volume = volume(axial());
    let ((_a, first), (_b, second)) = (written(&volume), written(&volume));
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(std::fs::read(a).expect("readable"), std::fs::read(b).expect("readable"));
    }
}
