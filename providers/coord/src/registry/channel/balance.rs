//! Which instance gets the next call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use tonic::transport::Channel;

use super::outlier::Record;
use crate::registry::ServiceInfo;

/// One instance, its connection, and how it fares.
pub(super) struct Instance {
    pub(super) info: Arc<ServiceInfo>,
    /// Connects when it is first used, and again when the connection broke.
    pub(super) channel: Channel,
    pub(super) record: Record,
    in_flight: AtomicUsize,
}

impl Instance {
    pub(super) fn new(info: Arc<ServiceInfo>, channel: Channel, now: Instant) -> Self {
        Self { info, channel, record: Record::new(now), in_flight: AtomicUsize::new(0) }
    }
}

/// A call that is under way, counted until it is dropped.
pub(super) struct InFlight(Arc<Instance>);

impl InFlight {
    pub(super) fn begin(instance: &Arc<Instance>) -> Self {
        instance.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(instance))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The instances that are registered, and whose turn it is.
#[derive(Default)]
pub(super) struct Balance {
    instances: ArcSwap<Vec<Arc<Instance>>>,
    turn: AtomicUsize,
}

impl Balance {
    pub(super) fn set(&self, instances: Vec<Arc<Instance>>) {
        self.instances.store(Arc::new(instances));
    }

    pub(super) fn instances(&self) -> Arc<Vec<Arc<Instance>>> {
        self.instances.load_full()
    }

    /// How many are left out at this moment.
    pub(super) fn ejected(&self, now: Instant) -> usize {
        self.instances.load().iter().filter(|instance| instance.record.is_ejected(now)).count()
    }

    /// The next in turn, or another one with fewer calls under way, so that a slow instance does not gather calls.
    ///
    /// Those that were tried for this call, and those that are left out, are not chosen; when nothing else is there one that is
    /// left out is better than none.
    pub(super) fn choose(&self, now: Instant, tried: &[Arc<Instance>]) -> Option<Arc<Instance>> {
        let instances = self.instances.load();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let untried = |instance: &&Arc<Instance>| !tried.iter().any(|other| Arc::ptr_eq(other, instance));
        let fit = |instance: &&Arc<Instance>| untried(instance) && !instance.record.is_ejected(now);
        turn_of(instances.iter().filter(fit), turn).or_else(|| turn_of(instances.iter().filter(untried), turn)).cloned()
    }
}

fn turn_of<'a>(candidates: impl Iterator<Item = &'a Arc<Instance>> + Clone, turn: usize) -> Option<&'a Arc<Instance>> {
    let count = candidates.clone().count();
    let next = candidates.clone().nth(turn.checked_rem(count)?)?;
    let other = candidates.clone().nth(scattered(turn) % count)?;
    let load = |instance: &Instance| instance.in_flight.load(Ordering::Relaxed);
    Some(if load(other) < load(next) { other } else { next })
}

/// A number that looks random: the finishing step of splitmix64.
fn scattered(turn: usize) -> usize {
    let mut x = (turn as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tonic::transport::Endpoint;

    use super::super::outlier::OutlierPolicy;
    use super::*;

    fn balance(count: u16, now: Instant) -> Balance {
        let balance = Balance::default();
        let instance = |n| {
            let info = Arc::new(ServiceInfo::new("s", n_to_id(n), "127.0.0.1", n));
            Arc::new(Instance::new(info, Endpoint::from_static("http://127.0.0.1:1").connect_lazy(), now))
        };
        balance.set((1..=count).map(instance).collect());
        balance
    }

    fn n_to_id(n: u16) -> String {
        format!("s-{n}")
    }

    fn counts(balance: &Balance, now: Instant, calls: usize) -> BTreeMap<u16, usize> {
        let mut counts = BTreeMap::new();
        for _ in 0..calls {
            *counts.entry(balance.choose(now, &[]).expect("one is there").info.port).or_default() += 1;
        }
        counts
    }

    #[tokio::test]
    async fn idle_instances_take_turns() {
        let now = Instant::now();
        assert_eq!(counts(&balance(3, now), now, 300), BTreeMap::from([(1, 100), (2, 100), (3, 100)]));
    }

    #[tokio::test]
    async fn an_instance_that_does_not_answer_gathers_few_calls() {
        let now = Instant::now();
        let balance = balance(4, now);
        let slow = balance.instances().first().map(Arc::clone).expect("four are there");
        let mut hanging = Vec::new();
        for _ in 0..400 {
            let chosen = balance.choose(now, &[]).expect("one is there");
            if Arc::ptr_eq(&chosen, &slow) {
                hanging.push(InFlight::begin(&chosen));
            }
        }
        // Its own turn comes a hundred times; it is taken only where the other one looked at is itself.
        assert!((1..60).contains(&hanging.len()), "{}", hanging.len());
        drop(hanging);
        assert_eq!(slow.in_flight.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn those_that_are_left_out_or_were_tried_are_not_chosen_unless_nothing_else_is_there() {
        let now = Instant::now();
        let balance = balance(3, now);
        let all = balance.instances();
        for _ in 0..5 {
            all[0].record.failed(&OutlierPolicy::default(), now, || true);
        }
        assert_eq!(balance.ejected(now), 1);
        assert_eq!(counts(&balance, now, 100), BTreeMap::from([(2, 50), (3, 50)]));
        let tried = [Arc::clone(&all[1])];
        assert_eq!(balance.choose(now, &tried).map(|it| it.info.port), Some(3));
        let tried = [Arc::clone(&all[1]), Arc::clone(&all[2])];
        assert_eq!(balance.choose(now, &tried).map(|it| it.info.port), Some(1), "better than none");
        assert!(balance.choose(now, &all).is_none());
        assert!(Balance::default().choose(now, &[]).is_none());
    }
}
