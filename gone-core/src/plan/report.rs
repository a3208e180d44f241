//! What is wrong with a graph, as data and as text.

use std::fmt;

use crate::node::Node;
use crate::{Asker, Code, Error, Location, Target};

/// All problems of a plan, sorted: the same ones in the same order whatever the order of loading.
#[derive(Clone, Debug)]
pub struct Report {
    problems: Vec<Problem>,
}

impl Report {
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_cached_key(|problem| problem.rank());
        Report { problems }
    }

    /// The problems; there is at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// One problem of a plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Problem {
    /// Its kind.
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
}

impl Place {
    /// By where they are declared, then by where they are loaded.
    pub(crate) fn sort(places: &mut [Place]) {
        let key = |at: Location| (at.file(), at.line(), at.column());
        places.sort_by(|a, b| (key(a.at), key(a.loaded), &a.what).cmp(&(key(b.at), key(b.loaded), &b.what)));
    }

    pub(crate) fn of(node: &Node) -> Self {
        let name = node.name.as_ref().map(|name| format!(", named `{name}`")).unwrap_or_default();
        Place {
            what: format!("`{}`{name}", node.label()),
            at: node.declared.unwrap_or(node.loaded),
            loaded: node.loaded,
        }
    }
}

impl Problem {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Problem {
            code,
            message: message.into(),
            wanted: None,
            asker: None,
            path: Vec::new(),
            involved: Vec::new(),
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

    /// By kind, then by place, then by text: nothing that depends on the order of loading.
    fn rank(&self) -> impl Ord + use<> {
        let place = |at: Location| (at.file().to_owned(), at.line(), at.column());
        let first = self.asker.as_ref().and_then(|asker| asker.at).or(self.involved.first().map(|it| it.at));
        let involved: Vec<_> = self.involved.iter().map(|it| it.what.clone()).collect();
        (self.code, first.map(place), self.message.clone(), involved)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        match self.problems.len() {
            1 => f.write_str("1 problem; nothing was built"),
            many => write!(f, "{many} problems; nothing was built"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error[{}]: {}", self.code, self.message)?;
        if let Some(asker) = &self.asker {
            match asker.at {
                Some(at) => writeln!(f, "  --> {}:{}:{}, `{asker}`", at.file(), at.line(), at.column())?,
                None => writeln!(f, "  --> `{asker}`")?,
            }
        }
        if self.path.len() > 1 {
            writeln!(f, "   = needed by: {}", self.path.join(" → "))?;
        }
        for place in &self.involved {
            writeln!(f, "   - {}: {}:{}", place.what, place.at.file(), place.at.line())?;
            let elsewhere = (place.loaded.file(), place.loaded.line()) != (place.at.file(), place.at.line());
            if elsewhere {
                writeln!(f, "     loaded at {}:{}", place.loaded.file(), place.loaded.line())?;
            }
        }
        let mut said = self.message.clone();
        let mut next = self.cause.as_ref().and_then(Error::source);
        while let Some(cause) = next {
            let text = cause.to_string();
            if !said.contains(&text) {
                writeln!(f, "   = caused by: {text}")?;
            }
            said = text;
            next = cause.source();
        }
        for help in &self.help {
            writeln!(f, "   = help: {help}")?;
        }
        Ok(())
    }
}
