//! What is compared with the peers: wired by hand, and Gone, both with types and at run time.

use std::collections::HashMap;
use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::Arc;

use gone::{AppBuilder, Loader, Plan};
use graphs::Shape;
use tokio::runtime::Runtime;
use work::{Container, Nodes, repeated};

use crate::budgets::{boot, close};
use crate::made::{Named, Node};
use crate::typed::Components;
use crate::whole;

pub(crate) struct Hand<C>(pub(crate) PhantomData<C>);

impl<C: Components> Container for Hand<C> {
    type Loaded = ();
    type Checked = ();
    type App = C::Wired;

    fn name(&self) -> &'static str {
        "by hand"
    }

    fn graph(&self) -> (Shape, usize) {
        C::GRAPH
    }

    fn load(&self) {}

    fn check(&self, (): ()) {}

    fn build(&self, (): (), _: &Runtime) -> C::Wired {
        C::wire()
    }

    fn shared(&self, app: &mut C::Wired) -> usize {
        Arc::strong_count(C::first(app))
    }

    fn by_type(&self, app: &mut C::Wired, turns: u32) -> Option<f64> {
        C::map(app).map(|map| repeated(turns, || C::found(&map)))
    }
}

pub(crate) struct Goners<C>(pub(crate) PhantomData<C>);

impl<C: Components> Container for Goners<C> {
    type Loaded = AppBuilder;
    type Checked = Plan;
    type App = gone::App;

    fn name(&self) -> &'static str {
        "gone"
    }

    fn graph(&self) -> (Shape, usize) {
        C::GRAPH
    }

    fn load(&self) -> AppBuilder {
        AppBuilder::new().load(C::load)
    }

    fn checks(&self) -> bool {
        true
    }

    fn check(&self, loaded: AppBuilder) -> Plan {
        whole(loaded.plan())
    }

    fn build(&self, loaded: AppBuilder, runtime: &Runtime) -> gone::App {
        boot(loaded, runtime)
    }

    fn end(&self, app: gone::App, runtime: &Runtime) {
        close(app, runtime);
    }

    fn shared(&self, app: &mut gone::App) -> usize {
        Arc::strong_count(&whole(app.get::<Arc<C::First>>()))
    }

    fn by_type(&self, app: &mut gone::App, turns: u32) -> Option<f64> {
        Some(repeated(turns, || app.get::<Arc<C::Middle>>()))
    }
}

pub(crate) struct HandMade(pub(crate) Named);

impl Container for HandMade {
    type Loaded = ();
    type Checked = ();
    type App = Vec<Arc<Node>>;

    fn name(&self) -> &'static str {
        "by hand"
    }

    fn graph(&self) -> (Shape, usize) {
        (self.0.shape, self.0.needs.len())
    }

    fn nodes(&self) -> Nodes {
        Nodes::AtRunTime
    }

    fn load(&self) {}

    fn check(&self, (): ()) {}

    fn build(&self, (): (), _: &Runtime) -> Vec<Arc<Node>> {
        let mut made: Vec<Arc<Node>> = Vec::with_capacity(self.0.needs.len());
        for needs in self.0.needs.iter() {
            let needs = needs.iter().map(|need| Arc::clone(&made[*need])).collect();
            made.push(Arc::new(Node { _needs: needs }));
        }
        made
    }

    fn shared(&self, app: &mut Vec<Arc<Node>>) -> usize {
        Arc::strong_count(&app[0])
    }

    fn by_name(&self, app: &mut Vec<Arc<Node>>, turns: u32) -> Option<f64> {
        let names = self.0.names.iter().map(|name| (*name).to_owned());
        let map: HashMap<String, Arc<Node>> = names.zip(app.iter().cloned()).collect();
        Some(repeated(turns, || map.get(black_box(middle(&self.0))).map(Arc::clone)))
    }
}

pub(crate) struct MadeGoners(pub(crate) Named);

impl Container for MadeGoners {
    type Loaded = AppBuilder;
    type Checked = Plan;
    type App = gone::App;

    fn name(&self) -> &'static str {
        "gone"
    }

    fn graph(&self) -> (Shape, usize) {
        (self.0.shape, self.0.needs.len())
    }

    fn nodes(&self) -> Nodes {
        Nodes::AtRunTime
    }

    fn load(&self) -> AppBuilder {
        let named = self.0.clone();
        AppBuilder::new().load(move |loader: &mut Loader| named.load(loader))
    }

    fn checks(&self) -> bool {
        true
    }

    fn check(&self, loaded: AppBuilder) -> Plan {
        whole(loaded.plan())
    }

    fn build(&self, loaded: AppBuilder, runtime: &Runtime) -> gone::App {
        boot(loaded, runtime)
    }

    fn end(&self, app: gone::App, runtime: &Runtime) {
        close(app, runtime);
    }

    fn shared(&self, app: &mut gone::App) -> usize {
        Arc::strong_count(&whole(app.get_named::<Arc<Node>>(self.0.names[0])))
    }

    fn by_name(&self, app: &mut gone::App, turns: u32) -> Option<f64> {
        Some(repeated(turns, || app.get_named::<Arc<Node>>(black_box(middle(&self.0)))))
    }
}

fn middle(named: &Named) -> &'static str {
    named.names[named.names.len() / 2]
}
