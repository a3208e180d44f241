//! The goners of a random application: they do what the scenario says, and write down what happens to them.

use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gone::prelude::*;
use gone::{LazyError, SpecBuilder};
use tokio::time::Instant;

use crate::scenario::{Fate, Kind, Need, Scenario, Step};

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Constructed,
    Begun(Step),
    /// The step came to its end, well or not.
    Ended(Step, bool),
    /// The step's future was dropped.
    Dropped(Step),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) unit: usize,
    pub(crate) what: What,
    pub(crate) at: Duration,
    /// For a provider: the unit that asks, if one does.
    pub(crate) asker: Option<usize>,
    /// For a provider: the text that it was given.
    pub(crate) text: Option<u8>,
}

/// All that happened, and what was found to be wrong at once.
pub(crate) struct Journal {
    begun: Instant,
    entries: Mutex<Vec<Entry>>,
    pub(crate) wrong: Mutex<Vec<String>>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Journal { begun: Instant::now(), entries: Mutex::default(), wrong: Mutex::default() }
    }

    pub(crate) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn add(&self, unit: usize, what: What, asker: Option<usize>, text: Option<u8>) {
        self.entries.lock().unwrap().push(Entry { unit, what, at: self.now(), asker, text });
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap().clone()
    }

    pub(crate) fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.lock().unwrap().push(what());
        }
    }
}

/// Writes that a step begins and how it ends, also if its future is dropped.
struct Writing<'a> {
    journal: &'a Journal,
    unit: usize,
    step: Step,
    asked: (Option<usize>, Option<u8>),
    over: bool,
}

impl<'a> Writing<'a> {
    fn new(journal: &'a Journal, unit: usize, step: Step, asked: (Option<usize>, Option<u8>)) -> Self {
        journal.add(unit, What::Begun(step), asked.0, asked.1);
        Writing { journal, unit, step, asked, over: false }
    }

    fn end(mut self, well: bool) {
        self.over = true;
        self.journal.add(self.unit, What::Ended(self.step, well), self.asked.0, self.asked.1);
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.journal.add(self.unit, What::Dropped(self.step), self.asked.0, self.asked.1);
        }
    }
}

/// What a unit has of its application.
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) journal: Journal,
    /// Lent to every unit: so it is known when they are gone.
    pub(crate) alive: Arc<()>,
}

/// A plain unit, a provider, or a sharing provider.
pub(crate) struct Unit<const K: u8> {
    pub(crate) id: usize,
    world: Arc<World>,
    _alive: Arc<()>,
    _held: Vec<Arc<dyn Any + Send + Sync>>,
    lazies: Vec<(usize, Later)>,
}

enum Later {
    Plain(Lazy<Unit<0>>),
    Provider(Lazy<Unit<1>>),
    Sharing(Lazy<Unit<2>>),
}

impl Later {
    fn get(&self) -> Result<usize, LazyError> {
        match self {
            Later::Plain(it) => it.get().map(|it| it.id),
            Later::Provider(it) => it.get().map(|it| it.id),
            Later::Sharing(it) => it.get().map(|it| it.id),
        }
    }
}

/// What providers make.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) of: usize,
    pub(crate) text: u8,
}

macro_rules! groups {
    ($($group:ident)*) => {$(
        pub(crate) trait $group: Send + Sync {
            fn id(&self) -> usize;
        }
        impl $group for Unit<0> {
            fn id(&self) -> usize {
                self.id
            }
        }
    )*};
}
groups!(First Second);

impl<const K: u8> Unit<K> {
    async fn act(&self, step: Step, asked: (Option<usize>, Option<u8>)) -> gone::Result<()> {
        let Some(act) = self.world.scenario.units[self.id].acts.get(&step) else { return Ok(()) };
        let writing = Writing::new(&self.world.journal, self.id, step, asked);
        self.check_lazies(step);
        if act.millis > 0 {
            tokio::time::sleep(Duration::from_millis(act.millis)).await;
        }
        match act.fate {
            Fate::Well => {
                writing.end(true);
                Ok(())
            }
            Fate::Fails => {
                writing.end(false);
                gone::bail!("fault of {} in {step:?}", self.id)
            }
            Fate::Panics => {
                writing.end(false);
                panic!("fault of {} in {step:?}", self.id)
            }
            Fate::Hangs => std::future::pending().await,
        }
    }

    fn check_lazies(&self, step: Step) {
        for (of, lazy) in &self.lazies {
            let got = lazy.get();
            let right = match step {
                // After the boot a provider may be asked at any time.
                Step::Provide => true,
                Step::BeforeInit | Step::Init => got == Err(LazyError::NotReady),
                // Without a full boot nothing is filled.
                Step::Close => got == Ok(*of) || got == Err(LazyError::NotReady),
                _ => got == Ok(*of),
            };
            self.world.journal.check(right, || format!("{} in {step:?}: the lazy of {of} gives {got:?}", self.id));
        }
    }
}

macro_rules! hooks {
    ($($hook:ident $method:ident ($($mutable:ident)?);)*) => {$(
        impl<const K: u8> $hook for Unit<K> {
            async fn $method(& $($mutable)? self) -> gone::Result<()> {
                self.act(Step::$hook, (None, None)).await
            }
        }
    )*};
}
hooks! {
    BeforeInit before_init (mut);
    Init init (mut);
    BeforeStart before_start ();
    Start start ();
    AfterStart after_start ();
    BeforeStop before_stop ();
    Stop stop ();
    AfterStop after_stop ();
}

impl<const K: u8> Run for Unit<K> {
    /// One that goes well works until it is told to end.
    async fn run(&self, told: ShutdownToken) -> gone::Result<()> {
        let act = self.world.scenario.units[self.id].acts[&Step::Run];
        if act.fate != Fate::Well {
            return self.act(Step::Run, (None, None)).await;
        }
        let writing = Writing::new(&self.world.journal, self.id, Step::Run, (None, None));
        told.cancelled().await;
        tokio::time::sleep(Duration::from_millis(act.millis)).await;
        writing.end(true);
        Ok(())
    }
}

impl<const K: u8> Close for Unit<K> {
    async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
        self.act(Step::Close, (None, None)).await.map(|()| CloseReport::clean())
    }
}

impl<const K: u8> Unit<K> {
    async fn token(&self, tag: &Tag) -> gone::Result<Token> {
        let text = tag.extend().parse()?;
        let asker = tag.asker().field().strip_prefix("unit ").and_then(|unit| unit.parse().ok());
        self.act(Step::Provide, (asker, Some(text))).await?;
        Ok(Token { of: self.id, text })
    }
}

impl Provider for Unit<1> {
    type Output = Token;
    async fn provide(&self, tag: &Tag) -> gone::Result<Token> {
        self.token(tag).await
    }
}

impl Provider for Unit<2> {
    type Output = Arc<Token>;
    async fn provide(&self, tag: &Tag) -> gone::Result<Arc<Token>> {
        self.token(tag).await.map(Arc::new)
    }
}

/// The spec of a unit, all but what only its kind has.
fn builder<const K: u8>(world: &Arc<World>, id: usize) -> SpecBuilder<Unit<K>> {
    let of = Arc::clone(world);
    let mut builder = SpecBuilder::<Unit<K>>::new(move |sites| construct(&of, id, sites));
    let plan = &world.scenario.units[id];
    for need in &plan.needs {
        let field = format!("unit {id}");
        let kind = |of: usize| world.scenario.units[of].kind;
        builder = match *need {
            Need::One(of) => match kind(of) {
                Kind::Plain => builder.one::<Arc<Unit<0>>>(field, format!("n{of}")),
                Kind::Provider => builder.one::<Arc<Unit<1>>>(field, format!("n{of}")),
                Kind::Sharing => builder.one::<Arc<Unit<2>>>(field, format!("n{of}")),
            },
            Need::Optional(of) => match kind(of) {
                Kind::Plain => builder.optional::<Arc<Unit<0>>>(field, format!("n{of}")),
                Kind::Provider => builder.optional::<Arc<Unit<1>>>(field, format!("n{of}")),
                Kind::Sharing => builder.optional::<Arc<Unit<2>>>(field, format!("n{of}")),
            },
            Need::Absent => builder.optional::<Arc<Unit<0>>>(field, "nobody"),
            Need::Group(0) => builder.many::<Arc<dyn First>>(field, ""),
            Need::Group(_) => builder.many::<Arc<dyn Second>>(field, ""),
            Need::Lazy(of) => match kind(of) {
                Kind::Plain => builder.lazy::<Unit<0>>(field, format!("n{of}")),
                Kind::Provider => builder.lazy::<Unit<1>>(field, format!("n{of}")),
                Kind::Sharing => builder.lazy::<Unit<2>>(field, format!("n{of}")),
            },
            Need::Value(of, text) => match kind(of) {
                Kind::Sharing => builder.one::<Arc<Token>>(field, format!("n{of},{text}")),
                _ => builder.one::<Token>(field, format!("n{of},{text}")),
            },
        };
    }
    for step in plan.acts.keys() {
        builder = match step {
            Step::Provide => builder,
            Step::BeforeInit => builder.before_init(),
            Step::Init => builder.init(),
            Step::BeforeStart => builder.before_start(),
            Step::Start => builder.start(),
            Step::AfterStart => builder.after_start(),
            Step::Run => builder.run(),
            Step::BeforeStop => builder.before_stop(),
            Step::Stop => builder.stop(),
            Step::AfterStop => builder.after_stop(),
            Step::Close => builder.close(),
        };
    }
    builder
}

fn construct<const K: u8>(world: &Arc<World>, id: usize, sites: &mut gone::Sites<'_>) -> Unit<K> {
    let (scenario, journal) = (&world.scenario, &world.journal);
    let kind = |of: usize| scenario.units[of].kind;
    let mut held: Vec<Arc<dyn Any + Send + Sync>> = Vec::new();
    let mut lazies = Vec::new();
    let given = |wanted: usize, got: usize| {
        journal.check(wanted == got, || format!("{id} was given {got} for {wanted}"));
    };
    for need in &scenario.units[id].needs {
        match *need {
            Need::One(of) => held.push(match kind(of) {
                Kind::Plain => sites.take::<Arc<Unit<0>>>().inspect(|it| given(of, it.id)),
                Kind::Provider => sites.take::<Arc<Unit<1>>>().inspect(|it| given(of, it.id)),
                Kind::Sharing => sites.take::<Arc<Unit<2>>>().inspect(|it| given(of, it.id)),
            }),
            Need::Optional(of) => match kind(of) {
                Kind::Plain => given(of, sites.take::<Option<Arc<Unit<0>>>>().map_or(usize::MAX, |it| it.id)),
                Kind::Provider => given(of, sites.take::<Option<Arc<Unit<1>>>>().map_or(usize::MAX, |it| it.id)),
                Kind::Sharing => given(of, sites.take::<Option<Arc<Unit<2>>>>().map_or(usize::MAX, |it| it.id)),
            },
            Need::Absent => {
                let absent = sites.take::<Option<Arc<Unit<0>>>>().is_none();
                journal.check(absent, || format!("{id} was given what is not there"));
            }
            Need::Group(group) => {
                let mut got: Vec<usize> = match group {
                    0 => sites.take::<Vec<Arc<dyn First>>>().iter().map(|it| it.id()).collect(),
                    _ => sites.take::<Vec<Arc<dyn Second>>>().iter().map(|it| it.id()).collect(),
                };
                let mut wanted: Vec<usize> = scenario.members(group).collect();
                wanted.sort_by_key(|member| (scenario.units[*member].order, scenario.loaded[*member]));
                if wanted.iter().any(|member| scenario.units[*member].after.is_some()) {
                    wanted.sort_unstable();
                    got.sort_unstable();
                }
                journal.check(wanted == got, || format!("{id} was given the group {got:?} for {wanted:?}"));
            }
            Need::Lazy(of) => lazies.push((
                of,
                match kind(of) {
                    Kind::Plain => Later::Plain(sites.take()),
                    Kind::Provider => Later::Provider(sites.take()),
                    Kind::Sharing => Later::Sharing(sites.take()),
                },
            )),
            Need::Value(of, text) => {
                let token = match kind(of) {
                    Kind::Sharing => sites.take::<Arc<Token>>().as_ref().clone(),
                    _ => sites.take::<Token>(),
                };
                given(of, token.of);
                journal.check(token.text == text, || format!("{id} was given {token:?} for the text {text}"));
            }
        }
    }
    journal.add(id, What::Constructed, None, None);
    Unit { id, world: Arc::clone(world), _alive: Arc::clone(&world.alive), _held: held, lazies }
}

trait Inspect: Sized {
    fn inspect(self, look: impl FnOnce(&Self)) -> Arc<dyn Any + Send + Sync>;
}

impl<const K: u8> Inspect for Arc<Unit<K>> {
    fn inspect(self, look: impl FnOnce(&Self)) -> Arc<dyn Any + Send + Sync> {
        look(&self);
        self
    }
}

fn options<T>(mut spec: gone::Spec<T>, world: &World, id: usize) -> gone::Spec<T> {
    let plan = &world.scenario.units[id];
    spec = spec.named(format!("n{id}")).order(plan.order);
    spec = if plan.early { spec.early() } else { spec };
    match plan.after {
        Some(0) => spec.after::<Arc<dyn First>>(),
        Some(_) => spec.after::<Arc<dyn Second>>(),
        None => spec,
    }
}

/// Loads a unit.
pub(crate) fn load(app: AppBuilder, world: &Arc<World>, id: usize) -> AppBuilder {
    let plan = &world.scenario.units[id];
    match plan.kind {
        Kind::Plain => {
            let mut builder = builder::<0>(world, id);
            if id < world.scenario.groups[0] && plan.member[0] {
                builder = builder.offers::<dyn First>(|it| it);
            }
            if id < world.scenario.groups[1] && plan.member[1] {
                builder = builder.offers::<dyn Second>(|it| it);
            }
            app.load(options(builder.build(), world, id))
        }
        Kind::Provider => app.load(options(builder::<1>(world, id).provider().build(), world, id).only_for_name()),
        Kind::Sharing => {
            app.load(options(builder::<2>(world, id).shared_provider().build(), world, id).only_for_name())
        }
    }
}
