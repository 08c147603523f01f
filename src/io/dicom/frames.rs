//! The images of a file, each with its place and rescale: one of a classic object, many of a multi-frame one.
//!
//! In: the file's header and data set. Out: a [`SliceHeader`] for each image. Frames are placed by
//! - functional groups (enhanced and legacy converted CT, MR, PET, XA, secondary capture): per-frame over shared,
//! - the detector's first slice, its normal and the signed spacing (nuclear medicine, `RECON TOMO`),
//! - the grid frame offsets (RT dose).
//!
//! Where none of these is, the object stays whole and says why it has no place; nothing is guessed from slice numbers.
//!
//! Source: DICOM PS3.3 C.7.6.16 (functional groups), C.8.4.8 and C.8.4.15 (NM), C.8.8.3.2 (grid frame offset vector).

use std::collections::HashSet;
use std::sync::Arc;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use glam::DVec3;

use crate::domain::volume::Rescale;

use super::dataset::Dataset;
use super::header::{FileHeader, SliceHeader, split_keys};
use super::lut::ModalityLut;
use super::real_world::{RealWorldMap, maps_of};

/// Frames of one object that are followed.
const MAX_FRAMES: i64 = 1 << 16;
/// Image Type value 3 of a reconstructed NM stack.
const RECONSTRUCTED: &str = "RECON";

/// One header for each image of a file; the file itself where its frames have no place.
pub(super) fn slices(mut file: FileHeader, dataset: &Dataset<'_>) -> Vec<SliceHeader> {
    let frames = file.format.frames;
    let shared = dataset.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    let per_frame = dataset.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let is_enhanced = shared.is_some() || !per_frame.is_empty();
    let possible = file.pixels.is_some() && (1..=MAX_FRAMES).contains(&frames);
    if is_enhanced && possible {
        let volume_of_probe = shared.iter().chain(&per_frame).any(|item| item.get(PLANE_POSITION_VOLUME).is_some());
        if volume_of_probe {
            file.frames_without_place =
                Some("their places are those of an ultrasound probe, not of the patient".into());
        } else if per_frame.len() as i64 != frames {
            file.frames_without_place = Some("not every frame says what it is (per-frame functional groups)".into());
        } else {
            return enhanced(file, dataset, shared.as_ref(), &per_frame);
        }
    } else if frames != 1 && possible {
        let placed = match file.info.modality.as_str() {
            "NM" | "PT" => nuclear(&file, dataset),
            "RTDOSE" => dose(&file, dataset),
            "US" | "IVUS" => Err("ultrasound clips do not say where they lie in the patient"),
            _ => Err("they do not say where they lie in the patient"),
        };
        match placed {
            Ok(places) => return stacked(file, dataset, &places),
            Err(why) => file.frames_without_place = Some(why.into()),
        }
    }
    if file.pixels.is_some() && !(1..=MAX_FRAMES).contains(&frames) {
        file.frames_without_place = Some("that number is not possible".into());
    }
    vec![classic(Arc::new(file), dataset)]
}

/// *Plane Position (Volume) Sequence*: in the frame of reference of an ultrasound transducer.
const PLANE_POSITION_VOLUME: Tag = Tag(0x0020, 0x930e);

/// The one image of a classic object.
fn classic(file: Arc<FileHeader>, dataset: &Dataset<'_>) -> SliceHeader {
    let find = |tag: Tag| dataset.text(tag);
    let lut = ModalityLut::of(dataset, file.format.signed).map(Arc::new);
    let maps = maps_of(dataset, file.format.signed);
    let mut slice = slice_from(file, 0, lut, &[dataset]);
    slice.split_keys = Arc::new(split_keys(&find));
    slice.real_world = Arc::new(maps);
    slice
}

/// Reads place and values from the first of `levels` that has each.
fn slice_from(
    file: Arc<FileHeader>,
    frame: u32,
    lut: Option<Arc<ModalityLut>>,
    levels: &[&Dataset<'_>],
) -> SliceHeader {
    let floats = |tag| levels.iter().map(|level| level.floats(tag)).find(|found| !found.is_empty()).unwrap_or_default();
    let float = |tag| floats(tag).first().copied();
    let cosines = floats(tags::IMAGE_ORIENTATION_PATIENT)
        .first_chunk::<6>()
        .map(|c| [DVec3::new(c[0], c[1], c[2]), DVec3::new(c[3], c[4], c[5])]);
    let (slope, intercept) = (float(tags::RESCALE_SLOPE), float(tags::RESCALE_INTERCEPT));
    let rescale = (slope.is_some() || intercept.is_some())
        .then(|| Rescale { slope: slope.unwrap_or(1.0), intercept: intercept.unwrap_or(0.0) });
    let kinds = levels.iter().map(|level| level.text(tags::RESCALE_TYPE)).find(|text| !text.is_empty());
    let rescale_type = lut.as_ref().map_or_else(|| kinds.unwrap_or_default(), |lut| lut.unit.clone());
    SliceHeader {
        frame,
        position_in_patient: floats(tags::IMAGE_POSITION_PATIENT).first_chunk::<3>().copied().map(DVec3::from),
        cosines,
        pixel_spacing_mm: floats(tags::PIXEL_SPACING).first_chunk::<2>().copied(),
        thickness_mm: float(tags::SLICE_THICKNESS),
        spacing_between_mm: float(tags::SPACING_BETWEEN_SLICES),
        rescale,
        rescale_type,
        lut,
        real_world: Arc::default(),
        split_keys: Arc::default(),
        file,
    }
}

/// The frames of an object with functional groups.
fn enhanced(
    file: FileHeader,
    dataset: &Dataset<'_>,
    shared: Option<&Dataset<'_>>,
    per_frame: &[Dataset<'_>],
) -> Vec<SliceHeader> {
    let file = Arc::new(file);
    let shared_macros: Vec<Dataset<'_>> = shared.map(macros).unwrap_or_default();
    // Tables may be large and frames many: one for all.
    let lut = ModalityLut::of(dataset, file.format.signed).map(Arc::new);
    let shared_maps: Arc<Vec<RealWorldMap>> =
        Arc::new(shared.map(|item| maps_of(item, file.format.signed)).unwrap_or_default());
    let dimensions = per_frame.iter().map(dimension_values).collect::<Vec<_>>();
    let one = |(frame, item): (usize, &Dataset<'_>)| {
        let own = macros(item);
        let levels: Vec<&Dataset<'_>> = own.iter().chain(&shared_macros).chain([dataset]).collect();
        let mut slice = slice_from(Arc::clone(&file), frame as u32, lut.clone(), &levels);
        let find =
            |tag: Tag| levels.iter().map(|level| level.text(tag)).find(|text| !text.is_empty()).unwrap_or_default();
        slice.split_keys = Arc::new(split_keys(&find));
        for (n, name) in DIMENSION_NAMES.iter().enumerate() {
            let value = dimensions[frame].get(n).map(u32::to_string).unwrap_or_default();
            Arc::make_mut(&mut slice.split_keys).push(((*name).into(), value));
        }
        let maps = maps_of(item, file.format.signed);
        slice.real_world = if maps.is_empty() { Arc::clone(&shared_maps) } else { Arc::new(maps) };
        slice
    };
    per_frame.iter().enumerate().map(one).collect()
}

const DIMENSION_NAMES: [&str; 6] =
    ["dimension 1", "dimension 2", "dimension 3", "dimension 4", "dimension 5", "dimension 6"];

/// *Dimension Index Values* (0020,9157) of a frame.
fn dimension_values(item: &Dataset<'_>) -> Vec<u32> {
    let content = item.item(tags::FRAME_CONTENT_SEQUENCE);
    content
        .map(|content| content.floats(tags::DIMENSION_INDEX_VALUES))
        .unwrap_or_default()
        .into_iter()
        .map(|n| n as u32)
        .collect()
}

/// The functional groups of an item: the first item of each, and of the groups inside these (diffusion directions).
/// References to other images (group 0008) describe those, not this one.
fn macros<'a>(item: &Dataset<'a>) -> Vec<Dataset<'a>> {
    let groups = |of: &Dataset<'a>| -> Vec<Dataset<'a>> {
        let sequences = of.elements().iter().filter(|element| element.vr == VR::SQ && element.tag.group() != 0x0008);
        sequences.filter_map(|element| of.items_of(element).into_iter().next()).collect()
    };
    let mut found = groups(item);
    let inner: Vec<Dataset<'a>> = found.iter().flat_map(groups).collect();
    found.extend(inner);
    found
}

/// Where one frame lies, and what tells it from others at the same place.
struct Place {
    position: DVec3,
    cosines: [DVec3; 2],
    key: String,
}

/// Frames placed by number: nuclear medicine and dose.
fn stacked(file: FileHeader, dataset: &Dataset<'_>, places: &[Place]) -> Vec<SliceHeader> {
    let file = Arc::new(file);
    let find = |tag: Tag| dataset.text(tag);
    let lut = ModalityLut::of(dataset, file.format.signed).map(Arc::new);
    let mut first = slice_from(Arc::clone(&file), 0, lut, &[dataset]);
    first.real_world = Arc::new(maps_of(dataset, file.format.signed));
    let keys = split_keys(&find);
    let scaling = dataset.float(tags::DOSE_GRID_SCALING).filter(|_| file.info.modality == "RTDOSE");
    let one = |(frame, place): (usize, &Place)| {
        let mut slice = first.clone();
        slice.frame = frame as u32;
        slice.position_in_patient = Some(place.position);
        slice.cosines = Some(place.cosines);
        slice.split_keys = Arc::new(keys.clone());
        Arc::make_mut(&mut slice.split_keys).push(("time slot".into(), place.key.clone()));
        if let Some(slope) = scaling {
            slice.rescale = Some(Rescale { slope, intercept: 0.0 });
            slice.rescale_type = dataset.text(tags::DOSE_UNITS);
        }
        slice
    };
    places.iter().enumerate().map(one).collect()
}

fn cosines_of(item: &Dataset<'_>) -> Option<[DVec3; 2]> {
    let c = item.floats(tags::IMAGE_ORIENTATION_PATIENT);
    c.first_chunk::<6>().map(|c| [DVec3::new(c[0], c[1], c[2]), DVec3::new(c[3], c[4], c[5])])
}

fn position_of(item: &Dataset<'_>) -> Option<DVec3> {
    item.floats(tags::IMAGE_POSITION_PATIENT).first_chunk::<3>().copied().map(DVec3::from)
}

/// Reconstructed tomography: the detector's item has the first slice, *Slice Vector* (0054,0080) the slice of each frame.
fn nuclear(file: &FileHeader, dataset: &Dataset<'_>) -> Result<Vec<Place>, &'static str> {
    if !file.image_type.to_ascii_uppercase().contains(RECONSTRUCTED) {
        return Err("they are projections, not slices");
    }
    let detector = dataset.item(tags::DETECTOR_INFORMATION_SEQUENCE);
    let of = |from: fn(&Dataset<'_>) -> Option<DVec3>| detector.as_ref().and_then(from).or_else(|| from(dataset));
    let cosines = detector.as_ref().and_then(cosines_of).or_else(|| cosines_of(dataset));
    let (Some(origin), Some(cosines)) = (of(position_of), cosines) else {
        return Err("they do not say where they lie in the patient");
    };
    let step_mm = dataset.float(tags::SPACING_BETWEEN_SLICES).filter(|step| step.abs() > 1e-4);
    let step_mm = step_mm.ok_or("they do not say how far apart they are")?;
    let frames = file.format.frames as usize;
    let slices = dataset.floats(tags::SLICE_VECTOR);
    if !slices.is_empty() && slices.len() != frames {
        return Err("the slice vector does not name every frame");
    }
    let normal = cosines[0].cross(cosines[1]);
    let others = [tags::TIME_SLOT_VECTOR, tags::PHASE_VECTOR, tags::ENERGY_WINDOW_VECTOR, tags::RR_INTERVAL_VECTOR];
    let others = others.map(|tag| dataset.floats(tag));
    let place = |frame: usize| {
        let slice = slices.get(frame).map_or(frame as f64, |slice| slice - 1.0);
        let key = others.iter().map(|vector| vector.get(frame).map(f64::to_string).unwrap_or_default());
        let key = key.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        Place { position: origin + normal * (step_mm * slice), cosines, key }
    };
    Ok((0..frames).map(place).collect())
}

/// Dose planes: *Grid Frame Offset Vector* (3004,000C) along the normal, from the first plane.
fn dose(file: &FileHeader, dataset: &Dataset<'_>) -> Result<Vec<Place>, &'static str> {
    let (Some(origin), Some(cosines)) = (position_of(dataset), cosines_of(dataset)) else {
        return Err("they do not say where they lie in the patient");
    };
    let offsets = dataset.floats(tags::GRID_FRAME_OFFSET_VECTOR);
    if offsets.len() as i64 != file.format.frames {
        return Err("the grid frame offsets do not name every frame");
    }
    let normal = cosines[0].cross(cosines[1]);
    // The first may be zero (offsets) or the position itself along an axis of the patient.
    let place = |offset: &f64| Place { position: origin + normal * (offset - offsets[0]), cosines, key: String::new() };
    let mut seen = HashSet::new();
    if offsets.iter().any(|offset| !seen.insert(offset.to_bits())) {
        return Err("two dose planes share a place");
    }
    Ok(offsets.iter().map(place).collect())
}
