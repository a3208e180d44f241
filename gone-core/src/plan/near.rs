//! What is close to what is missing: the loaded nodes that nearly offer it, why they do not, and what to write instead.

use std::collections::{BTreeMap, BTreeSet};

use crate::node::{Body, Node};
use crate::plan::report::{Place, Problem};
use crate::source_text::SourceText;
use crate::target::Arity;
use crate::{Target, edit_distance};

/// What a site missed.
pub(super) struct Missed<'a> {
    pub(super) target: Target,
    pub(super) name: Option<&'a str>,
    pub(super) arity: &'a Arity,
}

/// Why one node is close, and what to do.
struct Near {
    what: String,
    help: Option<String>,
    /// The type that it offers, where that is told apart from the wanted one.
    offers: Option<Target>,
}

impl Near {
    fn new(what: String) -> Self {
        Near { what, help: None, offers: None }
    }

    fn help(self, help: String) -> Self {
        Near { help: Some(help), ..self }
    }
}

/// Adds what is close to a problem, the nearest name first: in the same order whatever the order of loading.
pub(super) fn explain(mut problem: Problem, nodes: &[Node], missed: &Missed<'_>) -> Problem {
    let mut places: BTreeMap<usize, Vec<Place>> = BTreeMap::new();
    let mut helps = BTreeSet::new();
    let mut text = SourceText::default();
    for node in nodes {
        let Some(Near { what, help, offers }) = near(node, missed, &mut text) else { continue };
        let mut place = Place { what, ..Place::of(node) };
        if let Some(target) = offers {
            place = place.naming(target);
        }
        let distance = missed.name.zip(node.name.as_deref()).map_or(usize::MAX, |(name, own)| edit_distance(name, own));
        helps.extend(help.map(|help| (distance, help)));
        places.entry(distance).or_default().push(place);
    }
    for mut places in places.into_values() {
        Place::sort(&mut places);
        problem.involved.append(&mut places);
    }
    problem.help.extend(helps.into_iter().map(|(_, help)| help));
    problem
}

fn near(node: &Node, missed: &Missed<'_>, text: &mut SourceText) -> Option<Near> {
    let (own, label) = (node.name.as_deref(), node.label());
    if let (Some(name), Some(own)) = (missed.name, own)
        && edit_distance(name, own) <= 2
    {
        return Some(Near::new(format!("`{label}` is named `{own}`")).help(format!("did you mean `{own}`?")));
    }
    match &node.body {
        Body::LeftOut(out) => {
            let by_name = missed.name.is_some() && out.name.as_deref() == missed.name;
            let by_type = missed.name.is_none() && out.offers.contains(&missed.target);
            return (by_name || by_type).then(|| Near::new(format!("`{label}` was left out: {}", out.why)));
        }
        Body::Displaced | Body::Unneeded => return None,
        _ => {}
    }
    let offered = node.offers().find_map(|(offered, _)| offers_nearly(node, &label, offered, missed));
    offered.or_else(|| implements(node, &label, missed, text))
}

fn offers_nearly(node: &Node, label: &str, offered: Target, missed: &Missed<'_>) -> Option<Near> {
    let (wanted, offers) = (missed.target.name(), offered.name());
    if offered == missed.target {
        let own = node.name.as_deref()?;
        let near = Near::new(format!("`{label}` offers it under the name `{own}`"));
        return Some(near.help(format!("ask for it by its name: `#[gone({own:?})]`")));
    }
    let near = || Near { offers: Some(offered), ..Near::new(format!("`{label}` offers `{offers}`")) };
    let (full_wanted, full_offers) = (missed.target.full_name(), offered.full_name());
    let shared = |full: &str| format!("alloc::sync::Arc<{full}>");
    let instead = match missed.arity {
        Arity::Lazy(_) => {
            offers.strip_prefix("Arc<").and_then(|it| it.strip_suffix('>')).map(|it| format!("Lazy<{it}>"))
        }
        Arity::Optional(_) => Some(format!("Option<{offers}>")),
        _ => Some(offers.clone()),
    };
    if full_offers == shared(full_wanted) || full_wanted == shared(full_offers) {
        let help = instead.map(|instead| format!("write `{instead}`"));
        return Some(Near { help, ..near() });
    }
    if full_wanted != full_offers && without_markers(full_wanted) == without_markers(full_offers) {
        let help = "`dyn Trait` and `dyn Trait + Send + Sync` are different types";
        let help = format!("{help}: write `{offers}`, and give the trait the supertraits `Send + Sync`");
        return Some(near().help(help));
    }
    (offers == wanted).then(near)
}

fn without_markers(full: &str) -> String {
    ["Send", "Sync", "Unpin"]
        .iter()
        .fold(full.to_owned(), |text, it| text.replace(&format!(" + core::marker::{it}"), ""))
}

/// A goner that has the trait and does not say so: by its source text, or by its name where that cannot be read.
fn implements(node: &Node, label: &str, missed: &Missed<'_>, text: &mut SourceText) -> Option<Near> {
    let (Body::Goner(_), Some(declared)) = (&node.body, node.declared) else { return None };
    let wanted = missed.target.name();
    let object = wanted.strip_prefix("Arc<dyn ")?.strip_suffix('>')?;
    let object = object.split(" + ").next().unwrap_or(object);
    let trait_name = object.split('<').next().unwrap_or(object);
    let goner = label.split('<').next().unwrap_or(label);
    let line = format!("`#[goner(offers(dyn {object}))]`");
    match text.file(declared.file()) {
        Some(source) => {
            let has = source.lines().any(|line| is_impl(line, trait_name, goner));
            let what = || Near::new(format!("`{label}` implements `{trait_name}` and does not offer it"));
            has.then(|| what().help(format!("add {line} to `{label}`")))
        }
        None => {
            let what = || Near::new(format!("`{label}` may implement `{trait_name}`, and does not offer it"));
            goner
                .contains(trait_name)
                .then(|| what().help(format!("if `{label}` implements `{trait_name}`, add {line} to it")))
        }
    }
}

/// Whether a line begins the implementation of this trait for this type.
fn is_impl(line: &str, trait_name: &str, goner: &str) -> bool {
    let name = |text: &str| {
        let path = text.split(['<', '{']).next().unwrap_or(text).trim();
        path.rsplit("::").next().unwrap_or(path).to_owned()
    };
    let Some(head) = line.trim_start().strip_prefix("impl") else { return false };
    let Some((of, goner_type)) = head.split_once(" for ") else { return false };
    // `<T: Bound> a::Trait<T>`: what stands before the trait's path ends with a blank.
    let of = of.rsplit_once("> ").map_or(of, |(_, it)| it);
    name(of) == trait_name && name(goner_type) == goner
}

#[cfg(test)]
mod tests {
    use super::is_impl;

    #[test]
    fn an_implementation_is_found_by_its_trait_and_type_and_nothing_else_is() {
        for line in [
            "impl Store for SqlStore {",
            "    impl<T: Any> crate::Store<T> for self::SqlStore<T> {",
            "impl Store for SqlStore",
        ] {
            assert!(is_impl(line, "Store", "SqlStore"), "{line}");
        }
        for line in [
            "impl Stores for SqlStore {",
            "impl Store for Sql {",
            "impl SqlStore {",
            "// impl Store for SqlStore",
            "fn x()",
        ] {
            assert!(!is_impl(line, "Store", "SqlStore"), "{line}");
        }
    }
}
