//! Binding a whole graph, and the function that is called on one.

use std::borrow::Cow;

use crate::bundle::flatten;
use crate::lists::Lists;
use crate::node::{Body, Node};
use crate::plan::binder::{Binder, is_bundle};
use crate::plan::index::Index;
use crate::plan::order::{Roots, circles, sort_members, with_after};
use crate::plan::report::{Problem, Report};
use crate::plan::used::{idle, take_out_unneeded};
use crate::plan::{Binding, Function, Graph, Warnings};
use crate::source::Review;
use crate::target::Site;
use crate::{Error, Handle, MessageKind, Result, Shutdown, Sources, value};

/// Binds all sites of all nodes, and those of `function`, or says all that is wrong.
pub(crate) fn bind(
    mut nodes: Vec<Node>,
    function: Option<Cow<'static, [Site]>>,
    only: Option<&[Site]>,
    sources: &Sources,
    mut problems: Vec<Problem>,
) -> Result<Graph> {
    let (shutdown, handle) = (Shutdown::new(), Handle::new());
    for built_in in [value(shutdown.clone()).node, value(handle.clone()).node] {
        nodes.push(Node { built_in: true, ..built_in });
    }
    let index = Index::new(&mut nodes, &mut problems);
    let is_bundle = |site: &Site| is_bundle(site, &index);
    for node in &mut nodes {
        flatten_sites(&mut node.sites, &is_bundle);
    }
    let function = function.map(|mut sites| {
        flatten_sites(&mut sites, &is_bundle);
        sites
    });
    let loaded = nodes.len();
    let mut binder = Binder::new(&nodes, &index, sources, "run");
    let sites = nodes.iter().map(|node| node.sites.len()).sum();
    let (mut bindings, mut needs) = (Lists::with_capacity(loaded, sites), Lists::with_capacity(loaded, sites));
    for (id, node) in nodes.iter().enumerate() {
        bindings.add(|bindings, _| needs.add(|needs, begin| binder.node(id, &node.sites, bindings, needs, begin)));
    }
    let function = function.map(|sites| {
        let bindings = binder.function(&sites);
        Function { sites, bindings }
    });
    let roots = only.map(|only| binder.function(only));
    let Binder { shared_nodes, mut missed, mut suspects, .. } = binder;
    for (node, provider) in shared_nodes {
        bindings.add(|_, _| ());
        needs.add(|needs, _| needs.push(provider));
        nodes.push(node);
    }
    if !missed.is_empty() {
        let roots = Roots::new(&needs, |id| nodes[id].label());
        for (asker, problem) in &mut missed {
            if let Some(asker) = *asker {
                problem.path = roots.path(asker).map(|id| nodes[id].label()).collect();
            }
        }
    }
    problems.extend(missed.into_iter().map(|(_, problem)| problem));
    let Review { problems: found, warnings } = sources.review();
    problems.extend(found.into_iter().map(|error| Problem::found(MessageKind::Config, error)));
    suspects.extend(warnings.into_iter().map(|error| Problem::found(MessageKind::UnaskedKey, error)));
    let order = with_after(&nodes, &index, &needs);
    problems.extend(circles(&nodes, &bindings, &needs, order.as_ref()));
    if problems.is_empty() {
        if let Some(order) = &order {
            for (id, node) in nodes.iter().enumerate() {
                sort_members(bindings.get_mut(id), &node.sites, &nodes, order);
            }
        }
        let idle = idle(&nodes, &bindings, function.as_ref(), roots.as_deref());
        if let Some(roots) = roots {
            let function = function.iter().flat_map(|function| &function.bindings);
            take_out_unneeded(&mut nodes, &bindings, &needs, roots.iter().chain(function));
        }
        return Ok(Graph {
            nodes,
            bindings,
            needs,
            order,
            function,
            index,
            warnings: Warnings::new(idle, suspects),
            shutdown,
            handle,
            sources: sources.clone(),
        });
    }
    Err(Error::plan(Report::new(problems)))
}

/// The sites of a function that is called on an application that is built, and the shared values that it needs and the plan did
/// not know: their nodes come after those of the graph.
pub(crate) struct Called {
    pub(crate) sites: Cow<'static, [Site]>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) shared: Vec<Node>,
}

/// Binds the sites of such a function, by the same rules.
pub(crate) fn bind_call(graph: &Graph, mut sites: Cow<'static, [Site]>) -> Result<Called> {
    flatten_sites(&mut sites, &|site| is_bundle(site, &graph.index));
    let mut binder = Binder::new(&graph.nodes, &graph.index, &graph.sources, "call");
    for (id, node) in graph.nodes.iter().enumerate().rev() {
        let Body::Shared(shared) = &node.body else { break };
        binder.shared.insert((shared.provider, shared.tag.extend().to_owned()), id);
    }
    let bindings = binder.function(&sites);
    match binder.missed.is_empty() {
        true => {
            let shared = binder.shared_nodes.into_iter().map(|(node, _)| node).collect();
            Ok(Called { sites, bindings, shared })
        }
        false => {
            let report = Report::new(binder.missed.into_iter().map(|(_, problem)| problem).collect());
            let code = report.problems()[0].code;
            Err(Error::plan(report).with_code(code))
        }
    }
}

fn flatten_sites(sites: &mut Cow<'static, [Site]>, is_bundle: &dyn Fn(&Site) -> bool) {
    if sites.iter().any(is_bundle) {
        let mut flat = Vec::with_capacity(sites.len() * 2);
        flatten(sites, is_bundle, &mut flat);
        *sites = Cow::Owned(flat);
    }
}
