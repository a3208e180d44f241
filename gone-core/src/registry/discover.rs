//! Loading what is marked `#[goner(auto)]`.

use std::any::TypeId;
use std::collections::HashSet;

use super::{Entry, all};
use crate::Loader;
use crate::node::Node;

/// A module that loads every goner of the program that is marked `#[goner(auto)]`: `Gone::load(gone::discovered)`. `Gone::discover()`
/// begins with it.
///
/// They are loaded by crate, file, line and column, each as if it were loaded where its struct is declared. One gives way to a goner of
/// its type, or a value or provider of it, that the program loads itself, and takes part in [`test`](crate::AppBuilder::test) only with
/// [`discover_in_tests`](crate::AppBuilder::discover_in_tests). Where nobody needs it, nothing is said of that.
///
/// A program has the goners of the crates that it names. A crate that only stands in `Cargo.toml` is not linked; one line names it:
/// `use that_crate as _;`.
pub fn discovered(loader: &mut Loader) {
    for entry in all() {
        if let Entry::Goner(table) = entry
            && table.auto
        {
            loader.discover(table);
        }
    }
}

/// Takes away each discovered goner whose type the program loads something for itself. What replaces stays out of this: it replaces
/// the discovered one as any other.
pub(crate) fn give_way(nodes: &mut Vec<Node>) {
    if !nodes.iter().any(|node| node.discovered) {
        return;
    }
    let own = nodes.iter().filter(|node| !node.discovered && !node.fallback && !node.replace);
    let own: HashSet<TypeId> = own.filter_map(main).collect();
    nodes.retain(|node| !(node.discovered && main(node).is_some_and(|id| own.contains(&id))));
}

/// The type that a node is loaded for: of a goner `Arc<Self>`.
fn main(node: &Node) -> Option<TypeId> {
    node.offers().find(|(_, via)| node.is_main(via)).map(|(target, _)| target.id())
}

/// Leaves out each discovered goner: of a test that did not ask for them.
pub(crate) fn leave_out(nodes: &mut [Node]) {
    for node in nodes.iter_mut().filter(|node| node.discovered && !node.is_out()) {
        node.leave_out("goners are discovered in tests only with `.discover_in_tests()`".to_owned());
    }
}
