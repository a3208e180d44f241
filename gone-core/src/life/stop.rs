//! The end: stop in the reverse of the start, close in the reverse of construction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument;

use crate::life::background::Background;
use crate::life::{Life, hook};
use crate::lists::Lists;
use crate::node::{Body, Node, NodeId};
use crate::schedule::{Schedule, early_first, levels};
use crate::slots::Store;
use crate::table::BoxFuture;
use crate::tasks::{GRACE, Progress, Tasks, Work, after};
use crate::unwind::catch;
use crate::{CloseReport, Code, Deadline, Error, Hook, Result};

impl Life {
    /// Ends it from wherever it is: cancels what is under way, stops what has started in reverse, closes what was built in
    /// reverse. Each is reached; the errors are collected. A second call finds nothing to do.
    pub(crate) async fn end(&mut self) -> Vec<Error> {
        let deadline = after(Instant::now(), self.options.shutdown);
        let patience = self.options.stop_hook;
        let (late, mut errors) = self.starting.cancel(patience).await;
        for (id, ()) in late {
            self.passed(id);
        }
        let (late, stuck) = self.building.cancel(patience).await;
        errors.extend(stuck);
        for (id, instance) in late {
            self.put(id, instance);
        }
        let started = std::mem::take(&mut self.started);
        for stage in [Hook::BeforeStop, Hook::Stop, Hook::AfterStop] {
            errors.extend(self.stop(stage, &started, deadline).await);
        }
        errors.extend(self.close(deadline).await);
        errors
    }

    /// As [`end`](Life::end), in a task of its own: whoever waits for it may be dropped, and it goes on.
    pub(crate) async fn end_apart(mut self) -> Vec<Error> {
        let ending = async move {
            let mut errors = self.end().await;
            errors.extend(catch(|| drop(self)).err());
            errors
        };
        let ended = tokio::spawn(ending.in_current_span()).await;
        ended.unwrap_or_else(|error| vec![Error::from(error).with_code(Code::Stop)])
    }

    /// One stage of the stop, in the reverse of the start's order. In the stage of `stop` itself, a background task is told to
    /// end and awaited before its goner's hook.
    async fn stop(&mut self, stage: Hook, started: &[NodeId], deadline: Instant) -> Vec<Error> {
        let graph = Arc::clone(&self.graph);
        let levels = levels(graph.order(), |id| graph.nodes[id].order);
        let mut tasks: Tasks<()> = Tasks::new(self.under_way.clone());
        let mut schedule = backward(graph.order(), &levels, started);
        let mut errors = Vec::new();
        let stops: HashSet<NodeId> = started.iter().copied().collect();
        let mut background: HashMap<NodeId, Background> = match stage {
            Hook::Stop => std::mem::take(&mut self.background).into_iter().map(|it| (it.node, it)).collect(),
            _ => HashMap::new(),
        };
        let mut told_of: HashMap<NodeId, Progress> = HashMap::new();
        loop {
            while let Some(id) = schedule.next() {
                let (goner, budget) = (|| graph.nodes[id].who(), || self.budget(id, deadline));
                if let Some(background) = background.remove(&id) {
                    told_of.insert(id, background.progress.clone());
                    // The listeners know that it began.
                    let silent = Progress::new(Hook::Run, goner(), &self.under_way);
                    let work = Work::new(id, goner(), Hook::Run, budget() + 2 * GRACE, silent);
                    tasks.spawn_hooks(work, background.end(budget()));
                    continue;
                }
                match hook(&graph, &self.store, id, stage).filter(|_| stops.contains(&id)) {
                    Some(work) => tasks.spawn(id, goner(), stage, budget(), work),
                    None => schedule.done(id),
                }
            }
            let Some(ended) = tasks.next().await else { return errors };
            let id = ended.node;
            if let Some(progress) = told_of.remove(&id) {
                // If it did not come to its end by itself.
                progress.leave(ended.result.as_ref().err());
            }
            errors.extend(ended.result.err());
            let next = hook(&graph, &self.store, id, stage).filter(|_| ended.hook == Hook::Run && stops.contains(&id));
            match next {
                Some(work) => tasks.spawn(id, graph.nodes[id].who(), stage, self.budget(id, deadline), work),
                None => schedule.done(id),
            }
        }
    }

    async fn close(&mut self, deadline: Instant) -> Vec<Error> {
        let graph = Arc::clone(&self.graph);
        let built = std::mem::take(&mut self.built);
        let levels = early_first(&graph.needs, |id| graph.nodes[id].early);
        let mut tasks: Tasks<CloseReport> = Tasks::new(self.under_way.clone());
        let mut schedule = backward(&graph.needs, &levels, &built);
        let mut errors = Vec::new();
        let closes: HashSet<NodeId> = built.into_iter().collect();
        loop {
            while let Some(id) = schedule.next() {
                let node = &graph.nodes[id];
                let budget = self.budget(id, deadline);
                match close_hook(node, &self.store, id, budget).filter(|_| closes.contains(&id)) {
                    Some(work) => tasks.spawn(id, node.who(), Hook::Close, budget, work),
                    None => schedule.done(id),
                }
            }
            match tasks.next().await {
                Some(ended) => {
                    let goner = graph.nodes[ended.node].label();
                    match ended.result {
                        Ok(report) if report.is_clean() => tracing::trace!(target: "gone", %goner, "closed: {report}"),
                        Ok(report) => tracing::warn!(target: "gone", %goner, "closed: {report}"),
                        Err(error) => errors.push(error),
                    }
                    schedule.done(ended.node);
                }
                None => return errors,
            }
        }
    }

    /// What one hook may take: its own budget, within that of the whole shutdown; when that is used up, a moment is left to each
    /// of the rest, so that all are reached.
    fn budget(&self, id: NodeId, deadline: Instant) -> Duration {
        const MOMENT: Duration = Duration::from_millis(250);
        let left = deadline.saturating_duration_since(Instant::now());
        self.graph.nodes[id].rare().stop_budget.unwrap_or(self.options.stop_hook).min(left.max(MOMENT))
    }
}

/// The close of a goner, or of what a function as provider has made, ready to run, if there is one.
fn close_hook(
    node: &Node,
    store: &Store,
    id: NodeId,
    budget: Duration,
) -> Option<BoxFuture<'static, Result<CloseReport>>> {
    if let Some(on_close) = &node.rare().on_close {
        let on_close = Arc::clone(on_close);
        return Some(Box::pin(async move { on_close.close().await.map(|()| CloseReport::clean()) }));
    }
    let (Body::Goner(make), Some(goner)) = (&node.body, store.get(id)) else { return None };
    let (close, goner) = (make.hooks().close?, Arc::clone(goner));
    Some(Box::pin(async move { close(&*goner, Deadline::after(budget)).await }))
}

/// Reverse needs; among those that may go, the one that was reached last goes first.
fn backward(needs: &Lists<NodeId>, levels: &[i64], reached: &[NodeId]) -> Schedule {
    let mut priority = vec![usize::MAX; needs.len()];
    for (place, id) in reached.iter().rev().enumerate() {
        priority[*id] = place;
    }
    Schedule::backward(needs, levels, priority, usize::MAX)
}
