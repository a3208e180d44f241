//! Who is used: what nobody needs, and what a part of the graph does.

use crate::lists::Lists;
use crate::node::{Body, Node, NodeId};
use crate::plan::{Binding, Function};

/// The nodes that nobody asks for and that do nothing by themselves.
pub(super) fn idle(
    nodes: &[Node],
    bindings: &Lists<Binding>,
    function: Option<&Function>,
    roots: Option<&[Binding]>,
) -> Vec<NodeId> {
    let mut used = vec![false; nodes.len()];
    let function = function.iter().flat_map(|function| &function.bindings);
    for id in bindings.flat().iter().chain(function).chain(roots.into_iter().flatten()).flat_map(Binding::nodes) {
        used[id] = true;
        if let Body::Shared(shared) = &nodes[id].body {
            used[shared.provider] = true;
        }
    }
    let is_idle = |node: &Node, used: bool| {
        !used && !node.built_in && !node.fallback && !node.discovered && !node.source && !node.is_out() && !node.acts()
    };
    (0..nodes.len()).filter(|id| is_idle(&nodes[*id], used[*id])).collect()
}

/// Leaves what the roots need, directly and by way of others, lazily or not.
pub(super) fn take_out_unneeded<'a>(
    nodes: &mut [Node],
    bindings: &Lists<Binding>,
    needs: &Lists<NodeId>,
    roots: impl Iterator<Item = &'a Binding>,
) {
    let mut needed: Vec<bool> = nodes.iter().map(|node| node.built_in && !node.is_shared()).collect();
    let mut work: Vec<NodeId> = roots.flat_map(Binding::nodes).collect();
    while let Some(id) = work.pop() {
        if !std::mem::replace(&mut needed[id], true) {
            work.extend(&needs[id]);
            work.extend(bindings[id].iter().flat_map(Binding::nodes));
        }
    }
    for (node, needed) in nodes.iter_mut().zip(needed) {
        if !needed && !node.is_out() {
            node.take_out(Body::Unneeded);
        }
    }
}
