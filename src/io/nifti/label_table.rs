//! Names and colours of labels in a NIfTI file: the label table that Caret and Connectome Workbench keep in a header
//! extension (code 30), XML: `<LabelTable><Label Key="1" Red="0.9" ...><![CDATA[Bone]]></Label>`. TotalSegmentator writes the
//! same table under code 0; it is read too.
//!
//! Source: nifti.nimh.nih.gov, extension codes; the table as nibabel and Workbench read and write it.

use crate::io::label_map::{Label, LabelMap};

/// Extension code of Caret.
const CODE_CARET: u32 = 30;
/// Labels that are believed.
const MAX_LABELS: usize = 65_535;

/// The labels of a file's head (everything before its samples); empty where there is no table.
pub fn labels(head: &[u8], file: &str) -> Vec<Label> {
    extensions(head).iter().map(|text| table(text, file)).find(|labels| !labels.is_empty()).unwrap_or_default()
}

/// The texts of all extensions that may hold a table.
fn extensions(head: &[u8]) -> Vec<String> {
    let number = |at: usize, is_big: bool| -> Option<u32> {
        let four = *head.get(at..)?.first_chunk::<4>()?;
        Some(if is_big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    };
    let (mut at, is_big) = match (number(0, false), number(0, true)) {
        (Some(size @ (348 | 540)), _) => (size as usize, false),
        (_, Some(size @ (348 | 540))) => (size as usize, true),
        _ => return Vec::new(),
    };
    let mut texts = Vec::new();
    if head.get(at).copied().unwrap_or(0) == 0 {
        return texts;
    }
    at += 4;
    while let (Some(size), Some(code)) = (number(at, is_big), number(at + 4, is_big)) {
        let Some(bytes) = head.get(at + 8..at.saturating_add(size as usize)) else { break };
        if matches!(code, 0 | CODE_CARET) {
            texts.push(String::from_utf8_lossy(bytes).into_owned());
        }
        at += size as usize;
    }
    texts
}

fn table(text: &str, file: &str) -> Vec<Label> {
    let Some((_, table)) = text.split_once("<LabelTable") else { return Vec::new() };
    let table = table.split_once("</LabelTable>").map_or(table, |(table, _)| table);
    table.split("<Label ").skip(1).take(MAX_LABELS).filter_map(|part| label(part, file)).collect()
}

/// One label: `Key="1" Red="0.5" ...>name</Label>`.
fn label(part: &str, file: &str) -> Option<Label> {
    let (attributes, rest) = part.split_once('>')?;
    let (name, _) = rest.split_once("</Label>")?;
    let number = |key: &str| -> Option<f64> {
        let (_, after) = attributes.split_once(&format!("{key}=\""))?;
        after.split_once('"')?.0.trim().parse().ok()
    };
    let value = number("Key").filter(|key| key.fract() == 0.0 && key.abs() < 1e9)? as i64;
    let name = name.trim();
    let name = match name.strip_prefix("<![CDATA[").and_then(|name| name.strip_suffix("]]>")) {
        Some(plain) => plain.to_owned(),
        None => name.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"),
    };
    let color = ["Red", "Green", "Blue"].map(|key| number(key).unwrap_or(0.5));
    // Parts of one, or, from some programs, of 255.
    let scale = if color.iter().any(|part| *part > 1.0) { 1.0 } else { 255.0 };
    let color = color.map(|part| (part * scale).round().clamp(0.0, 255.0) as u8);
    (value != 0).then(|| Label::new(name, color, value, file))
}

/// The extension of a label map: its bytes, a multiple of 16 long.
pub fn extension(map: &LabelMap<'_>) -> Vec<u8> {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CaretExtension>\n");
    text.push_str("<Date><![CDATA[]]></Date>\n<VolumeInformation Index=\"0\">\n<LabelTable>\n");
    for (info, _, place) in map.placed() {
        let [red, green, blue] = info.color.map(|part| f64::from(part) / 255.0);
        let name = info.name.replace("]]>", "]] >");
        text.push_str(&format!(
            "<Label Key=\"{}\" Red=\"{red:.6}\" Green=\"{green:.6}\" Blue=\"{blue:.6}\" Alpha=\"1\"><![CDATA[{name}]]></Label>\n",
            place.value
        ));
    }
    text.push_str("</LabelTable>\n</VolumeInformation>\n</CaretExtension>\n");
    let size = (8 + text.len()).next_multiple_of(16);
    let mut bytes = Vec::with_capacity(size);
    bytes.extend_from_slice(&(size as u32).to_le_bytes());
    bytes.extend_from_slice(&CODE_CARET.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(size, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(code: u32, text: &str) -> Vec<u8> {
        let mut head = vec![0; 352];
        head[..4].copy_from_slice(&348_u32.to_le_bytes());
        head[348] = 1;
        head.extend_from_slice(&(8 + text.len() as u32).to_le_bytes());
        head.extend_from_slice(&code.to_le_bytes());
        head.extend_from_slice(text.as_bytes());
        head
    }

    #[test]
    fn tables_of_other_programs_are_read() {
        let text = r#"<?xml version="1.0"?><CaretExtension><VolumeInformation Index="0"><LabelTable>
            <Label Key="0" Red="0" Green="0" Blue="0" Alpha="0"><![CDATA[???]]></Label>
            <Label Key="7" Red="1.0" Green="0.5" Blue="0" Alpha="1"><![CDATA[Aorta & <arch>]]></Label>
            <Label Key="300" Red="128" Green="174" Blue="2" Alpha="255">left &amp; right</Label></LabelTable>"#;
        for code in [0, CODE_CARET] {
            let found = labels(&head(code, text), "f");
            let found: Vec<_> = found.iter().map(|l| (l.value, l.info.name.as_str(), l.info.color)).collect();
            assert_eq!(found, [(7, "Aorta & <arch>", [255, 128, 0]), (300, "left & right", [128, 174, 2])]);
        }
        assert!(labels(&head(6, text), "f").is_empty(), "a comment is no table");
    }

    #[test]
    fn damaged_extensions_end_quietly() {
        let mut cut = head(30, "<LabelTable><Label Key=\"1\"");
        assert!(labels(&cut, "f").is_empty());
        cut[352..356].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(labels(&cut, "f").is_empty());
        cut[352..356].copy_from_slice(&0_u32.to_le_bytes());
        assert!(labels(&cut, "f").is_empty(), "a size of nothing must not turn for ever");
        assert!(labels(b"x", "f").is_empty());
    }
}
