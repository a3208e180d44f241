//! Background tasks, from the end of the start until their goner's turn to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Instrument;

use crate::life::Life;
use crate::node::{Body, NodeId};
use crate::tasks::{GRACE, Progress, abandoned};
use crate::unwind::caught;
use crate::{EarlyEnd, Error, Hook, Result, ShutdownToken};

impl Life {
    /// Begins all of them. One that fails before it is told to end takes the application down.
    pub(super) fn begin_background(&mut self) {
        for (id, node) in self.graph.nodes.iter().enumerate() {
            let (Body::Goner(make), Some(goner)) = (&node.body, self.store.get(id)) else { continue };
            let Some(run) = make.hooks().run else { continue };
            let (sender, token) = ShutdownToken::new();
            let (goner, shutdown, who) = (Arc::clone(goner), self.shutdown.clone(), node.who());
            let span = tracing::info_span!(target: "gone", "hook", goner = %who.name, hook = %Hook::Run);
            let early_end = node.rare().early_end.unwrap_or(self.options.early_end);
            let begun = Instant::now();
            let progress = Progress::new(Hook::Run, who.clone(), &self.under_way);
            progress.enter(Hook::Run);
            let telling = progress.clone();
            let task = async move {
                let ended = caught(async { run(&*goner, token.clone()).await }).await;
                let ended = ended.map_err(|error| error.in_hook(&who, Hook::Run, Some(begun.elapsed())));
                telling.leave(ended.as_ref().err());
                match ended {
                    Err(error) if !token.is_cancelled() => {
                        shutdown.fail(error);
                        Ok(())
                    }
                    Ok(()) if early_end == EarlyEnd::Stop && !token.is_cancelled() => {
                        shutdown.request(format!("the background task of `{}` has come to its end", who.name));
                        Ok(())
                    }
                    ended => ended,
                }
            };
            let task = tokio::spawn(task.instrument(span));
            self.background.push(Background { node: id, tell: sender, task, progress });
        }
    }
}

/// A background task under way.
pub(super) struct Background {
    pub(super) node: NodeId,
    tell: tokio::sync::watch::Sender<bool>,
    task: JoinHandle<Result<()>>,
    pub(super) progress: Progress,
}

impl Background {
    /// Tells it to end, and awaits that. One that does not end in time is cancelled, and so is one whose future here is dropped.
    pub(super) fn end(self, budget: Duration) -> impl Future<Output = Result<()>> + Send + 'static {
        told_to_end(self.tell, AbortOnDrop(self.task), budget)
    }
}

/// Dropped, it cancels the task: one that does not end in time is not left running.
struct AbortOnDrop(JoinHandle<Result<()>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn told_to_end(tell: tokio::sync::watch::Sender<bool>, mut task: AbortOnDrop, budget: Duration) -> Result<()> {
    tell.send_replace(true);
    match tokio::time::timeout(budget, &mut task.0).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(lost)) => Err(Error::from(lost)),
        Err(_) => {
            // It is to be gone before its goner's `stop` begins, if it does not block its thread.
            task.0.abort();
            let _ = tokio::time::timeout(GRACE, &mut task.0).await;
            Err(abandoned(budget))
        }
    }
}
