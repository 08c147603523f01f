//! Frame times of the real window, for measuring (`--frame-log FILE`); nobody pays for it otherwise.
//!
//! In: when a frame begins and ends, what the hand does meanwhile, how many pictures the 3D view has shown. Out: one JSON line
//! for each stretch of one activity, and one for everything when the window closes. `frame` is the time from the beginning of a
//! frame to the beginning of the next: how long the pointer waits, drivers and window system included. It counts only while
//! the next frame is due at once. `work` is the part that this program spends in its own thread.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use serde_json::json;

/// What the hand does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// A button is held in the 3D view.
    Turn,
    /// A brush stroke is drawn.
    Paint,
    /// A button is held in a slice view: window and level, pan, crosshair.
    Slice,
    /// Anything else that makes the window draw again at once.
    Other,
}

impl Activity {
    fn name(self) -> &'static str {
        match self {
            Self::Turn => "turn 3D",
            Self::Paint => "paint",
            Self::Slice => "drag in a slice",
            Self::Other => "other",
        }
    }
}

/// What the 3D view has shown so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pictures {
    /// How many.
    pub count: u64,
    /// Pixels of the last one, which is stretched over the view while something moves.
    pub size_px: [u32; 2],
    /// Pixels of the view.
    pub view_px: [u32; 2],
}

/// Times of one activity.
#[derive(Debug, Default)]
struct Times {
    frames_ms: Vec<f64>,
    work_ms: Vec<f64>,
}

/// A stretch of one activity.
#[derive(Debug)]
struct Stretch {
    activity: Activity,
    begin: Instant,
    pictures_before: u64,
    times: Times,
}

/// The log.
#[derive(Debug)]
pub struct FrameLog {
    file: File,
    frame_begin: Instant,
    /// Whether the frame that ended last wanted another at once.
    in_a_hurry: bool,
    stretch: Option<Stretch>,
    all: Times,
    pictures: Pictures,
}

impl FrameLog {
    /// A log in a new file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let file = File::create(path)?;
        let (times, pictures) = (Times::default(), Pictures::default());
        Ok(Self { file, frame_begin: Instant::now(), in_a_hurry: false, stretch: None, all: times, pictures })
    }

    /// A frame begins.
    pub fn begin_frame(&mut self) {
        let now = Instant::now();
        if self.in_a_hurry {
            let frame_ms = (now - self.frame_begin).as_secs_f64() * 1e3;
            self.all.frames_ms.push(frame_ms);
            if let Some(stretch) = &mut self.stretch {
                stretch.times.frames_ms.push(frame_ms);
            }
        }
        self.frame_begin = now;
    }

    /// The program's own part of a frame is done; `hurry`: another frame follows at once.
    pub fn end_frame(&mut self, activity: Activity, hurry: bool, pictures: Pictures) {
        let work_ms = self.frame_begin.elapsed().as_secs_f64() * 1e3;
        if self.stretch.as_ref().is_some_and(|stretch| stretch.activity != activity) {
            self.write_stretch();
        }
        self.in_a_hurry = hurry || activity != Activity::Other;
        // The pictures of a stretch are those that its own frames brought, the first of them too.
        let pictures_before = std::mem::replace(&mut self.pictures, pictures).count;
        self.all.work_ms.push(work_ms);
        let fresh = || Stretch { activity, begin: Instant::now(), pictures_before, times: Times::default() };
        self.stretch.get_or_insert_with(fresh).times.work_ms.push(work_ms);
    }

    fn write_stretch(&mut self) {
        let Some(mut stretch) = self.stretch.take() else { return };
        let seconds = stretch.begin.elapsed().as_secs_f64();
        let count = self.pictures.count.saturating_sub(stretch.pictures_before);
        let mut line = stretch.times.summary(stretch.activity.name());
        line["seconds"] = round(seconds);
        line["pictures"] = json!(count);
        line["pictures_per_s"] = round(count as f64 / seconds.max(1e-3));
        line["picture_px"] = json!(self.pictures.size_px);
        line["view_px"] = json!(self.pictures.view_px);
        self.write(&line);
    }

    /// The window closes.
    pub fn finish(mut self) {
        self.write_stretch();
        let line = self.all.summary("everything");
        self.write(&line);
    }

    fn write(&mut self, line: &serde_json::Value) {
        if let Err(error) = writeln!(self.file, "{line}") {
            tracing::warn!(%error, "frame times are not written");
        }
    }
}

impl Times {
    fn summary(&mut self, activity: &str) -> serde_json::Value {
        let [frame, work] = [&mut self.frames_ms, &mut self.work_ms].map(|times| {
            times.sort_by(f64::total_cmp);
            let at = |part: f64| times.get((times.len().saturating_sub(1) as f64 * part).round() as usize).copied();
            let ms = |part| round(at(part).unwrap_or(0.0));
            json!({ "median_ms": ms(0.5), "p95_ms": ms(0.95), "longest_ms": ms(1.0), "n": times.len() })
        });
        json!({ "activity": activity, "frame": frame, "work": work })
    }
}

fn round(value: f64) -> serde_json::Value {
    json!((value * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stretch_of_an_activity_is_a_line_and_everything_the_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("frames.jsonl");
        let mut log = FrameLog::create(&path).expect("a file");
        let pictures = |count| Pictures { count, size_px: [200, 150], view_px: [400, 300] };
        for (n, activity) in [Activity::Other, Activity::Turn, Activity::Turn, Activity::Paint].into_iter().enumerate()
        {
            log.begin_frame();
            log.end_frame(activity, false, pictures(n as u64));
        }
        log.finish();
        let text = std::fs::read_to_string(path).expect("readable");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let names: Vec<&str> = lines.iter().filter_map(|line| line["activity"].as_str()).collect();
        assert_eq!(names, ["other", "turn 3D", "paint", "everything"]);
        assert_eq!(lines[1]["work"]["n"], 2);
        assert_eq!(lines[1]["frame"]["n"], 2, "while a button is held every frame counts");
        assert_eq!(lines[1]["pictures"], 2, "those of its own frames");
        assert_eq!(lines[3]["work"]["n"], 4);
    }
}
