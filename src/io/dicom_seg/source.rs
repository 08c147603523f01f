//! The images that a segmentation, a set of contours or a model refers to.

use std::path::PathBuf;

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::domain::series_info::SeriesInfo;
use crate::io::deidentify;
use crate::io::dicom::elements::{class_and_instance, item, put_sequence, put_text};
use crate::io::dicom::write::derived_uid;
use crate::io::provenance::{GIT_HASH, PROGRAM, VERSION, replaced_uid};

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
            let (class, instance) = class_and_instance(file)?;
            Some(ImageReference { class, instance })
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

    /// Names images of the series as those that an object refers to.
    pub fn put_references<'a>(&self, object: &mut InMemDicomObject, images: impl Iterator<Item = &'a ImageReference>) {
        let instances: Vec<InMemDicomObject> = images
            .map(|image| {
                item(|item| {
                    put_text(item, tags::REFERENCED_SOP_CLASS_UID, VR::UI, &image.class);
                    put_text(item, tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, &image.instance);
                })
            })
            .collect();
        if instances.is_empty() {
            return;
        }
        let series = item(|item| {
            put_sequence(item, tags::REFERENCED_INSTANCE_SEQUENCE, instances);
            put_text(item, tags::SERIES_INSTANCE_UID, VR::UI, &self.info.series_uid);
        });
        put_sequence(object, tags::REFERENCED_SERIES_SEQUENCE, vec![series]);
    }

    /// Patient, study, series, equipment and frame of reference of an object that was made from these images.
    pub fn put_identity(&self, object: &mut InMemDicomObject, derived: &DerivedObject<'_>) {
        let (info, hash) = (&self.info, derived.hash);
        let or_derived =
            |uid: &str, role: &str| if uid.is_empty() { derived_uid(&[role, hash]) } else { uid.to_owned() };
        let now = chrono::Local::now();
        // A date says when the patient was here.
        let (date, time) = if self.is_deidentified {
            ("19000101".to_owned(), "000000".to_owned())
        } else {
            (now.format("%Y%m%d").to_string(), now.format("%H%M%S").to_string())
        };
        let software = format!("{VERSION} {GIT_HASH}");
        let texts = [
            (tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192"),
            (tags::SOP_CLASS_UID, VR::UI, derived.class),
            (tags::SOP_INSTANCE_UID, VR::UI, &derived_uid(&["instance", derived.modality, hash])),
            (tags::STUDY_DATE, VR::DA, &info.study_date),
            (tags::STUDY_TIME, VR::TM, &info.as_stored.study_time),
            (tags::SERIES_DATE, VR::DA, &date),
            (tags::CONTENT_DATE, VR::DA, &date),
            (tags::CONTENT_TIME, VR::TM, &time),
            (tags::ACCESSION_NUMBER, VR::SH, &info.as_stored.accession_number),
            (tags::MODALITY, VR::CS, derived.modality),
            (tags::MANUFACTURER, VR::LO, PROGRAM),
            (tags::MANUFACTURER_MODEL_NAME, VR::LO, PROGRAM),
            (tags::DEVICE_SERIAL_NUMBER, VR::LO, "0"),
            (tags::SOFTWARE_VERSIONS, VR::LO, &software),
            (tags::REFERRING_PHYSICIAN_NAME, VR::PN, &info.as_stored.referring_physician),
            (tags::SERIES_DESCRIPTION, VR::LO, derived.series_description),
            (tags::PATIENT_NAME, VR::PN, &info.person_name()),
            (tags::PATIENT_ID, VR::LO, &info.patient_id),
            (tags::PATIENT_BIRTH_DATE, VR::DA, &info.birth_date),
            (tags::PATIENT_SEX, VR::CS, &info.sex),
            (tags::STUDY_INSTANCE_UID, VR::UI, &or_derived(&info.study_uid, "study")),
            (tags::SERIES_INSTANCE_UID, VR::UI, &derived_uid(&["series", derived.modality, hash])),
            (tags::STUDY_ID, VR::SH, &info.as_stored.study_id),
            (tags::SERIES_NUMBER, VR::IS, derived.series_number),
            (tags::INSTANCE_NUMBER, VR::IS, "1"),
            (tags::FRAME_OF_REFERENCE_UID, VR::UI, &or_derived(&info.frame_of_reference_uid, "frame")),
            (tags::POSITION_REFERENCE_INDICATOR, VR::LO, ""),
        ];
        for (tag, vr, text) in texts {
            put_text(object, tag, vr, text);
        }
        if self.is_deidentified {
            put_text(object, tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES");
            put_text(object, tags::DEIDENTIFICATION_METHOD, VR::LO, &format!("{PROGRAM} {VERSION}: PS3.15 Annex E"));
        }
    }
}

/// What an object that was made from images is.
#[derive(Debug, Clone, Copy)]
pub struct DerivedObject<'a> {
    /// *SOP Class UID*.
    pub class: &'a str,
    /// *Modality*.
    pub modality: &'a str,
    /// *Series Number*.
    pub series_number: &'a str,
    /// *Series Description*.
    pub series_description: &'a str,
    /// Hash of its content: the same content gives the same identifiers.
    pub hash: &'a str,
}
