//! The backend `etcd:`.
//!
//! Calls and watches go over a connection on the application's own runtime. Sessions are renewed on a thread of their own, over
//! a connection of its own. Both connections are to one member at a time, and move to another when it fails; see
//! [`link`] and [`live`].

mod connect;
mod convert;
mod failure;
mod link;
mod live;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use etcd_client::{GetOptions, GetResponse, PutOptions};
use gone_core::{CloseReport, Deadline};

use self::failure::{Failure, Kind};
use self::link::{Effect, Link};
use self::session::Supervisor;
pub(crate) use self::settings::{Settings, Tls};
use super::{Backend, Committed, Entry, Listing, Range, RawWatch, Revision, Session, Step, Txn, lost_session};
use crate::CoordError;

/// Keys of one part of a listing.
const PART: i64 = 1_000;

/// A cluster of etcd.
pub(crate) struct Etcd {
    link: Link,
    sessions: Supervisor,
}

impl Etcd {
    /// Connects to a member that answers. A dropped future leaves nothing behind.
    pub(crate) async fn open(settings: Settings) -> Result<Self, CoordError> {
        let settings = Arc::new(settings);
        let link = Link::new(settings.clone());
        link.connect().await?;
        Ok(Self { link, sessions: Supervisor::start(settings)? })
    }

    /// A listing in parts, all of one revision.
    async fn listed(&self, range: &Range) -> Result<Listing, Failure> {
        let (mut key, end) = convert::bounds(range);
        let (mut part, mut revision, mut entries) = (PART, 0, Vec::new());
        loop {
            let mut options = GetOptions::new().with_revision(revision).with_limit(part);
            if let Some(end) = &end {
                options = options.with_range(end.clone());
            }
            let got = self.read(&key, options).await;
            let GetResponse(got) = match got {
                Err(failure) if failure.kind == Kind::TooLarge && part > 1 => {
                    part = (part / 4).max(1);
                    continue;
                }
                got => got?,
            };
            if revision == 0 {
                revision = got.header.as_ref().map_or(0, |header| header.revision);
            }
            let last = got.kvs.last().map(|pair| pair.key.clone());
            entries.extend(got.kvs.into_iter().filter_map(convert::entry));
            match last {
                Some(mut last) if got.more => {
                    // The next key that there can be.
                    last.push(0);
                    key = last;
                }
                _ => return Ok(Listing { revision, entries }),
            }
        }
    }

    async fn read(&self, key: &[u8], options: GetOptions) -> Result<GetResponse, Failure> {
        let ask = |live: Arc<live::Live>| {
            let (key, options) = (key.to_vec(), options.clone());
            async move { live.kv(async |kv| kv.get(key, Some(options)).await).await }
        };
        self.link.call(Effect::Reads, ask).await
    }

    async fn put(&self, key: &str, value: &[u8], session: i64) -> Result<Committed, Failure> {
        let ask = |live: Arc<live::Live>| {
            let options = PutOptions::new().with_lease(session);
            async move { live.kv(async |kv| kv.put(key, value, Some(options)).await).await }
        };
        let done = self.link.call(Effect::Writes, ask).await?;
        let revision = done.header().map_or(0, etcd_client::ResponseHeader::revision);
        Ok(Committed { succeeded: true, revision, found: vec![Vec::new()] })
    }

    async fn transact(&self, txn: &Txn) -> Result<Committed, Failure> {
        let writes = |step: &Step| matches!(step, Step::Put { .. } | Step::Delete(_));
        let effect = match txn.then.iter().chain(&txn.otherwise).any(writes) {
            true => Effect::Writes,
            false => Effect::Reads,
        };
        let transaction = convert::transaction(txn);
        let ask = |live: Arc<live::Live>| {
            let transaction = transaction.clone();
            async move { live.kv(async |kv| kv.txn(transaction).await).await }
        };
        Ok(convert::committed(self.link.call(effect, ask).await?))
    }
}

#[async_trait]
impl Backend for Etcd {
    fn name(&self) -> &'static str {
        "etcd"
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, CoordError> {
        let ask = |live: Arc<live::Live>| async move { live.kv(async |kv| kv.get(key, None).await).await };
        let got = self.link.call(Effect::Reads, ask).await.map_err(|failure| failure.into_error("get"))?;
        Ok(got.0.kvs.into_iter().find_map(convert::entry))
    }

    /// Each part of a thousand keys has the time of one request.
    async fn list(&self, range: &Range) -> Result<Listing, CoordError> {
        let mut listed = self.listed(range).await;
        if listed.as_ref().is_err_and(|failure| failure.kind == Kind::Compacted) {
            // It took so long that its revision is no longer kept.
            listed = self.listed(range).await;
        }
        listed.map_err(|failure| failure.into_error("list"))
    }

    async fn commit(&self, operation: &'static str, txn: Txn) -> Result<Committed, CoordError> {
        let done = match (txn.compares.as_slice(), txn.then.as_slice()) {
            // What a plain write is for etcd, too.
            ([], [Step::Put { key, value, session }]) => self.put(key, value, *session).await,
            _ => self.transact(&txn).await,
        };
        done.map_err(|failure| match (failure.kind, written(&txn)) {
            (Kind::NoLease, Some(key)) => lost_session(key),
            _ => failure.into_error(operation),
        })
    }

    async fn watch(&self, range: Range, from: Revision) -> Result<RawWatch, CoordError> {
        watch::open(&self.link, &range, from).await.map_err(|failure| failure.into_error("watch"))
    }

    async fn open_session(&self, ttl: Duration) -> Result<Session, CoordError> {
        self.sessions.open(ttl).await
    }

    async fn close_session(&self, session: &Session) -> Result<(), CoordError> {
        self.sessions.close_session(session).await
    }

    async fn ping(&self) -> Result<(), CoordError> {
        let options = GetOptions::new().with_count_only();
        match self.read(b"gone", options).await {
            // This user may not read that key, but was answered.
            Err(failure) if failure.kind == Kind::Forbidden => Ok(()),
            asked => asked.map(drop).map_err(|failure| failure.into_error("ping")),
        }
    }

    fn abandon(&self) {
        self.sessions.abandon();
        self.link.close();
    }

    async fn close(&self, deadline: Deadline) -> CloseReport {
        let report = self.sessions.stop(deadline).await;
        self.link.close();
        report
    }
}

/// The first key that is written under a session.
fn written(txn: &Txn) -> Option<&str> {
    txn.then.iter().chain(&txn.otherwise).find_map(|step| match step {
        Step::Put { key, session, .. } if *session != 0 => Some(key.as_str()),
        _ => None,
    })
}
