//! The order of the nodes: what comes after what, the circles in it, and the way from a root.

use std::collections::{HashMap, VecDeque};

use crate::MessageKind;
use crate::lists::Lists;
use crate::node::{Body, Node, NodeId};
use crate::plan::index::Index;
use crate::plan::report::{Place, Problem};
use crate::plan::{Binding, Piece, cycle};
use crate::target::{Arity, Site};

/// One problem for each circle, with the fields by which it goes on, and the first goner again at its end.
pub(super) fn circles(
    nodes: &[Node],
    bindings: &Lists<Binding>,
    needs: &Lists<NodeId>,
    order: Option<&Lists<NodeId>>,
) -> Vec<Problem> {
    // Circles of needs come first; those that `after` closes are told when there are none.
    let edges = match order {
        _ if !acyclic(needs) => needs,
        Some(order) if !acyclic(order) => order,
        _ => return Vec::new(),
    };
    let mut problems = Vec::new();
    for circle in cycle::cycles(edges) {
        // A shared value is its provider's, and stands in no one's way.
        let circle: Vec<NodeId> = circle.into_iter().filter(|id| !nodes[*id].is_shared()).collect();
        let first = circle.iter().enumerate().min_by_key(|(_, id)| nodes[**id].label()).map_or(0, |(at, _)| at);
        let mut places = Vec::new();
        let mut names = Vec::new();
        for step in 0..circle.len() {
            let id = circle[(first + step) % circle.len()];
            let next = circle[(first + step + 1) % circle.len()];
            let leads = |piece: &Piece| match &nodes[piece.node].body {
                Body::Shared(shared) => shared.provider == next,
                _ => piece.node == next,
            };
            let site = nodes[id]
                .sites
                .iter()
                .zip(&bindings[id])
                .find_map(|(site, binding)| binding.pieces(site).any(|(piece, _)| leads(piece)).then_some(site));
            let label = nodes[id].label();
            names.push(label.clone());
            let place = Place::of(&nodes[id]);
            places.push(match site {
                Some(site) => {
                    let what = format!("`{label}.{}` needs `{}`", site.field, nodes[next].label());
                    Place::field(what, &site.field, site.at)
                }
                None => Place { what: format!("`{label}` comes after `{}`", nodes[next].label()), ..place },
            });
        }
        names.extend(names.first().cloned());
        let (kind, what, help) = match std::ptr::eq(edges, needs) {
            true => {
                (MessageKind::Cycle, "needs", "let one of them do without the other, or ask for one of them by `Lazy`")
            }
            false => (MessageKind::OrderCycle, "needs and `after`", "take one `.after::<…>()` away"),
        };
        let mut problem =
            Problem::new(kind, format!("a circle of {what}: {}", names.join(" → "))).involving(places).help(help);
        problem.path = names;
        problems.push(problem);
    }
    problems
}

/// What each node comes after, if that is more than what it needs: what its `after` says as well.
pub(super) fn with_after(nodes: &[Node], index: &Index, needs: &Lists<NodeId>) -> Option<Lists<NodeId>> {
    if nodes.iter().all(|node| node.rare().after.is_empty()) {
        return None;
    }
    let order = nodes.iter().enumerate().map(|(id, node)| {
        let mut after = needs[id].to_vec();
        for target in &node.rare().after {
            for candidate in index.by_type(target.id()) {
                if candidate.node != id && !after.contains(&candidate.node) {
                    after.push(candidate.node);
                }
            }
        }
        after
    });
    let order = order.collect();
    Some(order)
}

/// Moves the members of a `Vec` behind those that their `after` names, and nothing else.
pub(super) fn sort_members(bindings: &mut [Binding], sites: &[Site], nodes: &[Node], order: &Lists<NodeId>) {
    for (binding, site) in bindings.iter_mut().zip(sites) {
        let (Binding::Elements(pieces), Arity::Many(_)) = (binding, site.ty.arity) else { continue };
        if pieces.iter().all(|piece| nodes[piece.node].rare().after.is_empty()) {
            continue;
        }
        let mut left = std::mem::take(pieces).into_vec();
        let mut sorted = Vec::with_capacity(left.len());
        while !left.is_empty() {
            // There is no circle, so one of those that are left waits for none of them.
            let waits = |it: &Piece| left.iter().any(|other| order[it.node].contains(&other.node));
            let first = left.iter().position(|it| !waits(it)).unwrap_or(0);
            sorted.push(left.remove(first));
        }
        *pieces = sorted.into();
    }
}

fn acyclic(needs: &Lists<NodeId>) -> bool {
    // Who asks for a node: `askers[starts[node]..starts[node + 1]]`, in two flat lists.
    let mut starts = vec![0; needs.len() + 1];
    for &need in needs.flat() {
        starts[need + 1] += 1;
    }
    for node in 0..needs.len() {
        starts[node + 1] += starts[node];
    }
    let mut askers = vec![0; starts[needs.len()]];
    let mut next = starts.clone();
    for (id, needs) in needs.iter().enumerate() {
        for &need in needs {
            askers[next[need]] = id;
            next[need] += 1;
        }
    }
    let mut open: Vec<usize> = needs.iter().map(<[NodeId]>::len).collect();
    let mut ready: Vec<NodeId> = (0..needs.len()).filter(|id| open[*id] == 0).collect();
    let mut done = 0;
    while let Some(id) = ready.pop() {
        done += 1;
        for &asker in &askers[starts[id]..starts[id + 1]] {
            open[asker] -= 1;
            if open[asker] == 0 {
                ready.push(asker);
            }
        }
    }
    done == needs.len()
}

/// Finds how the graph comes to need a node.
pub(super) struct Roots {
    asked_by: Vec<Vec<NodeId>>,
}

impl Roots {
    /// Who asks in the order of its label, so that of several shortest ways it is always the same.
    pub(super) fn new(needs: &Lists<NodeId>, label: impl Fn(NodeId) -> String) -> Self {
        let mut asked_by = vec![Vec::new(); needs.len()];
        for (id, needs) in needs.iter().enumerate() {
            for &need in needs {
                asked_by[need].push(id);
            }
        }
        for askers in &mut asked_by {
            askers.sort_by_cached_key(|asker| label(*asker));
        }
        Roots { asked_by }
    }

    /// A shortest way from a node that nobody needs, that node first.
    pub(super) fn path(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let mut to: HashMap<NodeId, NodeId> = HashMap::new();
        let mut queue = VecDeque::from([node]);
        let mut path = vec![node];
        while let Some(at) = queue.pop_front() {
            if self.asked_by[at].is_empty() {
                path = vec![at];
                let mut at = at;
                while let Some(&next) = to.get(&at) {
                    path.push(next);
                    at = next;
                }
                break;
            }
            for &asker in &self.asked_by[at] {
                if asker != node && !to.contains_key(&asker) {
                    to.insert(asker, at);
                    queue.push_back(asker);
                }
            }
        }
        path.into_iter()
    }
}
