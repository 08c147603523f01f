//! The images that a segmentation, a set of contours or a model refers to.

use std::path::PathBuf;

use dicom_dictionary_std::tags;
use dicom_object::OpenFileOptions;

use crate::domain::series_info::SeriesInfo;
use crate::io::deidentify;
use crate::io::dicom::elements::text;
use crate::io::provenance::replaced_uid;

/// One image: its SOP class and instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    /// *SOP Class UID*.
    pub class: String,
    /// *SOP Instance UID*.
    pub instance: String,
}

/// What is known of the images of a volume.
#[derive(Debug, Clone, Default)]
pub struct SourceImages {
    /// Patient, study, series.
    pub info: SeriesInfo,
    /// The images in slice order, one for each slice; empty where the volume came from no classic series.
    pub images: Vec<ImageReference>,
    /// Whether identity has been removed.
    pub is_deidentified: bool,
}

impl SourceImages {
    /// The images of a volume that was read from `files`; they are named only when there is one for each of `slices`.
    pub fn of(info: &SeriesInfo, files: &[PathBuf], slices: usize) -> Self {
        let is_series = files.len() == slices && !info.series_uid.is_empty();
        let reference = |file: &PathBuf| {
            // The two stand at the very beginning: no more is read.
            let head = OpenFileOptions::new().read_until(tags::STUDY_DATE).open_file(file).ok()?;
            let found = ImageReference {
                class: text(&head, tags::SOP_CLASS_UID),
                instance: text(&head, tags::SOP_INSTANCE_UID),
            };
            (!found.class.is_empty() && !found.instance.is_empty()).then_some(found)
        };
        let images = if is_series { files.iter().map(reference).collect::<Option<Vec<_>>>() } else { None };
        Self { info: info.clone(), images: images.unwrap_or_default(), is_deidentified: false }
    }

    /// The same without the patient: identifiers are those that [`deidentify`] gives the images.
    pub fn deidentified(&self) -> Self {
        let replaced = |image: &ImageReference| ImageReference {
            class: image.class.clone(),
            instance: replaced_uid(&image.instance),
        };
        Self {
            info: deidentify::series_info(&self.info),
            images: self.images.iter().map(replaced).collect(),
            is_deidentified: true,
        }
    }
}
