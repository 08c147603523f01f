//! CT numbers of the synthetic patient's tissues in the arterial phase.
//!
//! Source: usual ranges, e.g. fat -100..-50, muscle 35..80, liver 45..65 before and about 110 after contrast, contrast aorta
//! 250..500, spongy bone 50..300, compact bone 250 and up, calcium above lumen + 100.

use crate::domain::phantom::scene::Tissue;

pub(super) const SKIN: Tissue = Tissue::even(10.0);
pub(super) const FAT: Tissue = Tissue::mottled(-103.0, 9.0, 14.0);
pub(super) const INNER_FAT: Tissue = Tissue::mottled(-92.0, 9.0, 10.0);
pub(super) const MUSCLE: Tissue = Tissue::mottled(56.0, 16.0, 6.0);
pub(super) const LUNG: Tissue = Tissue::mottled(-862.0, 26.0, 11.0);
pub(super) const AIR: Tissue = Tissue::even(-1000.0);
pub(super) const WALL: Tissue = Tissue::even(48.0);
pub(super) const LIVER: Tissue = Tissue::mottled(104.0, 6.0, 12.0);
pub(super) const SPLEEN: Tissue = Tissue::mottled(112.0, 7.0, 9.0);
pub(super) const FLUID: Tissue = Tissue::even(12.0);
pub(super) const BOWEL: Tissue = Tissue::mottled(30.0, 16.0, 6.0);
pub(super) const MYOCARDIUM: Tissue = Tissue::mottled(108.0, 6.0, 8.0);
pub(super) const LEFT_BLOOD: Tissue = Tissue::even(340.0);
pub(super) const RIGHT_BLOOD: Tissue = Tissue::mottled(205.0, 14.0, 12.0);
pub(super) const LUNG_VESSEL: Tissue = Tissue::even(225.0);
pub(super) const VENOUS_BLOOD: Tissue = Tissue::even(125.0);
pub(super) const THROMBUS: Tissue = Tissue::mottled(42.0, 7.0, 7.0);
pub(super) const CALCIUM: Tissue = Tissue::even(1150.0);
pub(super) const CARTILAGE: Tissue = Tissue::mottled(112.0, 26.0, 6.0);
pub(super) const CORTEX: Tissue = Tissue::mottled(880.0, 70.0, 6.0);
pub(super) const MARROW: Tissue = Tissue::mottled(210.0, 65.0, 3.2);
pub(super) const DISC: Tissue = Tissue::mottled(88.0, 8.0, 5.0);
pub(super) const METAL: Tissue = Tissue::even(3071.0);
