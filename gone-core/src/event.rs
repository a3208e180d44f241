//! What happens in an application's life, for whoever wants to listen.

use std::sync::Arc;
use std::time::Duration;

use crate::unwind::catch;
use crate::{Error, Hook};

/// Something that happened in the life of an application: see [`AppBuilder::on_event`](crate::AppBuilder::on_event).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The plan stands, and building begins.
    Planned {
        /// How many goners there are.
        goners: usize,
    },
    /// A goner's hook, its construction, or its asking of providers begins.
    Began {
        /// The goner by the short name of its type.
        goner: &'a str,
        /// What begins.
        hook: Hook,
    },
    /// That is over, well or not.
    Ended {
        /// The goner by the short name of its type.
        goner: &'a str,
        /// What is over.
        hook: Hook,
        /// How long it took.
        took: Duration,
        /// Why it did not go well: it failed, panicked, or was abandoned.
        error: Option<&'a Error>,
    },
    /// All have started. Said once, and never of a boot that fails.
    Ready {
        /// Since the sources were read.
        took: Duration,
    },
    /// The boot failed, and what was built is taken down.
    RollingBack {
        /// What it failed with.
        error: &'a Error,
    },
    /// The application is no longer ready and is about to stop: before the drain delay.
    Stopping,
    /// Everything is stopped and closed.
    Stopped {
        /// Since the first stop hook could begin.
        took: Duration,
        /// How many hooks of the end failed.
        errors: usize,
    },
}

type Listener = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// Who listens, in the order in which they said so.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Vec<Listener>>);

impl Listeners {
    pub(crate) fn add(&mut self, listener: Listener) {
        Arc::make_mut(&mut self.0).push(listener);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells all. One that panics is told of in the log, and the others are told all the same.
    pub(crate) fn tell(&self, event: Event<'_>) {
        for listener in self.0.iter() {
            if let Err(error) = catch(|| listener(&event)) {
                tracing::error!(target: "gone", "a listener to events: {error}");
            }
        }
    }
}
