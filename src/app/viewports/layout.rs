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

/// Ready-made arrangements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// Axial, 3D, sagittal, coronal in a grid.
    FourUp,
    /// One large view with the three others in a column beside it.
    OneAndThree(Pane),
    /// One view alone.
    Single(Pane),
}

/// The arrangement of one window.
pub struct Layout {
    tree: Tree<Pane>,
    maximised: Option<Pane>,
    detached: BTreeSet<Pane>,
}

impl Default for Layout {
    fn default() -> Self {
        Self { tree: tree_of(Arrangement::FourUp), maximised: None, detached: BTreeSet::new() }
    }
}

impl Layout {
    /// The grid, for drawing; detached views are hidden in it.
    pub fn tree_mut(&mut self) -> &mut Tree<Pane> {
        &mut self.tree
    }

    /// Puts the views into an arrangement; detached ones come back.
    pub fn arrange(&mut self, arrangement: Arrangement) {
        self.detached.clear();
        self.maximised = None;
        match arrangement {
            Arrangement::Single(pane) => {
                self.tree = tree_of(Arrangement::FourUp);
                self.maximised = Some(pane);
            }
            other => self.tree = tree_of(other),
        }
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

fn tree_of(arrangement: Arrangement) -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let ids = Pane::ALL.map(|pane| tiles.insert_pane(pane));
    let root = match arrangement {
        Arrangement::OneAndThree(large) => {
            let large_at = Pane::ALL.iter().position(|pane| *pane == large).unwrap_or(0);
            let rest = ids.iter().enumerate().filter(|(n, _)| *n != large_at).map(|(_, id)| *id).collect();
            let column = tiles.insert_vertical_tile(rest);
            let row = tiles.insert_horizontal_tile(vec![ids[large_at], column]);
            if let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(row) {
                linear.shares.set_share(ids[large_at], 2.4);
            }
            row
        }
        Arrangement::FourUp | Arrangement::Single(_) => {
            let grid = tiles.insert_grid_tile(ids.to_vec());
            if let Some(Tile::Container(Container::Grid(grid))) = tiles.get_mut(grid) {
                grid.layout = GridLayout::Columns(2);
            }
            grid
        }
    };
    Tree::new(egui::Id::new("views"), root, tiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arrangement_has_every_view() {
        for arrangement in
            [Arrangement::FourUp, Arrangement::OneAndThree(Pane::Volume), Arrangement::Single(Pane::Volume)]
        {
            let tree = tree_of(arrangement);
            for pane in Pane::ALL {
                assert!(tree.tiles.find_pane(&pane).is_some(), "{arrangement:?} lacks {pane:?}");
            }
        }
    }

    #[test]
    fn a_detached_view_is_hidden_and_comes_back() {
        let mut layout = Layout::default();
        let pane = Pane::Slice(Plane::Coronal);
        layout.toggle_maximised(pane);
        layout.set_detached(pane, true);
        assert_eq!(layout.maximised(), None, "a view that is elsewhere cannot fill the window");
        layout.arrange(Arrangement::FourUp);
        assert!(!layout.is_detached(pane));
    }
}
