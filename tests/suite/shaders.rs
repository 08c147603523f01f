//! The embedded shader table equals the folder, and every shader is valid WGSL.

use std::collections::BTreeMap;
use std::path::Path;

use maquette::gpu::shader;

fn folder() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut found = BTreeMap::new();
    for room in ["shared", "stages", "render"] {
        let Ok(entries) = std::fs::read_dir(root.join(room)) else { continue };
        for entry in entries {
            let path = entry.expect("readable folder").path();
            if path.extension().is_some_and(|end| end == "wgsl") {
                let name = format!("{room}/{}", path.file_name().expect("a file").to_string_lossy());
                found.insert(name, std::fs::read_to_string(&path).expect("readable shader"));
            }
        }
    }
    found
}

#[test]
fn the_shader_table_equals_the_folder() {
    let table: BTreeMap<String, String> =
        shader::SHADERS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    assert_eq!(table.keys().collect::<Vec<_>>(), folder().keys().collect::<Vec<_>>());
    assert_eq!(table, folder(), "include_str! names another file");
}

#[test]
fn every_shader_validates() {
    for (path, _) in shader::SHADERS.iter().filter(|(path, _)| !path.starts_with("shared/")) {
        let text = shader::expanded(path);
        let module =
            naga::front::wgsl::parse_str(&text).unwrap_or_else(|e| panic!("{path}: {}", e.emit_to_string(&text)));
        let mut validator =
            naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        validator.validate(&module).unwrap_or_else(|e| panic!("{path}: {}", e.emit_to_string(&text)));
        assert!(!module.entry_points.is_empty(), "{path} is no entry shader: put it into shared/");
    }
}

#[test]
fn every_entry_shader_has_a_rust_file_of_its_stem() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gpu");
    for (path, _) in shader::SHADERS.iter().filter(|(path, _)| !path.starts_with("shared/")) {
        let rust = root.join(path).with_extension("rs");
        assert!(rust.exists(), "{path} has no stage {}", rust.display());
    }
}
