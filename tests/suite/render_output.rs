//! Pictures that leave the program: what `maquette render` writes, thumbnails, refusals.

use std::sync::Arc;

use maquette::cli::Cli;
use maquette::domain::phantom::thorax;
use maquette::domain::transfer::{default_for, fitted_to, preset, presets};
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::domain::volume_scene::VolumeScene;
use maquette::io::dicom::write::write_series;
use maquette::ops::backend::Backend;
use maquette::ops::picture_marks::{Marks, marked};
use maquette::ops::render::{self, ViewChoice};
use maquette::task::Progress;

use clap::Parser as _;

fn sample(dims: [u32; 3]) -> Volume {
    let grid = thorax::grid(dims).expect("a grid");
    thorax::volume(&grid, &Progress::new()).expect("nobody cancels")
}

#[test]
fn the_command_writes_a_png_that_says_what_it_is_and_nothing_of_the_patient() {
    let folder = tempfile::tempdir().expect("a folder");
    let series = folder.path().join("series");
    write_series(&series, &sample([48, 48, 40]), &thorax::series_info(), &Progress::new()).expect("written");
    let picture = folder.path().join("view.png");
    let run = |extra: &[&str]| {
        let mut words = vec!["maquette", "render", series.to_str().expect("utf-8"), "--backend", "cpu"];
        words.extend(["--out", picture.to_str().expect("utf-8"), "--size", "160x120"]);
        words.extend(extra);
        Cli::try_parse_from(words).map_err(anyhow::Error::from).and_then(|cli| cli.run())
    };
    run(&["--preset", "CT-Bone", "--view", "lao30/cran20"]).expect("drawn");
    let bytes = std::fs::read(&picture).expect("the file is there");
    let read = image::load_from_memory(&bytes).expect("a valid PNG").to_rgb8();
    assert_eq!(read.dimensions(), (160, 120));
    assert!(read.pixels().any(|pixel| pixel.0[0] > 90), "the body is drawn");
    let has = |text: &str| bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()));
    assert!(has("Not for diagnostic use") && has("CT-Bone") && has(env!("CARGO_PKG_VERSION")));
    let info = thorax::series_info();
    assert!(!has(&info.patient_name) && !has(&info.patient_id) && !has("PHANTOM"), "de-identified");
    let refused = run(&["--preset", "CT-Bones-and-more"]).expect_err("no such preset").to_string();
    assert!(refused.contains("CT-Cardiac3"), "the names are listed: {refused}");
    assert!(run(&["--series", "7"]).is_err() && run(&["--step", "0"]).is_err() && run(&["--view", "up"]).is_err());
    let unwritable = folder.path().join("nowhere/view.png");
    assert!(run(&["--out", unwritable.to_str().expect("utf-8")]).is_err());
}

#[test]
fn letters_say_which_side_is_which() {
    let volume = Arc::new(sample([40, 40, 32]));
    let transfer = default_for(&volume);
    let view: ViewChoice = "anterior".parse().expect("a view");
    let camera = render::framing_camera(&volume, &transfer, view, 1.0);
    let scene = VolumeScene::new(camera, [300, 300]);
    let (image, drawn_by) =
        render::volume_image(&volume, &transfer, &scene, Backend::Cpu, None, &Progress::new()).expect("drawn");
    assert_eq!(drawn_by, "cpu");
    let mut blank = image.clone();
    blank.rgba.fill([0.0; 4]);
    let picture = marked(&blank, &camera, &Marks::titled("TEST"));
    let bright = |x: std::ops::Range<usize>| -> Vec<bool> {
        (140..160).flat_map(|y| x.clone().map(move |x| y * 300 + x)).map(|n| picture.rgba[n][0] > 150).collect()
    };
    let left: usize = bright(0..20).iter().filter(|on| **on).count();
    let right: usize = bright(280..300).iter().filter(|on| **on).count();
    assert!(left > 0 && right > 0 && left > right, "R has more dots than L, and stands on the left: {left} {right}");
}

#[test]
fn thumbnails_show_the_volume_under_each_preset() {
    let volume = sample([64, 64, 48]);
    let transfers: Vec<_> = presets().iter().filter(|preset| preset.name.starts_with("CT")).cloned().collect();
    let mut pictures = Vec::new();
    let progress = Progress::new();
    render::thumbnails(&volume, &transfers, [48, 36], &progress, |n, picture| {
        assert_eq!(n, pictures.len());
        pictures.push(picture);
    })
    .expect("drawn");
    assert_eq!(pictures.len(), transfers.len());
    let differing = pictures.iter().skip(1).filter(|picture| picture.rgba != pictures[0].rgba).count();
    assert!(differing + 3 >= pictures.len() - 1, "presets look different");
    progress.cancel();
    assert!(render::thumbnails(&volume, &transfers, [48, 36], &progress, |_, _| ()).is_err());
}

#[test]
fn presets_fit_values_without_a_scale() {
    let source = sample([32, 32, 24]);
    let make = |quantity| {
        let samples = source.samples().iter().map(|&hu| (hu + 1024) / 8).collect();
        Volume::new(*source.grid(), samples, Rescale { slope: 0.25, intercept: 0.0 }, quantity)
    };
    let angio = preset("MR-Angio").expect("MR-Angio");
    let mr = make(Quantity::Arbitrary);
    let fitted = fitted_to(angio, &mr);
    let (low, high) = mr.value_range();
    assert!((fitted.opacity[0].0 - low).abs() < 1e-9 && fitted.opacity.last().expect("points").0 <= high + 1e-9);
    assert_eq!(&fitted_to(angio, &make(Quantity::Hounsfield)), angio, "HU have a scale");
    assert_eq!(default_for(&mr).name, "MR-Default");
}
