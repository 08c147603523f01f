//! Where things lie in a DICOM file: a walk over its data elements that reads no values.
//!
//! Done before any library parses the bytes, so that a length that lies is found here and no parser ever asks for
//! more memory than the file is long, nor recurses without end. Also says where the pixels are, so that they can be
//! read straight from the file.
//!
//! In: a byte source. Out: [`FileLayout`]. Source: DICOM PS3.5 section 7 (data elements), PS3.10 section 7 (file meta).

use std::io::{Read, Seek, SeekFrom};

use dicom_core::Tag;
use dicom_core::VR;
use serde::{Deserialize, Serialize};

use super::dataset::{UNDEFINED, dictionary_vr, has_long_length};

/// Sequences inside sequences that are followed; real files have fewer than ten.
const MAX_DEPTH: u32 = 32;
/// Bytes of a header without its pixels; icons and private data stay far below.
const MAX_HEADER_BYTES: u64 = 256 << 20;
/// Pieces of compressed pixels that are listed.
const MAX_FRAGMENTS: usize = 1 << 20;

/// Why bytes are not a readable DICOM file.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// No sign of DICOM at the start.
    #[error("is not a DICOM file")]
    NotDicom,
    /// The file is shorter than it says.
    #[error("is cut short: it ends inside element {0}")]
    EndsInside(Tag),
    /// An element that cannot be.
    #[error("is damaged: element {0} makes no sense")]
    Damaged(Tag),
    /// Nested too deep, or a header without end.
    #[error("is damaged: its header is too long or nested too deep")]
    TooDeep,
    /// The bytes could not be read.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
}

/// How data elements are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// No VR, little endian.
    ImplicitLittle,
    /// VR, little endian; also of all compressed images.
    #[default]
    ExplicitLittle,
    /// VR, big endian (retired).
    ExplicitBig,
}

/// What kind of numbers pixels are, by the element that they are in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Numbers {
    /// *Pixel Data* (7FE0,0010).
    #[default]
    Whole,
    /// *Float Pixel Data* (7FE0,0008), 32 bits each.
    Float,
    /// *Double Float Pixel Data* (7FE0,0009), 64 bits each.
    Double,
}

/// Where the pixels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelSpan {
    /// First byte of the value.
    pub offset: u64,
    /// Bytes of the value; of a compressed image with all its items.
    pub length: u64,
    /// Whether the pixels are wrapped in items (compressed).
    pub encapsulated: bool,
    /// What kind of numbers they are.
    pub numbers: Numbers,
    /// Whether the file ends before the value does; the last piece of compressed pixels is the one that suffers.
    pub is_cut: bool,
}

/// The parts of a DICOM file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLayout {
    /// *Transfer Syntax UID* (0002,0010); empty where the file has no meta group.
    pub transfer_syntax: String,
    /// How the data set is written.
    pub encoding: Encoding,
    /// First byte of the data set.
    pub dataset_start: u64,
    /// One past the header: where the pixel element starts, or the end.
    pub header_end: u64,
    /// The pixels; `None` for objects without.
    pub pixels: Option<PixelSpan>,
    /// The pieces of compressed pixels, in their order; the first is the *Basic Offset Table*, mostly empty.
    pub fragments: Vec<Fragment>,
}

/// One item of compressed pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// First byte of its value.
    pub offset: u64,
    /// Bytes of its value.
    pub length: u32,
}

/// Finds the start of the data set and its transfer syntax: `(dataset start, UID)`.
///
/// # Errors
/// When the bytes do not begin like DICOM.
pub fn read_meta<R: Read + Seek>(source: &mut R) -> Result<(u64, String), LayoutError> {
    let mut walker = Walker::new(source, Encoding::ExplicitLittle)?;
    let mut start = [0_u8; 132];
    let got = walker.read_some(&mut start)?;
    let meta_start = match (got, &start) {
        (132, start) if &start[128..] == b"DICM" => 132,
        (4.., start) if &start[..4] == b"DICM" => 4,
        (8.., start) if start[..2] == [8, 0] && start[3] == 0 && start[2] < 0x20 => return Ok((0, String::new())),
        (8.., start) if start[..4] == [2, 0, 0, 0] => 0,
        _ => return Err(LayoutError::NotDicom),
    };
    walker.seek(meta_start)?;
    let mut transfer_syntax = String::new();
    while walker.end - walker.position >= 8 {
        let element_start = walker.position;
        // The group is looked at first: what follows the meta group may be written in another way.
        let mut group = [0; 2];
        walker.read_exact(&mut group, Tag(2, 0))?;
        walker.seek(element_start)?;
        if group != [2, 0] {
            return Ok((element_start, transfer_syntax));
        }
        let element = walker.element()?;
        if element.tag == Tag(2, 0x10) && element.length <= 128 {
            let mut value = vec![0; element.length as usize];
            walker.read_exact(&mut value, element.tag)?;
            String::from_utf8_lossy(&value).trim_matches(['\0', ' ']).clone_into(&mut transfer_syntax);
        } else {
            walker.skip(u64::from(element.length), element.tag)?;
        }
    }
    Ok((walker.position, transfer_syntax))
}

/// Guesses the encoding of a data set without file meta from its first element.
pub fn guess_encoding(first_bytes: &[u8]) -> Encoding {
    match first_bytes.get(4..6) {
        Some(vr) if vr.iter().all(u8::is_ascii_uppercase) => Encoding::ExplicitLittle,
        _ => Encoding::ImplicitLittle,
    }
}

/// Walks the data set from `dataset_start` to its pixels or its end, checking every length against the file.
///
/// # Errors
/// When an element reaches past the end or makes no sense.
pub fn walk_dataset<R: Read + Seek>(
    source: &mut R,
    dataset_start: u64,
    transfer_syntax: String,
    encoding: Encoding,
) -> Result<FileLayout, LayoutError> {
    let mut walker = Walker::new(source, encoding)?;
    walker.seek(dataset_start)?;
    let mut layout = FileLayout {
        transfer_syntax,
        encoding,
        dataset_start,
        header_end: walker.end,
        pixels: None,
        fragments: Vec::new(),
    };
    let mut last_tag = Tag(0, 0);
    while walker.position < walker.end {
        let element_start = walker.position;
        if walker.end - element_start < 8 {
            // A few zeros after the last element are padding of media; anything else is an element cut short.
            let mut rest = vec![0; (walker.end - element_start) as usize];
            walker.read_exact(&mut rest, last_tag)?;
            if rest.iter().any(|&byte| byte != 0) {
                return Err(LayoutError::EndsInside(last_tag));
            }
            layout.header_end = element_start;
            break;
        }
        let element = walker.element()?;
        if element.tag < last_tag && element.tag.group() < 8 {
            // Zeros after the data set.
            layout.header_end = element_start;
            break;
        }
        last_tag = element.tag;
        if element_start - dataset_start > MAX_HEADER_BYTES {
            return Err(LayoutError::TooDeep);
        }
        if matches!(element.tag, Tag(0x7fe0, 0x0008..=0x0010)) {
            layout.header_end = element_start;
            layout.pixels = Some(walker.pixel_span(&element, &mut layout.fragments)?);
            break;
        }
        walker.pass(&element, 0)?;
    }
    Ok(layout)
}

struct Element {
    tag: Tag,
    /// `None` for items, and in implicit encoding for tags that the dictionary does not know.
    vr: Option<VR>,
    length: u32,
}

struct Walker<'a, R> {
    source: &'a mut R,
    encoding: Encoding,
    position: u64,
    end: u64,
}

impl<'a, R: Read + Seek> Walker<'a, R> {
    fn new(source: &'a mut R, encoding: Encoding) -> Result<Self, LayoutError> {
        let end = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        Ok(Self { source, encoding, position: 0, end })
    }

    fn seek(&mut self, position: u64) -> Result<(), LayoutError> {
        self.position = self.source.seek(SeekFrom::Start(position))?;
        Ok(())
    }

    fn read_some(&mut self, bytes: &mut [u8]) -> Result<usize, LayoutError> {
        let count = (self.end - self.position).min(bytes.len() as u64) as usize;
        self.source.read_exact(&mut bytes[..count])?;
        self.position += count as u64;
        Ok(count)
    }

    fn read_exact(&mut self, bytes: &mut [u8], tag: Tag) -> Result<(), LayoutError> {
        if self.read_some(bytes)? == bytes.len() { Ok(()) } else { Err(LayoutError::EndsInside(tag)) }
    }

    fn skip(&mut self, length: u64, tag: Tag) -> Result<(), LayoutError> {
        if length > self.end - self.position {
            return Err(LayoutError::EndsInside(tag));
        }
        // Large values are jumped over; small ones are read through, which keeps a reader's buffer.
        if length > 4096 {
            return self.seek(self.position + length);
        }
        let mut scratch = [0; 4096];
        self.read_exact(&mut scratch[..length as usize], tag)
    }

    fn u16(&self, bytes: &[u8]) -> u16 {
        let bytes = [bytes[0], bytes[1]];
        if self.encoding == Encoding::ExplicitBig { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn u32(&self, bytes: &[u8]) -> u32 {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.encoding == Encoding::ExplicitBig { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// Reads the head of the next element or item.
    fn element(&mut self) -> Result<Element, LayoutError> {
        let mut head = [0; 8];
        self.read_exact(&mut head, Tag(0, 0))?;
        let tag = Tag(self.u16(&head), self.u16(&head[2..]));
        if tag.group() == 0xfffe {
            return Ok(Element { tag, vr: None, length: self.u32(&head[4..]) });
        }
        if self.encoding == Encoding::ImplicitLittle {
            return Ok(Element { tag, vr: dictionary_vr(tag), length: self.u32(&head[4..]) });
        }
        let vr = VR::from_binary([head[4], head[5]]).ok_or(LayoutError::Damaged(tag))?;
        let length = if has_long_length(vr) {
            let mut length = [0; 4];
            self.read_exact(&mut length, tag)?;
            self.u32(&length)
        } else {
            u32::from(self.u16(&head[6..]))
        };
        Ok(Element { tag, vr: Some(vr), length })
    }

    /// Goes past an element's value, looking into sequences.
    fn pass(&mut self, element: &Element, depth: u32) -> Result<(), LayoutError> {
        // What has a length is jumped over whole: what lies inside is looked at when it is asked for.
        if element.length != UNDEFINED {
            return self.skip(u64::from(element.length), element.tag);
        }
        if !matches!(element.vr, None | Some(VR::SQ | VR::UN)) {
            self.pixel_span(element, &mut Vec::new())?;
            return Ok(());
        }
        let outer = self.encoding;
        if element.vr == Some(VR::UN) {
            self.encoding = Encoding::ImplicitLittle;
        }
        let result = self.pass_items(element, depth + 1);
        self.encoding = outer;
        result
    }

    fn pass_items(&mut self, sequence: &Element, depth: u32) -> Result<(), LayoutError> {
        if depth > MAX_DEPTH {
            return Err(LayoutError::TooDeep);
        }
        while self.position < self.end {
            let item = self.element()?;
            match item.tag {
                Tag(0xfffe, 0xe0dd) => return Ok(()),
                Tag(0xfffe, 0xe000) if item.length != UNDEFINED => self.skip(u64::from(item.length), sequence.tag)?,
                Tag(0xfffe, 0xe000) => self.pass_item(sequence, depth)?,
                _ => return Err(LayoutError::Damaged(sequence.tag)),
            }
        }
        Err(LayoutError::EndsInside(sequence.tag))
    }

    /// Goes past an item that ends with a delimiter.
    fn pass_item(&mut self, sequence: &Element, depth: u32) -> Result<(), LayoutError> {
        while self.position < self.end {
            let element = self.element()?;
            if element.tag == Tag(0xfffe, 0xe00d) {
                return Ok(());
            }
            if element.tag.group() == 0xfffe {
                return Err(LayoutError::Damaged(sequence.tag));
            }
            self.pass(&element, depth)?;
        }
        Err(LayoutError::EndsInside(sequence.tag))
    }

    /// Pixels may be cut short here: how many are needed is known from rows and columns.
    fn pixel_span(&mut self, element: &Element, fragments: &mut Vec<Fragment>) -> Result<PixelSpan, LayoutError> {
        let offset = self.position;
        let numbers = match element.tag {
            Tag(0x7fe0, 0x0008) => Numbers::Float,
            Tag(0x7fe0, 0x0009) => Numbers::Double,
            _ => Numbers::Whole,
        };
        if element.length != UNDEFINED {
            let length = u64::from(element.length).min(self.end - offset);
            let is_cut = length < u64::from(element.length);
            return Ok(PixelSpan { offset, length, encapsulated: false, numbers, is_cut });
        }
        let mut is_cut = false;
        // A missing delimiter is no harm: the pieces have their lengths.
        while self.end - self.position >= 8 {
            let item = self.element()?;
            match item.tag {
                Tag(0xfffe, 0xe0dd) => break,
                Tag(0xfffe, 0xe000) if fragments.len() < MAX_FRAGMENTS => {
                    let length = u64::from(item.length).min(self.end - self.position) as u32;
                    is_cut = length < item.length;
                    fragments.push(Fragment { offset: self.position, length });
                    self.skip(u64::from(length), element.tag)?;
                }
                _ => return Err(LayoutError::Damaged(element.tag)),
            }
        }
        Ok(PixelSpan { offset, length: self.position - offset, encapsulated: true, numbers, is_cut })
    }
}
