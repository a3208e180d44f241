use std::any::TypeId;
use std::collections::HashSet;
use std::fmt;

use crate::node::Node;
use crate::plan::{Place, Problem};
use crate::table::Table;
use crate::type_name::short;
use crate::{Error, Location, MessageKind, Spec};

/// Collects what is loaded. A module gets one; nothing that is loaded runs before the plan.
pub struct Loader {
    pub(crate) nodes: Vec<Node>,
    pub(crate) problems: Vec<Problem>,
    /// The modules that are loaded, each as what gives way or not.
    modules: HashSet<(TypeId, bool)>,
    /// The goners that were discovered, likewise.
    discovered: HashSet<(TypeId, bool)>,
    at: Location,
    fallback: bool,
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loaded: Vec<_> = self.nodes.iter().map(Node::label).collect();
        f.debug_struct("Loader").field("loaded", &loaded).finish_non_exhaustive()
    }
}

impl Loader {
    #[track_caller]
    pub(crate) fn new() -> Self {
        Loader {
            nodes: Vec::new(),
            problems: Vec::new(),
            modules: HashSet::new(),
            discovered: HashSet::new(),
            at: std::panic::Location::caller(),
            fallback: false,
        }
    }

    /// Loads a spec, a module, or a tuple of these. Never fails: what is wrong stands in the plan's report.
    #[track_caller]
    pub fn load(&mut self, it: impl Load) -> &mut Self {
        let before = self.moved_to(std::panic::Location::caller());
        it.load_into(self);
        self.moved_to(before);
        self
    }

    fn moved_to(&mut self, at: Location) -> Location {
        std::mem::replace(&mut self.at, at)
    }

    /// As [`load`](Loader::load), for what gives way: a spec loaded so is left out if the program itself loads something of
    /// the same name, or of the same type.
    #[track_caller]
    pub fn fallback(&mut self, it: impl Load) -> &mut Self {
        let before = std::mem::replace(&mut self.at, std::panic::Location::caller());
        let outer = std::mem::replace(&mut self.fallback, true);
        it.load_into(self);
        (self.at, self.fallback) = (before, outer);
        self
    }

    fn push(&mut self, node: Node) {
        let fallback = self.fallback;
        self.nodes.push(Node { fallback, ..node.loaded_at(self.at) });
    }

    /// Loads a goner as one that was discovered, as if where it is declared; once, also where the module that discovers is called
    /// and not loaded.
    pub(crate) fn discover(&mut self, table: &'static Table) {
        if self.discovered.insert((table.id, self.fallback)) {
            let node = Node::derived(table).loaded_at(table.at);
            self.nodes.push(Node { discovered: true, fallback: self.fallback, ..node });
        }
    }

    fn module<F: FnOnce(&mut Loader) -> R + 'static, R: ModuleOutcome>(&mut self, module: F) {
        // A function item is known by its type. Closures and function pointers have no identity of their own.
        let name = std::any::type_name::<F>();
        let function_item = std::mem::size_of::<F>() == 0 && !name.ends_with("{{closure}}");
        if function_item && !self.modules.insert((TypeId::of::<F>(), self.fallback)) {
            return;
        }
        let (at, fallback) = (self.at, self.fallback);
        let done = crate::unwind::catch(|| module(self).into_result()).and_then(|done| done);
        (self.at, self.fallback) = (at, fallback);
        if let Err(error) = done {
            let (what, place) = match function_item {
                true => (format!("the module `{}`", short(name)), format!("`{}`", short(name))),
                false => ("a module".to_owned(), format!("`{name}`")),
            };
            let problem = Problem::new(MessageKind::ModuleFailed, format!("{what} failed: {error}"));
            let place = Place::call(place, at);
            self.problems.push(problem.involving([place]).caused_by(error));
        }
    }
}

/// What can be loaded: a [`Spec`], a module (`fn(&mut Loader)`, which may return a `Result`), or a tuple of these.
///
/// A module that is a function item is known by its type: named twice in one application, it loads once. Closures and function
/// pointers have no identity and load every time. (contract container)
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded",
    note = "load a goner (`It::goner()`), `gone::value(it)`, `gone::provide(function)`, a module `fn(&mut Loader)`, or a tuple of these"
)]
pub trait Load {
    #[doc(hidden)]
    fn load_into(self, loader: &mut Loader);
}

impl<T> Load for Spec<T> {
    fn load_into(self, loader: &mut Loader) {
        loader.push(self.node);
    }
}

impl<F, R> Load for F
where
    F: FnOnce(&mut Loader) -> R + 'static,
    R: ModuleOutcome,
{
    fn load_into(self, loader: &mut Loader) {
        loader.module(self);
    }
}

/// What a module may return: nothing, or a `Result`.
#[diagnostic::on_unimplemented(
    message = "a module cannot return `{Self}`",
    note = "it returns nothing, or a `Result<(), E>` whose error becomes a problem of the plan"
)]
pub trait ModuleOutcome {
    #[doc(hidden)]
    fn into_result(self) -> Result<(), Error>;
}

impl ModuleOutcome for () {
    fn into_result(self) -> Result<(), Error> {
        Ok(())
    }
}

impl<E: Into<Error>> ModuleOutcome for Result<(), E> {
    fn into_result(self) -> Result<(), Error> {
        self.map_err(Into::into)
    }
}

macro_rules! tuples {
    ($($T:ident),*) => {
        #[allow(non_snake_case, reason = "one macro for all lengths")]
        impl<$($T: Load),*> Load for ($($T,)*) {
            fn load_into(self, loader: &mut Loader) {
                let ($($T,)*) = self;
                $($T.load_into(loader);)*
            }
        }
    };
}
tuples!(A);
tuples!(A, B);
tuples!(A, B, C);
tuples!(A, B, C, D);
tuples!(A, B, C, D, E);
tuples!(A, B, C, D, E, F);
tuples!(A, B, C, D, E, F, G);
tuples!(A, B, C, D, E, F, G, H);
tuples!(A, B, C, D, E, F, G, H, I);
tuples!(A, B, C, D, E, F, G, H, I, J);
tuples!(A, B, C, D, E, F, G, H, I, J, K);
tuples!(A, B, C, D, E, F, G, H, I, J, K, L);
