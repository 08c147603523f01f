//! Every Rust struct that says it mirrors a WGSL struct has the same fields at the same offsets.
//!
//! Read from the sources, so that mirrors can stay private: the doc comment begins with "Mirror of `Name`".

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use maquette::gpu::shader;

/// (field, offset, size) in bytes, and the size of the whole.
type Layout = (Vec<(String, u32, u32)>, u32);

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable folder") {
        let path = entry.expect("readable folder").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Bytes of a type made of 32-bit numbers, arrays and known structs.
fn size_of_type(name: &str, known: &BTreeMap<String, u32>) -> u32 {
    let name = name.trim();
    if let Some(inside) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let (element, count) = inside.rsplit_once(';').expect("an array has a length");
        return size_of_type(element, known) * count.trim().parse::<u32>().expect("a plain length");
    }
    match name {
        "f32" | "u32" | "i32" => 4,
        _ => *known.get(name).unwrap_or_else(|| panic!("a mirror holds 32-bit numbers, arrays and mirrors: {name}")),
    }
}

/// A Rust struct that says which WGSL struct it mirrors.
struct Mirror {
    name: String,
    wgsl: String,
    /// (field, type).
    fields: Vec<(String, String)>,
}

/// The mirrors in a file.
fn mirrors(text: &str) -> Vec<Mirror> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (n, line) in lines.iter().enumerate() {
        let Some(rest) = line.trim_start().strip_prefix("/// Mirror of `") else { continue };
        let wgsl = rest.split('`').next().expect("a name");
        let head = lines[n..].iter().position(|line| line.contains("struct ")).expect("a struct follows") + n;
        let name = lines[head].split("struct ").nth(1).expect("a name").trim_end_matches(" {");
        assert!(lines[n..head].iter().any(|line| line.contains("repr(C)")), "{name} has the layout of C");
        let body = lines[head + 1..].iter().take_while(|line| line.trim() != "}");
        let fields = body.filter(|line| !line.trim_start().starts_with("//")).filter_map(|line| {
            let (name, ty) = line.trim().trim_end_matches(',').split_once(':')?;
            let name = name.rsplit(' ').next().expect("a name");
            Some((name.to_owned(), ty.trim().to_owned()))
        });
        found.push(Mirror { name: name.to_owned(), wgsl: wgsl.to_owned(), fields: fields.collect() });
    }
    found
}

fn wgsl_layouts() -> BTreeMap<String, Layout> {
    let mut found = BTreeMap::new();
    for (path, _) in shader::SHADERS.iter().filter(|(path, _)| !path.starts_with("shared/")) {
        let module = naga::front::wgsl::parse_str(&shader::expanded(path)).expect("valid WGSL");
        for (_, ty) in module.types.iter() {
            if let (Some(name), naga::TypeInner::Struct { members, span }) = (&ty.name, &ty.inner) {
                let size = |member: &naga::StructMember| module.types[member.ty].inner.size(module.to_ctx());
                let fields = members.iter().map(|m| (m.name.clone().expect("a name"), m.offset, size(m)));
                found.insert(name.clone(), (fields.collect(), *span));
            }
        }
    }
    found
}

#[test]
fn mirror_structs_have_the_layout_of_their_twins() {
    let mut files = Vec::new();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gpu"), &mut files);
    let mut all: Vec<_> =
        files.iter().flat_map(|path| mirrors(&std::fs::read_to_string(path).expect("readable source"))).collect();
    // Structs without structs first, so that those who hold them find their size.
    all.sort_by_key(|mirror| mirror.fields.iter().any(|(_, ty)| ty.chars().next().is_some_and(char::is_uppercase)));
    assert!(all.len() >= 5, "the mirrors are found: {}", all.len());
    let twins = wgsl_layouts();
    let mut known = BTreeMap::new();
    for Mirror { name, wgsl, fields } in &all {
        let mut offset = 0;
        let mut layout = Vec::new();
        for (field, ty) in fields {
            let size = size_of_type(ty, &known);
            layout.push((field.clone(), offset, size));
            offset += size;
        }
        known.insert(name.clone(), offset);
        let twin = twins.get(wgsl).unwrap_or_else(|| panic!("{name} mirrors {wgsl}, which no shader has"));
        assert_eq!((layout, offset), *twin, "{name} against {wgsl}");
    }
}
