//! What the container must do, by the rows of `docs/contract/container.md`.

mod background;
mod boot;
mod budgets;
mod bundles;
mod calls;
mod conditions;
mod groups;
mod lazy;
mod lifecycle;
mod lookup;
mod made;
mod options;
mod outline;
mod problems;
mod process;
mod providers;
mod resolution;
mod testing;

use std::sync::{Arc, Mutex};

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

impl Said {
    /// Listens until the guard is dropped.
    pub(crate) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        tracing::subscriber::set_default(tracing_subscriber::registry().with(self.clone()))
    }

    /// How many lines began so.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|it| it.starts_with(beginning)).count()
    }
}

impl<S: tracing::Subscriber> Layer<S> for Said {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Message<'a>(&'a mut String);
        impl Visit for Message<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    *self.0 = format!("{value:?}");
                }
            }
        }
        let mut text = String::new();
        event.record(&mut Message(&mut text));
        self.0.lock().unwrap().push(text);
    }
}

/// An application with nothing in it.
pub(crate) fn bare() -> AppBuilder {
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
