//! A graph to look at: who is there, who needs whom, and what took how long.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::node::{Body, Node, NodeId};
use crate::plan::{Binding, Graph};

/// What an application consists of, as data: of a [`Plan`](crate::Plan), or of a [`Running`](crate::Running) application with what was
/// measured.
///
/// Its parts are in load order, shared values after what makes them. It can be drawn as [mermaid](Outline::to_mermaid), as
/// [Graphviz](Outline::to_dot), and written as [JSON](Outline::to_json).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outline {
    /// The parts.
    pub parts: Vec<Part>,
}

/// Something that was loaded, or a shared value that it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// Its type by its short name.
    pub what: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What kind it is.
    pub kind: Kind,
    /// Where it is declared, or loaded if it has no declaration of its own: `file:line`.
    pub at: String,
    /// What it needs, by its sites.
    pub needs: Vec<Edge>,
    /// How long it was built: its providers' calls, its construction, its `before_init` and `init`. None where that was not measured, as
    /// there was nothing to wait for.
    pub built_in: Option<Duration>,
    /// How long its hooks took while starting.
    pub started_in: Option<Duration>,
    /// Whether it is on the critical path: the needs that took longest together.
    pub critical: bool,
}

/// The kind of a [`Part`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A goner.
    Goner,
    /// A goner that makes values.
    Provider,
    /// A function that makes values.
    Function,
    /// A ready value, or what a source held.
    Value,
    /// The one value that a sharing provider makes for a text.
    Shared,
    /// Left out, or not needed: it is not built.
    LeftOut,
}

/// A need.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// The field that asks.
    pub field: String,
    /// Who is needed, as a place in [`Outline::parts`].
    pub to: usize,
    /// Whether it is filled in later, so that it puts no order between the two.
    pub lazy: bool,
}

impl Serialize for Outline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("parts", &self.parts)?;
        map.end()
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("what", &self.what)?;
        if let Some(name) = &self.name {
            map.serialize_entry("name", name)?;
        }
        map.serialize_entry("kind", self.kind.as_str())?;
        map.serialize_entry("at", &self.at)?;
        map.serialize_entry("needs", &self.needs)?;
        for (key, time) in [("built_in_ms", self.built_in), ("started_in_ms", self.started_in)] {
            if let Some(time) = time {
                map.serialize_entry(key, &(time.as_secs_f64() * 1_000.0))?;
            }
        }
        map.serialize_entry("critical", &self.critical)?;
        map.end()
    }
}

impl Serialize for Edge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("field", &self.field)?;
        map.serialize_entry("to", &self.to)?;
        map.serialize_entry("lazy", &self.lazy)?;
        map.end()
    }
}

impl Kind {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Goner => "goner",
            Kind::Provider => "provider",
            Kind::Function => "function",
            Kind::Value => "value",
            Kind::Shared => "shared",
            Kind::LeftOut => "left_out",
        }
    }
}

/// Whether a node is a part: neither the container's own nor one that gave way.
fn is_shown(node: &Node) -> bool {
    (!node.built_in || node.is_shared()) && !matches!(node.body, Body::Displaced)
}

impl Outline {
    pub(crate) fn of(graph: &Graph) -> Self {
        let shown: Vec<NodeId> = (0..graph.nodes.len()).filter(|id| is_shown(&graph.nodes[*id])).collect();
        let place = |id: NodeId| shown.binary_search(&id).ok();
        let parts = shown.iter().map(|id| {
            let node = &graph.nodes[*id];
            let mut needs = Vec::new();
            for (site, binding) in node.sites.iter().zip(&graph.bindings[*id]) {
                let lazy = matches!(binding, Binding::Later(_));
                let edge = |to| Edge { field: site.field.to_string(), to, lazy };
                needs.extend(binding.nodes().filter_map(place).map(edge));
            }
            if let Body::Shared(shared) = &node.body {
                let field = "made by".to_owned();
                needs.extend(place(shared.provider).map(|to| Edge { field, to, lazy: false }));
            }
            let at = node.declared.unwrap_or(node.loaded);
            let (what, name, kind) = match &node.body {
                Body::Goner(_) if node.form().is_some() => (node.label(), node.name.as_deref(), Kind::Provider),
                Body::Goner(_) => (node.label(), node.name.as_deref(), Kind::Goner),
                Body::Function(_) => (node.label(), node.name.as_deref(), Kind::Function),
                Body::Ready(_) | Body::Source(_) => (node.label(), node.name.as_deref(), Kind::Value),
                Body::Shared(shared) => {
                    let text = Some(shared.tag.extend()).filter(|text| !text.is_empty());
                    (node.offers[0].target.name(), text, Kind::Shared)
                }
                Body::LeftOut(out) => (node.label(), out.name.as_deref(), Kind::LeftOut),
                Body::Unneeded | Body::Displaced => (node.label(), None, Kind::LeftOut),
            };
            Part {
                what,
                name: name.map(str::to_owned),
                kind,
                at: format!("{}:{}", at.file(), at.line()),
                needs,
                built_in: None,
                started_in: None,
                critical: false,
            }
        });
        Outline { parts: parts.collect() }
    }

    /// Puts in what was measured, by node, and marks the critical path.
    pub(crate) fn measured(graph: &Graph, times: &[crate::life::Times]) -> Self {
        let mut outline = Outline::of(graph);
        let shown = graph.nodes.iter().enumerate().filter(|(_, node)| is_shown(node));
        for (part, (id, _)) in outline.parts.iter_mut().zip(shown) {
            if let Some(times) = times.get(id) {
                (part.built_in, part.started_in) = (times.build, times.start);
            }
        }
        for at in outline.critical_path() {
            outline.parts[at].critical = true;
        }
        outline
    }

    /// Those who need each other in turn and took longest together, the first to be built first; none where nothing was measured.
    pub fn critical_path(&self) -> Vec<usize> {
        let mut longest: Vec<Option<(Duration, Option<usize>)>> = vec![None; self.parts.len()];
        for part in 0..self.parts.len() {
            self.longest_to(part, &mut longest);
        }
        let time = |part: usize| longest[part].map_or(Duration::ZERO, |(time, _)| time);
        let last = (0..self.parts.len()).filter(|part| !time(*part).is_zero()).max_by_key(|part| time(*part));
        let mut path: Vec<usize> =
            std::iter::successors(last, |part| longest[*part].and_then(|(_, next)| next)).collect();
        // What took no time of its own at the beginning of the path does not hold anything up.
        while path.len() > 1 && path.last().is_some_and(|first| self.parts[*first].took().is_zero()) {
            path.pop();
        }
        path.reverse();
        path
    }

    /// The longest way to a part, without recursion, so that a long chain cannot overflow the stack.
    fn longest_to(&self, part: usize, longest: &mut [Option<(Duration, Option<usize>)>]) {
        let mut work = vec![part];
        while let Some(&part) = work.last() {
            if longest[part].is_some() {
                work.pop();
                continue;
            }
            let needs = || self.parts[part].needs.iter().filter(|edge| !edge.lazy).map(|edge| edge.to);
            let open: Vec<usize> = needs().filter(|need| longest[*need].is_none()).collect();
            if !open.is_empty() {
                work.extend(open);
                continue;
            }
            let before =
                needs().filter_map(|need| longest[need].map(|(time, _)| (time, need))).max_by_key(|(time, _)| *time);
            let time = self.parts[part].took() + before.map_or(Duration::ZERO, |(time, _)| time);
            longest[part] = Some((time, before.map(|(_, need)| need)));
            work.pop();
        }
    }

    /// The parts of this type, or of this name.
    pub fn find(&self, what: &str) -> Vec<usize> {
        let found = |part: &Part| part.what == what || part.name.as_deref() == Some(what);
        (0..self.parts.len()).filter(|at| found(&self.parts[*at])).collect()
    }

    /// Who needs a part, and by which field; nobody for a place that has none.
    pub fn needed_by(&self, part: usize) -> Vec<(usize, &Edge)> {
        let edges = self.parts.iter().enumerate();
        edges
            .flat_map(|(at, it)| it.needs.iter().map(move |edge| (at, edge)))
            .filter(|(_, edge)| edge.to == part)
            .collect()
    }

    /// Why a part is there: a shortest way to it from one that nobody needs but lazily, which was loaded for its own sake.
    pub fn why(&self, part: usize) -> Vec<usize> {
        let mut seen = BTreeSet::from([part]);
        let mut ways = std::collections::VecDeque::from([vec![part]]);
        while let Some(way) = ways.pop_front() {
            let first = way[0];
            let askers = self.needed_by(first).into_iter().filter(|(_, edge)| !edge.lazy);
            let askers: BTreeSet<usize> = askers.map(|(asker, _)| asker).collect();
            if askers.is_empty() {
                return way;
            }
            for asker in askers {
                if seen.insert(asker) {
                    ways.push_back(std::iter::once(asker).chain(way.iter().copied()).collect());
                }
            }
        }
        vec![part]
    }

    /// A flowchart in mermaid's language, the critical path marked.
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart TD\n");
        for (at, part) in self.parts.iter().enumerate() {
            let (open, close) = match part.kind {
                Kind::Goner => ("[", "]"),
                Kind::Provider | Kind::Function => ("[[", "]]"),
                Kind::Value | Kind::Shared => ("(", ")"),
                Kind::LeftOut => ("[/", "/]"),
            };
            let label =
                part.lines().join("<br/>").replace('"', "#quot;").replace('<', "#lt;").replace("#lt;br/>", "<br/>");
            let _ = writeln!(text, "    n{at}{open}\"{label}\"{close}");
        }
        for (at, part) in self.parts.iter().enumerate() {
            for edge in &part.needs {
                let arrow = if edge.lazy { "-.->" } else { "-->" };
                let _ = writeln!(text, "    n{at} {arrow}|{}| n{}", edge.field, edge.to);
            }
        }
        let marked: Vec<String> =
            (0..self.parts.len()).filter(|at| self.parts[*at].critical).map(|at| format!("n{at}")).collect();
        if !marked.is_empty() {
            let _ = writeln!(text, "    classDef critical stroke-width:3px,stroke:#c00");
            let _ = writeln!(text, "    class {} critical", marked.join(","));
        }
        text
    }

    /// A graph in the language of Graphviz, the critical path in bold.
    pub fn to_dot(&self) -> String {
        let mut text = String::from("digraph gone {\n    node [shape=box];\n");
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        for (at, part) in self.parts.iter().enumerate() {
            let label: Vec<String> = part.lines().iter().map(|line| quoted(line)).collect();
            let style = if part.critical { ", style=bold, color=red" } else { "" };
            let _ = writeln!(text, "    n{at} [label=\"{}\"{style}];", label.join("\\n"));
        }
        for (at, part) in self.parts.iter().enumerate() {
            for edge in &part.needs {
                let style = if edge.lazy { ", style=dashed" } else { "" };
                let _ = writeln!(text, "    n{at} -> n{} [label=\"{}\"{style}];", edge.to, quoted(&edge.field));
            }
        }
        text.push_str("}\n");
        text
    }

    /// The outline in JSON, times in milliseconds.
    pub fn to_json(&self) -> String {
        // Of these plain types nothing can fail to be written.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl Part {
    /// How long it held up those who need it.
    pub fn took(&self) -> Duration {
        self.built_in.unwrap_or_default() + self.started_in.unwrap_or_default()
    }

    /// Its type, with its name where it has one.
    pub fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("{} `{name}`", self.what),
            None => self.what.clone(),
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.title()];
        if self.kind == Kind::LeftOut {
            lines.push("left out".to_owned());
        }
        if self.took() >= Duration::from_millis(1) {
            lines.push(format!("{} ms", self.took().as_millis()));
        }
        lines
    }
}
