//! What the container costs, beside code that is wired by hand. See the README of `benches`.

mod goners;
mod measure;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gone::{App, AppBuilder, Gone, Goner, Loader, Result};
use tokio::runtime::Runtime;

use crate::goners::{of_10, of_100, of_1000};
use crate::measure::{Bar, Measured, compare, head};

/// Its name is what the look-ups by name ask for.
#[derive(Goner)]
#[goner(name = "warm")]
struct Warm {}

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

/// One number of goners: how they are loaded, and how they are wired by hand.
struct Goners<W> {
    number: usize,
    load: fn(&mut Loader),
    wire: fn() -> W,
}

impl<W> Goners<W> {
    /// How many applications are made between two looks at the clock, and kept until after the second.
    fn turns(&self) -> usize {
        (1000 / self.number).min(20)
    }

    fn wired(&self) -> f64 {
        timed(self.turns(), || (), |()| black_box((self.wire)()), drop)
    }

    fn load(&self, begin: Begin) -> Measured {
        let load = || (begin.builder)().load(self.load);
        let measured =
            compare(self.what("load", begin), || timed(self.turns(), || (), |()| load(), drop), || self.wired());
        measured.allocations(load, self.wire)
    }

    fn plan(&self, begin: Begin) -> Measured {
        let load = || (begin.builder)().load(self.load);
        let plan = |builder: AppBuilder| whole(builder.plan());
        let measured = compare(self.what("plan", begin), || timed(self.turns(), load, plan, drop), || self.wired());
        let loaded = load();
        measured.allocations(|| plan(loaded), self.wire)
    }

    fn build(&self, begin: Begin, runtime: &Runtime) -> Measured {
        let load = || (begin.builder)().load(self.load);
        let boot = |builder: AppBuilder| whole(runtime.block_on(async { builder.plan()?.build().await }));
        let close = |app: App| whole(runtime.block_on(app.close()));
        let measured =
            compare(self.what("plan + build", begin), || timed(self.turns(), load, boot, close), || self.wired());
        let loaded = load();
        let mut app = None;
        let measured = measured.allocations(|| app = Some(boot(loaded)), self.wire);
        app.into_iter().for_each(close);
        measured
    }

    fn what(&self, what: &str, begin: Begin) -> String {
        format!("{what}, {} goners, {}", self.number, begin.called)
    }
}

/// Does the work so many times, and again until there is something to measure. What it needs is made before, and what it made is
/// dropped after the time is taken.
fn timed<A, B>(turns: usize, make: impl Fn() -> A, work: impl Fn(A) -> B, end: impl Fn(B)) -> f64 {
    const BATCHES: usize = 8;
    let mut took = Duration::ZERO;
    // The first batch finds the allocator as somebody else left it, and does not count.
    for batch in 0..=BATCHES {
        let made: Vec<A> = (0..turns).map(|_| make()).collect();
        let mut done = Vec::with_capacity(turns);
        let begun = Instant::now();
        for made in made {
            done.push(work(made));
        }
        took += if batch == 0 { Duration::ZERO } else { begun.elapsed() };
        done.into_iter().for_each(&end);
    }
    nanos(took) / (turns * BATCHES) as f64
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// What a look-up costs: so short that only many of them can be measured.
fn looked_up<T>(look: impl Fn() -> T) -> f64 {
    const TURNS: u32 = 20_000;
    let begun = Instant::now();
    for _ in 0..TURNS {
        black_box(look());
    }
    nanos(begun.elapsed()) / f64::from(TURNS)
}

/// The floor of a look-up: a map of instances.
type Map<K> = HashMap<K, Arc<dyn Any + Send + Sync>>;

fn look_ups(runtime: &Runtime) {
    let load = |builder: AppBuilder| builder.load((of_1000::load, Warm::goner()));
    let app = whole(runtime.block_on(async { load(AppBuilder::new()).plan()?.build().await }));
    let warm = whole(app.get::<Arc<Warm>>());
    let mut by_type: Map<TypeId> = Map::new();
    of_1000::map(&of_1000::wire(), &mut by_type);
    by_type.insert(TypeId::of::<Warm>(), warm.clone());
    let names = (0..1000).map(|index| format!("goner-{index}"));
    let mut by_name: Map<String> = names.map(|name| (name, warm.clone() as _)).collect();
    by_name.insert("warm".to_owned(), warm);

    let get = || app.get::<Arc<Warm>>();
    let get_named = || app.get_named::<Arc<Warm>>(black_box("warm"));
    let of_type = || by_type.get(&black_box(TypeId::of::<Warm>())).map(|it| Arc::clone(it).downcast::<Warm>());
    let of_name = || by_name.get(black_box("warm")).map(|it| Arc::clone(it).downcast::<Warm>());
    let measured = compare("get::<Arc<T>>(), 1001 goners", || looked_up(get), || looked_up(of_type));
    println!("{}", measured.bar(Bar::Times(1.3)).allocations(get, of_type));
    let measured = compare("get_named::<Arc<T>>(name)", || looked_up(get_named), || looked_up(of_name));
    println!("{}", measured.bar(Bar::Nanos(40.0)).allocations(get_named, of_name));
    whole(runtime.block_on(app.close()));
}

fn of<W>(goners: &Goners<W>, begin: Begin, runtime: &Runtime, bar: Option<f64>) {
    println!("{}", goners.load(begin));
    let plan = goners.plan(begin);
    // The bar for a plan is an absolute one, and stands for a thousand.
    println!("{}", if goners.number == 1000 { plan.bar(Bar::Nanos(200_000.0)) } else { plan });
    let build = goners.build(begin, runtime);
    println!("{}", bar.into_iter().fold(build, |build, bar| build.bar(Bar::Times(bar))));
}

/// The graphs are whole: a mistake in one is a mistake of this program.
fn whole<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    println!("A time is that of one turn; `bar` is what the project asks of itself.\n");
    head();
    // The default features install a log for the whole process, so they come last.
    for begin in [BARE, DEFAULT] {
        of(&Goners { number: 10, load: of_10::load, wire: of_10::wire }, begin, &runtime, None);
        of(&Goners { number: 100, load: of_100::load, wire: of_100::wire }, begin, &runtime, Some(20.0));
        of(&Goners { number: 1000, load: of_1000::load, wire: of_1000::wire }, begin, &runtime, Some(15.0));
        if begin.called == BARE.called {
            look_ups(&runtime);
        }
    }
    Ok(())
}
