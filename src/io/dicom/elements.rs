//! Small steps with the library's data sets, for objects that are no images: reading and building text, numbers, sequences and
//! coded concepts.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use dicom_core::value::{DataSetSequence, PixelFragmentSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::entries;

use crate::domain::segmentation::Code;

use super::dataset::is_sound;
use super::layout::Encoding;
use super::source::DicomSource;

/// Puts a text; characters beyond what the representation holds are cut.
pub fn put_text(object: &mut InMemDicomObject, tag: Tag, vr: VR, text: &str) {
    let limit = match vr {
        VR::CS | VR::SH | VR::AE | VR::DS => 16,
        VR::LO | VR::PN | VR::UI => 64,
        VR::ST => 1024,
        VR::LT => 10_240,
        _ => usize::MAX,
    };
    // A backslash would begin another value.
    let is_running = matches!(vr, VR::ST | VR::LT | VR::UT);
    let text = if is_running || vr == VR::CS { text.to_owned() } else { text.replace('\\', "/") };
    object.put_str(tag, vr, text.chars().take(limit).collect::<String>().trim_end());
}

/// Puts a 16-bit number.
pub fn put_u16(object: &mut InMemDicomObject, tag: Tag, number: u16) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(number)));
}

/// Puts 32-bit numbers.
pub fn put_u32s(object: &mut InMemDicomObject, tag: Tag, numbers: &[u32]) {
    object.put(DataElement::new(tag, VR::UL, PrimitiveValue::U32(numbers.into())));
}

/// Puts a tag as a value.
pub fn put_tag(object: &mut InMemDicomObject, tag: Tag, value: Tag) {
    object.put(DataElement::new(tag, VR::AT, PrimitiveValue::Tags(vec![value].into())));
}

/// Puts a sequence.
pub fn put_sequence(object: &mut InMemDicomObject, tag: Tag, items: Vec<InMemDicomObject>) {
    object.put(DataElement::new(tag, VR::SQ, Value::from(DataSetSequence::from(items))));
}

/// An item made by a closure.
pub fn item(fill: impl FnOnce(&mut InMemDicomObject)) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    fill(&mut item);
    item
}

/// Puts a coded concept (scheme, value, meaning) as a sequence of one.
pub fn put_code(object: &mut InMemDicomObject, tag: Tag, code: [&str; 3]) {
    put_sequence(object, tag, vec![code_item(code)]);
}

/// The item of a coded concept.
pub fn code_item([scheme, value, meaning]: [&str; 3]) -> InMemDicomObject {
    item(|item| {
        put_text(item, tags::CODE_VALUE, VR::SH, value);
        put_text(item, tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme);
        put_text(item, tags::CODE_MEANING, VR::LO, meaning);
    })
}

/// The first coded concept of a sequence.
pub fn code_of(object: &InMemDicomObject, tag: Tag) -> Option<Code> {
    let item = object.get(tag)?.items()?.first()?;
    let text = |tag| text(item, tag);
    let values = [tags::CODE_VALUE, tags::LONG_CODE_VALUE, tags::URN_CODE_VALUE].map(text);
    let value = values.into_iter().find(|value| !value.is_empty())?;
    Some(Code { scheme: text(tags::CODING_SCHEME_DESIGNATOR), value, meaning: text(tags::CODE_MEANING) })
}

/// The first item of a sequence.
pub fn first_item(object: &InMemDicomObject, tag: Tag) -> Option<&InMemDicomObject> {
    object.get(tag)?.items()?.first()
}

/// All values of an element as one string, parts joined by a backslash; empty where absent.
pub fn text(object: &InMemDicomObject, tag: Tag) -> String {
    let value = object.get(tag).and_then(|element| element.to_str().ok());
    value.map(|value| value.trim_matches(['\0', ' ']).to_owned()).unwrap_or_default()
}

/// All finite numbers of an element, up to the first part that is none.
pub fn floats(object: &InMemDicomObject, tag: Tag) -> Vec<f64> {
    let values = object.get(tag).and_then(|element| element.to_multi_float64().ok()).unwrap_or_default();
    values.into_iter().take_while(|value| value.is_finite()).collect()
}

/// First number of an element.
pub fn float(object: &InMemDicomObject, tag: Tag) -> Option<f64> {
    floats(object, tag).first().copied()
}

/// First whole number of an element.
pub fn int(object: &InMemDicomObject, tag: Tag) -> Option<i64> {
    object.get(tag)?.to_int().ok()
}

/// A whole data set in memory, with its transfer syntax. Every length is checked against the file before the library sees a byte:
/// it asks for as much memory as an element says. What follows the pixels (padding, signatures) is left out.
///
/// # Errors
/// With the end of a sentence that begins with the file.
pub fn read_object(path: &Path) -> Result<(InMemDicomObject, String), String> {
    read_checked(path, true)
}

/// The same without pixels.
///
/// # Errors
/// As [`read_object`].
pub fn read_header_object(path: &Path) -> Result<(InMemDicomObject, String), String> {
    read_checked(path, false)
}

fn read_checked(path: &Path, with_pixels: bool) -> Result<(InMemDicomObject, String), String> {
    let mut source = DicomSource::open(path).map_err(|error| error.to_string())?;
    let failed = |error: std::io::Error| format!("cannot be read: {error}");
    let layout = source.layout.clone();
    let header = part(&mut source, layout.dataset_start, layout.header_end).map_err(failed)?;
    let syntax = match layout.encoding {
        Encoding::ImplicitLittle => entries::IMPLICIT_VR_LITTLE_ENDIAN.erased(),
        Encoding::ExplicitLittle => entries::EXPLICIT_VR_LITTLE_ENDIAN.erased(),
        Encoding::ExplicitBig => entries::EXPLICIT_VR_BIG_ENDIAN.erased(),
    };
    if !is_sound(&header, layout.encoding) {
        return Err("is damaged: an element is longer than what holds it".to_owned());
    }
    let object = InMemDicomObject::read_dataset_with_ts(&header[..], &syntax);
    let mut object = object.map_err(|error| format!("is damaged: {error}"))?;
    if let Some(span) = layout.pixels.filter(|_| with_pixels) {
        let start = part(&mut source, layout.header_end, span.offset).map_err(failed)?;
        let bytes = part(&mut source, span.offset, span.offset.saturating_add(span.length)).map_err(failed)?;
        let is_big = layout.encoding == Encoding::ExplicitBig;
        object.put(pixel_element(&start, bytes, span.encapsulated, is_big)?);
    }
    let name = match (layout.transfer_syntax.as_str(), layout.encoding) {
        ("", Encoding::ImplicitLittle) => uids::IMPLICIT_VR_LITTLE_ENDIAN,
        ("", _) => uids::EXPLICIT_VR_LITTLE_ENDIAN,
        (name, _) => name,
    };
    Ok((object, name.to_owned()))
}

/// The bytes of a file from one place to another, or to its end.
fn part(source: &mut DicomSource, from: u64, to: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.bytes.seek(SeekFrom::Start(from))?;
    source.bytes.by_ref().take(to.saturating_sub(from)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The element of the pixels from its first bytes (tag, representation, length) and its value.
fn pixel_element(
    start: &[u8],
    bytes: Vec<u8>,
    encapsulated: bool,
    is_big: bool,
) -> Result<DataElement<InMemDicomObject>, String> {
    let two = |at: usize| start.get(at..).and_then(|rest| rest.first_chunk::<2>()).copied().unwrap_or_default();
    let number = |two: [u8; 2]| if is_big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) };
    let tag = Tag(number(two(0)), number(two(2)));
    if encapsulated {
        return Ok(DataElement::new(tag, VR::OB, Value::from(fragments(&bytes)?)));
    }
    let claimed = start.last_chunk::<4>().copied().unwrap_or_default();
    let claimed = if is_big { u32::from_be_bytes(claimed) } else { u32::from_le_bytes(claimed) };
    if (bytes.len() as u64) < u64::from(claimed) {
        return Err("is cut short: it ends inside its pixels".to_owned());
    }
    // Bytes are handed on as they are: the length of a word matters to nobody but a big-endian writer, which leaves them too.
    let vr = VR::from_binary(two(4)).filter(|vr| matches!(vr, VR::OB | VR::OW | VR::OF | VR::OD)).unwrap_or(VR::OW);
    Ok(DataElement::new(tag, vr, PrimitiveValue::U8(bytes.into())))
}

/// The pieces of compressed pixels; the first item is a table of offsets.
fn fragments(bytes: &[u8]) -> Result<PixelFragmentSequence<Vec<u8>>, String> {
    let (mut at, mut items) = (0, Vec::new());
    while let Some(head) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        if head[..4] != [0xfe, 0xff, 0x00, 0xe0] {
            break;
        }
        let item = bytes.get(at + 8..at.saturating_add(8).saturating_add(length));
        items.push(item.ok_or("is cut short: it ends inside its pixels")?.to_vec());
        at += 8 + length;
    }
    if items.is_empty() {
        return Err("is damaged: its compressed pixels have no pieces".to_owned());
    }
    let table: Vec<u32> =
        items.remove(0).chunks_exact(4).map(|n| u32::from_le_bytes([n[0], n[1], n[2], n[3]])).collect();
    Ok(PixelFragmentSequence::new(table, items))
}

/// What a file is and which: *SOP Class UID* and *SOP Instance UID*; `None` where it is no DICOM file.
pub fn class_and_instance(path: &Path) -> Option<(String, String)> {
    let (object, _) = read_header_object(path).ok()?;
    let (class, instance) = (text(&object, tags::SOP_CLASS_UID), text(&object, tags::SOP_INSTANCE_UID));
    (!class.is_empty()).then_some((class, instance))
}
