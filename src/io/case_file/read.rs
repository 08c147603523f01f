//! Reading a case file. Nothing in it is trusted.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use zip::ZipArchive;

use super::manifest::{FORMAT, HISTORY, MANIFEST, Manifest, MeshEntry, SegmentEntry, VolumeEntry};
use super::{CaseFile, CaseFileError, CaseMesh, CaseSegment, CaseVolume, FORMAT_VERSION, Foreign};
use crate::domain::grid::Grid;
use crate::domain::mask::MASK_BRICK;
use crate::domain::volume::Volume;
use crate::io::mask_bricks::decode_mask;
use crate::io::packed_mesh::decode_triangles;

const MAX_MANIFEST: u64 = 256 << 20;
const MAX_HISTORY: u64 = 1 << 30;
/// Unknown parts together.
const MAX_FOREIGN: u64 = 128 << 20;
const MAX_TRIANGLES: u64 = 8 << 30;
/// Deflate cannot shrink more than this; a part that claims to is made to fill the memory.
const MAX_RATIO: u64 = 1100;

type Archive = ZipArchive<BufReader<File>>;

/// Reads a case. Linked images are not looked for.
///
/// # Errors
/// When the file cannot be read, is no case, is damaged, was made by a newer version, or asks for absurd amounts of memory.
pub fn read_case(path: &Path) -> Result<CaseFile, CaseFileError> {
    let file = File::open(path).map_err(|source| CaseFileError::Io { path: path.to_path_buf(), source })?;
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    let archive = if is_file { ZipArchive::new(BufReader::new(file)).ok() } else { None };
    let mut archive = archive.ok_or_else(|| CaseFileError::NotACase(path.to_path_buf()))?;
    let damaged = |reason| CaseFileError::Damaged { path: path.to_path_buf(), reason };
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    if let Some(name) = names.iter().find(|name| !is_plain(name)) {
        return Err(damaged(format!("it has a part with the name {name:?}, which leads out of it")));
    }
    if !names.iter().any(|name| name == MANIFEST) {
        return Err(CaseFileError::NotACase(path.to_path_buf()));
    }
    let manifest = part(&mut archive, MANIFEST, MAX_MANIFEST).map_err(damaged)?;
    // The version first, so that a newer file is named as such whatever else is new in it.
    let value: Value = serde_json::from_slice(&manifest).map_err(|_| damaged("its manifest is damaged".to_owned()))?;
    if value.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(CaseFileError::NotACase(path.to_path_buf()));
    }
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version > u64::from(FORMAT_VERSION) => {
            return Err(CaseFileError::Newer { path: path.to_path_buf(), version });
        }
        Some(1..) => {}
        _ => return Err(damaged("its manifest names no version".to_owned())),
    }
    let manifest: Manifest =
        serde_json::from_value(value).map_err(|error| damaged(format!("its manifest is damaged ({error})")))?;
    Reader { archive, names, folder: path.parent().map(Path::to_path_buf).unwrap_or_default(), hashes: BTreeMap::new() }
        .case(manifest)
        .map_err(damaged)
}

/// Whether a part's name stays inside the container.
fn is_plain(name: &str) -> bool {
    let path = Path::new(name);
    !name.is_empty()
        && !name.contains(['\\', '\0', ':'])
        && path.components().all(|component| matches!(component, Component::Normal(_)))
}

/// The bytes of a part, at most `limit`.
fn part(archive: &mut Archive, name: &str, limit: u64) -> Result<Vec<u8>, String> {
    let found = archive.by_name(name).map_err(|_| format!("the part {name} is missing or cannot be read"))?;
    let (claimed, packed) = (found.size(), found.compressed_size());
    if claimed > limit || claimed / MAX_RATIO > packed + 64 {
        return Err(format!("the part {name} is larger than it can be"));
    }
    let mut bytes = Vec::new();
    let read = found.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|_| format!("the part {name} is damaged"))?;
    if bytes.len() as u64 > limit { Err(format!("the part {name} is larger than it can be")) } else { Ok(bytes) }
}

struct Reader {
    archive: Archive,
    names: Vec<String>,
    folder: PathBuf,
    hashes: BTreeMap<String, String>,
}

impl Reader {
    fn case(mut self, manifest: Manifest) -> Result<CaseFile, String> {
        self.hashes = manifest.hashes;
        let mut used: BTreeSet<String> = [MANIFEST.to_owned(), HISTORY.to_owned()].into();
        used.extend(manifest.volumes.iter().filter_map(|entry| entry.samples.clone()));
        used.extend(manifest.segments.iter().map(|entry| entry.mask.clone()));
        used.extend(manifest.meshes.iter().filter_map(|entry| entry.triangles.clone()));
        let volumes = manifest.volumes.into_iter().map(|entry| self.volume(entry));
        let volumes = volumes.collect::<Result<Vec<_>, _>>()?;
        let segments = manifest.segments.into_iter().map(|entry| self.segment(entry, &volumes));
        let segments = segments.collect::<Result<Vec<_>, _>>()?;
        let meshes = manifest.meshes.into_iter().map(|entry| self.mesh(entry));
        let meshes = meshes.collect::<Result<Vec<_>, _>>()?;
        let history = if self.names.iter().any(|name| name == HISTORY) {
            let bytes = self.checked_part(HISTORY, MAX_HISTORY)?;
            serde_json::from_slice(&bytes).map_err(|_| "its history is damaged".to_owned())?
        } else {
            Value::Null
        };
        let parts = self.foreign_parts(&used)?;
        Ok(CaseFile {
            name: manifest.name,
            next_id: manifest.next_id,
            next_revision: manifest.next_revision,
            volumes,
            segments,
            meshes,
            measurements: manifest.measurements,
            view: manifest.view,
            history,
            foreign: Foreign { parts, keys: manifest.foreign },
        })
    }

    /// The bytes of a part whose hash the manifest tells.
    fn checked_part(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, String> {
        let bytes = part(&mut self.archive, name, limit)?;
        self.check_hash(name, &blake3::hash(&bytes))?;
        Ok(bytes)
    }

    fn check_hash(&self, name: &str, found: &blake3::Hash) -> Result<(), String> {
        let expected = self.hashes.get(name).ok_or_else(|| format!("its manifest has no hash of the part {name}"))?;
        if *expected == found.to_hex().to_string() { Ok(()) } else { Err(format!("the part {name} was altered")) }
    }

    fn volume(&mut self, entry: VolumeEntry) -> Result<CaseVolume, String> {
        let name = entry.name.clone();
        let grid = Grid::new(entry.grid.dims(), entry.grid.patient_from_voxel())
            .map_err(|error| format!("the grid of {name} makes no sense: {error}"))?;
        let rescale = entry.rescale;
        if rescale.slope == 0.0 || !rescale.slope.is_finite() || !rescale.intercept.is_finite() {
            return Err(format!("the rescale of {name} makes no sense"));
        }
        let embedded = match &entry.samples {
            None => None,
            Some(part_name) => {
                let samples = self.samples(part_name, &grid)?;
                Some(Arc::new(Volume::new(grid, samples, rescale, entry.quantity)))
            }
        };
        let beside = entry.relative_path.map(|relative| self.folder.join(relative)).filter(|path| path.exists());
        Ok(CaseVolume {
            id: entry.id,
            revision: entry.revision,
            name,
            info: entry.info,
            report: entry.report,
            path: beside.unwrap_or(entry.path),
            series: entry.series,
            grid,
            quantity: entry.quantity,
            rescale,
            content_hash: entry.content_hash,
            embedded,
        })
    }

    /// Reads samples as they come, so that no second copy of them is held.
    fn samples(&mut self, name: &str, grid: &Grid) -> Result<Vec<i16>, String> {
        let expected = grid.voxel_count() as u64 * 2;
        let wrong_size = || format!("the part {name} has not the size of its grid");
        let mut found =
            self.archive.by_name(name).map_err(|_| format!("the part {name} is missing or cannot be read"))?;
        if found.size() != expected || expected / MAX_RATIO > found.compressed_size() + 64 {
            return Err(wrong_size());
        }
        let (mut samples, mut hasher) = (Vec::new(), blake3::Hasher::new());
        let reserved = samples.try_reserve_exact(grid.voxel_count());
        reserved.map_err(|_| format!("the images in {name} need {} MB of memory", expected >> 20))?;
        let mut buffer = vec![0; 1 << 19];
        let mut left = expected;
        while left > 0 {
            let count = (left as usize).min(buffer.len());
            found.read_exact(&mut buffer[..count]).map_err(|_| format!("the part {name} is damaged"))?;
            hasher.update(&buffer[..count]);
            samples.extend(buffer[..count].chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])));
            left -= count as u64;
        }
        if found.read(&mut buffer).map_err(|_| format!("the part {name} is damaged"))? != 0 {
            return Err(wrong_size());
        }
        drop(found);
        self.check_hash(name, &hasher.finalize())?;
        Ok(samples)
    }

    fn segment(&mut self, entry: SegmentEntry, volumes: &[CaseVolume]) -> Result<CaseSegment, String> {
        let name = &entry.info.name;
        let volume = volumes.iter().find(|volume| volume.id == entry.volume);
        let dims = volume.ok_or_else(|| format!("the images of segment {name} are not named"))?.grid.dims();
        let bricks: u64 = dims.iter().map(|&n| u64::from(n.div_ceil(MASK_BRICK))).product();
        let bytes = self.checked_part(&entry.mask, bricks * 4200 + 1024)?;
        let mask = decode_mask(dims, &bytes).map_err(|error| format!("segment {name}: {error}"))?;
        Ok(CaseSegment {
            id: entry.id,
            volume: entry.volume,
            revision: entry.revision,
            mask_revision: entry.mask_revision,
            info: entry.info,
            mask,
        })
    }

    fn mesh(&mut self, entry: MeshEntry) -> Result<CaseMesh, String> {
        let triangles = match &entry.triangles {
            None => None,
            Some(name) => {
                let bytes = self.checked_part(name, MAX_TRIANGLES)?;
                let mesh = decode_triangles(&bytes).ok_or_else(|| format!("the part {name} is damaged"))?;
                Some(Arc::new(mesh))
            }
        };
        Ok(CaseMesh { id: entry.id, description: entry.description, triangles })
    }

    fn foreign_parts(&mut self, used: &BTreeSet<String>) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut seen = HashSet::new();
        let names: Vec<String> = self.names.iter().filter(|name| !used.contains(*name)).cloned().collect();
        let (mut parts, mut left) = (Vec::new(), MAX_FOREIGN);
        for name in names.into_iter().filter(|name| !name.ends_with('/') && seen.insert(name.clone())) {
            let bytes = part(&mut self.archive, &name, left)?;
            left -= bytes.len() as u64;
            parts.push((name, bytes));
        }
        Ok(parts)
    }
}
