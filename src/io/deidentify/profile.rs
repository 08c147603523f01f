//! The confidentiality profile as data: what is done with which attribute, read from `assets/deidentification-profile.tsv`.
//!
//! Source: DICOM PS3.15 table E.1-1 (the asset's first line says which edition).

use std::collections::HashMap;
use std::sync::OnceLock;

use dicom_core::Tag;

/// What is done with an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It goes.
    Remove,
    /// It stays without a value.
    Zero,
    /// It gets a value that means nothing.
    Dummy,
    /// Its identifiers are replaced, the same one always by the same.
    Uid,
    /// It stays; what is inside a sequence is looked at by itself.
    Keep,
    /// What could identify is taken out of it.
    Clean,
}

/// What happens to dates and times of what was done to the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dates {
    /// They go.
    #[default]
    Removed,
    /// They move by this many days, so that intervals stay.
    Shifted {
        /// Days, negative for earlier.
        days: i32,
    },
    /// They stay.
    Kept,
}

/// Which options of the profile are taken. None by default: the basic profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Retain UIDs.
    pub keep_uids: bool,
    /// Retain Device Identity.
    pub keep_device: bool,
    /// Retain Institution Identity.
    pub keep_institution: bool,
    /// Retain Patient Characteristics: sex, age, size, weight ...
    pub keep_patient: bool,
    /// Retain Longitudinal Temporal Information.
    pub dates: Dates,
    /// Clean Descriptors: free text stays, without what could identify.
    pub clean_descriptors: bool,
    /// Clean Structured Content: structured reports stay, cleaned.
    pub clean_structured: bool,
    /// Clean Graphics: annotations stay, cleaned.
    pub clean_graphics: bool,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The attribute, e.g. `(0010,0010)`; an `X` stands for any digit.
    pub tag: String,
    /// Its name.
    pub name: String,
    /// What the basic profile says, e.g. `X/Z`.
    pub basic: String,
    /// What the ten options say, in the order of the columns: `K`, `C` or nothing.
    pub options: [String; 10],
}

/// Columns of the options.
const UIDS: usize = 1;
const DEVICE: usize = 2;
const INSTITUTION: usize = 3;
const PATIENT: usize = 4;
const FULL_DATES: usize = 5;
const MODIFIED_DATES: usize = 6;
const DESCRIPTORS: usize = 7;
const STRUCTURED: usize = 8;
const GRAPHICS: usize = 9;

impl Row {
    /// What is done under these options. Keeping wins over cleaning, and both over the basic profile. Where the profile leaves
    /// a choice that depends on the object (X/Z, X/D, ...), that is taken which is valid in every object.
    pub fn action(&self, options: &Options) -> Action {
        let chosen = [
            (options.keep_uids, UIDS),
            (options.keep_device, DEVICE),
            (options.keep_institution, INSTITUTION),
            (options.keep_patient, PATIENT),
            (options.dates == Dates::Kept, FULL_DATES),
            (matches!(options.dates, Dates::Shifted { .. }), MODIFIED_DATES),
            (options.clean_descriptors, DESCRIPTORS),
            (options.clean_structured, STRUCTURED),
            (options.clean_graphics, GRAPHICS),
        ];
        let says = |word: &str| chosen.iter().any(|(is_chosen, column)| *is_chosen && self.options[*column] == word);
        if says("K") {
            return Action::Keep;
        }
        if says("C") {
            return Action::Clean;
        }
        match self.basic.as_str() {
            "Z" | "X/Z" => Action::Zero,
            "D" | "X/D" | "Z/D" | "X/Z/D" => Action::Dummy,
            "U" | "X/Z/U*" => Action::Uid,
            _ => Action::Remove,
        }
    }
}

/// All rows of the table.
pub fn rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let text = include_str!("../../../assets/deidentification-profile.tsv");
        let lines = text.lines().skip(2).filter(|line| !line.is_empty());
        lines.map(|line| row(line).expect("a valid deidentification-profile.tsv")).collect()
    })
}

fn row(line: &str) -> Option<Row> {
    let mut columns = line.split('\t').map(str::to_owned);
    let (tag, name, basic) = (columns.next()?, columns.next()?, columns.next()?);
    let options: Vec<String> = columns.collect();
    Some(Row { tag, name, basic, options: options.try_into().ok()? })
}

/// The row of an attribute. Private attributes have one together, and so have repeating groups.
pub fn row_of(tag: Tag) -> Option<&'static Row> {
    static BY_TAG: OnceLock<HashMap<String, &'static Row>> = OnceLock::new();
    let by_tag = BY_TAG.get_or_init(|| rows().iter().map(|row| (row.tag.replace('X', "*"), row)).collect());
    let (group, element) = (tag.group(), tag.element());
    if group % 2 == 1 {
        return by_tag.get("(GGGG,EEEE) WHERE GGGG IS ODD").copied();
    }
    match group >> 8 {
        0x50 => by_tag.get("(50**,****)").copied(),
        0x60 => by_tag.get(format!("(60**,{element:04X})").as_str()).copied(),
        _ => by_tag.get(format!("({group:04X},{element:04X})").as_str()).copied(),
    }
}
