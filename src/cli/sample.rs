//! The sample case without a window: what `maquette` does where there is no display.
//!
//! Four commands of this command line, one after the other: the images, the segmentation, the model, the picture.

use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use clap::Parser as _;

use super::Cli;

/// Folder that the sample is written to, in the working directory.
pub const FOLDER: &str = "maquette-sample";

/// Does the sample case into a folder, saying what it does.
///
/// # Errors
/// When the folder cannot be made, or one of the commands fails.
pub fn run(folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = |name: &str| folder.join(name).display().to_string();
    let (images, segments, model, picture) =
        (path("images"), path("bone.seg.nrrd"), path("bone.stl"), path("bone.png"));
    let commands: [&[&str]; 4] = [
        &["phantom", "--dicom", &images],
        &[
            &["segment", &images, "--threshold", "226..3071", "--close", "1", "--fill-holes", "--largest"][..],
            &["--name", "Bone", "--out", &segments],
        ]
        .concat(),
        &["surface", &segments, "--segment", "Bone", "--smooth", "20", "--out", &model],
        &["render", &images, "--preset", "Maquette-Bone", "--out", &picture],
    ];
    for command in commands {
        writeln!(out, "$ maquette {}", command.join(" "))?;
        let line = std::iter::once("maquette").chain(command.iter().copied());
        Cli::try_parse_from(line)?.run_into(out)?;
    }
    writeln!(out, "The model is {model}, the picture is {picture}.")?;
    Ok(())
}
