//! Removal of identity: every row of the profile's table under the basic profile and each option, and whole files.

use dicom_core::value::{DataSetSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{InMemDicomObject, open_file};
use maquette::io::deidentify::dataset::vr_of;
use maquette::io::deidentify::profile::{Action, Row, rows};
use maquette::io::deidentify::{Dates, Options, deidentify};
use maquette::io::provenance::replaced_uid;
use maquette::ops::deidentify::deidentify_path;
use maquette::task::Progress;

use crate::support::series::{axial, edit, volume, written};

/// What must not be found again. A name, a number and an identifier.
const SECRET: &str = "Geheim";
const SECRET_NUMBER: &str = "4711471147";
const SECRET_UID: &str = "1.2.276.0.7230010.99.815";
const SECRET_DATE: &str = "19870605";

/// The attribute of a row; a repeating group stands for its first member.
fn tag_of(row: &Row) -> Tag {
    if row.tag.contains("ODD") {
        return Tag(0x0009, 0x1001);
    }
    let digits = row.tag.to_uppercase().replace("XXXX", "2000").replace("XX", "00");
    let part = |range: std::ops::Range<usize>| u16::from_str_radix(&digits[range], 16).expect("a tag");
    Tag(part(1..5), part(6..10))
}

/// An element that holds a secret, in whatever its attribute can hold.
fn secret(tag: Tag, with_text: bool) -> DataElement<InMemDicomObject> {
    let vr = if tag.group() % 2 == 1 { VR::LO } else { vr_of(tag) };
    let value = match vr {
        VR::SQ => {
            let mut item = InMemDicomObject::new_empty();
            item.put_str(tags::PATIENT_NAME, VR::PN, format!("{SECRET}^Person"));
            item.put_str(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, SECRET_UID);
            if with_text {
                item.put_str(tags::TEXT_VALUE, VR::UT, format!("seen by {SECRET}"));
                item.put_str(tags::UNFORMATTED_TEXT_VALUE, VR::ST, format!("{SECRET} here"));
            }
            return DataElement::new(tag, VR::SQ, Value::from(DataSetSequence::from(vec![item])));
        }
        VR::UI => PrimitiveValue::from(SECRET_UID),
        VR::DA => PrimitiveValue::from(SECRET_DATE),
        VR::DT => PrimitiveValue::from(format!("{SECRET_DATE}121314")),
        VR::TM => PrimitiveValue::from("121314"),
        VR::IS | VR::DS => PrimitiveValue::from("471147"),
        VR::AS => PrimitiveValue::from("047Y"),
        VR::US | VR::SS => PrimitiveValue::from(4711_u16),
        VR::UL | VR::SL => PrimitiveValue::from(471_147_u32),
        VR::FL => PrimitiveValue::from(4711.5_f32),
        VR::FD => PrimitiveValue::from(4711.5_f64),
        VR::OB | VR::OW | VR::UN => PrimitiveValue::U8(SECRET.as_bytes().into()),
        VR::OF => PrimitiveValue::F32(vec![4711.5].into()),
        VR::AT => PrimitiveValue::Tags(vec![tags::PATIENT_NAME].into()),
        _ => PrimitiveValue::from(format!("{SECRET} {SECRET_NUMBER}")),
    };
    DataElement::new(tag, vr, value)
}

fn secret_object(tag: Tag, with_text: bool) -> InMemDicomObject {
    let mut object = InMemDicomObject::new_empty();
    object.put_str(tags::PATIENT_NAME, VR::PN, format!("{SECRET}^Person"));
    object.put_str(tags::PATIENT_ID, VR::LO, SECRET_NUMBER);
    object.put(secret(tag, with_text));
    object
}

/// All that a data set says, as bytes.
fn said(object: &InMemDicomObject) -> String {
    let mut bytes = Vec::new();
    let syntax = dicom_transfer_syntax_registry::entries::EXPLICIT_VR_LITTLE_ENDIAN.erased();
    object.write_dataset_with_ts(&mut bytes, &syntax).expect("memory");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn holds_a_secret(object: &InMemDicomObject, options: &Options) -> bool {
    let said = said(object);
    let secrets = [(true, SECRET), (true, SECRET_NUMBER), (!options.keep_uids, SECRET_UID), (true, SECRET_DATE)];
    secrets.iter().any(|(is_secret, secret)| *is_secret && said.contains(secret))
}

/// Every combination that the table has a column for, one option at a time, and the basic profile.
fn all_options() -> Vec<(&'static str, Option<usize>, Options)> {
    let basic = Options::default();
    vec![
        ("basic", None, basic),
        ("uids", Some(1), Options { keep_uids: true, ..basic }),
        ("device", Some(2), Options { keep_device: true, ..basic }),
        ("institution", Some(3), Options { keep_institution: true, ..basic }),
        ("patient", Some(4), Options { keep_patient: true, ..basic }),
        ("full dates", Some(5), Options { dates: Dates::Kept, ..basic }),
        ("moved dates", Some(6), Options { dates: Dates::Shifted { days: -1000 }, ..basic }),
        ("descriptors", Some(7), Options { clean_descriptors: true, ..basic }),
        ("structured", Some(8), Options { clean_structured: true, ..basic }),
        ("graphics", Some(9), Options { clean_graphics: true, ..basic }),
    ]
}

#[test]
fn every_row_of_the_profile_is_followed() {
    assert!(rows().len() >= 620, "{} rows", rows().len());
    for row in rows().iter().filter(|row| !row.tag.starts_with("(0000") && !row.tag.starts_with("(0002")) {
        let tag = tag_of(row);
        for (name, column, options) in all_options() {
            // Free text is in the sequences that the profile wants replaced or cleaned as a whole.
            let mut object = secret_object(tag, row.basic.contains('D'));
            let before = object.element(tag).expect("there").clone();
            deidentify(&mut object, &options);
            let after = object.get(tag);
            let what = format!("{} {} under {name}", row.tag, row.name);
            let word = column.map_or("", |column| row.options[column].as_str());
            match (word, row.basic.as_str()) {
                ("K", _) if before.vr() == VR::SQ => assert!(after.is_some(), "{what}: kept"),
                ("K", _) => assert_eq!(after.expect("kept"), &before, "{what}: kept as it was"),
                ("C", _) => assert!(!holds_a_secret(&object, &options), "{what}: cleaned"),
                (_, "X") => assert!(after.is_none(), "{what}: removed"),
                (_, "Z") => assert!(after.is_some_and(|e| e.value().multiplicity() == 0), "{what}: emptied"),
                (_, "U") => {
                    assert_eq!(after.expect("there").to_str().expect("text"), replaced_uid(SECRET_UID), "{what}");
                }
                (_, "D" | "Z/D") => assert!(after.is_some_and(|e| e != &before), "{what}: replaced"),
                (_, "X/Z" | "X/D" | "X/Z/D" | "X/Z/U*") => assert!(after != Some(&before), "{what}: gone or replaced"),
                (_, other) => panic!("{what}: what is {other}?"),
            }
            let keeps_this = word == "K";
            assert!(
                keeps_this || !holds_a_secret(&object, &options),
                "{what}: a secret is left in {:?}",
                said(&object)
            );
        }
    }
}

#[test]
fn compound_actions_take_what_is_valid_in_every_object() {
    let of = |basic: &str| {
        let row = rows().iter().find(|row| row.basic == basic && row.options.iter().all(String::is_empty));
        row.map(|row| row.action(&Options::default()))
    };
    assert_eq!(of("X"), Some(Action::Remove));
    assert_eq!(of("Z"), Some(Action::Zero));
    assert_eq!(of("D"), Some(Action::Dummy));
    for basic in ["X/D", "Z/D", "X/Z/D"] {
        assert!(of(basic).is_none_or(|action| action == Action::Dummy), "{basic}");
    }
}

#[test]
fn files_keep_their_pixels_and_references_and_lose_the_patient() {
    let before = volume(axial());
    let (folder, files) = written(&before);
    let study = "1.2.276.0.7230010.99.1";
    for (n, file) in files.iter().enumerate() {
        edit(file, |object| {
            object.put_str(tags::PATIENT_NAME, VR::PN, format!("{SECRET}^Person"));
            object.put_str(tags::STUDY_INSTANCE_UID, VR::UI, study);
            object.put_str(tags::STUDY_DESCRIPTION, VR::LO, format!("Head of {SECRET}"));
            object.put_str(Tag(0x0009, 0x0010), VR::LO, "ACME");
            object.put_str(Tag(0x0009, 0x1001), VR::LO, SECRET);
            if n == 0 {
                object.put_str(tags::BURNED_IN_ANNOTATION, VR::CS, "YES");
            }
        });
    }
    std::fs::write(folder.path().join("notes.txt"), SECRET).expect("written");
    let out = tempfile::tempdir().expect("a folder");
    let done = deidentify_path(folder.path(), out.path(), &Options::default(), &Progress::new()).expect("done");
    assert_eq!(done.files.len(), files.len());
    let says = |words: &str| done.report.lines.iter().any(|line| line.text.contains(words));
    assert!(says("burned into the picture") && says("face") && says("left out"), "{:?}", done.report);
    for file in &done.files {
        let bytes = std::fs::read(file).expect("readable");
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "{}", file.display());
        let object = open_file(file).expect("DICOM");
        let text = |tag: Tag| object.element(tag).expect("there").to_str().expect("text").into_owned();
        assert_eq!(text(tags::STUDY_INSTANCE_UID), replaced_uid(study));
        assert_eq!(text(tags::SOP_INSTANCE_UID), object.meta().media_storage_sop_instance_uid());
        assert_eq!(text(tags::SOP_CLASS_UID), uids::CT_IMAGE_STORAGE, "what the standard defines is kept");
        assert_eq!(text(tags::PATIENT_IDENTITY_REMOVED), "YES");
    }
    let after = maquette::ops::open::open(out.path(), None, &Progress::new(), &|_| {}).expect("a volume");
    assert_eq!(after.volume.samples(), before.samples());
    assert!(after.volume.grid().same_space(before.grid()));
    let again = deidentify_path(folder.path(), &folder.path().join("inside"), &Options::default(), &Progress::new());
    assert!(again.expect_err("refused").to_string().contains("inside the folder that is read"));
}

#[test]
fn what_is_no_dicom_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, target) = (folder.path().join("a.dcm"), folder.path().join("b.dcm"));
    std::fs::write(&source, "hello").expect("written");
    let options = Options::default();
    let error = deidentify_path(&source, &target, &options, &Progress::new()).expect_err("refused");
    assert!(error.to_string().contains("not a DICOM file"), "{error}");
    assert!(!target.exists());
    assert!(deidentify_path(&folder.path().join("no"), &target, &options, &Progress::new()).is_err());
    // A file that is written over itself would be lost when the disk is full.
    let (_series, files) = written(&volume(axial()));
    assert!(deidentify_path(&files[0], &files[0], &options, &Progress::new()).is_err());
}

#[test]
fn archives_are_looked_into_and_give_what_their_files_would() {
    let (folder, files) = written(&volume(axial()));
    let place = tempfile::tempdir().expect("a folder");
    let archive = place.path().join("study.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&archive).expect("created"));
    for (n, file) in files.iter().enumerate() {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("Geheim/{n}.dcm"), options).expect("a part");
        std::io::Write::write_all(&mut zip, &std::fs::read(file).expect("bytes")).expect("written");
    }
    zip.finish().expect("finished");
    let out = tempfile::tempdir().expect("a folder");
    let of = |source: &std::path::Path, name: &str| -> Vec<Vec<u8>> {
        let target = out.path().join(name);
        let done = deidentify_path(source, &target, &Options::default(), &Progress::new()).expect("done");
        done.files.iter().map(|file| std::fs::read(file).expect("bytes")).collect()
    };
    let plain = of(folder.path(), "plain");
    assert_eq!(plain.len(), files.len());
    assert_eq!(of(&archive, "archive"), plain);
    assert_eq!(of(place.path(), "folder with an archive"), plain);
    let names = std::fs::read_dir(out.path().join("archive/series-1")).expect("a folder").flatten();
    assert!(names.map(|entry| entry.file_name()).all(|name| !name.to_string_lossy().contains("Geheim")));
}
