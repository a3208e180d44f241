//! What a slow reader has not seen yet: of each key, the last state.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::feed::Update;

/// How many updates may wait while deletions of keys that the reader has never seen are still told of.
const COMPLETE: usize = 1024;

/// Updates on their way to one reader. Of a key that changes while it waits only the last state is kept, in the place of the
/// first; so no more wait than there are keys that the reader knows of, keys that are stored now, and [`COMPLETE`].
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// In the order in which they are told.
    updates: BTreeMap<u64, Slot>,
    places: HashMap<String, u64>,
    next: u64,
    /// How many updates were replaced by a later one of their key before they were read.
    coalesced: u64,
    closed: bool,
}

#[derive(Debug)]
struct Slot {
    update: Update,
    /// Whether the reader knows nothing of the key yet.
    unseen: bool,
}

impl Queue {
    pub(super) fn push(&self, updates: Vec<Update>) {
        let mut waiting = self.waiting();
        for update in updates {
            waiting.push(update);
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.filled.notify_one();
    }

    /// How many updates wait.
    pub(super) fn len(&self) -> usize {
        self.waiting().updates.len()
    }

    /// How many updates were replaced by a later one.
    pub(super) fn coalesced(&self) -> u64 {
        self.waiting().coalesced
    }

    /// Waits for the next update; `None` when there are none any more. For one reader. A dropped future loses nothing.
    pub(super) async fn next(&self) -> Option<Update> {
        loop {
            {
                let mut waiting = self.waiting();
                if let Some((_, slot)) = waiting.updates.pop_first() {
                    waiting.places.remove(slot.update.key());
                    return Some(slot.update);
                }
                if waiting.closed {
                    return None;
                }
            }
            self.filled.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, update: Update) {
        let known = self.places.get(update.key()).copied();
        let Some(place) = known else {
            let unseen = matches!(update, Update::Put { new: true, .. });
            self.places.insert(update.key().to_owned(), self.next);
            self.updates.insert(self.next, Slot { update, unseen });
            self.next += 1;
            return;
        };
        self.coalesced += 1;
        let full = self.updates.len() > COMPLETE;
        match self.updates.get_mut(&place) {
            Some(slot) if slot.unseen && full && matches!(update, Update::Delete { .. }) => {
                self.places.remove(update.key());
                self.updates.remove(&place);
            }
            Some(slot) => slot.update = update,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::backend::Entry;

    fn entry(key: &str, modified: i64) -> Entry {
        Entry { key: key.to_owned(), value: Arc::from(&b"1"[..]), created: 1, modified, session: 0 }
    }

    fn put(key: &str, modified: i64, new: bool) -> Update {
        Update::Put { entry: entry(key, modified), new }
    }

    fn delete(key: &str, revision: i64) -> Update {
        Update::Delete { last: entry(key, revision - 1), revision }
    }

    #[tokio::test]
    async fn of_a_key_that_changes_while_it_waits_the_last_state_is_kept_in_the_place_of_the_first() {
        let queue = Queue::default();
        queue.push(vec![put("a", 1, true), put("b", 2, true), put("a", 3, false)]);
        queue.push(vec![delete("b", 4)]);
        assert_eq!(queue.next().await, Some(put("a", 3, false)));
        queue.push(vec![put("a", 5, false)]);
        assert_eq!(queue.next().await, Some(delete("b", 4)));
        assert_eq!(queue.next().await, Some(put("a", 5, false)));
        assert_eq!((queue.len(), queue.coalesced()), (0, 2));
    }

    #[tokio::test]
    async fn keys_that_come_and_go_unseen_take_no_room_without_end() {
        let queue = Queue::default();
        queue.push(vec![put("seen", 1, true)]);
        assert_eq!(queue.next().await, Some(put("seen", 1, true)));
        for number in 0..100_000 {
            let key = format!("{number}");
            queue.push(vec![put(&key, number, true), delete(&key, number)]);
        }
        queue.push(vec![delete("seen", 100_001)]);
        assert_eq!(queue.len(), COMPLETE + 1);
        // What the reader knows of is told, however long it has waited.
        let mut last = None;
        while queue.len() > 0 {
            last = queue.next().await;
        }
        assert_eq!(last, Some(delete("seen", 100_001)));
    }

    #[tokio::test]
    async fn what_waits_is_told_before_the_end() {
        let queue = Queue::default();
        queue.push(vec![put("a", 1, true)]);
        queue.close();
        assert_eq!(queue.next().await, Some(put("a", 1, true)));
        assert_eq!(queue.next().await, None);
        assert_eq!(queue.next().await, None);
    }
}
