//! How the window looks: colours, fonts, sizes. The only file that names a colour of the chrome.
//!
//! Inter with tabular digits for text, outlined Material Symbols for icons (`assets/fonts`), a 4-point grid, 24-point rows.

use std::sync::Arc;

use egui::epaint::text::{FontData, FontDefinitions};
use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, RichText, Stroke, TextStyle, Vec2, Visuals};

/// Behind slices.
pub const VIEW: Color32 = Color32::BLACK;
/// Top and bottom of the background of 3D views.
pub const VIEW_3D: [Color32; 2] = [Color32::from_rgb(0x0E, 0x11, 0x16), Color32::from_rgb(0x1A, 0x1F, 0x28)];
/// Panels and bars.
pub const PANEL: Color32 = Color32::from_rgb(0x1E, 0x20, 0x23);
/// Fields and buttons.
pub const RAISED: Color32 = Color32::from_rgb(0x27, 0x2A, 0x2E);
/// Fields and buttons under the pointer.
pub const HOVER: Color32 = Color32::from_rgb(0x31, 0x35, 0x3A);
/// Hairlines between areas.
pub const LINE: Color32 = Color32::from_rgb(0x3B, 0x3F, 0x45);
/// Sunk areas: histograms, lists.
pub const SUNK: Color32 = Color32::from_rgb(0x17, 0x19, 0x1B);
/// Text.
pub const TEXT: Color32 = Color32::from_rgb(0xDA, 0xDD, 0xE1);
/// Labels and secondary text; 4.5:1 on panels.
pub const WEAK: Color32 = Color32::from_rgb(0x9B, 0xA1, 0xA8);
/// What is active.
pub const ACCENT: Color32 = Color32::from_rgb(0x4C, 0x9A, 0xFF);
/// Fill of what is chosen: accent over panel.
pub const CHOSEN: Color32 = Color32::from_rgb(0x2B, 0x4A, 0x73);
/// Done, in order.
pub const GOOD: Color32 = Color32::from_rgb(0x46, 0xA7, 0x58);
/// Needs attention.
pub const WARN: Color32 = Color32::from_rgb(0xE5, 0xA5, 0x0A);
/// Failed, dangerous.
pub const BAD: Color32 = Color32::from_rgb(0xE5, 0x48, 0x4D);

/// Axial planes, wherever they are drawn.
pub const AXIAL: Color32 = Color32::from_rgb(0xE5, 0x48, 0x4D);
/// Sagittal planes.
pub const SAGITTAL: Color32 = Color32::from_rgb(0xE8, 0xB6, 0x3A);
/// Coronal planes.
pub const CORONAL: Color32 = Color32::from_rgb(0x3F, 0xB9, 0x62);
/// Measurements on pictures.
pub const MEASURE: Color32 = Color32::from_rgb(0xD8, 0xE8, 0x7A);

/// Height of a row of a list, points.
pub const ROW: f32 = 24.0;
/// Height of the bar at the top, points.
pub const TOP_BAR: f32 = 36.0;
/// Height of the status bar, points.
pub const STATUS_BAR: f32 = 26.0;
/// Width of the tool rail, points.
pub const RAIL: f32 = 44.0;
/// Width of the options panel, points.
pub const OPTIONS: f32 = 232.0;
/// Width of the objects panel, points.
pub const OBJECTS: f32 = 288.0;

/// Sizes of text, points.
pub const BODY_SIZE: f32 = 13.0;
/// Secondary text.
pub const SMALL_SIZE: f32 = 12.0;
/// Text over pictures.
pub const OVERLAY_SIZE: f32 = 11.0;

const MEDIUM: &str = "inter-medium";
const SEMIBOLD: &str = "inter-semibold";
const ICONS: &str = "icons";

/// The semibold cut, for headings and the active tab.
pub fn semibold(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(SEMIBOLD.into()))
}

/// The medium cut.
pub fn medium(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(MEDIUM.into()))
}

/// The font of overlays on pictures.
pub fn overlay() -> FontId {
    FontId::new(OVERLAY_SIZE, FontFamily::Proportional)
}

/// The icon font.
pub fn icon_font(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(ICONS.into()))
}

/// An icon as text (constants of `egui_material_icons::icons`, those listed in `assets/fonts/icons.txt`).
pub fn icon(icon: egui_material_icons::MaterialIcon, size: f32) -> RichText {
    RichText::new(icon.codepoint).font(icon_font(size))
}

/// Installs fonts, colours and sizes.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    ctx.set_theme(egui::Theme::Dark);
    ctx.all_styles_mut(|style| {
        style.visuals = visuals();
        style.text_styles = [
            (TextStyle::Heading, semibold(BODY_SIZE)),
            (TextStyle::Body, FontId::proportional(BODY_SIZE)),
            (TextStyle::Button, FontId::proportional(BODY_SIZE)),
            (TextStyle::Monospace, FontId::proportional(BODY_SIZE)),
            (TextStyle::Small, FontId::proportional(SMALL_SIZE)),
        ]
        .into();
        style.drag_value_text_style = TextStyle::Body;
        style.animation_time = 0.08;
        style.interaction.selectable_labels = false;
        style.interaction.tooltip_delay = 0.4;
        style.compact_menu_style = true;
        let spacing = &mut style.spacing;
        spacing.item_spacing = Vec2::new(8.0, 4.0);
        spacing.button_padding = Vec2::new(8.0, 3.0);
        spacing.interact_size = Vec2::new(32.0, ROW);
        spacing.window_margin = Margin::same(16);
        spacing.menu_margin = Margin::symmetric(4, 6);
        spacing.icon_width = 14.0;
        spacing.icon_width_inner = 9.0;
        spacing.icon_spacing = 8.0;
        spacing.slider_rail_height = 2.0;
        spacing.combo_height = 360.0;
        spacing.scroll = egui::style::ScrollStyle::thin();
        spacing.tooltip_width = 320.0;
    });
}

fn visuals() -> Visuals {
    let mut visuals = Visuals::dark();
    let radius = CornerRadius::same(4);
    visuals.weak_text_color = Some(WEAK);
    visuals.panel_fill = PANEL;
    visuals.window_fill = PANEL;
    visuals.window_stroke = Stroke::new(1.0, LINE);
    visuals.window_corner_radius = radius;
    visuals.menu_corner_radius = radius;
    visuals.extreme_bg_color = RAISED;
    visuals.text_edit_bg_color = Some(RAISED);
    visuals.faint_bg_color = SUNK;
    visuals.hyperlink_color = ACCENT;
    visuals.warn_fg_color = WARN;
    visuals.error_fg_color = BAD;
    visuals.selection.bg_fill = CHOSEN;
    visuals.selection.stroke = Stroke::new(1.0, ACCENT);
    visuals.slider_trailing_fill = true;
    visuals.disabled_alpha = 0.45;
    visuals.window_shadow = egui::Shadow { offset: [0, 4], blur: 16, spread: 0, color: Color32::from_black_alpha(120) };
    visuals.popup_shadow = visuals.window_shadow;
    let widgets = &mut visuals.widgets;
    for (state, fill, text, outline) in [
        (&mut widgets.noninteractive, PANEL, TEXT, LINE),
        (&mut widgets.inactive, RAISED, TEXT, Color32::TRANSPARENT),
        (&mut widgets.hovered, HOVER, TEXT, Color32::TRANSPARENT),
        (&mut widgets.active, HOVER, Color32::WHITE, ACCENT),
        (&mut widgets.open, HOVER, TEXT, Color32::TRANSPARENT),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.fg_stroke = Stroke::new(1.0, text);
        state.bg_stroke = if outline == Color32::TRANSPARENT { Stroke::NONE } else { Stroke::new(1.0, outline) };
        state.corner_radius = radius;
        state.expansion = 0.0;
    }
    // The box of a checkbox and the rail of a slider have to be seen at rest.
    widgets.inactive.bg_fill = LINE;
    widgets.hovered.bg_fill = Color32::from_rgb(0x4A, 0x4F, 0x56);
    visuals
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let mut add = |name: &str, bytes: &'static [u8]| {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    };
    add("inter", include_bytes!("../../assets/fonts/Inter-Regular.otf"));
    add(MEDIUM, include_bytes!("../../assets/fonts/Inter-Medium.otf"));
    add(SEMIBOLD, include_bytes!("../../assets/fonts/Inter-SemiBold.otf"));
    add(ICONS, include_bytes!("../../assets/fonts/MaterialSymbolsRounded-subset.ttf"));
    // What Inter lacks comes from egui's own fonts, then from the icons.
    let mut rest = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    rest.push(ICONS.to_owned());
    let family = |first: &str| std::iter::once(first.to_owned()).chain(rest.iter().cloned()).collect::<Vec<_>>();
    let families = [
        (FontFamily::Proportional, family("inter")),
        (FontFamily::Monospace, family("inter")),
        (FontFamily::Name(MEDIUM.into()), family(MEDIUM)),
        (FontFamily::Name(SEMIBOLD.into()), family(SEMIBOLD)),
        (FontFamily::Name(ICONS.into()), vec![ICONS.to_owned(), "inter".to_owned()]),
    ];
    fonts.families.extend(families);
    fonts
}

/// A colour that data brings (segments, meshes).
pub fn data_color([r, g, b]: [u8; 3]) -> Color32 {
    Color32::from_rgb(r, g, b)
}
