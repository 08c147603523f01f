//! The table of segment sets: every combination of overlapping segments that some voxel has, by number.
//!
//! Set 0 is empty. A set is a list of slots (places of segments in the atlas), rising; sets are found by adding one slot
//! to a known set, so that labelling walks a small automaton instead of hashing lists.

use std::collections::HashMap;

/// Numbered sets of slots.
#[derive(Debug)]
pub(super) struct SetTable {
    slots_of: Vec<Box<[u16]>>,
    index_of: HashMap<Box<[u16]>, u16>,
    with: HashMap<(u16, u16), u16>,
    overflowed: bool,
}

impl SetTable {
    /// A table that knows the empty set.
    pub(super) fn new() -> Self {
        let empty: Box<[u16]> = Box::default();
        Self {
            slots_of: vec![empty.clone()],
            index_of: HashMap::from([(empty, 0)]),
            with: HashMap::new(),
            overflowed: false,
        }
    }

    /// All sets, by number.
    pub(super) fn sets(&self) -> &[Box<[u16]>] {
        &self.slots_of
    }

    /// Whether a set could not be numbered since the table was made (over 65 536 combinations).
    pub(super) fn has_overflowed(&self) -> bool {
        self.overflowed
    }

    /// The set that has one slot more. A full table gives back the set as it is.
    pub(super) fn with(&mut self, set: u16, slot: u16) -> u16 {
        if let Some(&known) = self.with.get(&(set, slot)) {
            return known;
        }
        let mut slots = self.slots_of[set as usize].to_vec();
        if let Err(place) = slots.binary_search(&slot) {
            slots.insert(place, slot);
        }
        let slots = slots.into_boxed_slice();
        let index = if let Some(&known) = self.index_of.get(&slots) {
            known
        } else if let Ok(index) = u16::try_from(self.slots_of.len()) {
            self.slots_of.push(slots.clone());
            self.index_of.insert(slots, index);
            index
        } else {
            self.overflowed = true;
            set
        };
        self.with.insert((set, slot), index);
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_do_not_depend_on_the_order_of_their_slots() {
        let mut table = SetTable::new();
        let (a, b) = (table.with(0, 3), table.with(0, 7));
        assert_eq!(table.with(a, 7), table.with(b, 3));
        assert_eq!(table.with(a, 3), a);
        assert_eq!(table.sets().len(), 4);
    }

    #[test]
    fn a_full_table_keeps_the_set_and_says_so() {
        let mut table = SetTable::new();
        (0..u16::MAX).for_each(|slot| assert_eq!(table.with(0, slot), slot + 1));
        assert!(!table.has_overflowed());
        assert_eq!(table.with(1, 5), 1);
        assert!(table.has_overflowed());
    }
}
