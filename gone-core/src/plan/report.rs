//! What is wrong with a graph, as data and as text.

use std::fmt;

use serde_json::{Value, json};

use crate::node::{Body, Node};
use crate::render::Rendered;
use crate::source_text::Mark;
use crate::{Asker, Code, Error, Excerpt, Explanation, Location, MessageKind, Target};

/// All problems of a plan, sorted: the same ones in the same order whatever the order of loading.
#[derive(Clone, Debug)]
pub struct Report {
    problems: Vec<Problem>,
}

impl Report {
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_cached_key(|problem| problem.rank());
        Report { problems: told_once(problems) }
    }

    /// The problems; there is at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// The report as text, plain unless said; [`Display`](fmt::Display) is the same.
    pub fn render(&self) -> Rendered<'_> {
        Rendered::report(self)
    }

    /// The report in JSON: a list of its problems.
    pub fn to_json(&self) -> String {
        let problems: Vec<Value> = self.problems.iter().map(Problem::to_value).collect();
        // Of these plain values nothing can fail to be written.
        serde_json::to_string_pretty(&problems).unwrap_or_default()
    }
}

/// What is wrong with one value of the configuration is one problem, however many ask for it.
fn told_once(problems: Vec<Problem>) -> Vec<Problem> {
    let mut told: Vec<Problem> = Vec::with_capacity(problems.len());
    let mut more: Vec<usize> = Vec::new();
    for problem in problems {
        let same = |it: &Problem| {
            let explained = it.cause.as_ref().is_some_and(|cause| cause.explanation().is_some());
            let (one, other) =
                ((&it.message, &it.excerpt, &it.notes), (&problem.message, &problem.excerpt, &problem.notes));
            explained && it.kind == problem.kind && one == other
        };
        let of_config = problem.kind == MessageKind::Config;
        match of_config.then(|| told.iter().position(same)).flatten() {
            Some(first) => more[first] += usize::from(problem.asker.is_some()),
            None => {
                told.push(problem);
                more.push(0);
            }
        }
    }
    for (problem, more) in told.iter_mut().zip(more).filter(|(_, more)| *more > 0) {
        let further = if problem.asker.is_some() { " more" } else { "" };
        problem.notes.push(match more {
            1 => format!("one{further} field asks for it"),
            more => format!("{more}{further} fields ask for it"),
        });
    }
    told
}

/// One problem of a plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Problem {
    /// Its kind, with its number and page.
    pub kind: MessageKind,
    /// Its code, which several kinds share.
    pub code: Code,
    /// What is wrong, in a line.
    pub message: String,
    /// What is asked for, if something is.
    pub wanted: Option<Wanted>,
    /// Who asks: the goner and the field, with `file:line`.
    pub asker: Option<Asker>,
    /// How a root of the graph comes to need the asker: goners, the root first, the asker last.
    pub path: Vec<String>,
    /// What else has to do with it: candidates, duplicates, the goners of a cycle in their order.
    pub involved: Vec<Place>,
    /// Where it is in a file that is no Rust source, such as one of configuration.
    pub excerpt: Option<Excerpt>,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Vec<String>,
    /// The provider's or source's own error, where it found the problem.
    pub cause: Option<Error>,
}

/// What a site asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wanted {
    /// The type by its short name, such as `Arc<dyn Store>`.
    pub type_name: String,
    /// The type's full name.
    pub full_type_name: &'static str,
    /// The name, if the site asks by name.
    pub name: Option<String>,
}

/// Something that was loaded, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// What it is: a goner's short type name, its name, or the field by which a cycle goes on.
    pub what: String,
    /// Where it is declared; where it is loaded if it has no declaration of its own.
    pub at: Location,
    /// Where it is loaded.
    pub loaded: Location,
    /// What stands at that place.
    pub(crate) mark: Mark,
    /// The types that are spoken of, by their short and their full names.
    pub(crate) types: Vec<(String, &'static str)>,
}

impl Place {
    /// By where they are declared, then by where they are loaded.
    pub(crate) fn sort(places: &mut [Place]) {
        let key = |at: Location| (at.file(), at.line(), at.column());
        places.sort_by(|a, b| (key(a.at), key(a.loaded), &a.what).cmp(&(key(b.at), key(b.loaded), &b.what)));
    }

    pub(crate) fn of(node: &Node) -> Self {
        let name = node.name.as_ref().map(|name| format!(", named `{name}`")).unwrap_or_default();
        let label = node.label();
        let full = (node.type_name)();
        let (at, mark) = match node.declared {
            Some(at) => (at, Mark::Declaration(label.split('<').next().unwrap_or_default().to_owned())),
            None => (node.loaded, Mark::Call),
        };
        let own = !matches!(node.body, Body::Function(_));
        let types = Vec::from_iter(own.then(|| (label.clone(), full)));
        Place { what: format!("`{label}`{name}"), at, loaded: node.loaded, mark, types }
    }

    /// A field of a goner.
    pub(crate) fn field(what: String, name: &str, at: Location) -> Self {
        Place { what, at, loaded: at, mark: Mark::Field(name.to_owned()), types: Vec::new() }
    }

    /// A struct of this name, where it is declared.
    pub(crate) fn declaration(what: String, label: &str, at: Location) -> Self {
        let name = label.split('<').next().unwrap_or_default().to_owned();
        Place { what, at, loaded: at, mark: Mark::Declaration(name), types: Vec::new() }
    }

    /// Where something was loaded.
    pub(crate) fn call(what: String, at: Location) -> Self {
        Place { what, at, loaded: at, mark: Mark::Call, types: Vec::new() }
    }

    /// With a type that is spoken of.
    pub(crate) fn naming(mut self, target: Target) -> Self {
        self.types.push((target.name(), target.full_name()));
        self
    }
}

impl Problem {
    pub(crate) fn new(kind: MessageKind, message: impl Into<String>) -> Self {
        Problem {
            kind,
            code: kind.code(),
            message: message.into(),
            wanted: None,
            asker: None,
            path: Vec::new(),
            involved: Vec::new(),
            excerpt: None,
            notes: Vec::new(),
            help: Vec::new(),
            cause: None,
        }
    }

    pub(crate) fn involving(mut self, places: impl IntoIterator<Item = Place>) -> Self {
        self.involved.extend(places);
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    pub(crate) fn wanted(mut self, target: Target, name: Option<&str>) -> Self {
        self.wanted = Some(Wanted {
            type_name: target.name(),
            full_type_name: target.full_name(),
            name: name.map(str::to_owned),
        });
        self
    }

    pub(crate) fn caused_by(mut self, cause: Error) -> Self {
        self.cause = Some(cause);
        self
    }

    /// What is wrong with configuration, or else was found by a provider or a source: its parts, where it is explained.
    pub(crate) fn found(kind: MessageKind, error: Error) -> Self {
        let explanation = error.explanation().cloned().unwrap_or_default();
        let Explanation { title, excerpt, notes, help } = explanation;
        let message = title.unwrap_or_else(|| error.to_string());
        Problem { excerpt, notes, help, ..Problem::new(kind, message) }.caused_by(error)
    }

    /// By kind, then by place, then by text: nothing that depends on the order of loading.
    fn rank(&self) -> impl Ord + use<> {
        let place = |at: Location| (at.file().to_owned(), at.line(), at.column());
        let first = self.asker.as_ref().and_then(|asker| asker.at).or(self.involved.first().map(|it| it.at));
        let involved: Vec<_> = self.involved.iter().map(|it| it.what.clone()).collect();
        let written = self.excerpt.as_ref().map(|it| (it.path.clone(), it.line, it.column));
        (self.code, first.map(place), written, self.message.clone(), involved)
    }
}

impl Problem {
    /// The problem as text, plain unless said; [`Display`](fmt::Display) is the same.
    pub fn render(&self) -> Rendered<'_> {
        Rendered::problem(self)
    }

    fn to_value(&self) -> Value {
        let mut causes = Vec::new();
        let mut next = self.cause.as_ref().and_then(Error::source);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        json!({
            "code": self.code.as_str(),
            "kind": self.kind.to_string(),
            "message": self.message,
            "wanted": self.wanted.as_ref().map(|wanted| json!({
                "type": wanted.type_name,
                "full_type": wanted.full_type_name,
                "name": wanted.name,
            })),
            "asker": self.asker.as_ref().map(|asker| json!({
                "goner": asker.goner(),
                "field": asker.field(),
                "module": asker.module_path(),
                "at": asker.at().map(place_value),
            })),
            "path": self.path,
            "involved": self.involved.iter().map(|place| json!({
                "what": place.what,
                "at": place_value(place.at),
                "loaded": place_value(place.loaded),
            })).collect::<Vec<_>>(),
            "excerpt": self.excerpt.as_ref().map(|it| json!({
                "file": it.path,
                "line": it.line,
                "column": it.column,
                "label": it.label,
            })),
            "causes": causes,
            "notes": self.notes,
            "help": self.help,
            "page": self.kind.page(),
        })
    }
}

fn place_value(at: Location) -> Value {
    json!({ "file": at.file(), "line": at.line(), "column": at.column() })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.render(), f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.render(), f)
    }
}
