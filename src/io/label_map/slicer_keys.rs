//! Names, colours and codes of segments as 3D Slicer writes them: `Segment0_Name`, `Segment0_Color`, ... as keys of an NRRD
//! header. We write the same keys into MetaImage headers, which allow any.

use std::collections::BTreeMap;

use crate::domain::grid::VoxelBox;
use crate::domain::segmentation::{Code, SegmentInfo, SegmentState, Side};
use crate::io::report::Report;

use super::{Label, LabelMap, OPACITY};

/// Whether keys describe segments.
pub fn are_there(keys: &BTreeMap<String, String>) -> bool {
    keys.keys().any(|key| key.starts_with("Segment0_"))
}

/// The segments that keys describe.
pub fn labels(keys: &BTreeMap<String, String>, file: &str, report: &mut Report) -> Vec<Label> {
    let mut labels = Vec::new();
    for index in 0.. {
        let key = |name: &str| keys.get(&format!("Segment{index}_{name}"));
        let Some(id) = key("ID").or_else(|| key("Name")) else { break };
        let tags = key("Tags").map(String::as_str).unwrap_or_default();
        let number = |name: &str| key(name).and_then(|text| text.trim().parse::<i64>().ok());
        let Some(value) = number("LabelValue").or(Some(i64::from(index) + 1)) else { break };
        let layer = number("Layer").and_then(|layer| u64::try_from(layer).ok()).unwrap_or(0);
        let name = key("Name").unwrap_or(id).clone();
        if key("LabelValue").is_none() {
            report.warning(format!("segment {name} has no label value; {value} was taken"));
        }
        let info = SegmentInfo {
            name,
            code: terminology(tags),
            side: side(tags),
            color: key("Color").and_then(|text| color(text)).unwrap_or([128, 174, 128]),
            visible: true,
            opacity: OPACITY,
            outline: crate::domain::segmentation::USUAL_OUTLINE,
            locked: false,
            state: state(tags),
            made_by: vec![format!("Read from {file}")],
        };
        labels.push(Label { info, value, layer });
    }
    labels
}

fn color(text: &str) -> Option<[u8; 3]> {
    let parts: Vec<f32> = text.split_whitespace().map_while(|part| part.parse().ok()).collect();
    parts.first_chunk::<3>().map(|rgb| rgb.map(|part| (part.clamp(0.0, 1.0) * 255.0).round() as u8))
}

/// The type of `TerminologyEntry:context~category~type~modifier~...`, each `scheme^value^meaning`.
fn terminology(tags: &str) -> Option<Code> {
    let entry = tags.split('|').find_map(|tag| tag.strip_prefix("TerminologyEntry:"))?;
    let mut parts = entry.split('~').nth(2)?.split('^');
    let (scheme, value, meaning) = (parts.next()?, parts.next()?, parts.next()?);
    // Slicer's "Tissue" is what it writes when nobody chose anything.
    (!value.is_empty() && value != "85756007").then(|| Code {
        scheme: scheme.to_owned(),
        value: value.to_owned(),
        meaning: meaning.to_owned(),
    })
}

/// The side of its `modifier`.
fn side(tags: &str) -> Option<Side> {
    let entry = tags.split('|').find_map(|tag| tag.strip_prefix("TerminologyEntry:"))?;
    Side::of_code(entry.split('~').nth(3)?.split('^').nth(1)?)
}

const STATES: [(&str, SegmentState); 3] =
    [("notstarted", SegmentState::ToDo), ("inprogress", SegmentState::InWork), ("completed", SegmentState::Done)];

fn state(tags: &str) -> SegmentState {
    let status = tags.split('|').find_map(|tag| tag.strip_prefix("Segmentation.Status:")).unwrap_or_default();
    STATES.iter().find(|(name, _)| *name == status).map_or(SegmentState::default(), |(_, state)| *state)
}

/// The keys that describe the segments of a label map, in order; values are not escaped.
pub fn keys(map: &LabelMap<'_>) -> Vec<(String, String)> {
    let mut written = Vec::new();
    for (index, (info, mask, place)) in map.placed().enumerate() {
        let [red, green, blue] = info.color.map(|part| f64::from(part) / 255.0);
        let bounds = mask.bounds().unwrap_or(VoxelBox { min: [0; 3], max: [0; 3] });
        let extent: Vec<String> =
            (0..3).map(|axis| format!("{} {}", bounds.min[axis], i64::from(bounds.max[axis]) - 1)).collect();
        let status = STATES.iter().find(|(_, state)| *state == info.state).map_or("notstarted", |(name, _)| name);
        let code = match &info.code {
            Some(code) => [&code.scheme, &code.value, &code.meaning].map(|part| part.replace(['^', '~', '|'], " ")),
            None => ["SCT", "85756007", "Tissue"].map(str::to_owned),
        };
        let category = if info.code.is_some() { "SCT^123037004^Anatomical Structure" } else { "SCT^85756007^Tissue" };
        let side = info.side.map(Side::code);
        let side = side.map_or_else(|| "^^".to_owned(), |(value, meaning)| format!("SCT^{value}^{meaning}"));
        let terms = format!(
            "Segmentation category and type - 3D Slicer General Anatomy list~{category}~{}~{side}~Anatomic codes - DICOM master list~^^~^^",
            code.join("^")
        );
        let pairs = [
            ("Color", format!("{red:.6} {green:.6} {blue:.6}")),
            ("ColorAutoGenerated", "0".to_owned()),
            ("Extent", extent.join(" ")),
            ("ID", format!("Segment_{}", index + 1)),
            ("LabelValue", place.value.to_string()),
            ("Layer", place.layer.to_string()),
            ("Name", info.name.clone()),
            ("NameAutoGenerated", "0".to_owned()),
            ("Tags", format!("Segmentation.Status:{status}|TerminologyEntry:{terms}|")),
        ];
        written.extend(pairs.into_iter().map(|(key, value)| (format!("Segment{index}_{key}"), value)));
    }
    written
}
