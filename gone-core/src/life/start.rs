//! The three stages of the start.

use std::sync::Arc;

use crate::life::{Life, hook};
use crate::node::NodeId;
use crate::schedule::{Schedule, levels};
use crate::{Hook, Result};

impl Life {
    /// Runs the three stages of the start, each in dependency order and by `order`, then begins the background tasks.
    pub(crate) async fn start(&mut self) -> Result<()> {
        for stage in [Hook::BeforeStart, Hook::Start, Hook::AfterStart] {
            self.stage(stage).await?;
        }
        self.begin_background();
        Ok(())
    }

    async fn stage(&mut self, stage: Hook) -> Result<()> {
        self.stage = stage;
        let graph = Arc::clone(&self.graph);
        let levels = levels(graph.order(), |id| graph.nodes[id].order);
        let priority = (0..graph.nodes.len()).collect();
        let mut schedule = Schedule::forward(graph.order(), &levels, priority, self.options.max_parallel);
        loop {
            while let Some(id) = schedule.next() {
                match hook(&graph, &self.store, id, stage) {
                    Some(work) => {
                        let node = &graph.nodes[id];
                        let budget = node.rare().start_budget.unwrap_or(self.options.start_hook);
                        self.starting.spawn(id, node.who(), stage, budget, work);
                    }
                    None => {
                        self.passed(id);
                        schedule.done(id);
                    }
                }
            }
            match self.starting.next().await {
                Some(ended) => {
                    ended.result?;
                    *self.times[ended.node].start.get_or_insert_default() += ended.took;
                    self.passed(ended.node);
                    schedule.done(ended.node);
                }
                None => return Ok(()),
            }
        }
    }

    /// Its turn to start came and went well: from now on it is stopped.
    pub(super) fn passed(&mut self, id: NodeId) {
        if self.stage == Hook::Start {
            self.started.push(id);
        }
    }
}
