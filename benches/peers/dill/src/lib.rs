//! Dill: singletons by type. It makes what it is asked for, so that it is asked for all; `validate` checks the whole graph before,
//! if one wants it.

use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::Arc;

use dill::{Catalog, CatalogBuilder, InjectionError};
use graphs::Shape;
use tokio::runtime::Runtime;
use work::{Container, repeated};

mod generated {
    #![allow(dead_code, reason = "fields are filled and not read, and not all that the macros write is used")]
    use crate::Dill;
    use std::marker::PhantomData;
    include!(concat!(env!("OUT_DIR"), "/graphs.rs"));
}

pub use generated::all;

/// What the build script writes for each graph.
trait Components {
    const GRAPH: (Shape, usize);
    type First: ?Sized + Send + Sync + 'static;
    type Middle: ?Sized + Send + Sync + 'static;
    fn add(builder: &mut CatalogBuilder);
    fn get(catalog: &Catalog);
}

struct Dill<C>(PhantomData<C>);

impl<C: Components> Container for Dill<C> {
    type Loaded = CatalogBuilder;
    type Checked = CatalogBuilder;
    type App = Catalog;

    fn name(&self) -> &'static str {
        "dill"
    }

    fn graph(&self) -> (Shape, usize) {
        C::GRAPH
    }

    fn load(&self) -> CatalogBuilder {
        let mut builder = CatalogBuilder::new();
        C::add(&mut builder);
        builder
    }

    fn checks(&self) -> bool {
        true
    }

    fn check(&self, mut loaded: CatalogBuilder) -> CatalogBuilder {
        loaded.validate().unwrap_or_else(|error| panic!("{error}"));
        loaded
    }

    fn build(&self, mut loaded: CatalogBuilder, _: &Runtime) -> Catalog {
        let catalog = loaded.build();
        C::get(&catalog);
        catalog
    }

    fn shared(&self, app: &mut Catalog) -> usize {
        Arc::strong_count(&got(app.get_one::<C::First>()))
    }

    fn by_type(&self, app: &mut Catalog, turns: u32) -> Option<f64> {
        Some(repeated(turns, || app.get_one::<C::Middle>()))
    }
}

fn got<T: ?Sized>(it: Result<Arc<T>, InjectionError>) -> Arc<T> {
    black_box(it.unwrap_or_else(|error| panic!("{error}")))
}
