//! Our own painter of the window against the window system's: the same picture of text, lines, fills, gradients and images.

use eframe::egui_wgpu::RenderState;
use egui::{Color32, ColorImage, Pos2, Rect, TextureHandle, TextureOptions, Vec2};
use egui_kittest::Harness;
use maquette::app::device::{self, WindowDevice};
use maquette::gpu::context::LimitsRequest;

use crate::support::device::device as shared_device;

/// A page with something of all that the window draws.
struct Page {
    image: TextureHandle,
}

impl Page {
    fn new(ctx: &egui::Context, state: &RenderState, own_painter: bool) -> Self {
        if own_painter {
            WindowDevice::new(state).take_over_painting(ctx);
        }
        let checks = ColorImage::filled([8, 8], Color32::from_rgb(20, 180, 240));
        Self { image: ctx.load_texture("image", checks, TextureOptions::LINEAR) }
    }
}

impl eframe::App for Page {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        ui.heading("Aorta, 27.5 mm");
        ui.label("small text beside it");
        let _ = ui.button("A button");
        ui.add(egui::Image::new(&self.image).fit_to_exact_size(Vec2::new(90.0, 33.0)));
        let painter = ui.painter().with_clip_rect(Rect::from_min_size(Pos2::new(40.0, 120.0), Vec2::new(100.5, 60.25)));
        painter.circle_filled(Pos2::new(90.0, 150.0), 60.0, Color32::from_rgba_unmultiplied(250, 40, 60, 120));
        painter.line_segment([Pos2::new(30.0, 118.0), Pos2::new(220.0, 190.0)], (1.5, Color32::LIGHT_GREEN));
    }
}

fn picture(own_painter: bool, points: f32) -> Option<(image::RgbaImage, bool)> {
    shared_device()?;
    let builder = Harness::builder().with_size(Vec2::new(300.0, 200.0)).with_pixels_per_point(points);
    let builder = builder.wgpu_setup(device::setup(LimitsRequest::Defaults));
    let mut software = false;
    let mut page = builder.build_eframe(|context| {
        let state = context.wgpu_render_state.as_ref().expect("the harness renders with wgpu");
        software = state.adapter.get_info().device_type == eframe::wgpu::DeviceType::Cpu;
        Page::new(&context.egui_ctx, state, own_painter)
    });
    page.run_steps(3);
    Some((page.render().expect("a picture"), software))
}

#[test]
#[allow(clippy::print_stderr, reason = "the closing summary of scripts/test gathers these lines")]
fn the_own_painter_paints_what_the_window_system_paints() {
    for points in [1.0, 1.5] {
        let (Some((own, software)), Some((theirs, _))) = (picture(true, points), picture(false, points)) else {
            return;
        };
        if !software {
            eprintln!("SKIPPED: the own painter of the window is for software drivers");
            return;
        }
        assert_eq!(own.dimensions(), theirs.dimensions());
        let inked = theirs.pixels().filter(|pixel| pixel.0[..3] != theirs.get_pixel(299, 199).0[..3]).count();
        assert!(inked > 5000, "the page has something on it: {inked}");
        let difference =
            |(a, b): (&image::Rgba<u8>, &image::Rgba<u8>)| (0..3).map(|n| a.0[n].abs_diff(b.0[n])).max().unwrap_or(0);
        let worst = own.pixels().zip(theirs.pixels()).map(difference).max();
        assert!(worst.is_some_and(|worst| worst <= 3), "at {points} pixels a point: {worst:?}");
    }
}
