//! What the container must do, by the rows of `docs/contract/container.md`.

mod background;
mod boot;
mod budgets;
mod bundles;
mod by_name;
mod by_type;
mod calls;
mod concurrent;
mod conditions;
mod dropped;
mod events;
mod failures;
mod fallbacks;
mod functions;
mod groups;
mod lazy;
mod lifecycle;
mod lookup;
mod made;
mod many_type_providers;
mod messages;
mod options;
mod outline;
mod problems;
mod process;
mod providers;
mod shapes;
mod sources;
mod testing;
mod tower;
mod values;
mod wrappers;

use std::cell::RefCell;
use std::sync::{Arc, Mutex, Once};

use gone::prelude::*;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// What happened, in order: goners that are handed one write into it.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    pub(crate) fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|it| *it == line).count()
    }

    pub(crate) fn place(&self, line: &str) -> usize {
        let lines = self.lines();
        lines.iter().position(|it| it == line).unwrap_or_else(|| panic!("no {line:?} in {lines:?}"))
    }
}

/// What the container says by `tracing` on this thread.
#[derive(Clone, Default)]
pub(crate) struct Said(Arc<Mutex<Vec<String>>>);

thread_local! {
    static LISTENING: RefCell<Option<Said>> = const { RefCell::new(None) };
}

impl Said {
    /// Listens until the guard is dropped.
    pub(crate) fn listen(&self) -> Listening {
        subscribe();
        LISTENING.set(Some(self.clone()));
        Listening
    }

    /// How many lines began so.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|it| it.starts_with(beginning)).count()
    }
}

/// Ends the listening of a thread.
pub(crate) struct Listening;

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENING.set(None);
    }
}

/// One subscriber for all threads, before anything is said: `tracing` remembers of each place whether anybody listens, and one that
/// comes and goes with a thread may be forgotten.
fn subscribe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(ToTheThread));
    });
}

struct ToTheThread;

impl<S: tracing::Subscriber> Layer<S> for ToTheThread {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Message<'a>(&'a mut String);
        impl Visit for Message<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    *self.0 = format!("{value:?}");
                }
            }
        }
        let said = LISTENING.try_with(|listening| listening.borrow().clone());
        if let Ok(Some(said)) = said {
            let mut text = String::new();
            event.record(&mut Message(&mut text));
            said.0.lock().unwrap().push(text);
        }
    }
}

/// An application with nothing in it.
pub(crate) fn bare() -> AppBuilder {
    subscribe();
    AppBuilder::new()
}

/// Plans, and gives the problems as `code: message` lines.
pub(crate) fn problems(builder: AppBuilder) -> Vec<String> {
    match builder.plan() {
        Ok(_) => Vec::new(),
        Err(error) => {
            let report = error.report().expect("a failed plan has a report");
            report.problems().iter().map(|it| format!("{}: {}", it.code, it.message)).collect()
        }
    }
}
