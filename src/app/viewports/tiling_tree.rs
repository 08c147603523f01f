//! Between the tiling grid that is drawn and what is kept of it.
//!
//! What is read may be of another version, or damaged: views that are not known or stand there twice are left out, shares
//! that are none become equal ones.

use std::collections::BTreeSet;

use egui_tiles::{Container, Grid, GridLayout, Linear, LinearDir, Tile, TileId, Tiles, Tree};

use crate::session::view::tiling::Tiling;

use super::layout::Pane;

/// What is kept of a grid; `None` when nothing is in it.
pub(super) fn kept(tree: &Tree<Pane>) -> Option<Tiling> {
    part_of(&tree.tiles, tree.root()?)
}

fn part_of(tiles: &Tiles<Pane>, id: TileId) -> Option<Tiling> {
    let container = match tiles.get(id)? {
        Tile::Pane(pane) => return Some(Tiling::View(pane.key().to_owned())),
        Tile::Container(container) => container,
    };
    let parts = || container.children().filter_map(|child| Some((*child, part_of(tiles, *child)?)));
    let plain = || parts().map(|(_, part)| part).collect::<Vec<_>>();
    Some(match container {
        Container::Tabs(_) => Tiling::Tabs(plain()),
        Container::Linear(linear) => {
            let share = |id: TileId| linear.shares.iter().find(|(of, _)| **of == id).map_or(1.0, |(_, share)| *share);
            let parts = parts().map(|(id, part)| (share(id), part)).collect();
            if linear.dir == LinearDir::Horizontal { Tiling::Row(parts) } else { Tiling::Column(parts) }
        }
        Container::Grid(grid) => Tiling::Grid {
            columns: match grid.layout {
                GridLayout::Columns(columns) => columns as u32,
                GridLayout::Auto => 0,
            },
            parts: plain(),
            column_shares: grid.col_shares.clone(),
            row_shares: grid.row_shares.clone(),
        },
    })
}

/// The grid that is drawn; `None` when no view is left in it.
pub(super) fn tree(tiling: &Tiling) -> Option<Tree<Pane>> {
    let mut tiles = Tiles::default();
    let root = insert(&mut tiles, tiling, &mut BTreeSet::new())?;
    Some(Tree::new(egui::Id::unique("views"), root, tiles))
}

fn share_of(share: f32) -> f32 {
    if share.is_finite() && share > 0.0 { share.clamp(1e-3, 1e3) } else { 1.0 }
}

fn insert(tiles: &mut Tiles<Pane>, tiling: &Tiling, known: &mut BTreeSet<Pane>) -> Option<TileId> {
    match tiling {
        Tiling::View(name) => {
            let pane = Pane::of_key(name).filter(|pane| known.insert(*pane))?;
            Some(tiles.insert_pane(pane))
        }
        Tiling::Row(parts) => insert_linear(tiles, LinearDir::Horizontal, parts, known),
        Tiling::Column(parts) => insert_linear(tiles, LinearDir::Vertical, parts, known),
        Tiling::Tabs(parts) => {
            let children = insert_all(tiles, parts, known);
            (!children.is_empty()).then(|| tiles.insert_tab_tile(children))
        }
        Tiling::Grid { columns, parts, column_shares, row_shares } => {
            let children = insert_all(tiles, parts, known);
            if children.is_empty() {
                return None;
            }
            let mut grid = Grid::new(children);
            if *columns > 0 {
                grid.layout = GridLayout::Columns(*columns as usize);
            }
            grid.col_shares = column_shares.iter().copied().map(share_of).collect();
            grid.row_shares = row_shares.iter().copied().map(share_of).collect();
            Some(tiles.insert_container(grid))
        }
    }
}

fn insert_all(tiles: &mut Tiles<Pane>, parts: &[Tiling], known: &mut BTreeSet<Pane>) -> Vec<TileId> {
    parts.iter().filter_map(|part| insert(tiles, part, known)).collect()
}

fn insert_linear(
    tiles: &mut Tiles<Pane>,
    dir: LinearDir,
    parts: &[(f32, Tiling)],
    known: &mut BTreeSet<Pane>,
) -> Option<TileId> {
    let children: Vec<(TileId, f32)> =
        parts.iter().filter_map(|(share, part)| Some((insert(tiles, part, known)?, share_of(*share)))).collect();
    if children.is_empty() {
        return None;
    }
    let mut linear = Linear::new(dir, children.iter().map(|(id, _)| *id).collect());
    for (id, share) in &children {
        linear.shares.set_share(*id, *share);
    }
    Some(tiles.insert_container(linear))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str) -> Tiling {
        Tiling::View(name.to_owned())
    }

    #[test]
    fn what_is_kept_comes_back_as_it_was() {
        let tiling = Tiling::Row(vec![
            (0.7, view("3d")),
            (
                0.3,
                Tiling::Column(vec![
                    (1.0, view("axial")),
                    (2.0, Tiling::Tabs(vec![view("coronal"), view("sagittal")])),
                ]),
            ),
        ]);
        assert_eq!(kept(&tree(&tiling).expect("views")), Some(tiling.clone()));
        let text = serde_json::to_string(&tiling).expect("plain");
        assert_eq!(serde_json::from_str::<Tiling>(&text).expect("the same"), tiling);
        let grid = Tiling::Grid {
            columns: 2,
            parts: ["axial", "3d", "series-1", "series-2"].map(view).to_vec(),
            column_shares: vec![1.0, 1.5],
            row_shares: vec![2.0, 1.0],
        };
        assert_eq!(kept(&tree(&grid).expect("views")), Some(grid));
    }

    #[test]
    fn what_is_damaged_leaves_what_can_be_drawn() {
        let tiling = Tiling::Row(vec![
            (f32::NAN, view("axial")),
            (-3.0, view("axial")),
            (1.0, view("of a later version")),
            (0.0, Tiling::Tabs(Vec::new())),
        ]);
        assert_eq!(kept(&tree(&tiling).expect("one view")), Some(Tiling::Row(vec![(1.0, view("axial"))])));
        assert!(tree(&Tiling::Column(Vec::new())).is_none());
    }
}
