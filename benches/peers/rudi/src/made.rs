//! Graphs that are made at run time, of one type, told apart by name.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use graphs::Shape;
use rudi::{Context, DynProvider, Module, ResolveModule, singleton};
use tokio::runtime::Runtime;
use work::{Container, Nodes, Work, repeated};

struct Node {
    _needs: Vec<Arc<Node>>,
}

struct Made {
    shape: Shape,
    plan: Rc<Plan>,
}

struct Plan {
    needs: Vec<Vec<usize>>,
    names: Arc<[&'static str]>,
}

/// Rudi with such a graph; `names` has one for each node.
pub fn made(shape: Shape, names: Arc<[&'static str]>) -> Box<dyn Work> {
    let needs = shape.graph(names.len()).needs;
    Box::new(Made { shape, plan: Rc::new(Plan { needs, names }) })
}

thread_local! {
    /// A module is a type, so that what it provides can only stand beside it.
    static LOADING: RefCell<Option<Rc<Plan>>> = const { RefCell::new(None) };
}

struct All;

impl Module for All {
    fn providers() -> Vec<DynProvider> {
        LOADING.take().map_or_else(Vec::new, |plan| (0..plan.names.len()).map(|index| provider(&plan, index)).collect())
    }
}

fn provider(plan: &Rc<Plan>, index: usize) -> DynProvider {
    let (plan, name) = (Rc::clone(plan), plan.names[index]);
    let make = move |context: &mut Context| {
        let needs = plan.needs[index].iter().map(|need| context.resolve_with_name(plan.names[*need]));
        Arc::new(Node { _needs: needs.collect() })
    };
    singleton(make).name(name).into()
}

impl Container for Made {
    type Loaded = Vec<ResolveModule>;
    type Checked = ();
    type App = Context;

    fn name(&self) -> &'static str {
        "rudi"
    }

    fn graph(&self) -> (Shape, usize) {
        (self.shape, self.plan.names.len())
    }

    fn nodes(&self) -> Nodes {
        Nodes::AtRunTime
    }

    fn load(&self) -> Vec<ResolveModule> {
        LOADING.set(Some(Rc::clone(&self.plan)));
        rudi::modules![All]
    }

    fn check(&self, _: Vec<ResolveModule>) {}

    fn build(&self, loaded: Vec<ResolveModule>, _: &Runtime) -> Context {
        Context::options().eager_create(true).create(loaded)
    }

    fn shared(&self, app: &mut Context) -> usize {
        Arc::strong_count(app.get_single_with_name::<Arc<Node>>(self.plan.names[0]))
    }

    fn by_name(&self, app: &mut Context, turns: u32) -> Option<f64> {
        let middle = self.plan.names[self.plan.names.len() / 2];
        Some(repeated(turns, || Arc::clone(app.get_single_with_name::<Arc<Node>>(middle))))
    }
}
