//! What the project asks of itself: the budgets of the container.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use gone::{App, AppBuilder, Gone, Goner, Loader};
use graphs::Shape;
use measure::{Bar, ROUNDS, compare, head, once, repeated, timed};
use tokio::runtime::Runtime;
use work::turns;

use crate::first::{self, first_boot};
use crate::made::Named;
use crate::typed::generated::{layers_10, layers_100, layers_1000};
use crate::typed::{Components, found};
use crate::{concurrent, whole};

/// Its name is what the look-ups by name ask for.
#[derive(Goner)]
#[goner(name = "warm")]
struct Warm {
    value: std::sync::atomic::AtomicU64,
}

#[derive(Goner)]
struct User {
    #[gone]
    warm: Arc<Warm>,
}

/// How an application begins.
#[derive(Clone, Copy)]
struct Begin {
    called: &'static str,
    builder: fn() -> AppBuilder,
}

/// With nothing but the goners that are measured.
const BARE: Begin = Begin { called: "bare", builder: AppBuilder::new };
/// With what the default features bring.
const DEFAULT: Begin = Begin { called: "default", builder: Gone::builder };

/// The budgets. The default features install a log for the whole process, so they come last.
pub(crate) fn all(runtime: &Runtime) {
    head();
    graphs(BARE, runtime);
    linear(runtime);
    for begin in [BARE, DEFAULT] {
        let what = format!("first boot, 1000 goners, {}", begin.called);
        let line = compare(what, 15, || first_boot(begin.called), || first_boot(first::HAND));
        line.bar(Bar::Nanos(2e6)).print();
    }
    look_ups(runtime);
    field(runtime);
    concurrent::all(runtime);
    graphs(DEFAULT, runtime);
}

fn graphs(begin: Begin, runtime: &Runtime) {
    of::<layers_10::It>(begin, runtime, None);
    of::<layers_100::It>(begin, runtime, Bar::Times(20.0));
    of::<layers_1000::It>(begin, runtime, Bar::Times(15.0));
}

fn of<C: Components>(begin: Begin, runtime: &Runtime, bar: impl Into<Option<Bar>>) {
    let number = C::GRAPH.1;
    let what = |what| format!("{what}, {number} goners, {}", begin.called);
    let turns = turns(number);
    let floor = || timed(turns, || (), |()| black_box(C::wire()), drop);
    let load = || (begin.builder)().load(C::load);
    let plan = |builder: AppBuilder| whole(builder.plan());

    let line = compare(what("load"), ROUNDS, || timed(turns, || (), |()| load(), drop), floor);
    line.allocations(load, C::wire).print();
    let line = compare(what("plan"), ROUNDS, || timed(turns, load, plan, drop), floor);
    let loaded = load();
    let line = line.allocations(|| plan(loaded), C::wire);
    // The bar for a plan is an absolute one, and stands for a thousand.
    line.bar((number == 1000).then_some(Bar::Nanos(200_000.0))).print();
    let boot = |builder| boot(builder, runtime);
    let close = |app| close(app, runtime);
    let line = compare(what("plan + build"), ROUNDS, || timed(turns, load, boot, close), floor);
    let (loaded, mut app) = (load(), None);
    line.allocations(|| app = Some(boot(loaded)), C::wire).bar(bar).print();
    app.into_iter().for_each(close);
}

pub(crate) fn boot(builder: AppBuilder, runtime: &Runtime) -> App {
    whole(runtime.block_on(async { builder.plan()?.build().await }))
}

pub(crate) fn close(app: App, runtime: &Runtime) {
    whole(runtime.block_on(app.close()));
}

/// Ten times as many, beside a tenth of them.
fn linear(runtime: &Runtime) {
    let [many, few] = [10_000, 1_000].map(|number| Named::new(Shape::Layers, number));
    let time = |named: &Named| {
        let load = || {
            let named = named.clone();
            AppBuilder::new().load(move |loader: &mut Loader| named.load(loader))
        };
        timed(1, load, |builder| boot(builder, runtime), |app| close(app, runtime))
    };
    let line = compare("plan + build, 10000 over 1000, run time", 15, || time(&many), || time(&few));
    line.bar(Bar::Times(12.0)).print();
}

fn look_ups(runtime: &Runtime) {
    const TURNS: u32 = 20_000;
    let app = boot(AppBuilder::new().load((layers_1000::It::load, Warm::goner())), runtime);
    let warm = whole(app.get::<Arc<Warm>>());
    let mut by_type = layers_1000::It::map(&layers_1000::It::wire()).unwrap_or_default();
    by_type.insert(std::any::TypeId::of::<Warm>(), warm.clone());
    let names = (0..1000).map(|index| format!("goner-{index}"));
    let mut by_name: HashMap<String, Arc<Warm>> = names.map(|name| (name, Arc::clone(&warm))).collect();
    by_name.insert("warm".to_owned(), warm);

    let get = || app.get::<Arc<Warm>>();
    let get_named = || app.get_named::<Arc<Warm>>(black_box("warm"));
    let of_type = || found::<Warm>(&by_type);
    let of_name = || by_name.get(black_box("warm")).map(Arc::clone);
    let line = compare("get::<Arc<T>>(), 1001 goners", ROUNDS, || repeated(TURNS, get), || repeated(TURNS, of_type));
    line.bar(Bar::Times(1.3)).allocations(get, of_type).print();
    let line = compare("get_named::<Arc<T>>(name)", ROUNDS, || repeated(TURNS, get_named), || repeated(TURNS, of_name));
    line.bar(Bar::Nanos(40.0)).allocations(get_named, of_name).print();
    close(app, runtime);
}

/// An injected field, beside the same field filled by hand. Nothing is added; the bar leaves room for the clock.
fn field(runtime: &Runtime) {
    const TURNS: u32 = 2_000_000;
    let app = boot(AppBuilder::new().load((User::goner(), Warm::goner())), runtime);
    let injected = whole(app.get::<Arc<User>>());
    let by_hand = Arc::new(User { warm: Arc::new(Warm { value: Default::default() }) });
    let used =
        |user: &Arc<User>| repeated(TURNS, || black_box(user).warm.value.load(std::sync::atomic::Ordering::Relaxed));
    let line = compare("an injected field in use", ROUNDS, || used(&injected), || used(&by_hand));
    line.bar(Bar::Times(1.05)).print();
    close(app, runtime);
}

/// Boots a thousand goners for the first time in this process.
pub(crate) fn boot_here(what: &str, runtime: &Runtime) -> Option<f64> {
    if what == first::HAND {
        return Some(once(layers_1000::It::wire, drop));
    }
    let begin = [BARE, DEFAULT].into_iter().find(|begin| begin.called == what)?;
    Some(once(|| boot((begin.builder)().load(layers_1000::It::load), runtime), |app| close(app, runtime)))
}
