//! When a list that is suddenly empty is not believed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ServiceInfo;

/// Those who go within this time go together.
const TOGETHER: Duration = Duration::from_secs(1);

/// Instances by their keys.
pub(super) type Live = BTreeMap<String, Arc<ServiceInfo>>;

/// Looks at each new list of instances, and gives the one to go by.
#[derive(Debug)]
pub(super) struct Guard {
    hold: Duration,
    /// Those who went within the last moment, and when.
    went: BTreeMap<String, (Instant, Arc<ServiceInfo>)>,
    /// Those who stay though they went, and until when.
    held: Option<(Instant, Live)>,
}

impl Guard {
    pub(super) fn new(hold: Duration) -> Self {
        Self { hold, went: BTreeMap::new(), held: None }
    }

    /// The instances were `before`, and now they are `live`; `listed`: this was found in a listing, and not told as it happened.
    pub(super) fn changed(&mut self, now: Instant, before: &Live, live: &Live, listed: bool) {
        if let Some((until, held)) = &self.held {
            if *until <= now || held.keys().all(|key| live.contains_key(key)) {
                self.held = None;
            }
            return;
        }
        let recent = |at: Instant| now.saturating_duration_since(at) <= TOGETHER;
        self.went.retain(|key, (at, _)| recent(*at) && !live.contains_key(key));
        for (key, info) in before.iter().filter(|(key, _)| !live.contains_key(*key)) {
            self.went.insert(key.clone(), (now, Arc::clone(info)));
        }
        let empty = live.is_empty() && !before.is_empty();
        if empty && (self.went.len() > 1 || listed) && !self.hold.is_zero() {
            let went = std::mem::take(&mut self.went);
            self.held = Some((now + self.hold, went.into_iter().map(|(key, (_, info))| (key, info)).collect()));
        }
    }

    /// Until when the last list stays, if it does.
    pub(super) fn until(&self) -> Option<Instant> {
        self.held.as_ref().map(|(until, _)| *until)
    }

    /// The time is over.
    pub(super) fn release(&mut self) {
        self.held = None;
    }

    /// The instances to go by: those that are there, and those of the list that stays.
    pub(super) fn shown(&self, live: &Live) -> Vec<Arc<ServiceInfo>> {
        match &self.held {
            None => live.values().cloned().collect(),
            Some((_, held)) => {
                let mut shown = held.clone();
                shown.extend(live.iter().map(|(key, info)| (key.clone(), Arc::clone(info))));
                shown.into_values().collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn live(ids: &[&str]) -> Live {
        ids.iter().map(|id| ((*id).to_owned(), Arc::new(ServiceInfo::new("s", *id, "h", 1)))).collect()
    }

    fn ids(guard: &Guard, live: &Live) -> Vec<String> {
        guard.shown(live).iter().map(|info| info.id.clone()).collect()
    }

    #[test]
    fn those_who_go_one_after_the_other_are_gone_at_once_the_last_one_too() {
        let mut guard = Guard::new(SECOND * 15);
        let now = Instant::now();
        guard.changed(now, &live(&["a", "b"]), &live(&["b"]), false);
        assert_eq!(ids(&guard, &live(&["b"])), ["b"]);
        guard.changed(now + SECOND * 2, &live(&["b"]), &live(&[]), false);
        assert_eq!(ids(&guard, &live(&[])), [""; 0]);
    }

    #[test]
    fn a_list_that_is_suddenly_empty_stays_for_its_time_and_no_longer() {
        let now = Instant::now();
        let two = live(&["a", "b"]);
        for (steps, listed) in
            [(vec![live(&["b"]), live(&[])], false), (vec![live(&[])], false), (vec![live(&[])], true)]
        {
            let mut guard = Guard::new(SECOND * 15);
            let mut before = two.clone();
            for step in steps {
                guard.changed(now, &before, &step, listed);
                before = step;
            }
            assert_eq!(ids(&guard, &before), ["a", "b"], "also who went a moment before the last");
            assert_eq!(guard.until(), Some(now + SECOND * 15));
            guard.release();
            assert!(ids(&guard, &before).is_empty());
        }
    }

    #[test]
    fn a_single_instance_that_a_listing_does_not_find_stays_too() {
        let mut guard = Guard::new(SECOND * 15);
        guard.changed(Instant::now(), &live(&["a"]), &live(&[]), true);
        assert_eq!(ids(&guard, &live(&[])), ["a"]);
    }

    #[test]
    fn those_who_come_back_join_those_who_stay_and_when_all_are_back_nobody_stays() {
        let mut guard = Guard::new(SECOND * 15);
        let now = Instant::now();
        guard.changed(now, &live(&["a", "b"]), &live(&[]), true);
        guard.changed(now + SECOND, &live(&[]), &live(&["b", "c"]), false);
        assert_eq!(ids(&guard, &live(&["b", "c"])), ["a", "b", "c"]);
        guard.changed(now + SECOND, &live(&["b", "c"]), &live(&["a", "b", "c"]), false);
        assert_eq!(guard.until(), None);
        guard.changed(now + SECOND * 9, &live(&["a", "b", "c"]), &live(&["a"]), false);
        assert_eq!(ids(&guard, &live(&["a"])), ["a"]);
    }

    #[test]
    fn with_no_time_to_hold_nothing_stays() {
        let mut guard = Guard::new(Duration::ZERO);
        guard.changed(Instant::now(), &live(&["a", "b"]), &live(&[]), true);
        assert_eq!(guard.until(), None);
    }
}
