//! DICOM made to hurt: a sentence, bounded memory, no panic, and the good series beside it still opens.

use std::path::{Path, PathBuf};

use dicom_core::value::PixelFragmentSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject, open_file};
use maquette::ops::open::{load, open, scan};
use maquette::task::Progress;

use crate::support::series::{axial, edit, volume, written};

/// A good file as bytes.
fn good() -> Vec<u8> {
    let (_folder, files) = written(&volume(axial()));
    std::fs::read(&files[0]).expect("readable")
}

/// A good object, changed, in this transfer syntax.
fn object(syntax: &str, change: impl FnOnce(&mut InMemDicomObject)) -> Vec<u8> {
    let (_folder, files) = written(&volume(axial()));
    let mut object = open_file(&files[0]).expect("readable").into_inner();
    object.put_str(tags::SERIES_INSTANCE_UID, VR::UI, "2.25.666");
    change(&mut object);
    let mut bytes = Vec::new();
    let meta = FileMetaTableBuilder::new().transfer_syntax(syntax);
    object.with_meta(meta).expect("complete").write_all(&mut bytes).expect("written");
    bytes
}

fn put_number(object: &mut InMemDicomObject, tag: Tag, number: u16) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(number)));
}

/// An object whose compressed pixels are these pieces.
fn compressed(syntax: &str, frames: u32, table: Vec<u32>, pieces: Vec<Vec<u8>>) -> Vec<u8> {
    object(syntax, |object| {
        object.put_str(tags::NUMBER_OF_FRAMES, VR::IS, frames.to_string());
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PixelFragmentSequence::new(table, pieces)));
    })
}

/// What follows a good file's meta group, up to the patient's name, then these bytes.
fn with_tail(tail: &[u8]) -> Vec<u8> {
    let bytes = good();
    let at = bytes.windows(6).position(|part| part == [0x10, 0, 0x10, 0, b'P', b'N']).expect("there");
    [&bytes[..at], tail].concat()
}

const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.70";
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";
const JPEG_XL: &str = "1.2.840.10008.1.2.4.110";

/// A JPEG that says it is 65535 x 65535.
fn giant_jpeg(marker: u8) -> Vec<u8> {
    vec![0xff, 0xd8, 0xff, marker, 0, 11, 16, 0xff, 0xff, 0xff, 0xff, 1, 1, 0x11, 0, 0xff, 0xd9, 0]
}

/// A JPEG 2000 that says it is 2^31 x 2^31.
fn giant_jpeg_2000() -> Vec<u8> {
    let mut bytes = vec![0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0];
    for number in [1_u32 << 31, 1 << 31, 0, 0, 1 << 31, 1 << 31, 0, 0] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.extend_from_slice(&[0, 1, 15, 1, 1, 0xff, 0xd9]);
    bytes
}

fn deflated_zeros() -> Vec<u8> {
    use std::io::Write as _;
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&vec![0; 4 << 20]).expect("packed");
    let bytes = object(uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, |_| ());
    let at = bytes.windows(5).position(|part| part == b".1.99").expect("there");
    // The meta group stays; the data set is zeros without end.
    let meta_end = bytes[132..].windows(2).enumerate().skip(at).find(|_| true).map_or(0, |_| meta_length(&bytes));
    [&bytes[..meta_end], &packer.finish().expect("packed")].concat()
}

/// One past the meta group.
fn meta_length(bytes: &[u8]) -> usize {
    let length = u32::from_le_bytes([bytes[140], bytes[141], bytes[142], bytes[143]]);
    144 + length as usize
}

/// Name, bytes, and a word of what is said.
fn table() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let open_sequence = [8, 0, 0x40, 0x11, b'S', b'Q', 0, 0, 0xff, 0xff, 0xff, 0xff];
    let open_item = [0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff];
    let nested: Vec<u8> = (0..50_000).flat_map(|_| [&open_sequence[..], &open_item].concat()).collect();
    let unknown = [0x11, 0, 0x10, 0x10, b'U', b'N', 0, 0, 0xff, 0xff, 0xff, 0xff];
    // Inside an element of unknown kind everything is implicit.
    let inner: Vec<u8> =
        (0..50_000).flat_map(|_| [&[0x11, 0, 0x10, 0x10, 0xff, 0xff, 0xff, 0xff][..], &open_item].concat()).collect();
    let nested_unknown = [&unknown[..], &open_item, &inner].concat();
    let huge = |tag: Tag, number: u16| move |object: &mut InMemDicomObject| put_number(object, tag, number);
    let plain = uids::EXPLICIT_VR_LITTLE_ENDIAN;
    let mut cut_fragment = compressed(JPEG_LS, 1, vec![], vec![vec![0xff, 0xd8, 0xff, 0xf7, 0, 0]]);
    let length = cut_fragment.len();
    cut_fragment[length - 18..length - 14].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    vec![
        ("a sequence without end", with_tail(&open_sequence), "cut short"),
        ("an item without end", with_tail(&[&open_sequence[..], &open_item].concat()), "cut short"),
        ("a thousand sequences deep", with_tail(&nested), "nested too deep"),
        ("unknown sequences deep", with_tail(&nested_unknown), "nested too deep"),
        ("a value of 4 GB", with_tail(&[0x10, 0, 0x10, 0, b'O', b'B', 0, 0, 0xfe, 0xff, 0xff, 0xff]), "cut short"),
        ("an element that is none", with_tail(&[0x10, 0, 0x10, 0, b'?', b'?', 0, 0, 1, 2, 3, 4]), "damaged"),
        (
            "65535 x 65535",
            object(plain, |o| {
                huge(tags::ROWS, 65535)(o);
                huge(tags::COLUMNS, 65535)(o);
            }),
            "not possible",
        ),
        ("many frames", object(plain, |o| drop(o.put_str(tags::NUMBER_OF_FRAMES, VR::IS, "2147483647"))), "frames"),
        ("minus one frame", object(plain, |o| drop(o.put_str(tags::NUMBER_OF_FRAMES, VR::IS, "-1"))), "frames"),
        ("no bits", object(plain, huge(tags::BITS_ALLOCATED, 0)), "0 bits"),
        ("a fragment that lies", cut_fragment, "cut short"),
        ("no fragments", compressed(JPEG_LS, 1, vec![], vec![]), "no compressed pixels"),
        ("a giant JPEG inside", compressed(JPEG_LOSSLESS, 1, vec![], vec![giant_jpeg(0xc3)]), "65535 x 65535 inside"),
        ("a giant JPEG-LS inside", compressed(JPEG_LS, 1, vec![], vec![giant_jpeg(0xf7)]), "65535 x 65535 inside"),
        ("a giant JPEG 2000 inside", compressed(JPEG_2000, 1, vec![], vec![giant_jpeg_2000()]), "2147483648 inside"),
        ("noise as JPEG XL", compressed(JPEG_XL, 1, vec![], vec![vec![7; 500]]), "cannot be decompressed"),
        ("noise as JPEG", compressed(JPEG_LOSSLESS, 1, vec![], vec![vec![7; 500]]), "cannot be decompressed"),
        ("noise as RLE", compressed(uids::RLE_LOSSLESS, 1, vec![], vec![vec![7; 500]]), "cannot be decompressed"),
        ("zeros without end, deflated", deflated_zeros(), "damaged"),
    ]
}

/// The first sentence about a file: of the scan, of the series list, or of loading.
fn said_of(folder: &Path, bad: &Path) -> String {
    let found = scan(folder, &Progress::new()).expect("a scan");
    let good = found.entries.iter().find(|entry| entry.files.len() > 1).expect("the good series");
    assert!(load(good, &Progress::new(), &|_| {}).is_ok(), "the good series opens");
    if let Some((_, reason)) = found.left_out.iter().find(|(path, _)| path == bad) {
        return reason.clone();
    }
    let entry = found.entries.iter().find(|entry| entry.files[0] == bad).expect("the file is somewhere");
    load(entry, &Progress::new(), &|_| {})
        .map_or_else(|error| error.to_string(), |_| "hostile bytes were accepted".to_owned())
}

#[test]
fn hostile_files_are_refused_and_others_still_open() {
    let (folder, _) = written(&volume(axial()));
    let bad: PathBuf = folder.path().join("bad.dcm");
    for (name, bytes, words) in table() {
        std::fs::write(&bad, bytes).expect("written");
        let said = said_of(folder.path(), &bad);
        assert!(said.contains(words), "{name}: {said:?} does not say {words:?}");
    }
}

#[test]
fn thousands_of_other_files_do_no_harm() {
    let (folder, _) = written(&volume(axial()));
    for n in 0..3000 {
        std::fs::write(folder.path().join(format!("{n}.txt")), b"not an image at all").expect("written");
    }
    let found = scan(folder.path(), &Progress::new()).expect("a scan");
    assert_eq!((found.entries.len(), found.left_out.len()), (1, 3000));
    assert!(found.report.lines.len() < 10, "the report names a few and counts the rest");
}

#[test]
fn names_in_the_sets_of_other_countries_are_read() {
    let cases: [(&str, &[u8], &str); 3] = [
        ("GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang XiaoDong"),
        ("GB18030", b"\xcd\xf5^\xd0\xa1\xb6\xab", "\u{738b} \u{5c0f}\u{4e1c}"),
        ("\\ISO 2022 IR 87", b"\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "\u{5c71}\u{7530} \u{592a}\u{90ce}"),
    ];
    for (set, name, expected) in cases {
        let (folder, files) = written(&volume(axial()));
        for file in &files {
            edit(file, |object| {
                object.put_str(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 100");
                object.put_str(tags::PATIENT_NAME, VR::PN, "X".repeat(name.len()));
            });
            // The library would not write these bytes: they are put in place of the X.
            let mut bytes = std::fs::read(file).expect("readable");
            let at = bytes.windows(name.len()).position(|part| part.iter().all(|&b| b == b'X')).expect("there");
            bytes[at..at + name.len()].copy_from_slice(name);
            let at = bytes.windows(10).position(|part| part == b"ISO_IR 100").expect("there");
            let term = format!("{set}{}", " ".repeat(set.len() % 2));
            bytes.splice(at..at + 10, term.bytes());
            bytes[at - 2] = term.len() as u8;
            std::fs::write(file, bytes).expect("written");
        }
        let loaded =
            open(folder.path(), None, &Progress::new(), &|_| {}).unwrap_or_else(|error| panic!("{set}: {error}"));
        assert_eq!(loaded.info.patient_name, expected, "{set}");
    }
}
