//! Shaku: the compiler checks the graph, and a look-up is a field of the module. Every component is a trait.

// Each link of a chain takes the compiler two levels further down, `dyn` or not.
#![recursion_limit = "1024"]

use std::marker::PhantomData;
use std::sync::Arc;

use graphs::Shape;
use shaku::{HasComponent, Interface, ModuleBuilder};
use tokio::runtime::Runtime;
use work::{Container, Nodes, repeated};

mod generated {
    #![allow(dead_code, reason = "fields are filled and not read")]
    use crate::Shaku;
    use std::marker::PhantomData;
    include!(concat!(env!("OUT_DIR"), "/graphs.rs"));
}

pub use generated::all;

/// What the build script writes for each graph.
trait Components {
    const GRAPH: (Shape, usize);
    type Module: shaku::Module + HasComponent<Self::First> + HasComponent<Self::Middle>;
    type First: ?Sized + Interface;
    type Middle: ?Sized + Interface;
    fn builder() -> ModuleBuilder<Self::Module>;
}

struct Shaku<C>(PhantomData<C>);

impl<C: Components> Container for Shaku<C> {
    type Loaded = ModuleBuilder<C::Module>;
    type Checked = ();
    type App = C::Module;

    fn name(&self) -> &'static str {
        "shaku"
    }

    fn graph(&self) -> (Shape, usize) {
        C::GRAPH
    }

    fn nodes(&self) -> Nodes {
        Nodes::Dyn
    }

    fn load(&self) -> Self::Loaded {
        C::builder()
    }

    fn check(&self, _: Self::Loaded) {}

    fn build(&self, loaded: Self::Loaded, _: &Runtime) -> C::Module {
        loaded.build()
    }

    fn shared(&self, app: &mut C::Module) -> usize {
        let first: Arc<C::First> = app.resolve();
        Arc::strong_count(&first)
    }

    fn by_type(&self, app: &mut C::Module, turns: u32) -> Option<f64> {
        Some(repeated(turns, || -> Arc<C::Middle> { app.resolve() }))
    }
}
