//! Small steps with the library's data sets, for objects that are no images: reading and building text, numbers, sequences and
//! coded concepts.

use dicom_core::value::{DataSetSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::domain::segmentation::Code;

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

/// Puts a coded concept as a sequence of one.
pub fn put_code(object: &mut InMemDicomObject, tag: Tag, [scheme, value, meaning]: [&str; 3]) {
    let code = item(|item| {
        put_text(item, tags::CODE_VALUE, VR::SH, value);
        put_text(item, tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme);
        put_text(item, tags::CODE_MEANING, VR::LO, meaning);
    });
    put_sequence(object, tag, vec![code]);
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
