//! Binding one site to an offer, by the rules of resolution.

use std::collections::HashMap;

use crate::node::{Body, Node, NodeId, Offer, Shared, Via};
use crate::plan::glob::glob;
use crate::plan::index::{Candidate, Index, list};
use crate::plan::near::{self, Missed};
use crate::plan::report::{Place, Problem};
use crate::plan::{Binding, Piece};
use crate::table::{Form, Share};
use crate::tag::split;
use crate::target::{Arity, Element, Site, Target};
use crate::unwind::catch;
use crate::{Asker, Code, Error, MessageKind, Result, Sources, Tag, registry};

/// Binds one site after the other.
pub(super) struct Binder<'a> {
    /// What the function is called in reports.
    function: &'static str,
    nodes: &'a [Node],
    index: &'a Index,
    sources: &'a Sources,
    /// The node of each shared value, by provider and extension text.
    pub(super) shared: HashMap<(NodeId, String), NodeId>,
    pub(super) shared_nodes: Vec<(Node, NodeId)>,
    pub(super) missed: Vec<(Option<NodeId>, Problem)>,
    /// What is no problem and looks like a mistake.
    pub(super) suspects: Vec<Problem>,
}

/// One site while it is bound. `asking` is none for the function given to `run`.
struct Question<'a> {
    asking: Option<NodeId>,
    asker: &'a dyn Fn() -> Asker,
    site: &'a Site,
}

impl<'a> Binder<'a> {
    pub(super) fn new(nodes: &'a [Node], index: &'a Index, sources: &'a Sources, function: &'static str) -> Self {
        Binder {
            function,
            nodes,
            index,
            sources,
            shared: HashMap::new(),
            shared_nodes: Vec::new(),
            missed: Vec::new(),
            suspects: Vec::new(),
        }
    }

    /// Binds the sites of a node, and adds what it needs to the list that begins there, each once.
    pub(super) fn node(
        &mut self,
        id: NodeId,
        sites: &[Site],
        bindings: &mut Vec<Binding>,
        needs: &mut Vec<NodeId>,
        begin: usize,
    ) {
        for site in sites {
            let binding = self.bound(Some(id), site);
            for (piece, _) in binding.pieces(site) {
                if !needs[begin..].contains(&piece.node) {
                    needs.push(piece.node);
                }
            }
            bindings.push(binding);
        }
    }

    /// Binds the sites of the function.
    pub(super) fn function(&mut self, sites: &[Site]) -> Vec<Binding> {
        sites.iter().map(|site| self.bound(None, site)).collect()
    }

    fn bound(&mut self, asking: Option<NodeId>, site: &Site) -> Binding {
        let (nodes, function) = (self.nodes, self.function);
        let asker = || Asker {
            goner: asking.map_or(function.into(), |id| nodes[id].label().into()),
            module: asking.map_or("", |id| nodes[id].module),
            field: site.field.clone(),
            at: Some(site.at),
        };
        let question = Question { asking, asker: &asker, site };
        self.site(&question).unwrap_or_else(|problem| {
            let mut problem = *problem;
            problem.asker.get_or_insert_with(asker);
            // A provider may have found more than one thing wrong.
            let others = problem.cause.as_ref().map(|cause| cause.attached().to_vec()).unwrap_or_default();
            let others = others.into_iter().map(|error| {
                let (wanted, asker) = (problem.wanted.clone(), problem.asker.clone());
                (asking, Problem { wanted, asker, ..Problem::found(problem.kind, error) })
            });
            self.missed.extend(others.collect::<Vec<_>>());
            self.missed.push((asking, problem));
            Binding::Elements(Box::default())
        })
    }

    fn site(&mut self, question: &Question<'_>) -> Result<Binding, Box<Problem>> {
        let site = question.site;
        let (name, _) = split(&site.tag);
        if is_bundle(site, self.index) {
            return Ok(Binding::Bundle);
        }
        if name.is_empty() || name == "*" {
            return self.by_type(question);
        }
        if name.contains(['*', '?']) {
            return self.by_glob(question, name);
        }
        self.by_name(question, name)
    }

    fn by_type(&mut self, question: &Question<'_>) -> Result<Binding, Box<Problem>> {
        let target = question.site.ty.target;
        let in_function = || question.asking.is_some_and(|id| matches!(self.nodes[id].body, Body::Function(_)));
        if target.is::<Tag>() && in_function() {
            return Ok(Binding::Tag);
        }
        let index = self.index;
        let exact = index.by_type(target.id());
        if !exact.is_empty() {
            return self.single(question, target, exact).map(Binding::Whole);
        }
        match question.site.ty.arity {
            Arity::One => Err(self.missing(question, target, None).into()),
            Arity::Optional(element) | Arity::Many(element) | Arity::Named(element) if element.nests() => {
                Err(Box::new(nested(question.site, &element)))
            }
            arity => self.elements(question, arity, None, &|_| true),
        }
    }

    /// What a wrapper takes of the offers that pass.
    fn elements(
        &mut self,
        question: &Question<'_>,
        arity: Arity,
        pattern: Option<&str>,
        passes: &dyn Fn(&Candidate) -> bool,
    ) -> Result<Binding, Box<Problem>> {
        if let Arity::Optional(element) | Arity::Many(element) | Arity::Named(element) = arity
            && element.nests()
        {
            return Err(Box::new(nested(question.site, &element)));
        }
        let target = arity.element().unwrap_or(question.site.ty.target);
        let candidates: Vec<Candidate> =
            self.index.by_type(target.id()).iter().filter(|it| passes(it)).cloned().collect();
        match arity {
            Arity::One | Arity::Lazy(_) if candidates.is_empty() => Err(self.missing(question, target, pattern).into()),
            Arity::One => self.single(question, target, &candidates).map(Binding::Whole),
            Arity::Lazy(_) => {
                let piece = self.single(question, target, &candidates)?;
                self.later(target, piece)
            }
            Arity::Optional(_) if candidates.is_empty() => Ok(Binding::Elements(Box::default())),
            Arity::Optional(_) => Ok(Binding::Elements([self.single(question, target, &candidates)?].into())),
            Arity::Many(_) => self.many(question, target, candidates),
            Arity::Named(_) => {
                let named = candidates.into_iter().filter(|it| self.nodes[it.node].name.is_some()).collect();
                self.many(question, target, named)
            }
        }
    }

    /// A `Lazy` stands for what is there once everything is built: a goner or a value.
    fn later(&self, target: Target, piece: Piece) -> Result<Binding, Box<Problem>> {
        let of_provider = piece.via.is_provider() || self.nodes.get(piece.node).is_none_or(Node::is_shared);
        if !of_provider {
            return Ok(Binding::Later(piece));
        }
        let message = format!("`{}` is made by a provider, and a `Lazy` is for goners and values", target.name());
        let mut problem = Problem::new(MessageKind::LazyOfProvider, message).wanted(target, None);
        problem.involved.extend(self.nodes.get(piece.node).map(Place::of));
        Err(problem.help("ask for it directly: a provider's value is made when the site is filled").into())
    }

    fn by_glob(&mut self, question: &Question<'_>, pattern: &str) -> Result<Binding, Box<Problem>> {
        let site = question.site;
        let nodes = self.nodes;
        let matches = |it: &Candidate| nodes[it.node].name.as_deref().is_some_and(|name| glob(pattern, name));
        let exact: Vec<Candidate> =
            self.index.by_type(site.ty.target.id()).iter().filter(|it| matches(it)).cloned().collect();
        if !exact.is_empty() {
            return self.single(question, site.ty.target, &exact).map(Binding::Whole);
        }
        self.elements(question, site.ty.arity, Some(pattern), &matches)
    }

    fn by_name(&mut self, question: &Question<'_>, name: &str) -> Result<Binding, Box<Problem>> {
        let site = question.site;
        let Some(id) = self.index.by_name(name) else {
            if site.ty.target.has_default() {
                self.suspect(question, name);
                return Ok(Binding::Default);
            }
            return match site.ty.arity {
                Arity::Optional(element) | Arity::Many(element) | Arity::Named(element) if element.nests() => {
                    Err(Box::new(nested(site, &element)))
                }
                Arity::One | Arity::Lazy(_) => Err(self.missing(question, site.ty.target, Some(name)).into()),
                Arity::Optional(_) | Arity::Many(_) | Arity::Named(_) => {
                    self.suspect(question, name);
                    Ok(Binding::Elements(Box::default()))
                }
            };
        };
        let node = &self.nodes[id];
        if let Some(Form::Named { .. }) = node.form() {
            let piece = self.accepted(question, site.ty.target, id, &Via::Ask)?;
            return Ok(Binding::Whole(piece));
        }
        if let Some((target, via)) = node.offer_of(site.ty.target.id()) {
            return self.accepted(question, target, id, &via).map(Binding::Whole);
        }
        if let Some(element) = site.ty.arity.element()
            && let Some((target, via)) = node.offer_of(element.id())
        {
            let piece = self.accepted(question, target, id, &via)?;
            return match site.ty.arity {
                Arity::Lazy(_) => self.later(target, piece),
                _ => Ok(Binding::Elements([piece].into())),
            };
        }
        let message = format!("`{name}` does not offer `{}`", site.ty.target.name());
        Err(Problem::new(MessageKind::NameMismatch, message)
            .wanted(site.ty.target, Some(name))
            .involving([Place::of(node)])
            .help(format!("it offers {}", list(node.offers().map(|(target, _)| target))))
            .into())
    }

    /// The one candidate, or the one that is default.
    fn single(
        &mut self,
        question: &Question<'_>,
        target: Target,
        candidates: &[Candidate],
    ) -> Result<Piece, Box<Problem>> {
        let mut preferred = candidates.iter().filter(|it| it.default);
        let chosen = match (candidates, preferred.next()) {
            ([only], _) => only,
            (_, Some(default)) => default,
            (several, None) => {
                let mut places: Vec<_> = several.iter().map(|it| Place::of(&self.nodes[it.node])).collect();
                Place::sort(&mut places);
                let message = format!("{} offers fit `{}`, and the site takes one", several.len(), target.name());
                return Err(Problem::new(MessageKind::Ambiguous, message)
                    .wanted(target, None)
                    .involving(places)
                    .help("ask for one by its name, or mark one `.default()`")
                    .into());
            }
        };
        self.accepted(question, target, chosen.node, &chosen.via)
    }

    /// All candidates but the asker itself, by their order, then in load order.
    fn many(
        &mut self,
        question: &Question<'_>,
        element: Target,
        mut all: Vec<Candidate>,
    ) -> Result<Binding, Box<Problem>> {
        all.retain(|it| Some(it.node) != question.asking);
        all.sort_by_key(|it| (self.nodes[it.node].order, it.node));
        let pieces = all.iter().map(|it| self.accepted(question, element, it.node, &it.via));
        pieces.collect::<Result<_, _>>().map(Binding::Elements)
    }

    /// Lets a provider check what it will be asked, and leads to the shared value where it shares.
    fn accepted(
        &mut self,
        question: &Question<'_>,
        target: Target,
        id: NodeId,
        via: &Via,
    ) -> Result<Piece, Box<Problem>> {
        if !via.is_provider() {
            return Ok(Piece { node: id, via: via.clone() });
        }
        let node = &self.nodes[id];
        let tag = || Tag::asked_by(question.site.tag.clone(), (question.asker)());
        let Some(form) = node.form() else {
            return Ok(match node.rare().share {
                Some(share) => {
                    let node = self.shared(id, &tag(), target, share);
                    Piece { node, via: Via::Put(share.put) }
                }
                None => Piece { node: id, via: via.clone() },
            });
        };
        let tag = tag();
        let checked = match form {
            Form::Typed { accepts, .. } => catch(|| accepts(&tag, self.sources)),
            Form::Named { accepts, .. } => catch(|| accepts(&target, &tag, self.sources)),
        };
        if let Err(error) = checked.and_then(|checked| checked) {
            return Err(Box::new(refused(node, target, &tag, error)));
        }
        match form {
            Form::Typed { share: Some(share), .. } => {
                let node = self.shared(id, &tag, target, *share);
                Ok(Piece { node, via: Via::Put(share.put) })
            }
            _ => Ok(Piece { node: id, via: via.clone() }),
        }
    }

    fn shared(&mut self, provider: NodeId, tag: &Tag, target: Target, share: Share) -> NodeId {
        let next = self.nodes.len() + self.shared_nodes.len();
        let id = *self.shared.entry((provider, tag.extend().to_owned())).or_insert(next);
        if id == next {
            let of = &self.nodes[provider];
            let body = Body::Shared(Box::new(Shared { provider, tag: tag.clone(), share }));
            let mut node = Node {
                declared: of.declared,
                module: of.module,
                loaded: of.loaded,
                only_for_name: true,
                order: of.order,
                built_in: true,
                offers: vec![Offer { target, via: Via::Put(share.put) }],
                ..Node::new(of.type_name, body)
            };
            if let Some(budget) = of.rare().start_budget {
                node.rare_mut().start_budget = Some(budget);
            }
            self.shared_nodes.push((node, provider));
        }
        id
    }

    /// A wrapper that stays empty because nothing has the name: a warning, where something has one that is close to it.
    fn suspect(&mut self, question: &Question<'_>, name: &str) {
        let site = question.site;
        let instead = if site.ty.target.has_default() { "takes its default" } else { "stays empty" };
        let message = format!("nothing is named `{name}`, so this {instead}");
        let problem = Problem::new(MessageKind::NearName, message).wanted(site.ty.target, Some(name));
        let missed = Missed { target: site.ty.target, name: Some(name), arity: &site.ty.arity };
        let mut problem = near::explain(problem, self.nodes, &missed);
        if !problem.involved.is_empty() {
            problem.asker = Some((question.asker)());
            self.suspects.push(problem);
        }
    }

    fn missing(&self, question: &Question<'_>, target: Target, name: Option<&str>) -> Problem {
        let message = match name {
            Some(name) => format!("nothing is named `{name}`, for a site of type `{}`", target.name()),
            None => format!("nothing offers `{}`", target.name()),
        };
        let kind = if name.is_some() { MessageKind::MissingName } else { MessageKind::MissingType };
        let arity = &question.site.ty.arity;
        let problem = Problem::new(kind, message).wanted(target, name);
        let mut problem = near::explain(problem, self.nodes, &Missed { target, name, arity });
        if question.asking.is_none() && name.is_none() && !target.name().starts_with("Arc<") {
            problem = problem.help(format!("a bundle of sites is the one parameter of `{}_with`", self.function));
        }
        let asking = question.asking.map_or("", |id| self.nodes[id].module);
        registry::explain(problem, self.nodes, target, name, asking)
    }
}

fn nested(site: &Site, element: &Element) -> Problem {
    let message = format!("nothing offers `{}` as it stands, and a site's wrappers do not nest", site.ty.target.name());
    let element = element.target.name();
    let instead = match (site.ty.arity, element.strip_prefix("Option<")) {
        // All that there are, and none that is absent.
        (Arity::Many(_), Some(inner)) => format!("Vec<{inner}"),
        _ => element,
    };
    Problem::new(MessageKind::NestedWrappers, message).wanted(site.ty.target, None).help(format!("ask for `{instead}`"))
}

fn refused(node: &Node, target: Target, tag: &Tag, error: Error) -> Problem {
    let code = match error.code() {
        Code::Other => Code::Mismatch,
        code => code,
    };
    let name = Some(tag.name()).filter(|name| !name.is_empty() && *name != "*");
    let kind = if code == Code::Config { MessageKind::Config } else { MessageKind::Refused };
    let mut problem = Problem { code, ..Problem::found(kind, error).wanted(target, name) };
    if code == Code::Mismatch {
        problem.message = format!("`{}` cannot give `{}`: {}", node.label(), target.name(), problem.message);
    }
    match code {
        // A configuration error says where its value is from, which is what there is to mend.
        Code::Config => problem,
        _ => problem.involving([Place::of(node)]),
    }
}

/// A site of a bundle's type that nobody offers as it stands.
pub(super) fn is_bundle(site: &Site, index: &Index) -> bool {
    site.ty.bundle.is_some() && matches!(split(&site.tag).0, "" | "*") && index.by_type(site.ty.target.id()).is_empty()
}
