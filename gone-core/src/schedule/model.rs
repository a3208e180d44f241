//! A model check: every schedule of every small graph, in every order in which what is under way can come to its end, against an
//! oracle that says from the definition who may go next.

use super::{Schedule, early_first, levels};
use crate::lists::Lists;

/// A graph by its definition: `needs[a][b]` if `a` needs `b`.
struct Model {
    nodes: usize,
    needs: Vec<Vec<bool>>,
    forward: bool,
    level: Vec<i64>,
    max: usize,
}

impl Model {
    /// Who must be done before a node may go.
    fn waits_for(&self, node: usize, other: usize) -> bool {
        if self.forward { self.needs[node][other] } else { self.needs[other][node] }
    }

    /// Who may go now and is first by its number, by the definition.
    fn expected(&self, handed: &[bool], done: &[bool]) -> Option<usize> {
        let under_way = (0..self.nodes).filter(|node| handed[*node] && !done[*node]).count();
        let below = |a: i64, b: i64| if self.forward { a < b } else { a > b };
        let may_go = |node: usize| {
            let others = || (0..self.nodes).filter(|other| !done[*other]);
            !handed[node]
                && others().all(|other| !self.waits_for(node, other))
                && others().all(|other| !below(self.level[other], self.level[node]))
        };
        if under_way >= self.max { None } else { (0..self.nodes).find(|node| may_go(*node)) }
    }

    /// Hands out all that may go, then lets each that is under way be the next to end; says how many states there were.
    fn explore(&self, mut schedule: Schedule, mut handed: Vec<bool>, done: &[bool]) -> usize {
        loop {
            let next = schedule.next();
            assert_eq!(next, self.expected(&handed, done), "{self} handed {handed:?} done {done:?}");
            let Some(node) = next else { break };
            handed[node] = true;
        }
        let under_way: Vec<usize> = (0..self.nodes).filter(|node| handed[*node] && !done[*node]).collect();
        assert!(!under_way.is_empty() || done.iter().all(|done| *done), "{self} is stuck with {done:?}");
        let mut states = 1;
        for node in under_way {
            let (mut schedule, mut done) = (schedule.clone(), done.to_vec());
            schedule.done(node);
            done[node] = true;
            states += self.explore(schedule, handed.clone(), &done);
        }
        states
    }
}

impl std::fmt::Display for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Model { needs, forward, level, max, .. } = self;
        write!(f, "needs {needs:?} forward {forward} levels {level:?} max {max}:")
    }
}

/// Everyone who comes to need a node by way of others, itself included.
fn askers(needs: &[Vec<bool>], node: usize) -> Vec<usize> {
    let mut found = vec![node];
    for at in 0.. {
        let Some(&asked) = found.get(at) else { break };
        for (asker, needs) in needs.iter().enumerate() {
            if needs[asked] && !found.contains(&asker) {
                found.push(asker);
            }
        }
    }
    found
}

fn check(nodes: usize, edges: u32, bits: u32, reversed: bool) -> usize {
    let mut needs = vec![vec![false; nodes]; nodes];
    let pairs = (0..nodes).flat_map(|a| (0..a).map(move |b| (a, b)));
    for (bit, (a, b)) in pairs.enumerate() {
        if edges >> bit & 1 == 1 {
            let (asker, need) = if reversed { (nodes - 1 - a, nodes - 1 - b) } else { (a, b) };
            needs[asker][need] = true;
        }
    }
    let lists: Lists<usize> =
        needs.iter().map(|row| (0..nodes).filter(|node| row[*node]).collect::<Vec<_>>()).collect();
    let set = |node: usize| bits >> node & 1 == 1;
    // A need has at most the level of whoever needs it; what is early, and what that needs, comes first.
    let lowest = |of: &dyn Fn(usize) -> i64| -> Vec<i64> {
        (0..nodes).map(|node| askers(&needs, node).into_iter().map(of).min().unwrap_or(0)).collect()
    };
    let expected = [lowest(&|node| i64::from(set(node))), lowest(&|node| i64::from(!set(node)))];
    let given = [levels(&lists, |node| i32::from(set(node))), early_first(&lists, set)];
    let mut states = 0;
    for (level, given) in expected.into_iter().zip(given) {
        // Early ones have the lower of two levels, whatever their numbers are.
        assert_eq!(given, level, "needs {needs:?}, chosen {bits:b}");
        for forward in [true, false] {
            for max in [1, 2, usize::MAX] {
                let priority: Vec<usize> = (0..nodes).collect();
                let schedule = match forward {
                    true => Schedule::forward(&lists, &level, priority, max),
                    false => Schedule::backward(&lists, &level, priority, max),
                };
                let level = level.clone();
                let needs = needs.clone();
                let model = Model { nodes, needs, forward, level, max };
                states += model.explore(schedule, vec![false; nodes], &vec![false; nodes]);
            }
        }
    }
    states
}

// container A-108
// container C-66
#[test]
fn every_schedule_of_every_small_graph_is_what_the_definition_says() {
    let (mut graphs, mut states) = (0, 0);
    for nodes in 0..=4_usize {
        for edges in 0..1_u32 << (nodes * nodes.saturating_sub(1) / 2) {
            for bits in 0..1_u32 << nodes {
                graphs += 2;
                states += check(nodes, edges, bits, false) + check(nodes, edges, bits, true);
            }
        }
    }
    // Of five nodes a share, spread evenly.
    for case in (0..1_u32 << 15).step_by(5) {
        graphs += 1;
        states += check(5, case >> 5, case & 31, case % 2 == 0);
    }
    println!("{graphs} graphs, {states} states");
    assert!(graphs > 2_000 && states > 500_000, "{graphs} graphs, {states} states");
}
