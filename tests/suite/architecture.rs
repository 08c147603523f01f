//! The rooms, the arrows between them, and the sizes of things. The table here is the one in `ARCHITECTURE.md`.

use std::path::{Path, PathBuf};

/// (room, rooms it may import, crates it must not name).
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    ("task", &[], &["wgpu", "egui", "eframe", "tracing"]),
    ("domain", &["task"], &["wgpu", "egui", "eframe", "tracing", "std::fs", "std::net", "std::time", "std::thread"]),
    ("io", &["domain", "task"], &["wgpu", "egui", "eframe"]),
    ("gpu", &["domain", "task"], &["egui", "eframe", "std::fs"]),
    ("ops", &["io", "gpu", "domain", "task"], &["wgpu", "egui", "eframe"]),
    ("session", &["ops", "io", "domain", "task"], &["wgpu", "egui", "eframe"]),
    ("tools", &["session", "domain"], &["wgpu", "egui", "eframe"]),
    ("app", &["tools", "session", "ops", "gpu", "domain", "task"], &[]),
    ("cli", &["session", "ops", "io", "domain", "task"], &["wgpu", "egui", "eframe"]),
];

/// The place in `app` that hands the device over and so may name wgpu.
const DEVICE_HANDOVER: [&str; 2] = ["src/app/device.rs", "src/app/device/"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, end: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("readable folder").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == end) {
                let name = path.strip_prefix(root()).expect("inside").to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(&path).expect("readable source")));
            }
        }
    }
    found.sort();
    found
}

/// Lines of code: comments and strings that span lines are not told apart, comments at line starts are.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(n, line)| (n + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn room_of(path: &str) -> &str {
    let inside = path.strip_prefix("src/").expect("a source file");
    inside.split(['/', '.']).next().expect("a name")
}

#[test]
fn arrows_are_those_of_the_plan() {
    let mut broken = Vec::new();
    for (path, text) in files("src", "rs") {
        let Some((room, allowed, banned)) = ROOMS.iter().find(|(room, ..)| *room == room_of(&path)) else { continue };
        for (line_number, line) in code_lines(&text) {
            for (other, ..) in ROOMS {
                let names = line.contains(&format!("crate::{other}::"))
                    || line.contains(&format!("crate::{other};"))
                    || line.contains(&format!("crate::{other}}}"))
                    || line.contains(&format!("crate::{other},"));
                if names && other != room && !allowed.contains(other) {
                    broken.push(format!("{path}:{line_number}: {room} must not import {other}"));
                }
            }
            let named = banned.iter().find(|name| line.contains(&format!("{name}::")));
            if let Some(name) = named {
                broken.push(format!("{path}:{line_number}: {room} must not name {name}"));
            }
            if *room == "app"
                && !DEVICE_HANDOVER.iter().any(|place| path.starts_with(place))
                && line.contains("wgpu::")
                && !line.contains("egui_wgpu::")
            {
                broken.push(format!("{path}:{line_number}: in app only {DEVICE_HANDOVER:?} name wgpu"));
            }
        }
        assert!(!text.contains("use crate::{"), "{path}: import rooms one by one, so that arrows can be read");
    }
    assert!(broken.is_empty(), "arrows against the plan:\n{}", broken.join("\n"));
}

#[test]
fn files_and_folders_stay_small() {
    let mut large = Vec::new();
    for (path, text) in files("src", "rs").into_iter().chain(files("tests", "rs")) {
        let lines = text.lines().count();
        if lines > 600 && !path.ends_with("tables.rs") {
            large.push(format!("{path}: {lines} lines, at most 600"));
        }
    }
    for (path, text) in files("shaders", "wgsl") {
        if text.lines().count() > 300 {
            large.push(format!("{path}: over 300 lines"));
        }
    }
    assert!(large.is_empty(), "{}", large.join("\n"));
    let main = std::fs::read_to_string(root().join("src/main.rs")).expect("main.rs");
    assert!(main.lines().count() <= 60, "main.rs only parses, chooses and exits");
}

#[test]
fn names_and_layout_follow_the_house_rules() {
    let vague = ["utils", "helpers", "common", "types", "manager", "mod", "misc"];
    for (path, text) in files("src", "rs") {
        let stem = PathBuf::from(&path).file_stem().expect("a stem").to_string_lossy().into_owned();
        assert!(!vague.contains(&stem.as_str()), "{path}: a name that says nothing");
        assert!(text.starts_with("//!"), "{path}: begins with what it is");
        for (line_number, line) in code_lines(&text) {
            let open = ["todo!(", "unimplemented!(", "FIXME", "XXX"].iter().find(|mark| line.contains(*mark));
            assert!(open.is_none(), "{path}:{line_number}: unfinished");
        }
    }
    for (path, text) in files("tests", "rs") {
        assert!(!text.contains(concat!("#[", "ignore")), "{path}: an ignored test is no test");
    }
}

#[test]
fn every_icon_is_in_the_font_that_is_shipped() {
    let shipped = std::fs::read_to_string(root().join("assets/fonts/icons.txt")).expect("a list");
    let names: Vec<&str> = shipped.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let mut used = 0;
    for (file, text) in files("src/app", "rs") {
        for part in text.split("icons::ICON_").skip(1) {
            let name: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            assert!(names.contains(&name.to_lowercase().as_str()), "{file} uses the icon {name}, which draws as a box");
            used += 1;
        }
    }
    assert!(used > 30, "{used} icons");
}
