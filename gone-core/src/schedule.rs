//! Who may go next: a state machine without clock, runtime or tasks, which building, starting, stopping and closing share.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::lists::Lists;

/// Hands out the nodes of a graph so that a node comes after all that it waits for, a level begins when the one below it is
/// done, and not more than so many are under way.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Schedule {
    /// For each node, how many of those that it waits for are not done.
    open: Vec<usize>,
    /// For each node, who waits for it: `waiting[starts[n]..starts[n + 1]]`.
    starts: Vec<usize>,
    waiting: Vec<usize>,
    /// For each node its level; for each level how many of its nodes are not done.
    level: Vec<usize>,
    left: Vec<usize>,
    current: usize,
    priority: Vec<usize>,
    ready: BinaryHeap<Reverse<Turn>>,
    under_way: usize,
    max: usize,
}

/// The turn of a node: by level, then by priority, then by number, in one word that compares at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn(u128);

impl Turn {
    const BITS: u32 = 42;
    const MASK: u128 = (1 << Self::BITS) - 1;

    fn new(level: usize, priority: usize, node: usize) -> Self {
        let part = |part: usize| (part as u128).min(Self::MASK);
        Turn(part(level) << (2 * Self::BITS) | part(priority) << Self::BITS | part(node))
    }

    fn level(self) -> usize {
        (self.0 >> (2 * Self::BITS)) as usize
    }

    fn node(self) -> usize {
        (self.0 & Self::MASK) as usize
    }
}

impl Schedule {
    /// A schedule in which each node comes after those that `needs` lists for it. Levels go up; a node's level must not be
    /// below that of what it needs. Of those that may go, the lowest priority goes first.
    pub(crate) fn forward(needs: &Lists<usize>, levels: &[i64], priority: Vec<usize>, max: usize) -> Self {
        let edges = needs.iter().enumerate().flat_map(|(node, needs)| needs.iter().map(move |need| (*need, node)));
        Self::new(needs.len(), edges, levels, priority, max)
    }

    /// The reverse: each node comes after all that need it, and levels go down.
    pub(crate) fn backward(needs: &Lists<usize>, levels: &[i64], priority: Vec<usize>, max: usize) -> Self {
        let edges = needs.iter().enumerate().flat_map(|(node, needs)| needs.iter().map(move |need| (node, *need)));
        let levels: Vec<i64> = levels.iter().map(|level| -level).collect();
        Self::new(needs.len(), edges, &levels, priority, max)
    }

    fn new(
        nodes: usize,
        edges: impl Iterator<Item = (usize, usize)> + Clone,
        levels: &[i64],
        priority: Vec<usize>,
        max: usize,
    ) -> Self {
        let mut open = vec![0; nodes];
        let mut starts = vec![0; nodes + 1];
        for (before, after) in edges.clone() {
            starts[before + 1] += 1;
            open[after] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut waiting = vec![0; starts[nodes]];
        let mut fill = starts.clone();
        for (before, after) in edges {
            waiting[fill[before]] = after;
            fill[before] += 1;
        }
        let mut distinct = levels.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let mut left = vec![0; distinct.len()];
        let level: Vec<usize> = levels.iter().map(|level| distinct.binary_search(level).unwrap_or(0)).collect();
        for level in &level {
            left[*level] += 1;
        }
        let ready = (0..nodes).filter(|node| open[*node] == 0);
        let ready = ready.map(|node| Reverse(Turn::new(level[node], priority[node], node))).collect();
        Schedule { open, starts, waiting, level, left, current: 0, priority, ready, under_way: 0, max: max.max(1) }
    }

    /// The next node that may go now.
    pub(crate) fn next(&mut self) -> Option<usize> {
        if self.under_way >= self.max {
            return None;
        }
        let Reverse(turn) = *self.ready.peek()?;
        let level = turn.level();
        if level > self.current {
            return None;
        }
        self.ready.pop();
        self.under_way += 1;
        Some(turn.node())
    }

    /// Says that a node that was handed out is done.
    pub(crate) fn done(&mut self, node: usize) {
        self.under_way -= 1;
        self.left[self.level[node]] -= 1;
        for index in self.starts[node]..self.starts[node + 1] {
            let after = self.waiting[index];
            self.open[after] -= 1;
            if self.open[after] == 0 {
                self.ready.push(Reverse(Turn::new(self.level[after], self.priority[after], after)));
            }
        }
        while self.left.get(self.current) == Some(&0) {
            self.current += 1;
        }
    }
}

/// The levels of a start: each node's own order, pulled down to that of whatever needs it, so that a dependency wins over the
/// order.
pub(crate) fn levels(needs: &Lists<usize>, order: impl Fn(usize) -> i32) -> Vec<i64> {
    let mut levels: Vec<i64> = (0..needs.len()).map(|node| i64::from(order(node))).collect();
    pull_down(needs, &mut levels);
    levels
}

/// Two levels: what is early with all that it needs, and the rest.
pub(crate) fn early_first(needs: &Lists<usize>, early: impl Fn(usize) -> bool) -> Vec<i64> {
    let mut levels: Vec<i64> = (0..needs.len()).map(|node| i64::from(!early(node))).collect();
    pull_down(needs, &mut levels);
    levels
}

fn pull_down(needs: &Lists<usize>, levels: &mut [i64]) {
    let Some(&lowest) = levels.iter().min() else { return };
    if levels.iter().all(|level| *level == lowest) {
        return;
    }
    let mut work: Vec<usize> = (0..levels.len()).collect();
    work.sort_by_key(|node| Reverse(levels[*node]));
    while let Some(node) = work.pop() {
        for &need in &needs[node] {
            if levels[need] > levels[node] {
                levels[need] = levels[node];
                work.push(need);
            }
        }
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mut schedule: Schedule) -> Vec<usize> {
        let mut out = Vec::new();
        while let Some(node) = schedule.next() {
            out.push(node);
            schedule.done(node);
        }
        out
    }

    fn lists(needs: &[Vec<usize>]) -> Lists<usize> {
        needs.iter().cloned().collect()
    }

    fn plain(needs: &[Vec<usize>]) -> Vec<usize> {
        let needs = &lists(needs);
        run(Schedule::forward(needs, &vec![0; needs.len()], (0..needs.len()).collect(), usize::MAX))
    }

    // container A-108
    #[test]
    fn every_need_comes_first_and_all_nodes_are_there() {
        assert_eq!(plain(&[]), Vec::<usize>::new());
        assert_eq!(plain(&[vec![]]), [0]);
        assert_eq!(plain(&[vec![1], vec![2], vec![]]), [2, 1, 0], "chain");
        assert_eq!(plain(&[vec![1, 2], vec![3], vec![3], vec![]]), [3, 1, 2, 0], "diamond");
        assert_eq!(plain(&[vec![], vec![], vec![]]), [0, 1, 2], "ties in load order");
    }

    // container A-109
    #[test]
    fn what_is_not_in_a_circle_is_still_handed_out() {
        assert_eq!(plain(&[vec![1], vec![0], vec![], vec![2]]), [2, 3]);
    }

    #[test]
    fn the_reverse_comes_after_whatever_needs_it() {
        let needs = lists(&[vec![1], vec![2], vec![]]);
        assert_eq!(run(Schedule::backward(&needs, &[0; 3], vec![0, 1, 2], usize::MAX)), [0, 1, 2]);
    }

    #[test]
    fn a_level_waits_for_the_one_below_and_a_dependency_wins_over_its_order() {
        let needs = lists(&[vec![1], vec![], vec![]]);
        let levels = levels(&needs, |node| [10, 20, 15][node]);
        assert_eq!(levels, [10, 10, 15], "1 is pulled down to its asker");
        let mut schedule = Schedule::forward(&needs, &levels, vec![0, 1, 2], usize::MAX);
        assert_eq!(schedule.next(), Some(1));
        assert_eq!(schedule.next(), None, "0 waits for 1, and 2 for the level of both");
        schedule.done(1);
        assert_eq!(schedule.next(), Some(0));
        assert_eq!(schedule.next(), None);
        schedule.done(0);
        assert_eq!(schedule.next(), Some(2));
        assert_eq!(
            run(Schedule::backward(&needs, &levels, vec![0, 1, 2], usize::MAX)),
            [2, 0, 1],
            "stop is the reverse"
        );
    }

    #[test]
    fn no_more_than_the_maximum_are_under_way() {
        let mut schedule = Schedule::forward(&lists(&vec![vec![]; 5]), &[0; 5], (0..5).collect(), 2);
        assert_eq!((schedule.next(), schedule.next(), schedule.next()), (Some(0), Some(1), None));
        schedule.done(1);
        assert_eq!((schedule.next(), schedule.next()), (Some(2), None));
    }

    #[test]
    fn what_an_early_one_needs_is_early_too() {
        let needs = lists(&[vec![], vec![2], vec![]]);
        assert_eq!(early_first(&needs, |node| node == 1), [1, 0, 0]);
    }
}
