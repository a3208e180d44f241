//! What is asked of a container, in the same steps of all of them, and how long it takes.

use graphs::Shape;
use measure::timed;
use tokio::runtime::Runtime;

pub use measure::repeated;

/// What the components of a graph are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nodes {
    /// Each is a type of its own, and needed as that type.
    Types,
    /// Each is a type of its own, and needed as a trait of its own.
    Dyn,
    /// All are of one type, made at run time, and told apart by name.
    AtRunTime,
}

/// A container with one graph. Each component is made once, and whoever needs it is given that one.
pub trait Container {
    /// Everything is registered, and nothing is checked or made.
    type Loaded;
    type Checked;
    /// Everything is made.
    type App;

    fn name(&self) -> &'static str;
    /// Its graph: the shape and how many components.
    fn graph(&self) -> (Shape, usize);
    fn nodes(&self) -> Nodes {
        let (shape, number) = self.graph();
        if shape.graph(number).is_dyn() { Nodes::Dyn } else { Nodes::Types }
    }

    fn load(&self) -> Self::Loaded;

    /// Whether the whole graph can be checked before anything is made.
    fn checks(&self) -> bool {
        false
    }
    fn check(&self, loaded: Self::Loaded) -> Self::Checked;

    /// Makes all components.
    fn build(&self, loaded: Self::Loaded, runtime: &Runtime) -> Self::App;
    fn end(&self, app: Self::App, _runtime: &Runtime) {
        drop(app);
    }

    /// How often the first component is held when all are made, by what this looks up also.
    fn shared(&self, app: &mut Self::App) -> usize;

    /// So many look-ups of the component in the middle by its type, in nanoseconds for each; see [`repeated`].
    fn by_type(&self, _app: &mut Self::App, _turns: u32) -> Option<f64> {
        None
    }
    /// By its name.
    fn by_name(&self, _app: &mut Self::App, _turns: u32) -> Option<f64> {
        None
    }
}

/// A container whose type does not matter any more. Times are in nanoseconds for one turn.
pub trait Work {
    fn name(&self) -> &'static str;
    fn graph(&self) -> (Shape, usize);
    fn nodes(&self) -> Nodes;
    /// From nothing to all made.
    fn boot(&self, runtime: &Runtime) -> f64;
    fn check(&self, runtime: &Runtime) -> Option<f64>;
    /// Boots once, inside `around`.
    fn boot_once(&self, runtime: &Runtime, around: &mut dyn FnMut(&mut dyn FnMut()));
    /// Panics unless all is made and shared.
    fn verify(&self, runtime: &Runtime);
    /// The application, for look-ups.
    fn looking<'a>(&'a self, runtime: &'a Runtime) -> Box<dyn Looking + 'a>;
}

/// Something that looks up; `None` where it cannot.
pub trait Looking {
    fn by_type(&mut self, turns: u32) -> Option<f64>;
    fn by_name(&mut self, turns: u32) -> Option<f64>;
}

impl<C: Container> Work for C {
    fn name(&self) -> &'static str {
        Container::name(self)
    }

    fn graph(&self) -> (Shape, usize) {
        Container::graph(self)
    }

    fn nodes(&self) -> Nodes {
        Container::nodes(self)
    }

    fn boot(&self, runtime: &Runtime) -> f64 {
        let turns = turns(Container::graph(self).1);
        timed(turns, || (), |()| self.build(self.load(), runtime), |app| self.end(app, runtime))
    }

    fn check(&self, _runtime: &Runtime) -> Option<f64> {
        let turns = turns(Container::graph(self).1);
        self.checks().then(|| timed(turns, || self.load(), |loaded| Container::check(self, loaded), drop))
    }

    fn boot_once(&self, runtime: &Runtime, around: &mut dyn FnMut(&mut dyn FnMut())) {
        let mut app = None;
        around(&mut || app = Some(self.build(self.load(), runtime)));
        app.into_iter().for_each(|app| self.end(app, runtime));
    }

    fn verify(&self, runtime: &Runtime) {
        let (shape, number) = Container::graph(self);
        let graph = shape.graph(number);
        let mut app = self.build(self.load(), runtime);
        let (shared, expected) = (self.shared(&mut app), graph.need_the_first() + 1);
        let (name, module) = (Container::name(self), graph.module());
        assert!(shared >= expected, "{name}, {module}: the first is held {shared} times, not {expected}");
        self.end(app, runtime);
    }

    fn looking<'a>(&'a self, runtime: &'a Runtime) -> Box<dyn Looking + 'a> {
        Box::new(Kept { container: self, app: Some(self.build(self.load(), runtime)), runtime })
    }
}

struct Kept<'a, C: Container> {
    container: &'a C,
    app: Option<C::App>,
    runtime: &'a Runtime,
}

impl<C: Container> Looking for Kept<'_, C> {
    fn by_type(&mut self, turns: u32) -> Option<f64> {
        self.app.as_mut().and_then(|app| self.container.by_type(app, turns))
    }

    fn by_name(&mut self, turns: u32) -> Option<f64> {
        self.app.as_mut().and_then(|app| self.container.by_name(app, turns))
    }
}

impl<C: Container> Drop for Kept<'_, C> {
    fn drop(&mut self) {
        self.app.take().into_iter().for_each(|app| self.container.end(app, self.runtime));
    }
}

/// How many applications are made between two looks at the clock, and kept until after the second.
pub fn turns(number: usize) -> usize {
    (1000 / number).clamp(1, 20)
}
