//! Figures shown beside objects, kept by revision: volumes of segments at once, the rest by a job.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::histogram::Histogram;
use crate::domain::mask::components::{Components, Connectivity};
use crate::domain::measure::{self, Reading, segment_statistics};
use crate::domain::segmentation::SegmentId;
use crate::domain::volume::Volume;
use crate::session::Session;
use crate::session::document::{Document, Revision, VolumeId};
use crate::session::jobs::Lane;
use crate::session::measurement::{MeasurementId, MeasurementObject};

use super::numbers;
use super::outcome::{Figures, Outcome};
use super::widgets::histogram::Bars;
use super::work::Work;

/// Bars of a histogram.
const BAR_COUNT: usize = 94;
/// Values outside show no tissue; padding and metal would squeeze the rest.
const SHOWN_HU: (f64, f64) = (-1100.0, 3100.0);

/// All figures that are known.
#[derive(Debug, Default)]
pub struct Facts {
    volumes_mm3: BTreeMap<SegmentId, (Revision, f64)>,
    figures: BTreeMap<SegmentId, (Revision, Option<Figures>)>,
    bars: BTreeMap<VolumeId, Option<Bars>>,
    readings: BTreeMap<MeasurementId, (Revision, Reading)>,
}

impl Facts {
    /// Brings the figures up to date; slow ones are asked for as jobs, not during a stroke.
    pub fn refresh(&mut self, session: &Session, work: &mut Work) {
        let document = session.document();
        for object in document.segments() {
            let known =
                self.volumes_mm3.get(&object.id()).is_some_and(|(revision, _)| *revision == object.mask_revision);
            let Some(volume) = document.volume(object.volume).filter(|_| !known) else { continue };
            let mm3 = object.segment.mask.voxel_count() as f64 * volume.head.grid.voxel_volume_mm3();
            self.volumes_mm3.insert(object.id(), (object.mask_revision, mm3));
        }
        for object in document.measurements() {
            let known = self.readings.get(&object.id).is_some_and(|(revision, _)| *revision == object.revision);
            let Some(volume) = document.volume(object.volume).filter(|_| !known) else { continue };
            let reading = measure::evaluate(&object.shape, &volume.volume);
            self.readings.insert(object.id, (object.revision, reading));
        }
        if session.gesture().is_none()
            && let Some(id) = session.view.active_segment
        {
            self.ask_figures(id, document, work);
        }
        if let Some(volume) = session.view.active_volume.and_then(|id| document.volume(id)) {
            self.ask_bars(volume.id, &volume.volume, work);
        }
    }

    fn ask_figures(&mut self, id: SegmentId, document: &Document, work: &mut Work) {
        let Some(object) = document.segment(id) else { return };
        let revision = object.mask_revision;
        if self.figures.get(&id).is_some_and(|(known, _)| *known == revision) {
            return;
        }
        let Some(volume) = document.volume(object.volume).map(|volume| Arc::clone(&volume.volume)) else { return };
        let mask = object.segment.mask.clone();
        let asked = work.submit(Lane::Derive, "figures", "", move |progress| {
            progress.check()?;
            let samples = segment_statistics(&mask, &volume).samples;
            let parts = Components::of(&mask, Connectivity::Faces, progress)?.count();
            Ok(Outcome::Figures(id, revision, Figures { samples, parts }))
        });
        if asked.is_ok() {
            self.figures.insert(id, (revision, None));
        }
    }

    fn ask_bars(&mut self, id: VolumeId, volume: &Arc<Volume>, work: &mut Work) {
        if self.bars.contains_key(&id) {
            return;
        }
        let volume = Arc::clone(volume);
        let asked = work.submit(Lane::Derive, "bars", "", move |progress| {
            progress.check()?;
            Ok(Outcome::Bars(id, bars_of(&volume)))
        });
        if asked.is_ok() {
            self.bars.insert(id, None);
        }
    }

    /// Takes figures that a job found.
    pub fn take_figures(&mut self, id: SegmentId, revision: Revision, figures: Figures) {
        self.figures.insert(id, (revision, Some(figures)));
    }

    /// Takes the histogram that a job found.
    pub fn take_bars(&mut self, id: VolumeId, bars: Bars) {
        self.bars.insert(id, Some(bars));
    }

    /// Forgets everything: another case is open.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Volume of a segment.
    pub fn volume_mm3(&self, id: SegmentId) -> Option<f64> {
        self.volumes_mm3.get(&id).map(|(_, mm3)| *mm3)
    }

    /// Figures of a segment as it is now; `None` while they are not known.
    pub fn figures(&self, id: SegmentId, revision: Revision) -> Option<Figures> {
        self.figures.get(&id).filter(|(known, _)| *known == revision).and_then(|(_, figures)| *figures)
    }

    /// Histogram of a volume, if it is known.
    pub fn bars(&self, id: VolumeId) -> Option<&Bars> {
        self.bars.get(&id).and_then(Option::as_ref)
    }

    /// What a measurement reads.
    pub fn reading(&self, id: MeasurementId) -> Option<Reading> {
        self.readings.get(&id).map(|(_, reading)| *reading)
    }

    /// The main number of a measurement, for its row.
    pub fn measurement_words(&self, object: &MeasurementObject, document: &Document) -> String {
        let quantity = document.volume(object.volume).map(|volume| volume.head.quantity);
        match (self.reading(object.id), quantity) {
            (Some(Reading::Distance { length_mm }), _) => numbers::mm(length_mm),
            (Some(Reading::Angle { degrees: Some(degrees) }), _) => format!("{}\u{b0}", numbers::decimal(degrees, 1)),
            (Some(Reading::Region { samples: Some(samples), .. }), Some(quantity)) => {
                numbers::value(samples.mean, quantity)
            }
            _ => String::new(),
        }
    }
}

fn bars_of(volume: &Volume) -> Bars {
    let fine = Histogram::of(volume, 4096);
    let is_ct = volume.quantity() == crate::domain::volume::Quantity::Hounsfield;
    let (low, high) =
        if is_ct { (fine.lower.max(SHOWN_HU.0), fine.upper().min(SHOWN_HU.1)) } else { (fine.lower, fine.upper()) };
    let high = high.max(low + 1.0);
    let mut counts = vec![0_u64; BAR_COUNT];
    for (bin, count) in fine.counts.iter().enumerate() {
        let place = (fine.value_of_bin(bin) - low) / (high - low) * BAR_COUNT as f64;
        if place >= 0.0 && place < BAR_COUNT as f64 {
            counts[place as usize] += count;
        }
    }
    Bars::of_counts((low, high), &counts)
}
