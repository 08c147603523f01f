//! What the program is, what it is not for, and whose work it stands on.

use egui::{RichText, Ui};

use crate::app::theme;

/// Draws it.
pub(in crate::app) fn about_ui(ui: &mut Ui, device: &str) {
    ui.spacing_mut().item_spacing.y = 8.0;
    ui.label(format!("Maquette {}", env!("CARGO_PKG_VERSION")));
    let paragraphs = [
        "A workstation for the 3D imaging lab of a hospital: CT and MR images in, segmented anatomy, a model whose size \
         can be trusted, a printable file out.",
        "Not for diagnostic use. Diagnoses are made on a diagnostic workstation; models are checked by a radiologist \
         before anybody relies on them.",
        "Fonts: Inter (SIL Open Font License 1.1), Material Symbols (Apache License 2.0). Presets: 3D Slicer, \
         InVesalius. Codes: 3D Slicer General Anatomy list.",
    ];
    for paragraph in paragraphs {
        ui.add(egui::Label::new(paragraph).wrap());
    }
    ui.label(RichText::new(format!("Device: {device}")).color(theme::WEAK));
    ui.label(RichText::new("Licence: MIT OR Apache-2.0").color(theme::WEAK));
}
