//! How the views lie beside each other: a tiling grid that can be rearranged, one view alone, views in windows of their own.

use std::collections::BTreeSet;

use egui_tiles::{Container, GridLayout, Linear, LinearDir, Tile, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

use crate::domain::plane::Plane;
use crate::session::view::tiling::Tiling;

use super::tiling_tree;

/// One view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Pane {
    /// A slice view.
    Slice(Plane),
    /// The 3D view.
    Volume,
    /// A slice view that shows a volume of its own; the first is 0.
    Series(u8),
}

impl Pane {
    /// The views of the active volume in the order of the four-up layout.
    pub const ALL: [Self; 4] =
        [Self::Slice(Plane::Axial), Self::Volume, Self::Slice(Plane::Sagittal), Self::Slice(Plane::Coronal)];

    /// Every view that there is.
    pub const EVERY: [Self; 7] = [
        Self::Slice(Plane::Axial),
        Self::Slice(Plane::Sagittal),
        Self::Slice(Plane::Coronal),
        Self::Volume,
        Self::Series(0),
        Self::Series(1),
        Self::Series(2),
    ];

    /// Name in files.
    pub fn key(self) -> &'static str {
        match self {
            Self::Slice(Plane::Axial) => "axial",
            Self::Slice(Plane::Sagittal) => "sagittal",
            Self::Slice(Plane::Coronal) => "coronal",
            Self::Volume => "3d",
            Self::Series(0) => "series-1",
            Self::Series(1) => "series-2",
            Self::Series(_) => "series-3",
        }
    }

    /// The view of a name in a file.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|pane| pane.key() == key)
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slice(plane) => plane.name(),
            Self::Volume => "3D",
            Self::Series(0) => "First series",
            Self::Series(1) => "Second series",
            Self::Series(_) => "Third series",
        }
    }
}

/// A named arrangement of the views.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Arrangement {
    /// Two by two.
    #[default]
    FourUp,
    /// 3D large, the three slices in a column beside it.
    OneAndThree,
    /// Axial large, the other two beside it.
    SlicesOnly,
    /// The 3D view alone.
    VolumeOnly,
    /// Two volumes beside each other.
    TwoSeries,
    /// Three volumes beside each other: phases above all.
    ThreeSeries,
}

impl Arrangement {
    /// All of them, in the order of the menu.
    pub const ALL: [Self; 6] =
        [Self::FourUp, Self::OneAndThree, Self::SlicesOnly, Self::VolumeOnly, Self::TwoSeries, Self::ThreeSeries];

    /// Name in the case file.
    pub fn name(self) -> &'static str {
        match self {
            Self::FourUp => "four-up",
            Self::OneAndThree => "one-and-three",
            Self::SlicesOnly => "slices",
            Self::VolumeOnly => "3d",
            Self::TwoSeries => "two-series",
            Self::ThreeSeries => "three-series",
        }
    }

    /// The arrangement of a name; a name of another version is two by two.
    pub fn of_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|arrangement| arrangement.name() == name).unwrap_or_default()
    }

    /// How many volumes stand beside each other in it; 0 where all views are of the active one.
    pub fn series_count(self) -> usize {
        match self {
            Self::TwoSeries => 2,
            Self::ThreeSeries => 3,
            _ => 0,
        }
    }

    fn tree(self) -> Tree<Pane> {
        let axial = Pane::Slice(Plane::Axial);
        let others = [Pane::Slice(Plane::Sagittal), Pane::Slice(Plane::Coronal)];
        match self {
            Self::FourUp => four_up(),
            Self::OneAndThree => one_large(Pane::Volume, &[axial, others[0], others[1]], 0.7),
            Self::SlicesOnly => one_large(axial, &others, 0.6),
            Self::VolumeOnly => one_large(Pane::Volume, &[], 1.0),
            Self::TwoSeries => row(&[Pane::Series(0), Pane::Series(1)]),
            Self::ThreeSeries => row(&[Pane::Series(0), Pane::Series(1), Pane::Series(2)]),
        }
    }
}

/// The arrangement of one window.
pub struct Layout {
    arrangement: Arrangement,
    /// What a person has made of it.
    tiling: Option<Tiling>,
    tree: Tree<Pane>,
    maximised: Option<Pane>,
    detached: BTreeSet<Pane>,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            arrangement: Arrangement::FourUp,
            tiling: None,
            tree: four_up(),
            maximised: None,
            detached: BTreeSet::new(),
        }
    }
}

impl Layout {
    /// The grid, for drawing; detached views are hidden in it.
    pub fn tree_mut(&mut self) -> &mut Tree<Pane> {
        &mut self.tree
    }

    /// Puts the views into an arrangement, or what a person has made of it; the same again changes nothing.
    /// Says whether it did.
    pub fn follow(&mut self, arrangement: Arrangement, tiling: Option<&Tiling>) -> bool {
        if self.arrangement == arrangement && self.tiling.as_ref() == tiling {
            return false;
        }
        self.reset(arrangement);
        self.tiling = tiling.cloned();
        if let Some(tree) = tiling.and_then(tiling_tree::tree) {
            self.tree = tree;
        }
        true
    }

    /// The views were moved or resized by hand: returns how they lie now.
    pub fn take_edit(&mut self) -> Option<Tiling> {
        self.tiling = tiling_tree::kept(&self.tree);
        self.tiling.clone()
    }

    /// Puts all views into the places of an arrangement, whatever was dragged; detached ones come home.
    pub fn reset(&mut self, arrangement: Arrangement) {
        *self = Self { arrangement, tree: arrangement.tree(), ..Self::default() };
    }

    /// All views that have a place in the window, hidden ones too.
    pub fn panes(&self) -> impl Iterator<Item = Pane> {
        self.tree.tiles.tiles().filter_map(|tile| match tile {
            Tile::Pane(pane) => Some(*pane),
            Tile::Container(_) => None,
        })
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

/// Views beside each other, equally wide.
fn row(panes: &[Pane]) -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let ids = panes.iter().map(|pane| tiles.insert_pane(*pane)).collect();
    let root = tiles.insert_horizontal_tile(ids);
    Tree::new(egui::Id::unique("views"), root, tiles)
}

/// One view at the left with this part of the width, the others below each other at the right.
fn one_large(large: Pane, others: &[Pane], part: f32) -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let first = tiles.insert_pane(large);
    let column: Vec<TileId> = others.iter().map(|pane| tiles.insert_pane(*pane)).collect();
    let root = if column.is_empty() {
        first
    } else {
        let second = tiles.insert_vertical_tile(column);
        let mut linear = Linear::new(LinearDir::Horizontal, vec![first, second]);
        linear.shares.set_share(first, part);
        linear.shares.set_share(second, 1.0 - part);
        tiles.insert_container(linear)
    };
    Tree::new(egui::Id::unique("views"), root, tiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arrangement_has_its_views_and_a_name_that_is_found_again() {
        for (arrangement, count) in Arrangement::ALL.into_iter().zip([4, 4, 3, 1, 2, 3]) {
            let tree = arrangement.tree();
            let panes: Vec<Pane> = tree
                .tiles
                .tiles()
                .filter_map(|tile| if let Tile::Pane(pane) = tile { Some(*pane) } else { None })
                .collect();
            assert_eq!(panes.len(), count, "{arrangement:?}");
            let series = panes.iter().filter(|pane| matches!(pane, Pane::Series(_))).count();
            assert_eq!(series, arrangement.series_count());
            assert_eq!(Arrangement::of_name(arrangement.name()), arrangement);
        }
        assert_eq!(Arrangement::of_name("of a later version"), Arrangement::FourUp);
    }

    #[test]
    fn an_edit_is_kept_and_followed_and_gone_with_the_arrangement() {
        let mut layout = Layout::default();
        let Some(Tile::Container(Container::Grid(grid))) =
            layout.tree.root().and_then(|id| layout.tree.tiles.get_mut(id))
        else {
            panic!("a grid");
        };
        grid.col_shares = vec![3.0, 1.0];
        let tiling = layout.take_edit();
        assert!(tiling.is_some());
        let mut other = Layout::default();
        other.follow(Arrangement::FourUp, tiling.as_ref());
        assert_eq!(other.take_edit(), tiling);
        other.follow(Arrangement::FourUp, None);
        assert_eq!(tiling_tree::kept(&other.tree), tiling_tree::kept(&four_up()));
    }

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
        layout.reset(Arrangement::FourUp);
        assert!(!layout.is_detached(pane));
    }
}
