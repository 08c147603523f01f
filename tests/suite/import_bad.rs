//! Bad input: a clear sentence, no panic, no memory beyond reason.

use std::path::{Path, PathBuf};

use maquette::ops::open::{ImportError, load, open, scan, tags};
use maquette::task::Progress;
use proptest::prelude::*;

use crate::support::nifti::nifti_1;
use crate::support::series::{axial, volume, written};

fn refusal(path: &Path) -> String {
    open(path, None, &Progress::new(), &|_| {}).expect_err("bad input was accepted").to_string()
}

/// One file with these bytes, in a folder of its own.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    (folder, path)
}

fn good_dicom() -> Vec<u8> {
    let (_folder, files) = written(&volume(axial()));
    std::fs::read(&files[0]).expect("readable")
}

const IDENTITY: [[f32; 4]; 3] = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];

fn nifti_with(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = nifti_1([2, 3, 4], 4, IDENTITY, &[0; 48]);
    change(&mut bytes);
    bytes
}

fn nrrd(head: &str) -> Vec<u8> {
    let mut bytes = format!("NRRD0004\n{head}\n\n").into_bytes();
    bytes.extend_from_slice(&[0; 24]);
    bytes
}

/// A MetaImage of 24 bytes whose header has these lines in front of `ElementDataFile`.
fn meta(lines: &str) -> Vec<u8> {
    meta_in(lines, "LOCAL")
}

fn meta_in(lines: &str, data_file: &str) -> Vec<u8> {
    let mut bytes = format!("ObjectType = Image\nNDims = 3\n{lines}\nElementDataFile = {data_file}\n").into_bytes();
    bytes.extend_from_slice(&[0; 24]);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).expect("packed");
    packer.finish().expect("packed")
}

#[test]
fn bad_files_are_refused_with_their_name_and_the_reason() {
    let dicom = good_dicom();
    let random: Vec<u8> = (0..5000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let jpeg = [&[0xff, 0xd8, 0xff, 0xe0, 0, 16][..], b"JFIF", &random].concat();
    let short = |bytes: &[u8], length: usize| bytes[..length].to_vec();
    let plain = "type: uchar\ndimension: 3\nencoding: raw\nsizes: ";
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty.dcm", Vec::new(), "not a DICOM file"),
        ("random.dcm", random.clone(), "not a DICOM file"),
        ("picture.dcm", jpeg.clone(), "not a DICOM file"),
        ("picture.jpg", jpeg, "not an image file that this program reads"),
        ("meta-only.dcm", short(&dicom, 200), "cut short"),
        ("header-cut.dcm", short(&dicom, 903), "cut short"),
        ("pixels-cut.dcm", short(&dicom, dicom.len() - 30), "cut short"),
        ("empty.nii", Vec::new(), "not a NIfTI file"),
        ("random.nii", random.clone(), "not a NIfTI file"),
        ("cut.nii", short(&nifti_with(|_| ()), 300), "cut short"),
        ("samples-cut.nii", short(&nifti_with(|_| ()), 380), "cut short"),
        ("far.nii", nifti_with(|b| b[108..112].copy_from_slice(&1e9_f32.to_le_bytes())), "cut short"),
        ("nowhere.nii", nifti_with(|b| b[108..112].copy_from_slice(&f32::NAN.to_le_bytes())), "no file reaches"),
        ("negative.nii", nifti_with(|b| b[42..44].copy_from_slice(&(-5_i16).to_le_bytes())), "not possible"),
        (
            "overflow.nii",
            nifti_with(|b| (0..3).for_each(|n| b[42 + 2 * n..44 + 2 * n].copy_from_slice(&32767_i16.to_le_bytes()))),
            "32767 x 32767 x 32767",
        ),
        ("flat.nii", nifti_with(|b| b[280..328].fill(0)), "no possible geometry"),
        ("colour.nii", nifti_with(|b| b[70] = 128), "type 128"),
        ("small.nii.gz", gzip(&nifti_with(|b| b.truncate(360))), "cut short"),
        ("not-gzip.nii.gz", [&[0x1f, 0x8b][..], &random].concat(), "cannot be read"),
        (
            "huge.nii.gz",
            gzip(&nifti_with(|b| {
                (0..3).for_each(|n| b[42 + 2 * n..44 + 2 * n].copy_from_slice(&4000_i16.to_le_bytes()));
            })),
            "4000 x 4000 x 4000",
        ),
        ("empty.nrrd", Vec::new(), "not an NRRD file"),
        ("random.nrrd", random, "not an NRRD file"),
        ("no-end.nrrd", b"NRRD0004\ntype: uchar".to_vec(), "dimension"),
        ("lies.nrrd", nrrd(&format!("{plain}2 3 5")), "2 x 3 x 5"),
        ("overflow.nrrd", nrrd(&format!("{plain}4294967296 4294967296 4294967296")), "not possible"),
        ("zero.nrrd", nrrd(&format!("{plain}0 3 4")), "not possible"),
        ("words.nrrd", nrrd(&format!("{plain}two 3 4")), "sizes"),
        (
            "flat.nrrd",
            nrrd(&format!("{plain}2 3 4\nspace directions: (1,0,0) (1,0,0) (0,0,1)")),
            "no possible geometry",
        ),
        ("packed.nrrd", nrrd("type: uchar\ndimension: 3\nsizes: 2 3 4\nencoding: bzip2"), "bzip2"),
        ("block.nrrd", nrrd("type: block\ndimension: 3\nsizes: 2 3 4\nencoding: raw"), "block"),
        ("lost.nhdr", nrrd(&format!("{plain}2 3 4\ndata file: nowhere.raw")), "nowhere.raw"),
        ("many.nhdr", nrrd(&format!("{plain}2 3 4\ndata file: s%03d.raw 1 4 1")), "several files"),
        ("not-gzip.nrrd", nrrd("type: uchar\ndimension: 3\nsizes: 2 3 4\nencoding: gzip"), "cannot be read"),
    ];
    all_are_refused(table);
}

#[test]
fn bad_metaimages_are_refused_with_their_name_and_the_reason() {
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty.mha", Vec::new(), "not a MetaImage file"),
        ("random.mha", gzip(b"hello"), "not a MetaImage file"),
        ("no-end.mha", b"ObjectType = Image\nNDims = 3\n".to_vec(), "ends in its header"),
        ("lies.mha", meta("DimSize = 2 3 5\nElementType = MET_UCHAR"), "2 x 3 x 5"),
        ("overflow.mha", meta("DimSize = 4294967296 4294967296 4294967296\nElementType = MET_UCHAR"), "not possible"),
        ("zero.mha", meta("DimSize = 0 3 4\nElementType = MET_UCHAR"), "not possible"),
        ("negative.mha", meta("DimSize = -2 3 4\nElementType = MET_UCHAR"), "not possible"),
        ("words.mha", meta("DimSize = two 3 4\nElementType = MET_UCHAR"), "DimSize"),
        ("infinite.mha", meta("DimSize = 2 3 4\nOffset = inf 0 0\nElementType = MET_UCHAR"), "Offset"),
        ("type.mha", meta("DimSize = 2 3 4\nElementType = MET_STRING"), "MET_STRING"),
        ("text.mha", meta("DimSize = 2 3 4\nBinaryData = False\nElementType = MET_UCHAR"), "as text"),
        (
            "flat.mha",
            meta("DimSize = 2 3 4\nTransformMatrix = 1 0 0 1 0 0 0 0 1\nElementType = MET_UCHAR"),
            "no possible geometry",
        ),
        ("object.mha", b"ObjectType = Tube\nNDims = 3\nElementDataFile = LOCAL\n".to_vec(), "not of an image"),
        ("lost.mhd", meta_in("DimSize = 2 3 4\nElementType = MET_UCHAR", "nowhere.raw"), "nowhere.raw"),
        ("many.mhd", meta_in("DimSize = 2 3 4\nElementType = MET_UCHAR", "LIST"), "several files"),
        ("not-zlib.mha", meta("DimSize = 2 3 4\nCompressedData = True\nElementType = MET_UCHAR"), "cannot be read"),
        (
            "huge.mha",
            meta("DimSize = 4000 4000 4000\nCompressedData = True\nElementType = MET_UCHAR"),
            "4000 x 4000 x 4000",
        ),
    ];
    all_are_refused(table);
}

fn all_are_refused(table: Vec<(&str, Vec<u8>, &str)>) {
    for (name, bytes, words) in table {
        let (_folder, path) = file(name, &bytes);
        let text = refusal(&path);
        assert!(text.contains(words), "{name}: {text:?} does not say {words:?}");
        let file_is_named = text.contains(name) || text.contains("nowhere.raw");
        assert!(file_is_named, "{name}: {text:?} does not name the file");
    }
}

#[test]
fn folders_without_images_and_paths_to_nowhere_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(refusal(folder.path()).contains("no images were found"));
    assert!(refusal(&folder.path().join("missing")).contains("there is nothing at"));
    std::fs::write(folder.path().join("notes.txt"), "hello").expect("written");
    assert!(refusal(folder.path()).contains("notes.txt"));
}

#[test]
fn bad_files_do_not_stop_the_others_and_are_named() {
    let before = volume(axial());
    let (folder, _) = written(&before);
    std::fs::write(folder.path().join("broken.dcm"), [0; 40]).expect("written");
    std::fs::write(folder.path().join("notes.txt"), "hello").expect("written");
    std::fs::write(folder.path().join("broken.nii.gz"), "hello").expect("written");
    let loaded = open(folder.path(), None, &Progress::new(), &|_| {}).expect("readable");
    assert_eq!(loaded.volume.samples(), before.samples());
    for name in ["broken.dcm", "notes.txt", "broken.nii.gz"] {
        assert!(loaded.report.lines.iter().any(|line| line.text.contains(name)), "{name}: {:?}", loaded.report);
    }
}

#[cfg(unix)]
#[test]
fn links_in_circles_and_pipes_end() {
    let (folder, _) = written(&volume(axial()));
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).expect("made");
    std::os::unix::fs::symlink(folder.path(), inner.join("back")).expect("linked");
    std::os::unix::fs::symlink("/dev/zero", inner.join("endless.dcm")).expect("linked");
    std::os::unix::fs::symlink("nowhere", inner.join("dangling")).expect("linked");
    let scan = scan(folder.path(), &Progress::new()).expect("a scan");
    assert_eq!(scan.entries.len(), 1);
}

#[test]
fn an_element_that_claims_gigabytes_asks_for_none() {
    let mut bytes = good_dicom();
    // Patient's Name, explicit VR: made an `OB` of 4 GB.
    let at = bytes.windows(6).position(|part| part == [0x10, 0, 0x10, 0, b'P', b'N']).expect("there");
    bytes[at + 4..at + 12].copy_from_slice(&[b'O', b'B', 0, 0, 0xf0, 0xff, 0xff, 0xff]);
    let (_folder, path) = file("liar.dcm", &bytes);
    assert!(refusal(&path).contains("cut short"), "{}", refusal(&path));
}

#[test]
fn sequences_without_end_do_not_overflow_the_stack() {
    let mut bytes = good_dicom()[..132].to_vec();
    bytes.extend_from_slice(&[2, 0, 16, 0, b'U', b'I', 20, 0]);
    bytes.extend_from_slice(b"1.2.840.10008.1.2.1\0");
    for _ in 0..100_000 {
        bytes.extend_from_slice(&[8, 0, 0x40, 0x11, b'S', b'Q', 0, 0, 0xff, 0xff, 0xff, 0xff]);
        bytes.extend_from_slice(&[0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff]);
    }
    let (_folder, path) = file("deep.dcm", &bytes);
    assert!(refusal(&path).contains("nested too deep"), "{}", refusal(&path));
}

/// Does everything that a window does with a path; only a panic can fail it.
fn exercise(path: &Path) {
    let progress = Progress::new();
    drop(tags(path));
    drop(maquette::ops::convert::read_segments(path, &progress));
    let found: Result<_, ImportError> = scan(path, &progress);
    for entry in found.map(|scan| scan.entries).unwrap_or_default() {
        drop(maquette::ops::open::thumbnail(&entry, 16));
        drop(load(&entry, &progress, &|_| {}));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), kind in 0..6_usize) {
        let (name, start): (&str, &[u8]) = [
            ("a.dcm", &[][..]),
            ("b.dcm", &[8, 0, 5, 0, b'C', b'S', 4, 0]),
            ("a.nii", &[92, 1, 0, 0]),
            ("a.nii.gz", &[0x1f, 0x8b, 8, 0]),
            ("a.seg.nrrd", b"NRRD0004\n"),
            ("a.mha", b"NDims = 3\nDimSize = 2 2 2\n"),
        ][kind];
        let (_folder, path) = file(name, &[start, &bytes].concat());
        exercise(&path);
    }

    #[test]
    fn changed_bytes_of_good_files_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        is_cut in proptest::bool::weighted(0.3),
        kind in 0..4_usize,
    ) {
        let (name, mut bytes) = match kind {
            0 => ("a.dcm", good_dicom()),
            1 => ("a.nii", nifti_with(|_| ())),
            2 => ("a.mha", meta("DimSize = 2 3 4\nElementType = MET_UCHAR\nElementSpacing = 1 2 3\n\
                Segment0_ID = a\nSegment0_LabelValue = 1\nCompressedData = False\nHeaderSize = -1")),
            _ => ("a.seg.nrrd", nrrd("type: uchar\ndimension: 3\nspace: LPS\nencoding: raw\nsizes: 2 3 4\n\
                space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nSegment0_ID:=a\nSegment0_Layer:=0\n\
                Segment0_LabelValue:=1\nSegment0_Color:=1 0 0")),
        };
        for (at, byte) in changes {
            // Headers are where the danger is.
            let at = at.index(bytes.len().min(1400));
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let (_folder, path) = file(name, &bytes);
        exercise(&path);
    }
}
