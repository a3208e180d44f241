//! Replacing what is loaded, for tests and for programs that take a library's module but one goner.

use crate::MessageKind;
use crate::node::Node;
use crate::plan::report::{Place, Problem};

/// Puts each node that replaces into the place of the one that it replaces, which is gone as if it had never been loaded.
///
/// Before the sources are read, those with conditions are left as they are; afterwards, `conditional`, these are what is left.
pub(crate) fn replace(nodes: Vec<Node>, conditional: bool, problems: &mut Vec<Problem>) -> Vec<Node> {
    let replaces = |node: &Node| node.replace && node.rare().when.is_empty() != conditional && !node.is_out();
    if !nodes.iter().any(replaces) {
        return nodes;
    }
    let (replacing, mut rest): (Vec<Node>, Vec<Node>) = nodes.into_iter().partition(replaces);
    for node in replacing {
        match target(&node, &rest) {
            Ok(at) => rest[at] = node,
            Err(problem) => {
                // It stays, so that whoever asks for it does not miss it as well.
                if problem.kind == MessageKind::ReplacesNothing {
                    rest.push(node);
                }
                problems.push(*problem);
            }
        }
    }
    rest
}

/// The node of the same name; without a name, the one that offers the same. What both are loaded for goes before a trait that
/// many may offer.
fn target(node: &Node, rest: &[Node]) -> Result<usize, Box<Problem>> {
    let found = |matches: &dyn Fn(&Node) -> bool| -> Vec<usize> {
        rest.iter().enumerate().filter(|(_, it)| matches(it)).map(|(at, _)| at).collect()
    };
    let (is, are, candidates) = match &node.name {
        Some(name) => {
            let named = found(&|it| it.name.as_ref() == Some(name));
            (format!("is named `{name}`"), format!("are named `{name}`"), named)
        }
        None => {
            let shared = |it: &Node, mainly: bool| {
                it.offers().any(|(target, via)| {
                    let own = node.offers().find(|(own, _)| *own == target);
                    own.is_some_and(|(_, own)| !mainly || (it.is_main(&via) && node.is_main(&own)))
                })
            };
            let mainly = found(&|it| shared(it, true));
            let all = if mainly.is_empty() { found(&|it| shared(it, false)) } else { mainly };
            ("offers a type that it offers".to_owned(), "offer a type that it offers".to_owned(), all)
        }
    };
    match candidates.as_slice() {
        [one] => Ok(*one),
        [] => {
            let text = format!("`{}` has nothing to replace: nothing else {is}", node.label());
            let problem = Problem::new(MessageKind::ReplacesNothing, text).involving([Place::of(node)]);
            Err(Box::new(problem.help("load what it is to replace, or take `.replace()` away")))
        }
        several => {
            let text = format!("`{}` can replace one, and {} {are}", node.label(), several.len());
            let mut places: Vec<_> = several.iter().map(|at| Place::of(&rest[*at])).collect();
            Place::sort(&mut places);
            let problem =
                Problem::new(MessageKind::ReplacesSeveral, text).involving([Place::of(node)]).involving(places);
            Err(Box::new(problem.help("say which one: give it that one's name with `.named(\"…\")`")))
        }
    }
}
