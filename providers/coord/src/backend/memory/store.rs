//! The store itself: keys, the changes of late, and when sessions run out. Everything here is done under one lock, at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::time::{Duration, Instant};

use gone_kit::Outcome;

use crate::CoordError;
use crate::backend::{Change, Committed, Compare, Entry, Listing, Range, Revision, Step, Txn, lost_session};

/// The bounds of a store. The first two are etcd's own, so that what is tried here is not refused there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Steps of one transaction.
    pub(super) steps: usize,
    /// Bytes that one transaction writes, keys included.
    pub(super) transaction: usize,
    /// Bytes of all keys and values.
    pub(super) store: usize,
    /// Revisions whose changes are kept for watches that lag.
    pub(super) revisions: usize,
    /// Bytes of the changes that are kept.
    pub(super) history: usize,
}

pub(super) const LIMITS: Limits =
    Limits { steps: 128, transaction: 3 << 19, store: 256 << 20, revisions: 10_000, history: 32 << 20 };

/// The changes after a revision.
#[derive(Debug, PartialEq)]
pub(super) enum Since {
    /// They are no longer all kept.
    Compacted,
    /// Those in the range, and up to which revision was looked.
    Changes(Vec<Change>, Revision),
}

#[derive(Debug)]
pub(super) struct Store {
    limits: Limits,
    revision: Revision,
    keys: BTreeMap<String, Entry>,
    bytes: usize,
    /// One element for each revision after `compacted`.
    history: VecDeque<Vec<Change>>,
    history_bytes: usize,
    compacted: Revision,
    sessions: BTreeMap<i64, Instant>,
    last_session: i64,
}

fn invalid(argument: &'static str, reason: impl Into<String>) -> CoordError {
    CoordError::Invalid { argument, reason: reason.into() }
}

fn size(change: &Change) -> usize {
    match change {
        Change::Put(entry) => entry.key.len() + entry.value.len(),
        Change::Delete { key, .. } => key.len(),
    }
}

impl Range {
    fn holds(&self, key: &str) -> bool {
        match self {
            Self::Key(this) => this == key,
            Self::Prefix(prefix) => key.starts_with(prefix.as_str()),
        }
    }
}

impl Change {
    fn key(&self) -> &str {
        match self {
            Self::Put(entry) => &entry.key,
            Self::Delete { key, .. } => key,
        }
    }
}

impl Store {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            // An empty store of etcd is at 1, too.
            revision: 1,
            keys: BTreeMap::new(),
            bytes: 0,
            history: VecDeque::new(),
            history_bytes: 0,
            compacted: 1,
            sessions: BTreeMap::new(),
            last_session: 0,
        }
    }

    pub(super) fn list(&self, range: &Range) -> Listing {
        Listing { revision: self.revision, entries: self.range(range).cloned().collect() }
    }

    fn range<'a>(&'a self, range: &'a Range) -> impl Iterator<Item = &'a Entry> {
        let (Range::Key(from) | Range::Prefix(from)) = range;
        let from = (Bound::Included(from.as_str()), Bound::Unbounded);
        self.keys.range::<str, _>(from).map(|(_, entry)| entry).take_while(|entry| range.holds(&entry.key))
    }

    /// Does all of a transaction, or nothing of it.
    pub(super) fn commit(&mut self, txn: &Txn) -> Result<Committed, CoordError> {
        let succeeded = txn.compares.iter().all(|compare| self.agrees(compare));
        let steps = if succeeded { &txn.then } else { &txn.otherwise };
        self.check(steps)?;
        let revision = self.revision + 1;
        let mut changes = Vec::new();
        let mut found = Vec::with_capacity(steps.len());
        for step in steps {
            found.push(match step {
                Step::Put { key, value, session } => {
                    let created = self.keys.get(key).map_or(revision, |entry| entry.created);
                    let (key, value) = (key.clone(), value.clone());
                    let entry = Entry { key, value, created, modified: revision, session: *session };
                    self.put(entry.clone());
                    changes.push(Change::Put(entry));
                    Vec::new()
                }
                Step::Delete(key) => {
                    let deleted = self.delete(key);
                    if deleted.is_some() {
                        changes.push(Change::Delete { key: key.clone(), revision });
                    }
                    deleted.into_iter().collect()
                }
                Step::Read(range) => self.range(range).cloned().collect(),
                Step::Neighbour { prefix, before } => self.neighbour(prefix, *before).into_iter().collect(),
            });
        }
        self.record(changes);
        Ok(Committed { succeeded, revision: self.revision, found })
    }

    fn agrees(&self, compare: &Compare) -> bool {
        match compare {
            Compare::Created(key, revision) => self.keys.get(key).map_or(0, |entry| entry.created) == *revision,
            Compare::Modified(key, revision) => self.keys.get(key).map_or(0, |entry| entry.modified) == *revision,
            Compare::NoneUnder(prefix) => self.range(&Range::Prefix(prefix.clone())).next().is_none(),
        }
    }

    fn neighbour(&self, prefix: &str, before: Option<Revision>) -> Option<Entry> {
        let range = Range::Prefix(prefix.to_owned());
        let entries = self.range(&range);
        match before {
            None => entries.min_by_key(|entry| entry.created),
            Some(before) => entries.filter(|entry| entry.created < before).max_by_key(|entry| entry.created),
        }
        .cloned()
    }

    /// What would be refused, before anything is done.
    fn check(&self, steps: &[Step]) -> Result<(), CoordError> {
        let limits = &self.limits;
        if steps.len() > limits.steps {
            return Err(invalid("transaction", format!("it has {} steps; {} are allowed", steps.len(), limits.steps)));
        }
        let (mut written, mut growth, mut touched) = (0, 0, BTreeSet::new());
        for step in steps {
            let key = match step {
                Step::Put { key, value, session } => {
                    written += key.len() + value.len();
                    growth += (key.len() + value.len()).saturating_sub(self.keys.get(key).map_or(0, Entry::size));
                    if *session != 0 && !self.sessions.contains_key(session) {
                        return Err(lost_session(key));
                    }
                    key
                }
                Step::Delete(key) => key,
                Step::Read(_) | Step::Neighbour { .. } => continue,
            };
            if key.is_empty() {
                return Err(invalid("key", "it is empty"));
            }
            if !touched.insert(key) {
                return Err(invalid("transaction", format!("it writes `{key}` twice")));
            }
        }
        if written > limits.transaction {
            return Err(invalid("value", format!("{written} bytes at once; {} are allowed", limits.transaction)));
        }
        if growth > 0 && self.bytes + growth > limits.store {
            return Err(CoordError::Unavailable {
                operation: "put",
                reason: format!("the store in memory is full: {} of {} bytes", self.bytes, limits.store),
                outcome: Outcome::NotApplied,
                source: None,
            });
        }
        Ok(())
    }

    fn put(&mut self, entry: Entry) {
        self.bytes += entry.size();
        if let Some(old) = self.keys.insert(entry.key.clone(), entry) {
            self.bytes -= old.size();
        }
    }

    fn delete(&mut self, key: &str) -> Option<Entry> {
        let old = self.keys.remove(key)?;
        self.bytes -= old.size();
        Some(old)
    }

    /// Makes the changes one revision, if there are any.
    fn record(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        self.revision += 1;
        self.history_bytes += changes.iter().map(size).sum::<usize>();
        self.history.push_back(changes);
        while self.history.len() > self.limits.revisions || self.history_bytes > self.limits.history {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(changes) = self.history.pop_front() {
            self.history_bytes -= changes.iter().map(size).sum::<usize>();
            self.compacted += 1;
        }
    }

    /// Forgets the changes up to now.
    #[cfg(test)]
    pub(super) fn compact(&mut self) {
        while !self.history.is_empty() {
            self.forget_oldest();
        }
    }

    /// The changes of a range from a revision on, about `limit` of them at most; those of one revision are not parted.
    pub(super) fn changes(&self, range: &Range, from: Revision, limit: usize) -> Since {
        if from <= self.compacted {
            return Since::Compacted;
        }
        // What is kept begins at `compacted + 1`.
        let skipped = usize::try_from(from - self.compacted - 1).unwrap_or(usize::MAX);
        let mut changes = Vec::new();
        let mut seen = self.revision.max(from - 1);
        for (revision, of_one) in (from..).zip(self.history.iter().skip(skipped)) {
            changes.extend(of_one.iter().filter(|change| range.holds(change.key())).cloned());
            if changes.len() >= limit {
                seen = revision;
                break;
            }
        }
        Since::Changes(changes, seen)
    }

    pub(super) fn open_session(&mut self, now: Instant, ttl: Duration) -> i64 {
        self.last_session += 1;
        self.sessions.insert(self.last_session, now + ttl);
        self.last_session
    }

    /// Moves the end of a session on; `false` when it has ended.
    pub(super) fn renew_session(&mut self, session: i64, now: Instant, ttl: Duration) -> bool {
        self.sessions.get_mut(&session).map(|deadline| *deadline = now + ttl).is_some()
    }

    /// Ends sessions: their keys go as one change.
    fn end_sessions(&mut self, ended: &BTreeSet<i64>) {
        self.sessions.retain(|id, _| !ended.contains(id));
        let keys: Vec<_> =
            self.keys.values().filter(|entry| ended.contains(&entry.session)).map(|entry| entry.key.clone()).collect();
        let revision = self.revision + 1;
        let gone = |key: String| self.delete(&key).map(|_| Change::Delete { key, revision });
        let changes = keys.into_iter().filter_map(gone).collect();
        self.record(changes);
    }

    pub(super) fn close_session(&mut self, session: i64) {
        self.end_sessions(&BTreeSet::from([session]));
    }

    /// Ends the sessions whose time is over.
    pub(super) fn expire(&mut self, now: Instant) {
        let over = |(id, deadline): (&i64, &Instant)| (*deadline <= now).then_some(*id);
        let ended: BTreeSet<_> = self.sessions.iter().filter_map(over).collect();
        if !ended.is_empty() {
            self.end_sessions(&ended);
        }
    }

    /// When the next session runs out, if it is not renewed.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.sessions.values().min().copied()
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }
}

impl Entry {
    fn size(&self) -> usize {
        self.key.len() + self.value.len()
    }
}
