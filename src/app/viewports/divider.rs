//! The divider of two images that lie over each other: dragged to wipe one over the other.

use egui::{Color32, Painter, Pos2, Rect, Stroke};

use crate::app::theme;
use crate::session::view::fusion::{Fusion, FusionWay};
use crate::tools::pointer::Phase;

/// It is caught within this many screen points.
const CATCH: f32 = 6.0;

/// Nearest to an edge that it goes, as a part of the width: it can always be caught again.
const EDGE: f32 = 0.02;

/// Where it is on the screen.
fn x_of(fusion: &Fusion, rect: Rect) -> f32 {
    rect.left() + fusion.divider * rect.width()
}

/// Whether a view shows it, and it is under the pointer.
pub(super) fn is_caught(fusion: &Fusion, rect: Rect, at: Pos2) -> bool {
    fusion.way == FusionWay::Swipe && (at.x - x_of(fusion, rect)).abs() <= CATCH
}

/// Drags it. Says whether the event was for it; `held` is whether this view has it in the hand.
pub(super) fn drag(held: &mut bool, phase: Phase, at: Pos2, rect: Rect, fusion: Option<&mut Fusion>) -> bool {
    let Some(fusion) = fusion else {
        *held = false;
        return false;
    };
    match phase {
        Phase::Press => *held = is_caught(fusion, rect, at),
        Phase::Drag if *held => fusion.divider = ((at.x - rect.left()) / rect.width()).clamp(EDGE, 1.0 - EDGE),
        Phase::Release if *held => {
            *held = false;
            return true;
        }
        _ => {}
    }
    *held
}

/// Draws it.
pub(super) fn paint(painter: &Painter, rect: Rect, fusion: &Fusion) {
    if fusion.way != FusionWay::Swipe {
        return;
    }
    let x = x_of(fusion, rect);
    let line = [Pos2::new(x, rect.top()), Pos2::new(x, rect.bottom())];
    painter.line_segment(line, Stroke::new(3.0, Color32::from_black_alpha(150)));
    painter.line_segment(line, Stroke::new(1.0, theme::TEXT));
    let grip = Pos2::new(x, rect.bottom() - rect.height() * 0.2);
    painter.circle(grip, 6.0, Color32::from_black_alpha(200), Stroke::new(1.5, theme::TEXT));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::color_map::ColorMap;
    use crate::domain::window::Window;
    use crate::session::document::VolumeId;

    #[test]
    fn it_follows_the_hand_and_stays_in_reach() {
        let rect = Rect::from_min_max(Pos2::new(100.0, 0.0), Pos2::new(300.0, 100.0));
        let mut fusion = Fusion {
            volume: VolumeId(1),
            window: Window::new(5.0, 2.5),
            color_map: ColorMap::Fire,
            opacity: 0.5,
            way: FusionWay::Swipe,
            divider: 0.5,
            on: true,
        };
        let mut held = false;
        let at = |x: f32| Pos2::new(x, 50.0);
        assert!(!drag(&mut held, Phase::Press, at(150.0), rect, Some(&mut fusion)), "beside it");
        assert!(drag(&mut held, Phase::Press, at(203.0), rect, Some(&mut fusion)));
        assert!(drag(&mut held, Phase::Drag, at(150.0), rect, Some(&mut fusion)));
        assert!((fusion.divider - 0.25).abs() < 1e-6);
        assert!(drag(&mut held, Phase::Drag, at(900.0), rect, Some(&mut fusion)) && fusion.divider < 1.0);
        assert!(drag(&mut held, Phase::Release, at(900.0), rect, Some(&mut fusion)) && !held);
        fusion.way = FusionWay::Blend;
        assert!(!is_caught(&fusion, rect, at(296.0)), "there is none");
    }
}
