//! The real window on an X server without a screen: a hand paints in it, makes a mesh and exports it; the pictures and the file
//! are looked at. Positions are those of a 1600 x 900 window without a window manager.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use image::RgbImage;

/// Nothing here takes long; a machine under load may.
const PATIENCE: Duration = Duration::from_mins(2);
/// Left, top, right, bottom of the axial view's picture, away from its annotations.
const AXIAL: [u32; 4] = [330, 90, 740, 400];
/// The dialogs' part of the window.
const DIALOG: [u32; 4] = [450, 150, 1150, 800];

/// A process that ends with the test, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Desk {
    display: String,
    home: PathBuf,
    _server: Running,
    _window: Running,
}

impl Desk {
    fn start(home: &Path, images: &Path) -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1600x900x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut number = String::new();
        let out = server.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut number).expect("a display number");
        let display = format!(":{}", number.trim());
        let window = Command::new(env!("CARGO_BIN_EXE_maquette"))
            .arg(images)
            .env("DISPLAY", &display)
            .env_remove("WAYLAND_DISPLAY")
            .env("HOME", home)
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_RUNTIME_DIR", home)
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        Self { display, home: home.to_owned(), _server: Running(server), _window: Running(window) }
    }

    /// Moves the hand.
    fn hand(&self, arguments: &str) {
        let done = Command::new("xdotool").args(arguments.split(' ')).env("DISPLAY", &self.display).output();
        let done = done.expect("xdotool runs");
        assert!(done.status.success(), "xdotool {arguments}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Looks.
    fn picture(&self) -> RgbImage {
        let file = self.home.join("screen.png");
        let shot = Command::new("import").args(["-window", "root"]).arg(&file).env("DISPLAY", &self.display).status();
        assert!(shot.expect("import runs").success(), "no screenshot");
        image::open(file).expect("a PNG").to_rgb8()
    }

    /// Looks until something is seen.
    fn until<T>(&self, what: &str, mut seen: impl FnMut(&RgbImage) -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = seen(&self.picture()) {
                return found;
            }
            assert!(begin.elapsed() < PATIENCE, "never saw {what}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn stl(&self) -> Option<PathBuf> {
        let files = std::fs::read_dir(&self.home).expect("readable").flatten().map(|entry| entry.path());
        files.into_iter().find(|path| path.extension().is_some_and(|end| end == "stl"))
    }
}

fn count(picture: &RgbImage, [left, top, right, bottom]: [u32; 4], wanted: impl Fn([u8; 3]) -> bool) -> usize {
    let places = (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
    places.filter(|&(x, y)| wanted(picture.get_pixel(x, y).0)).count()
}

/// Colour is what no CT has: overlays.
fn is_colored([r, g, b]: [u8; 3]) -> bool {
    r.abs_diff(g).max(g.abs_diff(b)) > 25
}

/// The dialog's main button: the lowest place with its blue.
fn button(picture: &RgbImage) -> Option<(u32, u32)> {
    let blue = |x: u32, y: u32| picture.get_pixel(x, y).0 == [0x2B, 0x4A, 0x73];
    let [left, top, right, bottom] = DIALOG;
    let run = |y: u32| (left..right).find(|&x| (0..40).all(|n| blue(x + n, y)));
    let (x, y) = (top..bottom).rev().find_map(|y| run(y).map(|x| (x, y)))?;
    Some((x + 20, y - 8))
}

#[allow(clippy::print_stderr, reason = "the closing summary of scripts/test gathers these lines")]
fn tools_are_there() -> bool {
    let missing = ["Xvfb", "xdotool", "import"].into_iter().find(|tool| {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).stdout(Stdio::null()).status();
        !found.is_ok_and(|status| status.success())
    });
    if let Some(tool) = missing {
        eprintln!("SKIPPED: the real window: {tool} is not installed");
    }
    missing.is_none()
}

#[test]
fn a_hand_paints_makes_a_mesh_and_exports_it() {
    if !tools_are_there() || crate::support::device::device().is_none() {
        return;
    }
    let home = tempfile::tempdir().expect("a folder");
    let images = home.path().join("images");
    let made = Command::new(env!("CARGO_BIN_EXE_maquette"))
        .args(["phantom", "--size", "96x96x64", "--dicom"])
        .arg(&images)
        .output()
        .expect("the program runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let desk = Desk::start(home.path(), &images);
    desk.until("the body in the axial view", |picture| {
        (count(picture, AXIAL, |[r, g, b]| r == g && g == b && r > 60) > 5_000).then_some(())
    });
    desk.hand("search --sync --onlyvisible --name Maquette windowfocus");
    let before = count(&desk.picture(), AXIAL, is_colored);

    desk.hand("key p");
    desk.hand("mousemove 480 200 mousedown 1");
    for step in 1..=8 {
        desk.hand(&format!("mousemove {} {}", 480 + step * 12, 200 + step * 8));
    }
    desk.hand("mouseup 1 mousemove 560 60");
    desk.until("the painted stroke", |picture| (count(picture, AXIAL, is_colored) > before + 500).then_some(()));

    desk.hand("key ctrl+m");
    let begin = Instant::now();
    let (x, y) = loop {
        desk.hand("key ctrl+e");
        std::thread::sleep(Duration::from_millis(1500));
        if let Some(found) = button(&desk.picture()) {
            break found;
        }
        assert!(begin.elapsed() < PATIENCE, "the export dialog never opened");
    };
    desk.hand(&format!("mousemove {x} {y} click 1"));
    let stl = desk.until("the STL", |_| desk.stl());
    let size = || std::fs::metadata(&stl).map_or(0, |file| file.len());
    desk.until("a whole STL", |_| (size() > 84).then_some(()));
    let bytes = std::fs::read(&stl).expect("readable");
    let triangles = u32::from_le_bytes(bytes[80..84].try_into().expect("four bytes")) as usize;
    assert!(triangles > 100, "{triangles} triangles");
    assert_eq!(bytes.len(), 84 + 50 * triangles, "a whole binary STL");
}
