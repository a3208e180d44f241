//! A root before all keys, which nobody above sees.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gone_core::{CloseReport, Deadline};

use super::{Backend, Committed, Compare, Entry, Listing, Range, RawWatch, Revision, Session, Step, Txn};
use crate::CoordError;

/// A backend whose keys all begin with a root: it is put before those that are given, and taken off those that come back.
pub(crate) struct Rooted {
    backend: Arc<dyn Backend>,
    root: String,
}

impl Rooted {
    /// The backend under the root; the backend itself when the root is empty.
    pub(crate) fn over(backend: Arc<dyn Backend>, root: &str) -> Arc<dyn Backend> {
        match root {
            "" => backend,
            root => Arc::new(Self { backend, root: root.to_owned() }),
        }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.root)
    }

    fn range(&self, range: &Range) -> Range {
        match range {
            Range::Key(key) => Range::Key(self.key(key)),
            Range::Prefix(prefix) => Range::Prefix(self.key(prefix)),
        }
    }

    fn compare(&self, compare: Compare) -> Compare {
        match compare {
            Compare::Created(key, revision) => Compare::Created(self.key(&key), revision),
            Compare::Modified(key, revision) => Compare::Modified(self.key(&key), revision),
            Compare::NoneUnder(prefix) => Compare::NoneUnder(self.key(&prefix)),
        }
    }

    fn step(&self, step: Step) -> Step {
        match step {
            Step::Put { key, value, session } => Step::Put { key: self.key(&key), value, session },
            Step::Delete(key) => Step::Delete(self.key(&key)),
            Step::Read(range) => Step::Read(self.range(&range)),
            Step::Neighbour { prefix, before } => Step::Neighbour { prefix: self.key(&prefix), before },
        }
    }

    /// The error with the key that was given.
    fn own(&self, mut error: CoordError) -> CoordError {
        if let CoordError::Lost { key, .. } | CoordError::Conflict { key, .. } | CoordError::NotFound { key } =
            &mut error
            && key.starts_with(&self.root)
        {
            key.drain(..self.root.len());
        }
        error
    }

    fn strip(&self, entries: &mut [Entry]) {
        for entry in entries {
            entry.key.drain(..self.root.len());
        }
    }
}

#[async_trait]
impl Backend for Rooted {
    fn name(&self) -> &'static str {
        self.backend.name()
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, CoordError> {
        let mut entry = self.backend.get(&self.key(key)).await?;
        self.strip(entry.as_mut_slice());
        Ok(entry)
    }

    async fn list(&self, range: &Range) -> Result<Listing, CoordError> {
        let mut listing = self.backend.list(&self.range(range)).await?;
        self.strip(&mut listing.entries);
        Ok(listing)
    }

    async fn commit(&self, operation: &'static str, txn: Txn) -> Result<Committed, CoordError> {
        let txn = Txn {
            compares: txn.compares.into_iter().map(|compare| self.compare(compare)).collect(),
            then: txn.then.into_iter().map(|step| self.step(step)).collect(),
            otherwise: txn.otherwise.into_iter().map(|step| self.step(step)).collect(),
        };
        let mut committed = self.backend.commit(operation, txn).await.map_err(|error| self.own(error))?;
        for found in &mut committed.found {
            self.strip(found);
        }
        Ok(committed)
    }

    async fn watch(&self, range: Range, from: Revision) -> Result<RawWatch, CoordError> {
        let mut watch = self.backend.watch(self.range(&range), from).await?;
        watch.root += self.root.len();
        Ok(watch)
    }

    async fn open_session(&self, ttl: Duration) -> Result<Session, CoordError> {
        self.backend.open_session(ttl).await
    }

    async fn close_session(&self, session: &Session) -> Result<(), CoordError> {
        self.backend.close_session(session).await
    }

    async fn ping(&self) -> Result<(), CoordError> {
        self.backend.ping().await
    }

    fn abandon(&self) {
        self.backend.abandon();
    }

    async fn close(&self, deadline: Deadline) -> CloseReport {
        self.backend.close(deadline).await
    }
}
