//! Surface Segmentation: named, coloured surfaces of points and triangles.
//!
//! In: a file. Out: a mesh for each surface in patient space (DICOM LPS, mm), with the label of the segment that it belongs to.
//! Triangles, strips, fans and planar facets are read; loose points and lines enclose nothing and are left out, said. What
//! refers to a point that is not there makes its surface unusable, not the others. Memory stays within a few times the file.
//!
//! Source: DICOM PS3.3 A.57, C.8.23 (surface segmentation), C.27 (surface mesh; points are counted from 1).
//! Not here: Encapsulated STL and OBJ (`dicom_model`), the case that surfaces join (`session`).

use std::path::Path;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::normals::recompute_normals;
use crate::io::dicom::dataset::Dataset;
use crate::io::dicom::layout::Encoding;
use crate::io::dicom::source::DicomSource;
use crate::io::dicom_seg::color;
use crate::io::import::ImportError;
use crate::io::label_map::plain_color;
use crate::io::report::Report;

/// Surface Segmentation Storage.
pub const SURFACE_SEGMENTATION: &str = "1.2.840.10008.5.1.4.1.1.66.5";

/// Surfaces that are read of one file.
const MAX_SURFACES: usize = 4096;

// Lists of point numbers: as 16-bit words (retired, still found), and as 32-bit ones.
const TRIANGLES: Tag = Tag(0x0066, 0x0023);
const LONG_TRIANGLES: Tag = Tag(0x0066, 0x0041);
const PRIMITIVE: Tag = Tag(0x0066, 0x0029);
const LONG_PRIMITIVE: Tag = Tag(0x0066, 0x0040);
/// Edges and vertices, short and long.
const LOOSE: [Tag; 4] = [Tag(0x0066, 0x0024), Tag(0x0066, 0x0025), Tag(0x0066, 0x0042), Tag(0x0066, 0x0043)];

/// One surface.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// Label of its segment, else its number.
    pub name: String,
    /// Recommended colour, sRGB.
    pub color: [u8; 3],
    /// Points and triangles.
    pub mesh: TriangleMesh,
}

/// Reads all surfaces. `report` says what was left out.
///
/// # Errors
/// When the file is no surface segmentation, is damaged, or has no usable surface.
pub fn read(path: &Path, report: &mut Report) -> Result<Vec<Surface>, ImportError> {
    let failed = |reason: &str| ImportError::file(path, reason);
    let mut source = DicomSource::open(path).map_err(|error| failed(&error.to_string()))?;
    let bytes = source.header_bytes().map_err(|error| failed(&error.to_string()))?;
    let dataset = Dataset::parse(&bytes, source.layout.encoding);
    if dataset.text(tags::SOP_CLASS_UID) != SURFACE_SEGMENTATION {
        return Err(failed("is not a surface segmentation"));
    }
    let items = dataset.items(tags::SURFACE_SEQUENCE);
    if items.len() > MAX_SURFACES {
        return Err(failed(&format!("says that it has {} surfaces, which is not believed", items.len())));
    }
    let labels = labels(&dataset);
    let mut surfaces = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let number = item.int(tags::SURFACE_NUMBER).unwrap_or(index as i64 + 1);
        let name = match labels.iter().find(|(surface, _)| *surface == number) {
            Some((_, label)) => label.clone(),
            None => format!("Surface {number}"),
        };
        match mesh_of(item, &name, report) {
            Ok(mesh) => surfaces.push(Surface { color: color_of(item, index), name, mesh }),
            Err(why) => report.refused(format!("{name} was left out: it {why}")),
        }
    }
    if surfaces.is_empty() {
        let why = report
            .lines
            .last()
            .map_or("holds no surface".to_owned(), |line| format!("holds no usable surface ({})", line.text));
        return Err(failed(&why));
    }
    Ok(surfaces)
}

/// Surface number and label of the segment that it belongs to; numbered where a segment has several surfaces.
fn labels(dataset: &Dataset<'_>) -> Vec<(i64, String)> {
    let mut labels = Vec::new();
    for segment in dataset.items(tags::SEGMENT_SEQUENCE) {
        let label = segment.text(tags::SEGMENT_LABEL);
        let surfaces = segment.items(tags::REFERENCED_SURFACE_SEQUENCE);
        let count = surfaces.len();
        for (n, surface) in surfaces.iter().enumerate() {
            let Some(number) = surface.int(tags::REFERENCED_SURFACE_NUMBER) else { continue };
            let label = if label.is_empty() { format!("Surface {number}") } else { label.clone() };
            labels.push((number, if count > 1 { format!("{label} {}", n + 1) } else { label }));
        }
    }
    labels
}

fn color_of(item: &Dataset<'_>, index: usize) -> [u8; 3] {
    let lab = item.floats(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE);
    let lab = lab.first_chunk::<3>().map(|lab| lab.map(|part| part as u16));
    lab.map_or_else(|| plain_color(index), color::rgb_of)
}

/// Points and triangles of a surface; an error completes "the surface".
fn mesh_of(item: &Dataset<'_>, name: &str, report: &mut Report) -> Result<TriangleMesh, String> {
    let points = item.item(tags::SURFACE_POINTS_SEQUENCE).ok_or("has no points")?;
    let positions = positions(&points)?;
    let primitives = item.item(tags::SURFACE_MESH_PRIMITIVES_SEQUENCE).ok_or("has no triangles")?;
    let mut triangles = triangles_of(&primitives)?;
    let count = positions.len() as u32;
    let (least, most) =
        triangles.iter().flatten().fold((u32::MAX, 0), |(l, m), &corner| (l.min(corner), m.max(corner)));
    if least == 0 && most < count {
        report.warning(format!("{name} counts its points from 0, not from 1 as it should; that was heeded"));
    } else if least == 0 || most > count {
        return Err(format!("refers to point {} of {count}", if least == 0 { 0 } else { most }));
    } else {
        triangles.iter_mut().flatten().for_each(|corner| *corner -= 1);
    }
    let all = triangles.len();
    triangles.retain(|[a, b, c]| a != b && b != c && a != c);
    if triangles.is_empty() {
        return Err("has no triangles".to_owned());
    }
    if triangles.len() < all {
        let dropped = all - triangles.len();
        report.repaired(format!("{dropped} triangles of {name} use a point twice and were left out"));
    }
    let has_loose = |tag: Tag| primitives.get(tag).is_some_and(|element| !primitives.bytes_of(element).is_empty());
    if LOOSE.into_iter().chain([tags::LINE_SEQUENCE]).any(has_loose) {
        report.warning(format!("{name} also has loose points or lines, which are not shown"));
    }
    let mut mesh = TriangleMesh { positions_in_patient: positions, normals: Vec::new(), triangles };
    if item.text(tags::FINITE_VOLUME) == "YES" && mesh.volume_mm3() < 0.0 {
        mesh.triangles.iter_mut().for_each(|triangle| triangle.swap(1, 2));
        report.repaired(format!("{name} was inside out and was turned"));
    }
    recompute_normals(&mut mesh);
    Ok(mesh)
}

/// The triangles of all primitives, as point numbers of the file.
fn triangles_of(primitives: &Dataset<'_>) -> Result<Vec<[u32; 3]>, String> {
    let mut triangles = Vec::new();
    for list in [TRIANGLES, LONG_TRIANGLES] {
        let corners = indices(primitives, list);
        let (threes, rest) = corners.as_chunks::<3>();
        if !rest.is_empty() {
            return Err("ends inside a triangle".to_owned());
        }
        triangles.extend_from_slice(threes);
    }
    let rows = |sequence: Tag| -> Vec<Vec<u32>> {
        let list = |item: &Dataset<'_>| [PRIMITIVE, LONG_PRIMITIVE].map(|tag| indices(item, tag)).concat();
        primitives.items(sequence).iter().map(list).collect()
    };
    for strip in rows(tags::TRIANGLE_STRIP_SEQUENCE) {
        // Every other triangle of a strip is wound the other way.
        let turned = |(n, three): (usize, &[u32])| {
            if n % 2 == 0 { [three[0], three[1], three[2]] } else { [three[1], three[0], three[2]] }
        };
        triangles.extend(strip.windows(3).enumerate().map(turned));
    }
    for fan in rows(tags::TRIANGLE_FAN_SEQUENCE).into_iter().chain(rows(tags::FACET_SEQUENCE)) {
        if let Some((&first, rest)) = fan.split_first() {
            triangles.extend(rest.windows(2).map(|pair| [first, pair[0], pair[1]]));
        }
    }
    Ok(triangles)
}

/// *Point Coordinates Data* (0066,0016), mm in patient space.
fn positions(points: &Dataset<'_>) -> Result<Vec<[f32; 3]>, String> {
    let element = points.get(tags::POINT_COORDINATES_DATA).ok_or("has no points")?;
    let (fours, _) = points.bytes_of(element).as_chunks::<4>();
    let is_big = element.encoding() == Encoding::ExplicitBig;
    let number = |four: &[u8; 4]| if is_big { f32::from_be_bytes(*four) } else { f32::from_le_bytes(*four) };
    let (threes, rest) = fours.as_chunks::<3>();
    let positions: Vec<[f32; 3]> =
        threes.iter().map(|three| [0, 1, 2].map(|axis: usize| number(&three[axis]))).collect();
    let announced = points.int(tags::NUMBER_OF_SURFACE_POINTS).unwrap_or(positions.len() as i64);
    if !rest.is_empty() || announced != positions.len() as i64 {
        return Err(format!("announces {announced} points and has {}", positions.len()));
    }
    if positions.iter().flatten().any(|part| !part.is_finite() || part.abs() > MAX_MM) {
        return Err("has a point that lies nowhere".to_owned());
    }
    Ok(positions)
}

/// No place in a patient is further from the origin than this.
const MAX_MM: f32 = 1e6;

/// Point numbers of a list: 16 bits each as words, 32 as long words.
fn indices(item: &Dataset<'_>, tag: Tag) -> Vec<u32> {
    let Some(element) = item.get(tag) else { return Vec::new() };
    let bytes = item.bytes_of(element);
    let is_big = element.encoding() == Encoding::ExplicitBig;
    let is_long = element.vr == VR::OL || tag == LONG_TRIANGLES || tag == LONG_PRIMITIVE;
    if is_long {
        let number = |four: &[u8; 4]| if is_big { u32::from_be_bytes(*four) } else { u32::from_le_bytes(*four) };
        return bytes.as_chunks::<4>().0.iter().map(number).collect();
    }
    let number = |two: &[u8; 2]| u32::from(if is_big { u16::from_be_bytes(*two) } else { u16::from_le_bytes(*two) });
    bytes.as_chunks::<2>().0.iter().map(number).collect()
}
