//! Archives and CDs: what is in a ZIP is read like what lies in a folder, and nothing that an archive says can do harm.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use dicom_core::{DataElement, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use maquette::ops::open::{ImportError, Scan, load, scan, tags as tag_rows, thumbnail};
use maquette::task::Progress;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::support::series::{axial, volume, written};

/// A ZIP of these parts, stored or deflated in turn.
fn zip_of(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (n, (name, bytes)) in parts.iter().enumerate() {
        let method = if n % 2 == 0 { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).expect("a part");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

fn zipped_series(files: &[PathBuf], more: &[(&str, &[u8])]) -> Vec<u8> {
    let bytes: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|file| {
            let name = file.file_name().expect("a name").to_string_lossy();
            (format!("DICOM/deep/{name}"), std::fs::read(file).expect("readable"))
        })
        .collect();
    let mut parts: Vec<(&str, &[u8])> = bytes.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    parts.extend_from_slice(more);
    zip_of(&parts)
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}

fn says(scan: &Scan, words: &str) -> bool {
    scan.report.lines.iter().any(|line| line.text.contains(words))
}

#[test]
fn a_series_in_an_archive_is_the_same_volume_as_in_a_folder() {
    let (folder, files) = written(&volume(axial()));
    let progress = Progress::new();
    let plain = scan(folder.path(), &progress).expect("a scan");
    let plain = load(&plain.entries[0], &progress, &|_| {}).expect("loaded");
    let place = tempfile::tempdir().expect("a folder");
    let archive = put(place.path(), "study.zip", &zipped_series(&files, &[("readme.txt", b"no image")]));
    // The archive itself, without its ending, and a folder that it lies in.
    let nameless = put(place.path(), "nameless", &std::fs::read(&archive).expect("readable"));
    for path in [archive.as_path(), nameless.as_path()] {
        let found = scan(path, &progress).expect("a scan");
        assert_eq!((found.entries.len(), found.entries[0].files.len()), (1, files.len()));
        assert!(found.entries[0].files[0].starts_with(path));
        let loaded = load(&found.entries[0], &progress, &|_| {}).expect("loaded");
        assert_eq!(loaded.content_hash(), plain.content_hash());
        assert!(thumbnail(&found.entries[0], 32).is_some());
        assert!(tag_rows(&found.entries[0].files[0]).expect("tags").len() > 10);
    }
    assert_eq!(scan(place.path(), &progress).expect("a scan").entries.len(), 1);
    let names: Vec<_> = std::fs::read_dir(place.path()).expect("a folder").collect();
    assert_eq!(names.len(), 2, "nothing was unpacked beside the archive");
}

#[test]
fn harmful_and_unreadable_parts_are_left_out_and_said() {
    let (_folder, files) = written(&volume(axial()));
    let place = tempfile::tempdir().expect("a folder");
    let inner = zip_of(&[("a.dcm", b"x")]);
    let image = std::fs::read(&files[0]).expect("readable");
    let more: [(&str, &[u8]); 3] = [("../../outside.dcm", &image), ("inner.zip", &inner), ("secret.dcm", &image)];
    let mut bytes = zipped_series(&files, &more);
    encrypt(&mut bytes, b"secret.dcm");
    let found = scan(&put(place.path(), "cd.zip", &bytes), &Progress::new()).expect("the series is there");
    assert_eq!(found.entries[0].slice_count(), files.len());
    for words in ["leads out of the archive", "an archive inside an archive", "is encrypted"] {
        assert!(says(&found, words), "{words}: {:?}", found.report);
    }
    assert!(load(&found.entries[0], &Progress::new(), &|_| {}).is_ok());
}

/// Sets the flag of encryption in both heads of a part.
fn encrypt(bytes: &mut [u8], name: &[u8]) {
    let places: Vec<usize> =
        bytes.windows(name.len()).enumerate().filter(|(_, at)| *at == name).map(|(n, _)| n).collect();
    assert_eq!(places.len(), 2);
    bytes[places[0] - 30 + 6] |= 1;
    bytes[places[1] - 46 + 8] |= 1;
}

#[test]
fn a_bomb_is_refused_and_other_series_still_open() {
    let (folder, _files) = written(&volume(axial()));
    let name = "zeros.dcm";
    let mut bytes = zip_of(&[(name, &[0; 5000])]);
    // It claims three gigabytes.
    let at = bytes.windows(4).position(|found| found == b"PK\x01\x02").expect("a list") + 24;
    bytes[at..at + 4].copy_from_slice(&(3_u32 << 30).to_le_bytes());
    let bomb = put(folder.path(), "bomb.zip", &bytes);
    let Err(error) = scan(&bomb, &Progress::new()) else { panic!("a bomb was opened") };
    assert!(matches!(error, ImportError::NoImages { .. }) && error.to_string().contains("claims to hold"), "{error}");
    let found = scan(folder.path(), &Progress::new()).expect("the rest");
    assert!(found.entries[0].is_loadable() && says(&found, "claims to hold"));
}

#[test]
fn names_that_begin_with_a_dot_are_names_and_a_stored_part_is_summed() {
    let (folder, files) = written(&volume(axial()));
    let bytes: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).expect("readable")).collect();
    let names: Vec<String> = (0..files.len()).map(|n| format!("./CT/./{n}.dcm")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().zip(&bytes).map(|(name, part)| (name.as_str(), &part[..])).collect();
    let mut zip = zip_of(&parts);
    let dotted = put(folder.path(), "dotted.zip", &zip);
    let found = scan(&dotted, &Progress::new()).expect("a scan");
    assert_eq!((found.entries.len(), found.entries[0].files.len()), (1, files.len()), "{:?}", found.report);
    assert!(load(&found.entries[0], &Progress::new(), &|_| {}).is_ok());
    let stored = dotted.join("CT/1.dcm");
    let read = |path: &Path| std::io::read_to_string(maquette::io::archive::open(path).expect("there"));
    assert!(!read(&stored).is_err_and(|error| error.to_string().contains("checksum")));
    let at = zip.windows(bytes[1].len()).position(|part| part == bytes[1]).expect("as it is");
    zip[at + bytes[1].len() - 1] ^= 1;
    let bent = put(folder.path(), "bent.zip", &zip).join("CT/1.dcm");
    assert!(read(&bent).is_err_and(|error| error.to_string().contains("checksum")));
}

#[test]
fn a_packed_part_that_would_fill_the_memory_is_left_out() {
    let (_folder, files) = written(&volume(axial()));
    let place = tempfile::tempdir().expect("a folder");
    let image = std::fs::read(&files[0]).expect("readable");
    // Enough bytes that the claim of two gigabytes is no bomb by its ratio.
    let rest = vec![7; 24 << 20];
    let mut bytes = zip_of(&[("huge.dcm", &image), ("rest.bin", &rest), ("image.dcm", &image)]);
    let at = bytes.windows(4).rposition(|found| found == b"PK\x05\x06").expect("an end") + 16;
    let list = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four")) as usize;
    bytes[list + 24..list + 28].copy_from_slice(&(2_u32 << 30).to_le_bytes());
    let found = scan(&put(place.path(), "large.zip", &bytes), &Progress::new()).expect("the rest is there");
    assert!(says(&found, "larger than can be unpacked in memory"), "{:?}", found.report);
    assert_eq!(found.entries.len(), 1);
}

#[test]
fn a_part_that_lies_about_its_size_or_is_damaged_is_said() {
    let (folder, files) = written(&volume(axial()));
    let progress = Progress::new();
    let bytes = zipped_series(&files, &[]);
    for offset in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 30, 40, 200] {
        let mut bent = bytes.clone();
        for byte in &mut bent[offset..offset + 8] {
            *byte ^= 0x5a;
        }
        // Whatever happens is an answer, and never a panic or another volume than the files have.
        let path = put(folder.path(), &format!("bent{offset}.zip"), &bent);
        if let Ok(found) = scan(&path, &progress) {
            for entry in &found.entries {
                drop(load(entry, &progress, &|_| {}));
            }
        }
    }
    let cut = put(folder.path(), "cut.zip", &bytes[..bytes.len() / 2]);
    let Err(error) = scan(&cut, &progress) else { panic!("half an archive was opened") };
    assert!(error.to_string().contains("damaged"), "{error}");
}

/// An index of a CD that names these files.
fn dicomdir(path: &Path, names: &[&str]) {
    let record = |name: &&str| {
        InMemDicomObject::from_element_iter([
            DataElement::new(tags::DIRECTORY_RECORD_TYPE, VR::CS, dicom_value!(Str, "IMAGE")),
            DataElement::new(tags::REFERENCED_FILE_ID, VR::CS, dicom_value!(Str, *name)),
        ])
    };
    let items: Vec<InMemDicomObject> = names.iter().map(record).collect();
    let sequence = dicom_core::value::DataSetSequence::from(items);
    let object = InMemDicomObject::from_element_iter([DataElement::new(
        tags::DIRECTORY_RECORD_SEQUENCE,
        VR::SQ,
        dicom_core::value::Value::Sequence(sequence),
    )]);
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax("1.2.840.10008.1.2.1")
        .media_storage_sop_class_uid("1.2.840.10008.1.3.10")
        .media_storage_sop_instance_uid("2.25.1");
    object.with_meta(meta).expect("complete").write_to_file(path).expect("written");
}

#[test]
fn a_dicomdir_stands_for_its_folder_and_what_it_names_in_vain_is_said() {
    let (folder, files) = written(&volume(axial()));
    let index = folder.path().join("DICOMDIR");
    dicomdir(&index, &["im00001.DCM", "GONE\\IM9", "..\\..\\etc\\passwd"]);
    for path in [index.as_path(), folder.path()] {
        let found = scan(path, &Progress::new()).expect("a scan");
        assert_eq!(found.entries[0].files.len(), files.len(), "files that the index does not name are found too");
        assert!(says(&found, "names 1 file that is not there: GONE/IM9"), "{:?}", found.report);
        assert!(!says(&found, "passwd"));
    }
    for file in &files {
        std::fs::remove_file(file).expect("removed");
    }
    let Err(error) = scan(&index, &Progress::new()) else { panic!("nothing is there") };
    assert!(error.to_string().contains("not there"), "{error}");
}

#[test]
#[cfg(unix)]
fn circles_of_links_dead_links_and_many_files_are_no_harm() {
    let (folder, files) = written(&volume(axial()));
    let deep = folder.path().join("x/y");
    std::fs::create_dir_all(&deep).expect("made");
    std::os::unix::fs::symlink(folder.path(), deep.join("up")).expect("linked");
    std::os::unix::fs::symlink(deep.join("me"), deep.join("me")).expect("linked");
    std::os::unix::fs::symlink("/nowhere/at/all", deep.join("dead")).expect("linked");
    for n in 0..3000 {
        std::fs::write(deep.join(format!("note{n}.txt")), b"x").expect("written");
    }
    let found = scan(folder.path(), &Progress::new()).expect("a scan");
    assert_eq!((found.entries.len(), found.entries[0].files.len()), (1, files.len()));
    assert_eq!(found.left_out.len(), 3000);
    assert!(says(&found, "cannot be read"), "{:?}", found.report);
    assert!(found.report.lines.len() < 20, "what is said stays short");
}
