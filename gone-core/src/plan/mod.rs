//! The plan: every site bound to an offer, and an order, before anything is constructed.

mod bind;
mod binder;
mod cycle;
mod glob;
mod index;
mod near;
mod order;
mod replace;
mod report;
mod used;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

pub(crate) use bind::{Called, bind, bind_call};
pub(crate) use glob::glob;
pub(crate) use index::Candidate;
pub(crate) use replace::replace;
pub use report::{Place, Problem, Report, Wanted};

use crate::lists::Lists;
use crate::node::{Body, Node, NodeId, Via};
use crate::plan::index::Index;
use crate::slots::Asking;
use crate::target::{Site, Target};
use crate::{Asker, ConfigDump, Handle, MessageKind, Options, Outline, Shutdown, Sources};

/// A checked graph: every site of every loaded goner is bound, there is no cycle, and every provider accepts what it will be
/// asked. Nothing is constructed yet.
pub struct Plan {
    pub(crate) graph: Arc<Graph>,
    pub(crate) options: Options,
    pub(crate) under_way: crate::tasks::UnderWay,
}

impl Plan {
    /// How many goners, values and functions are loaded.
    pub fn len(&self) -> usize {
        let loaded = |node: &&Node| !node.built_in && !node.is_out() && !node.is_shared();
        self.graph.nodes.iter().filter(loaded).count()
    }

    /// What is no problem and looks like a mistake: what was loaded though nobody needs it and it does nothing by itself, and what asks,
    /// as an `Option` or for all, for a name that nothing has and something nearly has. `run` and `serve` say so in the log, and
    /// [`Options::deny_warnings`] makes problems of them. What gives way does not count. (contract container C-41)
    pub fn warnings(&self) -> &[Problem] {
        self.graph.warnings()
    }

    /// What the application consists of, as data and to draw: who is there, who needs whom, and why.
    pub fn outline(&self) -> Outline {
        Outline::of(&self.graph)
    }

    /// Its [outline](Plan::outline) as a flowchart in mermaid's language.
    pub fn to_mermaid(&self) -> String {
        self.outline().to_mermaid()
    }

    /// Its [outline](Plan::outline) in the language of Graphviz.
    pub fn to_dot(&self) -> String {
        self.outline().to_dot()
    }

    /// Its [outline](Plan::outline) in JSON.
    pub fn to_json(&self) -> String {
        self.outline().to_json()
    }

    /// What the sources hold: each setting as it holds, with where it was set, secrets hidden.
    pub fn config_dump(&self) -> ConfigDump {
        self.graph.sources.dump()
    }

    /// Whether nothing is loaded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plan({} loaded)", self.len())
    }
}

/// The graph with its bindings: what a plan is and an application keeps.
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// For each node, one binding for each of its sites.
    pub(crate) bindings: Lists<Binding>,
    /// For each node, the nodes that it needs, each once.
    pub(crate) needs: Lists<NodeId>,
    /// As `needs`, with what each `after` names, if there is any.
    pub(crate) order: Option<Lists<NodeId>>,
    /// The function that is injected after the start, if the plan was made for one.
    pub(crate) function: Option<Function>,
    pub(crate) index: Index,
    /// What looks like a mistake.
    pub(crate) warnings: Warnings,
    /// What goners inject to ask for a stop, and to look things up.
    pub(crate) shutdown: Shutdown,
    pub(crate) handle: Handle,
    /// For what providers check after the boot.
    pub(crate) sources: Sources,
}

/// The function given to `run`: it asks, and offers nothing.
pub(crate) struct Function {
    pub(crate) sites: Cow<'static, [Site]>,
    pub(crate) bindings: Vec<Binding>,
}

/// What a site gets.
pub(crate) enum Binding {
    /// The offer of the site's whole type.
    Whole(Piece),
    /// The elements of an `Option` (one or none), a `Vec` or a map.
    Elements(Box<[Piece]>),
    /// What a `Lazy` stands for, filled after the last construction: no need.
    Later(Piece),
    /// Nothing has the name that it asks for: the site's own default.
    Default,
    /// A bundle: its own sites come next.
    Bundle,
    /// The asking site's tag, as a parameter of a function that provides.
    Tag,
}

/// One offer of one node.
#[derive(Clone)]
pub(crate) struct Piece {
    pub(crate) node: NodeId,
    pub(crate) via: Via,
}

impl Binding {
    /// The pieces that are needed before the asker is built, with the type that is asked of each.
    pub(crate) fn pieces<'a>(&'a self, site: &Site) -> impl Iterator<Item = (&'a Piece, Target)> {
        let (pieces, target) = match self {
            Binding::Whole(piece) => (std::slice::from_ref(piece), site.ty.target),
            Binding::Elements(pieces) => (&**pieces, site.ty.arity.element().unwrap_or(site.ty.target)),
            Binding::Later(_) | Binding::Default | Binding::Bundle | Binding::Tag => (&[][..], site.ty.target),
        };
        pieces.iter().map(move |piece| (piece, target))
    }

    /// The nodes of its pieces, also those that are filled in later.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        let pieces = match self {
            Binding::Whole(piece) | Binding::Later(piece) => std::slice::from_ref(piece),
            Binding::Elements(pieces) => pieces,
            Binding::Default | Binding::Bundle | Binding::Tag => &[],
        };
        pieces.iter().map(|piece| piece.node)
    }

    pub(crate) fn pieces_mut(&mut self) -> &mut [Piece] {
        match self {
            Binding::Whole(piece) | Binding::Later(piece) => std::slice::from_mut(piece),
            Binding::Elements(pieces) => pieces,
            Binding::Default | Binding::Bundle | Binding::Tag => &mut [],
        }
    }
}

/// What looks like a mistake, put into words when somebody asks: few do, and there may be many.
pub(crate) struct Warnings {
    idle: Vec<NodeId>,
    suspects: Vec<Problem>,
    told: OnceLock<Vec<Problem>>,
}

impl Warnings {
    pub(crate) fn new(idle: Vec<NodeId>, suspects: Vec<Problem>) -> Self {
        Warnings { idle, suspects, told: OnceLock::new() }
    }
}

impl Graph {
    /// What looks like a mistake, sorted as in a report.
    pub(crate) fn warnings(&self) -> &[Problem] {
        let Warnings { idle, suspects, told } = &self.warnings;
        told.get_or_init(|| {
            let idle = idle.iter().map(|id| {
                let node = &self.nodes[*id];
                let text = format!("nobody needs `{}`, and it does nothing by itself", node.label());
                let problem = Problem::new(MessageKind::Unused, text).involving([Place::of(node)]);
                problem.help("take it away, or ask for it")
            });
            Report::new(idle.chain(suspects.iter().cloned()).collect()).into_problems()
        })
    }

    /// How many goners there are.
    pub(crate) fn goners(&self) -> usize {
        self.nodes.iter().filter(|node| matches!(node.body, Body::Goner(_))).count()
    }

    /// For each node, the nodes that it starts after.
    pub(crate) fn order(&self) -> &Lists<NodeId> {
        self.order.as_ref().unwrap_or(&self.needs)
    }

    /// The sites of a node, for filling them.
    pub(crate) fn asking(&self, node: NodeId) -> Asking<'_> {
        let it = &self.nodes[node];
        Asking { goner: it.label().into(), module: it.module, sites: &it.sites, bindings: &self.bindings[node] }
    }

    /// The first site, in load order, that needs a node.
    pub(crate) fn asker_of(&self, needed: NodeId) -> Option<Asker> {
        self.nodes.iter().zip(self.bindings.iter()).enumerate().find_map(|(asker, (node, bindings))| {
            let binding = |binding: &Binding| binding.nodes().any(|node| node == needed);
            let site = &node.sites[bindings.iter().position(binding)?];
            Some(self.asking(asker).asker(site))
        })
    }

    /// Whether some site of the node is filled by asking a provider.
    pub(crate) fn asks_providers(&self, node: NodeId) -> bool {
        let pieces = |binding: &Binding| match binding {
            Binding::Whole(piece) => piece.via.is_provider(),
            Binding::Elements(pieces) => pieces.iter().any(|piece| piece.via.is_provider()),
            Binding::Later(_) | Binding::Default | Binding::Bundle | Binding::Tag => false,
        };
        self.bindings[node].iter().any(pieces)
    }
}
