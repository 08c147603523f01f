//! The data elements of a header, and their values when asked for.
//!
//! In: the bytes of a data set whose lengths [`layout`](super::layout) has checked. Out: [`Dataset`]: a list of where each
//! value lies; text, numbers and sequence items are made only of what is asked for, which is why a scan of thousands of
//! files is quick. Tolerant: what makes no sense ends the list instead of failing.
//!
//! Source: DICOM PS3.5 sections 6.2 (value representations) and 7 (data elements).

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};

use super::layout::Encoding;
use super::text::CharacterSet;

/// Sequences inside sequences that are followed.
const MAX_DEPTH: u32 = 32;
/// Length of a value that ends with a delimiter.
pub(super) const UNDEFINED: u32 = u32::MAX;

/// Where one value lies.
#[derive(Debug, Clone, Copy)]
pub struct Element {
    /// Its tag.
    pub tag: Tag,
    /// Its value representation; of the dictionary where the file has none.
    pub vr: VR,
    start: usize,
    end: usize,
    encoding: Encoding,
}

impl Element {
    /// How its value is written.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }
}

/// The elements of a data set or of an item of a sequence, in the order of the file.
#[derive(Debug, Clone)]
pub struct Dataset<'a> {
    bytes: &'a [u8],
    elements: Vec<Element>,
    characters: CharacterSet,
    depth: u32,
}

impl<'a> Dataset<'a> {
    /// Lists the elements of `bytes`.
    pub fn parse(bytes: &'a [u8], encoding: Encoding) -> Self {
        let mut parsed = Self::within(bytes, 0, bytes.len(), encoding, CharacterSet::DEFAULT, 0).0;
        parsed.characters = CharacterSet::of(&parsed.text(tags::SPECIFIC_CHARACTER_SET));
        parsed
    }

    /// Lists the elements of `bytes[at..end]`, up to an item delimiter. Also says where it stopped.
    fn within(
        bytes: &'a [u8],
        mut at: usize,
        end: usize,
        encoding: Encoding,
        characters: CharacterSet,
        depth: u32,
    ) -> (Self, usize) {
        let mut elements = Vec::new();
        while let Some(head) = Head::read(bytes, at, end, encoding) {
            if head.tag.group() == 0xfffe {
                at = head.value;
                break;
            }
            let Some(next) = past(bytes, &head, end, encoding, depth) else { break };
            let encoding = if head.vr == VR::UN { Encoding::ImplicitLittle } else { encoding };
            let vr = if head.vr == VR::UN { dictionary_vr(head.tag).unwrap_or(VR::UN) } else { head.vr };
            elements.push(Element { tag: head.tag, vr, start: head.value, end: next, encoding });
            at = next;
        }
        (Self { bytes, elements, characters, depth }, at)
    }

    /// All elements in the order of the file.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The element with a tag.
    pub fn get(&self, tag: Tag) -> Option<&Element> {
        // Files are sorted by tag, with few exceptions.
        match self.elements.binary_search_by_key(&tag, |element| element.tag) {
            Ok(at) => Some(&self.elements[at]),
            Err(_) => self.elements.iter().find(|element| element.tag == tag),
        }
    }

    /// The bytes of a value as they stand in the file.
    pub fn bytes_of(&self, element: &Element) -> &'a [u8] {
        &self.bytes[element.start..element.end]
    }

    /// The bytes of an element's value; empty where absent.
    pub fn bytes(&self, tag: Tag) -> &'a [u8] {
        self.get(tag).map(|element| self.bytes_of(element)).unwrap_or_default()
    }

    /// All values of an element as one string, parts joined by a backslash; empty where absent.
    pub fn text(&self, tag: Tag) -> String {
        self.get(tag).map(|element| self.text_of(element)).unwrap_or_default()
    }

    /// The values of an element as one string, numbers in decimals.
    pub fn text_of(&self, element: &Element) -> String {
        let bytes = self.bytes_of(element);
        match element.vr {
            VR::LO | VR::LT | VR::PN | VR::SH | VR::ST | VR::UC | VR::UT => {
                self.characters.decode(bytes).trim_matches(['\0', ' ']).to_owned()
            }
            VR::AE | VR::AS | VR::CS | VR::DA | VR::DS | VR::DT | VR::IS | VR::TM | VR::UI | VR::UR => {
                String::from_utf8_lossy(bytes).trim_matches(['\0', ' ']).to_owned()
            }
            VR::SQ => String::new(),
            VR::AT => {
                let numbers = |pair: &[u8]| u16_of(pair, element.encoding);
                let tags = bytes.chunks_exact(4).map(|b| Tag(numbers(&b[..2]), numbers(&b[2..])).to_string());
                tags.collect::<Vec<_>>().join("\\")
            }
            VR::UN if bytes.iter().all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | 0)) => {
                String::from_utf8_lossy(bytes).trim_matches(['\0', ' ']).to_owned()
            }
            _ => {
                let numbers = numbers(bytes, element.vr, element.encoding).take(64);
                numbers.map(|number| number.to_string()).collect::<Vec<_>>().join("\\")
            }
        }
    }

    /// All finite numbers of an element, up to the first part that is none.
    pub fn floats(&self, tag: Tag) -> Vec<f64> {
        let Some(element) = self.get(tag) else { return Vec::new() };
        let bytes = self.bytes_of(element);
        let values: Vec<f64> = match element.vr {
            VR::DS | VR::IS | VR::LO | VR::SH | VR::CS | VR::UN | VR::LT | VR::ST | VR::UT => {
                let text = String::from_utf8_lossy(bytes);
                // Some writers use the decimal comma of their country.
                let number = |part: &str| part.trim_matches(['\0', ' ']).replace(',', ".").parse().ok();
                text.split('\\').map_while(number).collect()
            }
            vr => numbers(bytes, vr, element.encoding).collect(),
        };
        values.into_iter().take_while(|value| value.is_finite()).collect()
    }

    /// First number of an element.
    pub fn float(&self, tag: Tag) -> Option<f64> {
        self.floats(tag).first().copied()
    }

    /// First whole number of an element.
    pub fn int(&self, tag: Tag) -> Option<i64> {
        self.float(tag).filter(|value| value.fract() == 0.0 && value.abs() < 9e15).map(|value| value as i64)
    }

    /// The items of a sequence; none where it is absent or no sequence.
    pub fn items(&self, tag: Tag) -> Vec<Self> {
        self.get(tag).map(|element| self.items_of(element)).unwrap_or_default()
    }

    /// The first item of a sequence.
    pub fn item(&self, tag: Tag) -> Option<Self> {
        self.items(tag).into_iter().next()
    }

    /// The items of a sequence element.
    pub fn items_of(&self, element: &Element) -> Vec<Self> {
        let mut items = Vec::new();
        if element.vr != VR::SQ || self.depth >= MAX_DEPTH {
            return items;
        }
        let mut at = element.start;
        while let Some(head) = Head::read(self.bytes, at, element.end, element.encoding) {
            if head.tag != Tag(0xfffe, 0xe000) {
                break;
            }
            let end = if head.length == UNDEFINED { element.end } else { head.value + head.length as usize };
            if end > element.end {
                break;
            }
            let (mut item, stop) =
                Self::within(self.bytes, head.value, end, element.encoding, self.characters.clone(), self.depth + 1);
            let own_set = item.text(tags::SPECIFIC_CHARACTER_SET);
            if !own_set.is_empty() {
                item.characters = CharacterSet::of(&own_set);
            }
            items.push(item);
            at = if head.length == UNDEFINED { stop } else { end };
        }
        items
    }
}

/// The head of an element or item.
struct Head {
    tag: Tag,
    vr: VR,
    length: u32,
    /// First byte of the value.
    value: usize,
}

impl Head {
    fn read(bytes: &[u8], at: usize, end: usize, encoding: Encoding) -> Option<Self> {
        let head = bytes.get(at..end)?.get(..8)?;
        let tag = Tag(u16_of(head, encoding), u16_of(&head[2..], encoding));
        let long = |bytes: &[u8]| u32_of(bytes, encoding);
        if tag.group() == 0xfffe || encoding == Encoding::ImplicitLittle {
            let vr = if tag.group() == 0xfffe { VR::UN } else { dictionary_vr(tag).unwrap_or(VR::UN) };
            return Some(Self { tag, vr, length: long(&head[4..]), value: at + 8 });
        }
        let vr = VR::from_binary([head[4], head[5]])?;
        if has_long_length(vr) {
            let length = bytes.get(at + 8..end)?.get(..4)?;
            return Some(Self { tag, vr, length: long(length), value: at + 12 });
        }
        Some(Self { tag, vr, length: u32::from(u16_of(&head[6..], encoding)), value: at + 8 })
    }
}

/// Whether explicit encoding gives this value representation a length of four bytes.
pub(super) fn has_long_length(vr: VR) -> bool {
    let long = [VR::OB, VR::OD, VR::OF, VR::OL, VR::OV, VR::OW, VR::SQ, VR::SV, VR::UC, VR::UN, VR::UR, VR::UT, VR::UV];
    long.contains(&vr)
}

pub(super) fn dictionary_vr(tag: Tag) -> Option<VR> {
    StandardDataDictionary.by_tag(tag).map(|entry| entry.vr().relaxed())
}

/// Where the next element begins; `None` where this one reaches past `end`.
fn past(bytes: &[u8], head: &Head, end: usize, encoding: Encoding, depth: u32) -> Option<usize> {
    if head.length != UNDEFINED {
        return head.value.checked_add(head.length as usize).filter(|next| *next <= end);
    }
    if depth >= MAX_DEPTH {
        return None;
    }
    let encoding = if head.vr == VR::UN { Encoding::ImplicitLittle } else { encoding };
    let holds_elements = matches!(head.vr, VR::SQ | VR::UN);
    let mut at = head.value;
    loop {
        let item = Head::read(bytes, at, end, encoding)?;
        match item.tag {
            Tag(0xfffe, 0xe0dd) => return Some(item.value),
            Tag(0xfffe, 0xe000) if item.length != UNDEFINED => {
                at = item.value.checked_add(item.length as usize).filter(|next| *next <= end)?;
            }
            Tag(0xfffe, 0xe000) if holds_elements => at = past_item(bytes, item.value, end, encoding, depth + 1)?,
            _ => return None,
        }
    }
}

fn past_item(bytes: &[u8], mut at: usize, end: usize, encoding: Encoding, depth: u32) -> Option<usize> {
    loop {
        let head = Head::read(bytes, at, end, encoding)?;
        if head.tag == Tag(0xfffe, 0xe00d) {
            return Some(head.value);
        }
        at = past(bytes, &head, end, encoding, depth)?;
    }
}

/// Whether every length of a data set, at every depth, ends within what it lies in: only then may the bytes be given to a
/// reader that asks for as much memory as a length says.
pub fn is_sound(bytes: &[u8], encoding: Encoding) -> bool {
    past_sound_elements(bytes, 0, bytes.len(), encoding, 0).is_some()
}

/// Where elements end: at `end`, or behind the delimiter of their item. `None` where a length lies.
fn past_sound_elements(bytes: &[u8], mut at: usize, end: usize, encoding: Encoding, depth: u32) -> Option<usize> {
    while at < end {
        let head = Head::read(bytes, at, end, encoding)?;
        if head.tag == Tag(0xfffe, 0xe00d) {
            return Some(head.value);
        }
        at = past_sound(bytes, &head, end, encoding, depth)?;
    }
    Some(at)
}

fn past_sound(bytes: &[u8], head: &Head, end: usize, encoding: Encoding, depth: u32) -> Option<usize> {
    let is_open = head.length == UNDEFINED;
    let end_of = |head: &Head, end: usize| match head.length {
        UNDEFINED => Some(end),
        length => head.value.checked_add(length as usize).filter(|next| *next <= end),
    };
    let next = end_of(head, end)?;
    if head.vr != VR::SQ && !is_open {
        return Some(next);
    }
    if depth >= MAX_DEPTH {
        return None;
    }
    let encoding = if head.vr == VR::UN { Encoding::ImplicitLittle } else { encoding };
    let mut at = head.value;
    while at < next {
        let item = Head::read(bytes, at, next, encoding)?;
        match item.tag {
            Tag(0xfffe, 0xe0dd) => return Some(if is_open { item.value } else { next }),
            Tag(0xfffe, 0xe000) => {
                let item_end = end_of(&item, next)?;
                // Only pixels have pieces; a reader takes the items of anything else for data sets, whatever its VR.
                let stop = if matches!(head.vr, VR::SQ | VR::UN) || head.tag != tags::PIXEL_DATA {
                    past_sound_elements(bytes, item.value, item_end, encoding, depth + 1)?
                } else {
                    item_end
                };
                at = if item.length == UNDEFINED { stop } else { item_end };
            }
            _ => return None,
        }
    }
    (!is_open).then_some(next)
}

fn u16_of(bytes: &[u8], encoding: Encoding) -> u16 {
    let bytes = [bytes[0], bytes[1]];
    if encoding == Encoding::ExplicitBig { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
}

fn u32_of(bytes: &[u8], encoding: Encoding) -> u32 {
    let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
    if encoding == Encoding::ExplicitBig { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

/// The numbers of a binary value.
fn numbers(bytes: &[u8], vr: VR, encoding: Encoding) -> Box<dyn Iterator<Item = f64> + '_> {
    let ordered = move |chunk: &[u8]| {
        let mut all = [0; 8];
        for (n, &byte) in chunk.iter().enumerate() {
            let at = if encoding == Encoding::ExplicitBig { chunk.len() - 1 - n } else { n };
            all[at] = byte;
        }
        u64::from_le_bytes(all)
    };
    let of = |size: usize, number: fn(u64) -> f64| {
        Box::new(bytes.chunks_exact(size).map(move |chunk| number(ordered(chunk))))
    };
    match vr {
        VR::US | VR::OW => of(2, |bits| bits as f64),
        VR::SS => of(2, |bits| f64::from(bits as u16 as i16)),
        VR::UL | VR::OL => of(4, |bits| bits as f64),
        VR::SL => of(4, |bits| f64::from(bits as u32 as i32)),
        VR::FL | VR::OF => of(4, |bits| f64::from(f32::from_bits(bits as u32))),
        VR::FD | VR::OD => of(8, f64::from_bits),
        VR::UV | VR::OV => of(8, |bits| bits as f64),
        VR::SV => of(8, |bits| bits as i64 as f64),
        _ => of(1, |bits| bits as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: [u8; 4], vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
        let length = (value.len() as u16).to_le_bytes();
        [&tag[..], vr, &length, value].concat()
    }

    #[test]
    fn values_come_as_they_are_asked_for() {
        let bytes = [
            element([8, 0, 0x60, 0], b"CS", b"CT"),
            element([0x10, 0, 0x10, 0], b"PN", b"A^B "),
            element([0x28, 0, 0x10, 0], b"US", &[0, 2]),
            element([0x28, 0, 0x30, 0], b"DS", b"0.5\\0,25 "),
            element([0x28, 0, 0x20, 1], b"SS", &(-2000_i16).to_le_bytes()),
        ]
        .concat();
        let dataset = Dataset::parse(&bytes, Encoding::ExplicitLittle);
        assert_eq!(dataset.text(tags::MODALITY), "CT");
        assert_eq!(dataset.text(tags::PATIENT_NAME), "A^B");
        assert_eq!(dataset.int(tags::ROWS), Some(512));
        assert_eq!(dataset.floats(tags::PIXEL_SPACING), [0.5, 0.25]);
        assert_eq!(dataset.int(tags::PIXEL_PADDING_VALUE), Some(-2000));
        assert_eq!(dataset.int(tags::COLUMNS), None);
    }

    #[test]
    fn items_of_both_kinds_of_length_are_found() {
        let inner = element([8, 0, 0x60, 0], b"CS", b"MR");
        let open = [&[0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff][..], &inner, &[0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0]]
            .concat();
        let closed = [&[0xfe, 0xff, 0, 0xe0, inner.len() as u8, 0, 0, 0][..], &inner].concat();
        let end = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
        let head = [8, 0, 0x40, 0x11, b'S', b'Q', 0, 0, 0xff, 0xff, 0xff, 0xff];
        let bytes = [&head[..], &open, &closed, &end, &element([0x28, 0, 0x10, 0], b"US", &[7, 0])].concat();
        let dataset = Dataset::parse(&bytes, Encoding::ExplicitLittle);
        let items = dataset.items(tags::REFERENCED_IMAGE_SEQUENCE);
        assert_eq!(items.iter().map(|item| item.text(tags::MODALITY)).collect::<Vec<_>>(), ["MR", "MR"]);
        assert_eq!(dataset.int(tags::ROWS), Some(7), "what follows the sequence is found");
    }

    #[test]
    fn a_length_that_lies_is_found_at_any_depth() {
        let item = |length: u32, value: &[u8]| [&[0xfe, 0xff, 0x00, 0xe0][..], &length.to_le_bytes(), value].concat();
        let sequence = |value: &[u8]| {
            [&[0x08, 0x00, 0x40, 0x11][..], b"SQ\0\0", &(value.len() as u32).to_le_bytes(), value].concat()
        };
        let leaf = element([0x08, 0, 0x60, 0], b"CS", b"CT");
        let good = sequence(&item(leaf.len() as u32, &leaf));
        let deep = sequence(&item(good.len() as u32, &good));
        assert!(is_sound(&deep, Encoding::ExplicitLittle));
        let open = sequence(&item(UNDEFINED, &[&good[..], &[0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0]].concat()));
        assert!(is_sound(&open, Encoding::ExplicitLittle));
        // The innermost value claims more than its item holds.
        let mut lying = deep.clone();
        let at = lying.len() - 4;
        lying[at..at + 2].copy_from_slice(&0xfff0_u16.to_le_bytes());
        assert!(!is_sound(&lying, Encoding::ExplicitLittle));
        assert!(!is_sound(&deep[..deep.len() - 1], Encoding::ExplicitLittle));
        // Found by the fuzzer: a group length without an end, whose item the library takes for a data set.
        let end = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
        let open = |tag: [u8; 4]| {
            let lying = item(8, &[0x10, 0, 0x10, 0, 0xff, 0xff, 0xff, 0xdf]);
            [&tag[..], &UNDEFINED.to_le_bytes(), &lying, &end].concat()
        };
        assert!(!is_sound(&open([0x4f, 0x42, 0, 0]), Encoding::ImplicitLittle));
        assert!(is_sound(&open([0xe0, 0x7f, 0x10, 0]), Encoding::ImplicitLittle), "the pieces of pixels are bytes");
    }
}
