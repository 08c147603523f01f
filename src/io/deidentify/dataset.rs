//! Removes identity from one data set.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::header::Header;
use dicom_core::value::{DataSetSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use crate::io::dicom::elements::text;
use crate::io::provenance::{NOT_FOR_DIAGNOSTIC_USE, PROGRAM, VERSION, replaced_uid};
use crate::io::report::Report;

use super::cleaning::{IdentifyingWords, shifted};
use super::profile::{Action, Dates, Options, row_of};

/// What stands where a value has to be and must mean nothing.
const DUMMY_TEXT: &str = "REMOVED";
/// UIDs that the standard defines are nobody's identity.
const DICOM_ROOT: &str = "1.2.840.10008.";
/// Modalities whose pictures carry text as a rule.
const OFTEN_BURNED_IN: [&str; 7] = ["US", "XC", "ES", "GM", "SC", "OT", "SR"];
/// Words of a body part or description that mean the face may be seen.
const FACE_WORDS: [&str; 14] = [
    "head", "face", "facial", "brain", "skull", "cranium", "sinus", "orbit", "neck", "jaw", "mandible", "maxill",
    "kopf", "whole",
];

/// Removes identity. The report says what a person still has to look at.
pub fn deidentify(object: &mut InMemDicomObject, options: &Options) -> Report {
    let mut report = Report::default();
    warn_of_pixels(object, &mut report);
    let words = IdentifyingWords::of(object);
    Work { options, words: &words }.apply(object, &mut report);
    mark(object, options);
    report
}

struct Work<'a> {
    options: &'a Options,
    words: &'a IdentifyingWords,
}

impl Work<'_> {
    fn apply(&self, object: &mut InMemDicomObject, report: &mut Report) {
        let all: Vec<Tag> = object.tags().collect();
        for tag in all {
            let known = StandardDataDictionary.by_tag(tag).is_some();
            // Lengths of groups are wrong afterwards; what the dictionary does not know may be anything.
            if tag.element() == 0 || (!known && tag.group() % 2 == 0) {
                object.remove_element(tag);
                continue;
            }
            let Some(element) = object.take(tag) else { continue };
            let action = row_of(tag).map(|row| row.action(self.options));
            if let Some(kept) = self.treated(element, action, report) {
                object.put(kept);
            }
        }
    }

    /// The element as it may stay; `None` when it goes. `action` is `None` for attributes that the profile does not name.
    fn treated(&self, element: InMemElement, action: Option<Action>, report: &mut Report) -> Option<InMemElement> {
        let (tag, vr) = (element.tag(), element.vr());
        if let Some(Action::Remove) = action {
            return None;
        }
        if element.items().is_some() || vr == VR::SQ {
            return Some(self.sequence(element, action, report));
        }
        match action {
            Some(Action::Remove) => None,
            Some(Action::Zero) => Some(DataElement::empty(tag, vr)),
            Some(Action::Dummy) => {
                if tag == tags::ENCAPSULATED_DOCUMENT {
                    report.warning("the document inside was removed");
                }
                Some(dummy(tag, vr, &element))
            }
            Some(Action::Uid) => Some(replaced(element)),
            Some(Action::Clean) => Some(self.cleaned(element)),
            Some(Action::Keep) | None => Some(element),
        }
    }

    /// Sequences that must not be emptied are looked through; the text inside reports and annotations is no row of the table,
    /// so these are emptied unless they are to be cleaned.
    fn sequence(&self, element: InMemElement, action: Option<Action>, report: &mut Report) -> InMemElement {
        let tag = element.tag();
        let is_text = matches!(tag, tags::CONTENT_SEQUENCE | tags::GRAPHIC_ANNOTATION_SEQUENCE);
        let is_emptied = action == Some(Action::Zero) || (action == Some(Action::Dummy) && is_text);
        if is_emptied {
            if is_text {
                report.warning("the text of a report or the annotations of an image were removed");
            }
            return DataElement::new(tag, VR::SQ, DataSetSequence::empty());
        }
        let (_, value) = element.into_parts();
        let mut items = value.into_items().unwrap_or_default();
        for item in &mut items {
            match action {
                Some(Action::Clean) => self.clean_all(item, false),
                Some(Action::Dummy) => self.clean_all(item, true),
                _ => {}
            }
            self.apply(item, report);
        }
        DataElement::new(tag, VR::SQ, Value::from(DataSetSequence::from(items.into_vec())))
    }

    /// Cleans every text of an item, whatever it is, sequences included; where it has to mean nothing, running text and names
    /// are replaced altogether.
    fn clean_all(&self, object: &mut InMemDicomObject, is_dummy: bool) {
        let all: Vec<Tag> = object.tags().collect();
        for tag in all {
            let Some(mut element) = object.take(tag) else { continue };
            if let Some(items) = element.items_mut() {
                items.iter_mut().for_each(|item| self.clean_all(item, is_dummy));
            } else if is_dummy && matches!(element.vr(), VR::ST | VR::LT | VR::UT | VR::PN) {
                element = dummy(tag, element.vr(), &element);
            } else if is_text(element.vr()) && element.vr() != VR::CS {
                element = self.cleaned(element);
            }
            object.put(element);
        }
    }

    fn cleaned(&self, element: InMemElement) -> InMemElement {
        let (tag, vr) = (element.tag(), element.vr());
        let whole = element.to_str().unwrap_or_default().into_owned();
        let parts: Vec<String> = match (vr, self.options.dates) {
            (VR::DA | VR::DT, Dates::Shifted { days }) => {
                whole.split('\\').map(|part| shifted(part, days).unwrap_or_default()).collect()
            }
            (VR::TM, Dates::Shifted { .. }) => return element,
            (VR::UT | VR::ST | VR::LT, _) => vec![self.words.cleaned(&whole)],
            (vr, _) if is_text(vr) => whole.split('\\').map(|part| self.words.cleaned(part)).collect(),
            _ => return dummy(tag, vr, &element),
        };
        if parts.iter().all(String::is_empty) {
            return DataElement::empty(tag, vr);
        }
        DataElement::new(tag, vr, PrimitiveValue::Strs(parts.into_iter().collect()))
    }
}

fn is_text(vr: VR) -> bool {
    matches!(vr, VR::PN | VR::LO | VR::SH | VR::ST | VR::LT | VR::UT | VR::UC | VR::CS | VR::AE | VR::UR)
}

/// Replaces the identifiers of an element, those of the standard excepted.
fn replaced(element: InMemElement) -> InMemElement {
    let (tag, vr) = (element.tag(), element.vr());
    let all = element.to_str().unwrap_or_default().into_owned();
    let parts = all.split('\\').map(|uid| {
        let uid = uid.trim_matches([' ', '\0']);
        if uid.starts_with(DICOM_ROOT) { uid.to_owned() } else { replaced_uid(uid) }
    });
    DataElement::new(tag, vr, PrimitiveValue::Strs(parts.collect()))
}

/// A value of the right kind that means nothing; identifiers among them are replaced, so that references still meet.
fn dummy(tag: Tag, vr: VR, element: &InMemElement) -> InMemElement {
    let value = match vr {
        VR::DA => PrimitiveValue::from("19000101"),
        VR::TM => PrimitiveValue::from("000000"),
        VR::DT => PrimitiveValue::from("19000101000000"),
        VR::AS => PrimitiveValue::from("000Y"),
        VR::IS | VR::DS => PrimitiveValue::from("0"),
        VR::UI => return replaced(element.clone()),
        VR::US => PrimitiveValue::from(0_u16),
        VR::SS => PrimitiveValue::from(0_i16),
        VR::UL => PrimitiveValue::from(0_u32),
        VR::SL => PrimitiveValue::from(0_i32),
        VR::UV => PrimitiveValue::from(0_u64),
        VR::SV => PrimitiveValue::from(0_i64),
        VR::FL => PrimitiveValue::from(0.0_f32),
        VR::FD => PrimitiveValue::from(0.0_f64),
        VR::OB | VR::UN => PrimitiveValue::U8(vec![0, 0].into()),
        VR::OW => PrimitiveValue::U16(vec![0].into()),
        VR::OL => PrimitiveValue::U32(vec![0].into()),
        VR::OV => PrimitiveValue::U64(vec![0].into()),
        VR::OF => PrimitiveValue::F32(vec![0.0].into()),
        VR::OD => PrimitiveValue::F64(vec![0.0].into()),
        VR::AT => PrimitiveValue::Tags(vec![Tag(0, 0)].into()),
        VR::UR => PrimitiveValue::from("removed:"),
        _ => PrimitiveValue::from(DUMMY_TEXT),
    };
    DataElement::new(tag, vr, value)
}

/// Identity that no table finds: text in the picture, and the patient's face.
fn warn_of_pixels(object: &InMemDicomObject, report: &mut Report) {
    let modality = text(object, tags::MODALITY);
    let image_type = text(object, tags::IMAGE_TYPE).to_uppercase();
    let is_captured = image_type.contains("SECONDARY") || object.get(tags::CONVERSION_TYPE).is_some();
    let has_pixels = [tags::ROWS, tags::PIXEL_DATA].iter().any(|tag| object.get(*tag).is_some());
    match text(object, tags::BURNED_IN_ANNOTATION).as_str() {
        "YES" => report.warning("text is burned into the picture, by what the file says: it may name the patient"),
        "" if has_pixels && (is_captured || OFTEN_BURNED_IN.contains(&modality.as_str())) => {
            report.warning("text may be burned into the picture, which the file does not say: look at it");
        }
        _ => {}
    }
    let described = [tags::BODY_PART_EXAMINED, tags::STUDY_DESCRIPTION, tags::SERIES_DESCRIPTION, tags::PROTOCOL_NAME];
    let described = described.map(|tag| text(object, tag).to_lowercase()).join(" ");
    let says_face = text(object, tags::RECOGNIZABLE_VISUAL_FEATURES) == "YES";
    let is_volume = matches!(modality.as_str(), "CT" | "MR" | "PT" | "M3D");
    if says_face || (is_volume && FACE_WORDS.iter().any(|word| described.contains(word))) {
        report.warning("the patient's face may be recognisable in the images, and in surfaces made of them");
    }
}

/// Says in the data set what was done.
fn mark(object: &mut InMemDicomObject, options: &Options) {
    let shifted = matches!(options.dates, Dates::Shifted { .. });
    let codes = [
        (true, "113100", "Basic Application Confidentiality Profile"),
        (options.clean_graphics, "113103", "Clean Graphics Option"),
        (options.clean_structured, "113104", "Clean Structured Content Option"),
        (options.clean_descriptors, "113105", "Clean Descriptors Option"),
        (options.dates == Dates::Kept, "113106", "Retain Longitudinal Temporal Information Full Dates Option"),
        (shifted, "113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
        (options.keep_patient, "113108", "Retain Patient Characteristics Option"),
        (options.keep_device, "113109", "Retain Device Identity Option"),
        (options.keep_uids, "113110", "Retain UIDs Option"),
        (options.keep_institution, "113112", "Retain Institution Identity Option"),
    ];
    let items: Vec<InMemDicomObject> = codes
        .iter()
        .filter(|(is_taken, ..)| *is_taken)
        .map(|(_, value, meaning)| {
            let mut item = InMemDicomObject::new_empty();
            item.put_str(tags::CODE_VALUE, VR::SH, *value);
            item.put_str(tags::CODING_SCHEME_DESIGNATOR, VR::SH, "DCM");
            item.put_str(tags::CODE_MEANING, VR::LO, *meaning);
            item
        })
        .collect();
    let dates = match options.dates {
        Dates::Removed => "REMOVED",
        Dates::Shifted { .. } => "MODIFIED",
        Dates::Kept => "UNMODIFIED",
    };
    object.put_str(tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES");
    let method = format!("{PROGRAM} {VERSION}: PS3.15 Annex E. {NOT_FOR_DIAGNOSTIC_USE}");
    object.put_str(tags::DEIDENTIFICATION_METHOD, VR::LO, method.chars().take(64).collect::<String>());
    object.put(DataElement::new(
        tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE,
        VR::SQ,
        Value::from(DataSetSequence::from(items)),
    ));
    object.put_str(tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED, VR::CS, dates);
}

/// The value representation that the dictionary gives an attribute.
pub fn vr_of(tag: Tag) -> VR {
    StandardDataDictionary.by_tag(tag).map_or(VR::UN, |entry| entry.vr().relaxed())
}
