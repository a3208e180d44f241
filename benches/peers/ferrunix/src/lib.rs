//! Ferrunix: singletons by type, without its async feature, which is slower. It makes what it is asked for, so that it is asked for
//! all; the whole graph is checked with the first, or before by `validate_all`.

use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::Arc;

use ferrunix::Registry;
use ferrunix::error::ResolveError;
use graphs::Shape;
use tokio::runtime::Runtime;
use work::{Container, repeated};

mod generated {
    #![allow(dead_code, reason = "fields are filled and not read")]
    use crate::Ferrunix;
    use std::marker::PhantomData;
    include!(concat!(env!("OUT_DIR"), "/graphs.rs"));
}

pub use generated::all;

/// What the build script writes for each graph.
trait Components {
    const GRAPH: (Shape, usize);
    type First: Send + Sync + 'static;
    type Middle: Send + Sync + 'static;
    fn register(registry: &Registry);
    fn get(registry: &Registry);
}

struct Ferrunix<C>(PhantomData<C>);

impl<C: Components> Container for Ferrunix<C> {
    type Loaded = Registry;
    type Checked = Registry;
    type App = Registry;

    fn name(&self) -> &'static str {
        "ferrunix"
    }

    fn graph(&self) -> (Shape, usize) {
        C::GRAPH
    }

    fn load(&self) -> Registry {
        let registry = Registry::empty();
        C::register(&registry);
        registry
    }

    fn checks(&self) -> bool {
        true
    }

    fn check(&self, loaded: Registry) -> Registry {
        loaded.validate_all().unwrap_or_else(|error| panic!("{error}"));
        loaded
    }

    fn build(&self, loaded: Registry, _: &Runtime) -> Registry {
        C::get(&loaded);
        loaded
    }

    fn shared(&self, app: &mut Registry) -> usize {
        Arc::strong_count(&got(app.singleton::<C::First>()))
    }

    fn by_type(&self, app: &mut Registry, turns: u32) -> Option<f64> {
        Some(repeated(turns, || app.singleton::<C::Middle>()))
    }
}

fn got<T>(it: Result<Arc<T>, ResolveError>) -> Arc<T> {
    black_box(it.unwrap_or_else(|error| panic!("{error}")))
}
