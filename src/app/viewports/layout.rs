//! How the views lie beside each other: a tiling grid that can be rearranged, one view alone, views in windows of their own.

use std::collections::BTreeSet;

use egui_tiles::{Container, GridLayout, Tile, Tiles, Tree};
use serde::{Deserialize, Serialize};

use crate::domain::plane::Plane;

/// One view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Pane {
    /// A slice view.
    Slice(Plane),
    /// The 3D view.
    Volume,
}

impl Pane {
    /// All views in the order of the four-up layout.
    pub const ALL: [Self; 4] =
        [Self::Slice(Plane::Axial), Self::Volume, Self::Slice(Plane::Sagittal), Self::Slice(Plane::Coronal)];

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slice(plane) => plane.name(),
            Self::Volume => "3D",
        }
    }
}

/// The arrangement of one window.
pub struct Layout {
    tree: Tree<Pane>,
    maximised: Option<Pane>,
    detached: BTreeSet<Pane>,
}

impl Default for Layout {
    fn default() -> Self {
        Self { tree: four_up(), maximised: None, detached: BTreeSet::new() }
    }
}

impl Layout {
    /// The grid, for drawing; detached views are hidden in it.
    pub fn tree_mut(&mut self) -> &mut Tree<Pane> {
        &mut self.tree
    }

    /// Puts all views back into their grid; detached ones come home.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The view that fills the window, if one does.
    pub fn maximised(&self) -> Option<Pane> {
        self.maximised.filter(|pane| !self.detached.contains(pane))
    }

    /// Gives a view the whole window, or its place back.
    pub fn toggle_maximised(&mut self, pane: Pane) {
        self.maximised = if self.maximised == Some(pane) { None } else { Some(pane) };
    }

    /// The views in windows of their own.
    pub fn detached(&self) -> impl Iterator<Item = Pane> {
        self.detached.clone().into_iter()
    }

    /// Whether a view is in a window of its own.
    pub fn is_detached(&self, pane: Pane) -> bool {
        self.detached.contains(&pane)
    }

    /// Moves a view into a window of its own, or back.
    pub fn set_detached(&mut self, pane: Pane, detached: bool) {
        if detached {
            self.detached.insert(pane);
        } else {
            self.detached.remove(&pane);
        }
        if let Some(tile) = self.tree.tiles.find_pane(&pane) {
            self.tree.set_visible(tile, !detached);
        }
    }
}

fn four_up() -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let ids = Pane::ALL.map(|pane| tiles.insert_pane(pane));
    let root = tiles.insert_grid_tile(ids.to_vec());
    if let Some(Tile::Container(Container::Grid(grid))) = tiles.get_mut(root) {
        grid.layout = GridLayout::Columns(2);
    }
    Tree::new(egui::Id::unique("views"), root, tiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_has_every_view() {
        let tree = four_up();
        for pane in Pane::ALL {
            assert!(tree.tiles.find_pane(&pane).is_some(), "no {pane:?}");
        }
    }

    #[test]
    fn a_detached_view_is_hidden_and_comes_back() {
        let mut layout = Layout::default();
        let pane = Pane::Slice(Plane::Coronal);
        layout.toggle_maximised(pane);
        layout.set_detached(pane, true);
        assert_eq!(layout.maximised(), None, "a view that is elsewhere cannot fill the window");
        layout.reset();
        assert!(!layout.is_detached(pane));
    }
}
