//! Writing a case file, whole or not at all.

use std::collections::{BTreeMap, HashSet};
use std::io::{Seek, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::manifest::{FORMAT, HISTORY, MANIFEST, Manifest, MeshEntry, SegmentEntry, VolumeEntry};
use super::{CaseFile, CaseFileError, FORMAT_VERSION};
use crate::io::atomic_file::{AtomicFileError, write_atomically};
use crate::io::mask_bricks::encode_mask;
use crate::io::packed_mesh::encode_triangles;

/// Samples are packed in pieces of this many, so that no second copy of a volume is needed.
const SAMPLES_AT_ONCE: usize = 1 << 18;

/// Writes a case. An older file of that name is replaced only when the new one is complete and synced.
///
/// # Errors
/// When the system refuses: no room, no permission, the target is not a file.
pub fn write_case(path: &Path, case: &CaseFile) -> Result<(), CaseFileError> {
    write_atomically(path, |writer| {
        let mut zip = ZipWriter::new(writer);
        let written =
            write_parts(&mut zip, path, case).and_then(|()| zip.finish().map(drop).map_err(std::io::Error::from));
        written.map_err(|source| AtomicFileError::Io { path: path.to_path_buf(), source }.into())
    })
}

fn options(method: CompressionMethod, bytes: u64) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method).large_file(bytes >= u64::from(u32::MAX))
}

fn write_parts<W: Write + Seek>(zip: &mut ZipWriter<W>, path: &Path, case: &CaseFile) -> std::io::Result<()> {
    let mut hashes = BTreeMap::new();
    let mut part = |zip: &mut ZipWriter<W>, name: &str, method, bytes: &[u8]| -> std::io::Result<()> {
        hashes.insert(name.to_owned(), blake3::hash(bytes).to_hex().to_string());
        zip.start_file(name, options(method, bytes.len() as u64))?;
        zip.write_all(bytes)
    };
    let mut segments = Vec::new();
    for segment in &case.segments {
        let mask = format!("masks/{}.bricks", segment.id);
        // The bricks are packed already.
        part(zip, &mask, CompressionMethod::Stored, &encode_mask(&segment.mask))?;
        segments.push(SegmentEntry {
            id: segment.id,
            volume: segment.volume,
            revision: segment.revision,
            mask_revision: segment.mask_revision,
            info: segment.info.clone(),
            mask,
        });
    }
    let mut meshes = Vec::new();
    for mesh in &case.meshes {
        let name = mesh.triangles.as_ref().map(|_| format!("meshes/{}.triangles", mesh.id));
        if let (Some(name), Some(triangles)) = (&name, &mesh.triangles) {
            part(zip, name, CompressionMethod::Deflated, &encode_triangles(triangles))?;
        }
        meshes.push(MeshEntry { id: mesh.id, description: mesh.description.clone(), triangles: name });
    }
    let history = serde_json::to_vec(&case.history)?;
    part(zip, HISTORY, CompressionMethod::Deflated, &history)?;
    let volumes = case.volumes.iter().map(|volume| write_volume(zip, path, volume, &mut hashes));
    let volumes = volumes.collect::<std::io::Result<Vec<_>>>()?;
    let known: HashSet<&str> = hashes.keys().map(String::as_str).chain([MANIFEST]).collect();
    for (name, bytes) in case.foreign.parts.iter().filter(|(name, _)| !known.contains(name.as_str())) {
        zip.start_file(name.as_str(), options(CompressionMethod::Deflated, bytes.len() as u64))?;
        zip.write_all(bytes)?;
    }
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        version: u64::from(FORMAT_VERSION),
        software: format!("Maquette {}", env!("CARGO_PKG_VERSION")),
        intended_use: "Not for diagnostic use".to_owned(),
        name: case.name.clone(),
        next_id: case.next_id,
        next_revision: case.next_revision,
        volumes,
        segments,
        meshes,
        measurements: case.measurements.clone(),
        view: case.view.clone(),
        hashes,
        foreign: case.foreign.keys.clone(),
    };
    zip.start_file(MANIFEST, options(CompressionMethod::Deflated, 0))?;
    zip.write_all(&serde_json::to_vec_pretty(&manifest)?)
}

fn write_volume<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    case_path: &Path,
    volume: &super::CaseVolume,
    hashes: &mut BTreeMap<String, String>,
) -> std::io::Result<VolumeEntry> {
    let samples = volume.embedded.as_ref().map(|_| format!("images/{}.samples", volume.id));
    if let (Some(name), Some(embedded)) = (&samples, &volume.embedded) {
        let bytes = size_of_val(embedded.samples()) as u64;
        zip.start_file(name.as_str(), options(CompressionMethod::Deflated, bytes).compression_level(Some(1)))?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = Vec::with_capacity(SAMPLES_AT_ONCE * 2);
        for chunk in embedded.samples().chunks(SAMPLES_AT_ONCE) {
            buffer.clear();
            buffer.extend(chunk.iter().flat_map(|sample| sample.to_le_bytes()));
            hasher.update(&buffer);
            zip.write_all(&buffer)?;
        }
        hashes.insert(name.clone(), hasher.finalize().to_hex().to_string());
    }
    let folder = case_path.parent().and_then(|folder| folder.canonicalize().ok());
    let images = volume.path.canonicalize().unwrap_or_else(|_| volume.path.clone());
    let relative_path = folder.and_then(|folder| images.strip_prefix(folder).ok().map(Path::to_path_buf));
    Ok(VolumeEntry {
        id: volume.id,
        revision: volume.revision,
        name: volume.name.clone(),
        info: volume.info.clone(),
        report: volume.report.clone(),
        path: images,
        relative_path,
        series: volume.series.clone(),
        grid: volume.grid,
        quantity: volume.quantity,
        rescale: volume.rescale,
        content_hash: volume.content_hash.clone(),
        samples,
    })
}
