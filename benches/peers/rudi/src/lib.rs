//! Rudi: singletons by type and name, all made when the context is. It checks nothing before.

mod made;

use std::marker::PhantomData;
use std::sync::Arc;

use graphs::Shape;
use rudi::{Context, DynProvider, Module, ResolveModule};
use tokio::runtime::Runtime;
use work::{Container, repeated};

mod generated {
    #![allow(dead_code, reason = "fields are filled and not read")]
    use crate::Rudi;
    use std::marker::PhantomData;
    include!(concat!(env!("OUT_DIR"), "/graphs.rs"));
}

pub use generated::all;
pub use made::made;

/// What the build script writes for each graph.
trait Components: 'static {
    const GRAPH: (Shape, usize);
    type First: ?Sized + 'static;
    type Middle: ?Sized + 'static;
    fn add(all: &mut Vec<DynProvider>);
}

struct Rudi<C>(PhantomData<C>);

impl<C: Components> Module for Rudi<C> {
    fn providers() -> Vec<DynProvider> {
        let mut all = Vec::with_capacity(C::GRAPH.1);
        C::add(&mut all);
        all
    }
}

impl<C: Components> Container for Rudi<C> {
    type Loaded = Vec<ResolveModule>;
    type Checked = ();
    type App = Context;

    fn name(&self) -> &'static str {
        "rudi"
    }

    fn graph(&self) -> (Shape, usize) {
        C::GRAPH
    }

    fn load(&self) -> Vec<ResolveModule> {
        rudi::modules![Self]
    }

    fn check(&self, _: Vec<ResolveModule>) {}

    fn build(&self, loaded: Vec<ResolveModule>, _: &Runtime) -> Context {
        Context::options().eager_create(true).create(loaded)
    }

    fn shared(&self, app: &mut Context) -> usize {
        Arc::strong_count(app.get_single::<Arc<C::First>>())
    }

    fn by_type(&self, app: &mut Context, turns: u32) -> Option<f64> {
        Some(repeated(turns, || Arc::clone(app.get_single::<Arc<C::Middle>>())))
    }
}
