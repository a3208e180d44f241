//! `when`: what is loaded only if a condition holds.

use std::sync::Arc;

use gone::prelude::*;
use gone::{Code, Condition, Error, Source};

use crate::{Journal, bare, problems};

/// What the sources say.
struct Switches(&'static [&'static str]);
impl Source for Switches {
    type Snapshot = Vec<&'static str>;
    fn read(&self) -> gone::Result<Vec<&'static str>> {
        Ok(self.0.to_vec())
    }
}

struct On(&'static str);
impl Condition for On {
    fn holds(&self, sources: &Sources) -> gone::Result<bool> {
        let switches = sources.get::<Vec<&'static str>>().ok_or_else(|| Error::msg("no switches"))?;
        Ok(switches.contains(&self.0))
    }
    fn why_not(&self, _: &Sources) -> Option<String> {
        Some(format!("`{}` is off", self.0))
    }
}

trait Cache: Send + Sync {
    fn name(&self) -> &'static str;
}
#[derive(Goner)]
#[goner(offers(dyn Cache))]
struct Memory;
impl Cache for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }
}
#[derive(Goner)]
#[goner(offers(dyn Cache))]
struct Remote {
    #[gone]
    journal: Journal,
}
impl Init for Remote {
    async fn init(&mut self) -> gone::Result<()> {
        self.journal.add("remote");
        Ok(())
    }
}
impl Cache for Remote {
    fn name(&self) -> &'static str {
        "remote"
    }
}
#[derive(Goner)]
struct User {
    #[gone]
    cache: Arc<dyn Cache>,
}

fn app(on: &'static [&'static str], journal: &Journal) -> AppBuilder {
    bare().load((source(Switches(on)), value(journal.clone()), User::goner()))
}

#[tokio::test]
async fn a_condition_decides_what_is_loaded_and_replaces() {
    let journal = Journal::default();
    let with = |on| app(on, &journal).load((Memory::goner(), Remote::goner().named("r").when(On("remote"))));
    let replaced = |on| {
        app(on, &journal).load((
            Memory::goner().named("cache"),
            Remote::goner().named("cache").replace().when(On("remote")).when(|_: &Sources| Ok(true)),
        ))
    };
    let cache = async |user: Arc<User>, journal: Journal| {
        journal.add(user.cache.name());
        Ok(())
    };
    with(&[]).run(cache).await.unwrap();
    assert_eq!(journal.lines(), ["memory"], "what is left out is never built");
    replaced(&[]).run(cache).await.unwrap();
    replaced(&["remote"]).run(cache).await.unwrap();
    assert_eq!(journal.lines(), ["memory", "memory", "remote", "remote"]);
}

#[test]
fn a_report_that_misses_what_was_left_out_says_why() {
    let journal = Journal::default();
    let report = |app: AppBuilder| app.plan().unwrap_err().report().unwrap().to_string();
    let by_type = report(app(&[], &journal).load(Remote::goner().when(On("remote"))));
    assert!(by_type.contains("`Remote` was left out: `remote` is off"), "{by_type}");
    #[derive(Goner)]
    struct ByName {
        #[gone("special")]
        _cache: Arc<Remote>,
    }
    let closure = Remote::goner().named("special").when(|_: &Sources| Ok(false));
    let by_name = report(bare().load((value(journal), ByName::goner(), closure)));
    let at = format!("`Remote` was left out: its condition at {}:{}", file!(), line!() - 2);
    assert!(by_name.contains(&at), "{by_name}");
}

#[test]
fn a_condition_that_fails_or_panics_is_a_problem_and_so_is_one_on_a_source() {
    let fails = |_: &Sources| Err(Error::msg("cannot tell").with_code(Code::Config));
    let panics = |_: &Sources| -> gone::Result<bool> { panic!("at a loss") };
    let found = problems(bare().load((
        Memory::goner().when(fails),
        value(1_u8).when(panics),
        source(Switches(&[])).when(|_: &Sources| Ok(false)),
    )));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().any(|it| it == "gone::config: cannot tell"), "{found:?}");
    assert!(found.iter().any(|it| it.contains("at a loss")), "{found:?}");
    assert!(found.iter().any(|it| it == "gone::load: `Switches` is a source and has a condition"), "{found:?}");
}
