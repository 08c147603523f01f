//! Multi-frame objects: every frame at its place with its values, or a refusal with the reason.

use std::path::{Path, PathBuf};

use dicom_core::value::{DataSetSequence, PixelFragmentSequence};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_encoding::adapters::EncodeOptions;
use dicom_encoding::transfer_syntax::{Codec, TransferSyntax, TransferSyntaxIndex as _};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use maquette::domain::volume::{Quantity, Volume};
use maquette::ops::open::{SeriesEntry, load, open, scan};
use maquette::task::Progress;

use crate::support::series::{DIMS, SPACING_MM, axial, edit, volume, written};

/// Frame n of the object holds slice `ORDER[n]`: order in the file is no order in the patient.
const ORDER: [usize; 6] = [3, 0, 5, 1, 4, 2];

fn sequence(items: Vec<InMemDicomObject>) -> DataSetSequence<InMemDicomObject> {
    DataSetSequence::from(items)
}

/// A functional group: a sequence of one item.
fn put_group(into: &mut InMemDicomObject, tag: Tag, fill: impl FnOnce(&mut InMemDicomObject)) {
    let mut item = InMemDicomObject::new_empty();
    fill(&mut item);
    into.put(DataElement::new(tag, VR::SQ, sequence(vec![item])));
}

fn put_number(object: &mut InMemDicomObject, tag: Tag, number: u16) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(number)));
}

/// An object with what every image has, and these frames of stored values.
fn multi_frame(class: &str, modality: &str, frames: &[Vec<i16>]) -> InMemDicomObject {
    let mut object = InMemDicomObject::new_empty();
    object.put_str(tags::SOP_CLASS_UID, VR::UI, class);
    object.put_str(tags::SOP_INSTANCE_UID, VR::UI, "2.25.4711");
    object.put_str(tags::STUDY_INSTANCE_UID, VR::UI, "2.25.1");
    object.put_str(tags::SERIES_INSTANCE_UID, VR::UI, "2.25.2");
    object.put_str(tags::MODALITY, VR::CS, modality);
    object.put_str(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\VOLUME\\NONE");
    object.put_str(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
    object.put_str(tags::NUMBER_OF_FRAMES, VR::IS, frames.len().to_string());
    let numbers = [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, DIMS[1] as u16),
        (tags::COLUMNS, DIMS[0] as u16),
        (tags::BITS_ALLOCATED, 16),
    ];
    for (tag, number) in numbers {
        put_number(&mut object, tag, number);
    }
    let numbers = [(tags::BITS_STORED, 16), (tags::HIGH_BIT, 15), (tags::PIXEL_REPRESENTATION, 1)];
    for (tag, number) in numbers {
        put_number(&mut object, tag, number);
    }
    let words = frames.iter().flatten().map(|&value| value as u16).collect();
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(words)));
    object
}

/// The slices of a volume in the order of the frames.
fn frames_of(volume: &Volume) -> Vec<Vec<i16>> {
    let slices: Vec<&[i16]> = volume.samples().chunks((DIMS[0] * DIMS[1]) as usize).collect();
    ORDER.iter().map(|&k| slices[k].to_vec()).collect()
}

fn position(volume: &Volume, k: usize) -> String {
    let at = volume.grid().patient_from_voxel().transform_point3(glam::DVec3::new(0.0, 0.0, k as f64));
    format!("{}\\{}\\{}", at.x, at.y, at.z)
}

/// Functional groups of an enhanced CT: measures and directions shared, place and rescale of each frame.
fn put_groups(object: &mut InMemDicomObject, volume: &Volume, of_frame: impl Fn(usize, &mut InMemDicomObject)) {
    put_group(object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, |shared| {
        put_group(shared, tags::PIXEL_MEASURES_SEQUENCE, |item| {
            item.put_str(tags::PIXEL_SPACING, VR::DS, format!("{}\\{}", SPACING_MM[1], SPACING_MM[0]));
            item.put_str(tags::SLICE_THICKNESS, VR::DS, SPACING_MM[2].to_string());
        });
        put_group(shared, tags::PLANE_ORIENTATION_SEQUENCE, |item| {
            item.put_str(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0");
        });
        put_group(shared, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, |item| {
            item.put_str(tags::RESCALE_SLOPE, VR::DS, "1");
            item.put_str(tags::RESCALE_INTERCEPT, VR::DS, "-24");
            item.put_str(tags::RESCALE_TYPE, VR::LO, "HU");
        });
    });
    let frames = object.element(tags::NUMBER_OF_FRAMES).expect("there").to_int::<usize>().expect("a number");
    let items = (0..frames).map(|n| {
        let mut item = InMemDicomObject::new_empty();
        put_group(&mut item, tags::PLANE_POSITION_SEQUENCE, |place| {
            place.put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, position(volume, ORDER[n % ORDER.len()]));
        });
        of_frame(n, &mut item);
        item
    });
    let items: Vec<InMemDicomObject> = items.collect();
    object.put(DataElement::new(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, VR::SQ, sequence(items)));
}

fn write(object: InMemDicomObject, syntax: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("object.dcm");
    let meta = FileMetaTableBuilder::new().transfer_syntax(syntax);
    object.with_meta(meta).expect("complete").write_to_file(&path).expect("written");
    (folder, path)
}

fn read(path: &Path) -> Volume {
    open(path, None, &Progress::new(), &|_| {}).unwrap_or_else(|error| panic!("{error}")).volume
}

fn refusal(object: InMemDicomObject) -> String {
    let (_folder, path) = write(object, uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let found = scan(&path, &Progress::new()).expect("a scan");
    found.entries[0].refusal.clone().expect("refused")
}

#[test]
fn frames_of_an_enhanced_ct_lie_where_their_groups_say() {
    let before = volume(axial());
    let mut object = multi_frame(uids::ENHANCED_CT_IMAGE_STORAGE, "CT", &frames_of(&before));
    put_groups(&mut object, &before, |_, _| ());
    for syntax in [uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::IMPLICIT_VR_LITTLE_ENDIAN, "1.2.840.10008.1.2.2"] {
        let (_folder, path) = write(object.clone(), syntax);
        let after = read(&path);
        assert!(after.grid().same_space(before.grid()), "{syntax}");
        assert_eq!(after.samples(), before.samples(), "{syntax}");
        assert_eq!((after.rescale(), after.quantity()), (before.rescale(), Quantity::Hounsfield), "{syntax}");
    }
}

#[test]
fn what_a_frame_says_wins_over_what_all_share() {
    let before = volume(axial());
    let mut object = multi_frame(uids::ENHANCED_CT_IMAGE_STORAGE, "CT", &frames_of(&before));
    put_groups(&mut object, &before, |n, item| {
        if ORDER[n] == 4 {
            put_group(item, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, |group| {
                group.put_str(tags::RESCALE_SLOPE, VR::DS, "1");
                group.put_str(tags::RESCALE_INTERCEPT, VR::DS, "76");
            });
        }
    });
    let (_folder, path) = write(object, uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let after = read(&path);
    assert_eq!(after.value(3, 2, 4), before.value(3, 2, 4) + 100.0);
    assert_eq!(after.value(3, 2, 3), before.value(3, 2, 3));
}

#[test]
fn frames_at_one_place_become_phases() {
    let before = volume(axial());
    let frames = frames_of(&before);
    let late: Vec<Vec<i16>> = frames.iter().map(|frame| frame.iter().map(|value| value + 7).collect()).collect();
    let mut object = multi_frame(uids::ENHANCED_MR_IMAGE_STORAGE, "MR", &[frames, late].concat());
    put_groups(&mut object, &before, |n, item| {
        put_group(item, tags::FRAME_CONTENT_SEQUENCE, |content| {
            let index = PrimitiveValue::from(1 + (n / ORDER.len()) as u32);
            content.put(DataElement::new(tags::TEMPORAL_POSITION_INDEX, VR::UL, index));
        });
    });
    let (_folder, path) = write(object, uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let found = scan(&path, &Progress::new()).expect("a scan");
    let parts: Vec<&str> = found.entries.iter().map(|entry| entry.part.as_str()).collect();
    assert_eq!(parts, ["temporal position index 1", "temporal position index 2"]);
    for (n, entry) in found.entries.iter().enumerate() {
        let phase = load(entry, &Progress::new(), &|_| {}).expect("readable").volume;
        assert!(phase.grid().same_space(before.grid()));
        assert!(phase.samples().iter().zip(before.samples()).all(|(a, b)| *a == b + 7 * n as i16), "phase {n}");
    }
}

/// Literal runs only: enough to test where frames begin.
fn run_length(frame: &[i16]) -> Vec<u8> {
    let segment = |byte: usize| {
        let bytes: Vec<u8> = frame.iter().map(|value| value.to_le_bytes()[byte]).collect();
        let runs = bytes.chunks(128).flat_map(|run| [&[run.len() as u8 - 1][..], run].concat());
        let mut runs: Vec<u8> = runs.collect();
        if runs.len() % 2 == 1 {
            runs.push(128);
        }
        runs
    };
    let (high, low) = (segment(1), segment(0));
    let mut bytes = vec![0; 64];
    bytes[0] = 2;
    bytes[4] = 64;
    bytes[8..12].copy_from_slice(&(64 + high.len() as u32).to_le_bytes());
    [bytes, high, low].concat()
}

#[test]
fn frames_in_several_pieces_are_put_together_whatever_the_offset_table() {
    let before = volume(axial());
    let mut object = multi_frame(uids::ENHANCED_CT_IMAGE_STORAGE, "CT", &frames_of(&before));
    put_groups(&mut object, &before, |_, _| ());
    let whole: Vec<Vec<u8>> = frames_of(&before).iter().map(|frame| run_length(frame)).collect();
    let halves: Vec<Vec<u8>> = whole.iter().flat_map(|frame| [frame[..100].to_vec(), frame[100..].to_vec()]).collect();
    let mut offsets = vec![0_u32];
    for frame in &whole[..whole.len() - 1] {
        offsets.push(offsets[offsets.len() - 1] + frame.len() as u32 + 16);
    }
    let cases = [
        ("one piece each", whole, vec![]),
        ("halves with a table", halves.clone(), offsets),
        ("halves", halves, vec![]),
    ];
    for (name, pieces, table) in cases {
        let mut object = object.clone();
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PixelFragmentSequence::new(table, pieces)));
        let (_folder, path) = write(object, uids::RLE_LOSSLESS);
        assert_eq!(read(&path).samples(), before.samples(), "{name}");
    }
}

#[test]
fn frames_come_back_from_the_codecs_as_they_were() {
    let before = volume(axial());
    // Codecs keep the bits of a sample; unsigned values show whether they keep their meaning too.
    let frames = frames_of(&before);
    let mut object = multi_frame(uids::ENHANCED_CT_IMAGE_STORAGE, "CT", &frames);
    put_groups(&mut object, &before, |_, _| ());
    let meta = FileMetaTableBuilder::new().transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let plain = object.clone().with_meta(meta).expect("complete");
    for syntax in [uids::JPEGLS_LOSSLESS, "1.2.840.10008.1.2.4.110"] {
        let Some(Codec::EncapsulatedPixelData(_, Some(writer))) =
            TransferSyntaxRegistry.get(syntax).map(TransferSyntax::codec)
        else {
            panic!("{syntax} cannot be written");
        };
        let encode = |frame: usize| {
            let mut bytes = Vec::new();
            let options = EncodeOptions::new();
            writer.encode_frame(&plain, frame as u32, options, &mut bytes).expect("encoded");
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            bytes
        };
        let pieces: Vec<Vec<u8>> = (0..frames.len()).map(encode).collect();
        let mut object = object.clone();
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PixelFragmentSequence::new(vec![], pieces)));
        let (_folder, path) = write(object, syntax);
        assert_eq!(read(&path).samples(), before.samples(), "{syntax}");
    }
}

#[test]
fn reconstructed_nuclear_slices_stack_along_the_sign_of_their_spacing() {
    let before = volume(axial());
    let slices: Vec<Vec<i16>> = before.samples().chunks((DIMS[0] * DIMS[1]) as usize).map(<[i16]>::to_vec).collect();
    for (sign, first) in [(1.0, 0), (-1.0, 5)] {
        let frames: Vec<Vec<i16>> = if sign > 0.0 { slices.clone() } else { slices.iter().rev().cloned().collect() };
        let mut object = multi_frame(uids::NUCLEAR_MEDICINE_IMAGE_STORAGE, "NM", &frames);
        object.put_str(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\RECON TOMO\\EMISSION");
        object.put_str(tags::PIXEL_SPACING, VR::DS, format!("{}\\{}", SPACING_MM[1], SPACING_MM[0]));
        object.put_str(tags::SPACING_BETWEEN_SLICES, VR::DS, (sign * SPACING_MM[2]).to_string());
        put_group(&mut object, tags::DETECTOR_INFORMATION_SEQUENCE, |item| {
            item.put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, position(&before, first));
            item.put_str(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0");
        });
        let (_folder, path) = write(object, uids::EXPLICIT_VR_LITTLE_ENDIAN);
        let after = read(&path);
        assert!(after.grid().same_space(before.grid()), "spacing {sign}");
        assert_eq!(after.samples(), before.samples(), "spacing {sign}");
        assert_eq!(after.quantity(), Quantity::Arbitrary);
    }
}

#[test]
fn frames_without_a_place_are_refused_with_the_reason() {
    let before = volume(axial());
    let frames = frames_of(&before);
    let capture = multi_frame("1.2.840.10008.5.1.4.1.1.7.2", "OT", &frames);
    assert!(refusal(capture).contains("holds 6 frames, but they do not say where they lie"));
    let clip = multi_frame("1.2.840.10008.5.1.4.1.1.3.1", "US", &frames);
    assert!(refusal(clip).contains("ultrasound"));

    let mut projections = multi_frame(uids::NUCLEAR_MEDICINE_IMAGE_STORAGE, "NM", &frames);
    projections.put_str(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\TOMO\\EMISSION");
    assert!(refusal(projections).contains("projections"));

    let mut half = multi_frame(uids::ENHANCED_CT_IMAGE_STORAGE, "CT", &frames);
    put_groups(&mut half, &before, |_, _| ());
    half.put_str(tags::NUMBER_OF_FRAMES, VR::IS, "5");
    assert!(refusal(half).contains("not every frame says what it is"));

    let mut probe = multi_frame("1.2.840.10008.5.1.4.1.1.6.2", "US", &frames);
    put_groups(&mut probe, &before, |_, item| put_group(item, Tag(0x0020, 0x930e), |_| ()));
    assert!(refusal(probe).contains("probe"));
}

#[test]
fn a_multi_frame_file_cut_short_keeps_its_whole_frames() {
    let before = volume(axial());
    let slices: Vec<Vec<i16>> = before.samples().chunks((DIMS[0] * DIMS[1]) as usize).map(<[i16]>::to_vec).collect();
    let mut object = multi_frame(uids::ENHANCED_CT_IMAGE_STORAGE, "CT", &slices);
    put_groups(&mut object, &before, |n, item| {
        put_group(item, tags::PLANE_POSITION_SEQUENCE, |place| {
            place.put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, position(&before, n));
        });
    });
    let (_folder, path) = write(object, uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let bytes = std::fs::read(&path).expect("readable");
    std::fs::write(&path, &bytes[..bytes.len() - 20]).expect("written");
    let loaded = open(&path, None, &Progress::new(), &|_| {}).expect("five frames");
    assert_eq!(loaded.volume.grid().dims()[2], 5);
    assert!(loaded.report.lines.iter().any(|line| line.text.contains("frame 6 of") && line.text.contains("cut short")));
}

#[test]
fn repetitions_without_a_key_go_by_instance_number_and_a_remainder_is_a_missing_slice() {
    let before = volume(axial());
    let (folder, files) = written(&before);
    for (n, file) in files.iter().enumerate() {
        let twin = file.with_file_name(format!("again-{n}.dcm"));
        std::fs::copy(file, &twin).expect("copied");
        edit(&twin, |object| {
            object.put_str(tags::SOP_INSTANCE_UID, VR::UI, format!("2.25.{}", 900 + n));
            object.put_str(tags::INSTANCE_NUMBER, VR::IS, (100 + n).to_string());
            object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "76");
        });
    }
    let found = scan(folder.path(), &Progress::new()).expect("a scan");
    let parts: Vec<&str> = found.entries.iter().map(|entry| entry.part.as_str()).collect();
    assert_eq!(parts, ["repetition 1 of 2", "repetition 2 of 2"]);
    let late = load(&found.entries[1], &Progress::new(), &|_| {}).expect("readable").volume;
    assert_eq!(late.value(1, 1, 1), before.value(1, 1, 1) + 100.0);

    // With a time of its own for each repetition, one missing image is a hole in that one only.
    for n in 0..files.len() {
        for (name, time) in [(files[n].clone(), "1"), (files[n].with_file_name(format!("again-{n}.dcm")), "2")] {
            edit(&name, |object| drop(object.put_str(tags::TEMPORAL_POSITION_IDENTIFIER, VR::IS, time)));
            let third = name.with_file_name(format!("third-{n}.dcm"));
            std::fs::copy(&name, &third).expect("copied");
            edit(&third, |object| {
                object.put_str(tags::SOP_INSTANCE_UID, VR::UI, format!("2.25.{}", 1900 + n));
                object.put_str(tags::TEMPORAL_POSITION_IDENTIFIER, VR::IS, "3");
            });
        }
    }
    std::fs::remove_file(files[2].with_file_name("again-2.dcm")).expect("removed");
    let found = scan(folder.path(), &Progress::new()).expect("a scan");
    let loadable: Vec<bool> = found.entries.iter().map(SeriesEntry::is_loadable).collect();
    assert_eq!(loadable, [true, true, false]);
    let refusal = found.entries[2].refusal.as_deref().unwrap_or_default();
    assert!(found.entries[2].part == "temporal position 2" && refusal.contains("slices are missing"), "{refusal}");
}
