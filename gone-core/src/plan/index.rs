//! The two maps by which offers are found: by type, and by name.

use std::any::TypeId;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rustc_hash::FxBuildHasher;

use crate::lists::Few;
use crate::node::{Body, Node, NodeId, Via};
use crate::plan::report::{Place, Problem};
use crate::table::Form;
use crate::{MessageKind, Target};

/// Offers by type, and nodes by name.
#[derive(Default)]
pub(crate) struct Index {
    by_type: HashMap<TypeId, Few<Candidate>, BuildHasherDefault<TypeIdHasher>>,
    by_name: HashMap<String, NodeId, FxBuildHasher>,
    /// The types that have several offers, each once.
    contested: Vec<Target>,
}

/// An offer that a site may get.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) node: NodeId,
    pub(crate) via: Via,
    pub(crate) default: bool,
}

impl Index {
    /// Indexes all nodes; fallbacks that something else stands in for are displaced.
    pub(crate) fn new(nodes: &mut [Node], problems: &mut Vec<Problem>) -> Self {
        let by_type = HashMap::with_capacity_and_hasher(nodes.len(), BuildHasherDefault::default());
        let mut index = Index { by_type, by_name: HashMap::default(), contested: Vec::new() };
        for fallback in [false, true] {
            for id in 0..nodes.len() {
                if nodes[id].fallback != fallback {
                    continue;
                }
                if fallback && index.has_instead_of(nodes, id) {
                    nodes[id].take_out(Body::Displaced);
                    continue;
                }
                index.add(nodes, id, problems);
            }
        }
        index.check_names(nodes, problems);
        index.check_types(nodes, problems);
        index
    }

    fn has_instead_of(&self, nodes: &[Node], id: NodeId) -> bool {
        let fallback = &nodes[id];
        // One fallback does not stand in for another.
        let own = |id: NodeId| !nodes[id].fallback;
        let by_name = fallback.name.as_deref().and_then(|name| self.by_name(name)).is_some_and(own);
        by_name
            || fallback.offers().any(|(target, via)| {
                fallback.is_main(&via)
                    && self.by_type(target.id()).iter().any(|it| own(it.node) && nodes[it.node].is_main(&it.via))
            })
    }

    fn add(&mut self, nodes: &[Node], id: NodeId, problems: &mut Vec<Problem>) {
        let node = &nodes[id];
        if let Some(name) = &node.name {
            self.by_name.entry(name.clone().into_owned()).or_insert(id);
        }
        if node.only_for_name {
            if node.name.is_none() {
                problems.push(
                    Problem::new(
                        MessageKind::OnlyForNoName,
                        format!("`{}` is only for its name, and has none", node.label()),
                    )
                    .involving([Place::of(node)])
                    .help("add `.named(\"…\")`, or take `.only_for_name()` away"),
                );
            }
            if node.default || !node.rare().default_for.is_empty() {
                problems.push(
                    Problem::new(
                        MessageKind::DefaultOnlyForName,
                        format!("`{}` is a default and only for its name at once", node.label()),
                    )
                    .involving([Place::of(node)])
                    .help("a default is found by type, what is only for its name is not: take one of the two away"),
                );
            }
            return;
        }
        for (target, via) in node.offers() {
            let default = node.default || node.rare().default_for.contains(&target);
            let candidates = self.by_type.entry(target.id()).or_default();
            // One trait declared at the struct and again where it is loaded is one offer.
            let again = |it: &Candidate| it.node == id && !it.via.is_provider() && !via.is_provider();
            if !candidates.as_slice().last().is_some_and(again) {
                if candidates.as_slice().len() == 1 {
                    self.contested.push(target);
                }
                candidates.push(Candidate { node: id, via, default });
            }
        }
        let many_types = matches!(node.form(), Some(Form::Named { .. }));
        if many_types && node.name.is_none() {
            problems.push(
                Problem::new(
                    MessageKind::NamelessProvider,
                    format!("`{}` provides by name, and has none", node.label()),
                )
                .involving([Place::of(node)])
                .help("add `#[goner(name = \"…\")]`, or `.named(\"…\")` where it is loaded"),
            );
        }
        for target in &node.rare().default_for {
            if many_types && !target.is::<()>() && node.offer_of(target.id()).is_none() {
                let candidates = self.by_type.entry(target.id()).or_default();
                if candidates.as_slice().len() == 1 {
                    self.contested.push(*target);
                }
                candidates.push(Candidate { node: id, via: Via::Ask, default: true });
            } else if node.offer_of(target.id()).is_none() {
                problems.push(
                    Problem::new(
                        MessageKind::DefaultNotOffered,
                        format!("`{}` is the default for `{}`, and does not offer it", node.label(), target.name()),
                    )
                    .involving([Place::of(node)])
                    .help(format!("it offers {}", list(node.offers().map(|(target, _)| target)))),
                );
            }
        }
    }

    /// One name, one node.
    fn check_names(&self, nodes: &[Node], problems: &mut Vec<Problem>) {
        let mut same: std::collections::BTreeMap<&str, Vec<&Node>> = std::collections::BTreeMap::new();
        for node in nodes {
            if let Some(name) = &node.name {
                same.entry(name).or_default().push(node);
            }
        }
        for (name, nodes) in same.into_iter().filter(|(_, nodes)| nodes.len() > 1) {
            let mut places: Vec<_> = nodes.iter().map(|node| Place::of(node)).collect();
            // Of one struct that is loaded twice, what counts is where.
            if places.iter().all(|place| place.at == places[0].at) {
                places = nodes.iter().map(|node| Place::call(Place::of(node).what, node.loaded)).collect();
            }
            Place::sort(&mut places);
            let problem = Problem::new(
                MessageKind::DuplicateName,
                match nodes.len() {
                    2 => format!("two are named `{name}`"),
                    more => format!("{more} are named `{name}`"),
                },
            );
            problems.push(problem.involving(places).help(
                "give one of them another name with `.named(\"…\")`, or put `.replace()` on the one that is to stand",
            ));
        }
    }

    /// What is wrong whoever asks: two defaults of one type, two undecided providers of one type.
    fn check_types(&self, nodes: &[Node], problems: &mut Vec<Problem>) {
        for target in &self.contested {
            let candidates = self.by_type(target.id());
            let places = |of: &[&Candidate]| {
                let mut places: Vec<_> = of.iter().map(|it| Place::of(&nodes[it.node])).collect();
                Place::sort(&mut places);
                places
            };
            let defaults: Vec<_> = candidates.iter().filter(|it| it.default).collect();
            let providers: Vec<_> = candidates.iter().filter(|it| matches!(it.via, Via::Call)).collect();
            if defaults.len() > 1 {
                problems.push(
                    Problem::new(
                        MessageKind::DuplicateDefault,
                        format!("`{}` has {} defaults", target.name(), defaults.len()),
                    )
                    .involving(places(&defaults))
                    .help("keep `.default()` on one of them"),
                );
            } else if defaults.is_empty() && providers.len() > 1 {
                problems.push(
                    Problem::new(
                        MessageKind::DuplicateProvider,
                        format!("`{}` has {} providers", target.name(), providers.len()),
                    )
                    .involving(places(&providers))
                    .help("name them and add `.only_for_name()`, or mark one `.default()`"),
                );
            }
        }
    }

    pub(crate) fn by_type(&self, id: TypeId) -> &[Candidate] {
        self.by_type.get(&id).map_or(&[], Few::as_slice)
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }
}

pub(crate) fn list(targets: impl Iterator<Item = Target>) -> String {
    targets.map(|target| format!("`{}`", target.name())).collect::<Vec<_>>().join(", ")
}

/// A `TypeId` is a hash already.
#[derive(Default)]
pub(crate) struct TypeIdHasher(u64);

impl Hasher for TypeIdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
