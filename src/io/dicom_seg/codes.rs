//! Codes of segments: the category and side that belong to a type, from `assets/segment-codes.tsv`, which names its source.

use std::sync::OnceLock;

use crate::domain::segmentation::Code;

/// Category of a segment that nobody has coded.
const TISSUE: [&str; 3] = ["SCT", "85756007", "Tissue"];
/// Category of types that the table does not have. 91723000 is the newer code of the same; both are read.
const ANATOMY: [&str; 3] = ["SCT", "123037004", "Anatomical Structure"];

struct Row {
    category: [&'static str; 3],
    type_code: [&'static str; 3],
}

fn rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let text = include_str!("../../../assets/segment-codes.tsv");
        let row = |line: &'static str| {
            let columns: Vec<&str> = line.split('\t').collect();
            let three = |from: usize| Some([*columns.get(from)?, *columns.get(from + 1)?, *columns.get(from + 2)?]);
            Some(Row { category: three(0)?, type_code: three(3)? })
        };
        text.lines().skip(2).filter_map(row).collect()
    })
}

/// Category and type of a segment, each scheme, value, meaning.
pub fn category_and_type(code: Option<&Code>) -> ([String; 3], [String; 3]) {
    let owned = |code: [&str; 3]| code.map(str::to_owned);
    let Some(code) = code else { return (owned(TISSUE), owned(TISSUE)) };
    let known = rows().iter().find(|row| row.type_code[0] == code.scheme && row.type_code[1] == code.value);
    let category = known.map_or(ANATOMY, |row| row.category);
    (owned(category), [code.scheme.clone(), code.value.clone(), code.meaning.clone()])
}

/// The code of a type as a document keeps it: "tissue" is what programs write when nobody chose anything.
pub fn chosen(code: Code) -> Option<Code> {
    (!code.value.is_empty() && code.value != TISSUE[1]).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_follow_from_types() {
        let code = |value: &str| Code { scheme: "SCT".into(), value: value.into(), meaning: "?".into() };
        assert_eq!(category_and_type(Some(&code("15825003"))).0[1], "123037004", "aorta is anatomy");
        assert_eq!(category_and_type(Some(&code("272673000"))).0[1], "85756007", "bone is tissue");
        assert_eq!(category_and_type(Some(&code("99"))).0[1], "123037004");
        assert_eq!(category_and_type(None).0, category_and_type(None).1);
        assert!(rows().len() > 240, "{}", rows().len());
    }
}
