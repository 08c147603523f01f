//! Text of a data set in its *Specific Character Set* (0008,0005).
//!
//! In: bytes and the character set's defined terms. Out: a string; what cannot be decoded becomes U+FFFD, never an error.
//! With code extensions (ISO 2022) each escape sequence chooses the codec of the bytes that follow; a line end, and in
//! names `^` and `=`, go back to the first set.
//!
//! Source: DICOM PS3.5 6.1.2, PS3.3 C.12.1.1.2 (defined terms and escape sequences), PS3.5 annexes H to K (examples).

use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

const ESCAPE: u8 = 0x1b;

/// How the text values of a data set are written.
#[derive(Debug, Clone)]
pub struct CharacterSet {
    first: Option<SpecificCharacterSet>,
}

impl CharacterSet {
    /// The default repertoire.
    pub const DEFAULT: Self = Self { first: None };

    /// From the defined terms as they stand in the file, parts joined by a backslash.
    pub fn of(terms: &str) -> Self {
        let first = terms.split('\\').next().unwrap_or_default().trim();
        Self { first: SpecificCharacterSet::from_code(first).filter(|_| !first.is_empty()) }
    }

    /// Decodes a value with all its parts.
    pub fn decode(&self, bytes: &[u8]) -> String {
        if !bytes.contains(&ESCAPE) {
            return self.plain(bytes);
        }
        let mut text = String::new();
        let mut at = 0;
        let mut set = None;
        let mut segment = 0;
        while at < bytes.len() {
            if bytes[at] == ESCAPE {
                text.push_str(&self.segment(set, &bytes[segment..at]));
                let (length, chosen) = escape(&bytes[at..]);
                set = chosen;
                at += length;
                segment = at;
            } else if matches!(bytes[at], b'\r' | b'\n' | b'^' | b'=' | b'\\') && set != Some(Set::Japanese) {
                text.push_str(&self.segment(set, &bytes[segment..=at]));
                set = None;
                at += 1;
                segment = at;
            } else {
                at += 1;
            }
        }
        text.push_str(&self.segment(set, &bytes[segment..]));
        text
    }

    fn segment(&self, set: Option<Set>, bytes: &[u8]) -> String {
        match set {
            None => self.plain(bytes),
            Some(Set::Japanese) => decode_with("ISO 2022 IR 87", &[b"\x1b$B", bytes].concat()),
            Some(Set::Code(code)) => decode_with(code, bytes),
        }
    }

    fn plain(&self, bytes: &[u8]) -> String {
        if bytes.is_ascii() {
            return String::from_utf8_lossy(bytes).into_owned();
        }
        match &self.first {
            Some(set) => set.decode(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned()),
            // Many files leave the term out: UTF-8 where it is that, else Latin.
            None => std::str::from_utf8(bytes)
                .map_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect(), str::to_owned),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    /// JIS X 0208: two bytes of seven bits each, which may look like delimiters.
    Japanese,
    Code(&'static str),
}

fn decode_with(code: &str, bytes: &[u8]) -> String {
    let set = SpecificCharacterSet::from_code(code);
    let decoded = set.and_then(|set| set.decode(bytes).ok());
    decoded.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned())
}

/// Length of an escape sequence and the set that it chooses; `None` is the first set.
fn escape(bytes: &[u8]) -> (usize, Option<Set>) {
    const SEQUENCES: [(&[u8], Option<Set>); 17] = [
        (b"\x1b(B", None),
        (b"\x1b(J", Some(Set::Code("ISO 2022 IR 13"))),
        (b"\x1b)I", Some(Set::Code("ISO 2022 IR 13"))),
        (b"\x1b$B", Some(Set::Japanese)),
        (b"\x1b$)C", Some(Set::Code("ISO 2022 IR 149"))),
        (b"\x1b$)A", Some(Set::Code("ISO 2022 IR 58"))),
        (b"\x1b-A", Some(Set::Code("ISO 2022 IR 100"))),
        (b"\x1b-B", Some(Set::Code("ISO 2022 IR 101"))),
        (b"\x1b-C", Some(Set::Code("ISO 2022 IR 109"))),
        (b"\x1b-D", Some(Set::Code("ISO 2022 IR 110"))),
        (b"\x1b-F", Some(Set::Code("ISO 2022 IR 126"))),
        (b"\x1b-G", Some(Set::Code("ISO 2022 IR 127"))),
        (b"\x1b-H", Some(Set::Code("ISO 2022 IR 138"))),
        (b"\x1b-L", Some(Set::Code("ISO 2022 IR 144"))),
        (b"\x1b-T", Some(Set::Code("ISO 2022 IR 166"))),
        (b"\x1b-M", None),
        (b"\x1b$(D", None),
    ];
    let known = SEQUENCES.iter().find(|(sequence, _)| bytes.starts_with(sequence));
    known.map_or((1, None), |(sequence, set)| (sequence.len(), *set))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_standard_s_examples_are_read() {
        // PS3.5 H.3.1, H.3.2, I.2, J.3, K.2.
        let cases: [(&str, &[u8], &str); 6] = [
            (
                "\\ISO 2022 IR 87",
                b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
                "Yamada^Tarou=山田^太郎=やまだ^たろう",
            ),
            (
                "ISO 2022 IR 13\\ISO 2022 IR 87",
                b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J",
                "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎",
            ),
            (
                "\\ISO 2022 IR 149",
                b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
                "Hong^Gildong=洪^吉洞=홍^길동",
            ),
            ("ISO_IR 192", "Wang^XiaoDong=王^小東".as_bytes(), "Wang^XiaoDong=王^小東"),
            ("GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"),
            ("ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
        ];
        for (terms, bytes, expected) in cases {
            assert_eq!(CharacterSet::of(terms).decode(bytes), expected, "{terms}");
        }
    }

    #[test]
    fn unknown_sets_and_broken_escapes_do_no_harm() {
        assert_eq!(CharacterSet::of("NONSENSE").decode(b"A\xe9"), "Aé");
        assert_eq!(CharacterSet::DEFAULT.decode(b"A\x1b"), "A");
        assert!(CharacterSet::of("ISO_IR 192").decode(b"A\xff\xfe").starts_with('A'));
    }
}
