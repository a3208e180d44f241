//! Many short lists in two allocations.

use std::ops::Index;

/// Lists that are made one after the other and then stay.
#[derive(Clone, Debug)]
pub(crate) struct Lists<T> {
    items: Vec<T>,
    /// Where each list ends; the next one begins there.
    ends: Vec<usize>,
}

impl<T> Lists<T> {
    pub(crate) fn with_capacity(lists: usize, items: usize) -> Self {
        Lists { items: Vec::with_capacity(items), ends: Vec::with_capacity(lists) }
    }

    /// Adds a list: what `fill` pushes, which is told where its list begins.
    pub(crate) fn add<R>(&mut self, fill: impl FnOnce(&mut Vec<T>, usize) -> R) -> R {
        let begin = self.items.len();
        let filled = fill(&mut self.items, begin);
        self.ends.push(self.items.len());
        filled
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn range(&self, list: usize) -> std::ops::Range<usize> {
        let begin = list.checked_sub(1).map_or(0, |before| self.ends[before]);
        begin..self.ends[list]
    }

    pub(crate) fn get_mut(&mut self, list: usize) -> &mut [T] {
        let range = self.range(list);
        &mut self.items[range]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[T]> + Clone {
        (0..self.len()).map(|list| &self[list])
    }

    /// The items of all lists.
    pub(crate) fn flat(&self) -> &[T] {
        &self.items
    }
}

impl<T> Index<usize> for Lists<T> {
    type Output = [T];

    fn index(&self, list: usize) -> &[T] {
        &self.items[self.range(list)]
    }
}

impl<T, L: IntoIterator<Item = T>> FromIterator<L> for Lists<T> {
    fn from_iter<I: IntoIterator<Item = L>>(lists: I) -> Self {
        let mut made = Lists::with_capacity(0, 0);
        for list in lists {
            made.add(|items, _| items.extend(list));
        }
        made
    }
}

/// Mostly one, seldom more: no allocation for one.
#[derive(Clone, Debug, Default)]
pub(crate) enum Few<T> {
    #[default]
    None,
    One(T),
    Many(Vec<T>),
}

impl<T> Few<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Few::None => &[],
            Few::One(item) => std::slice::from_ref(item),
            Few::Many(items) => items,
        }
    }

    pub(crate) fn push(&mut self, item: T) {
        *self = match std::mem::take(self) {
            Few::None => Few::One(item),
            Few::One(first) => Few::Many(vec![first, item]),
            Few::Many(mut items) => {
                items.push(item);
                Few::Many(items)
            }
        };
    }
}
