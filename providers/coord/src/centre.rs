//! The config centre: values as JSON under keys, with versions, and watches over them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::CoordError;
use crate::backend::{Compare, Entry, Range, Step, Txn};
use crate::coord::Shared;
use crate::follow::{Entries, Followed};
use crate::value::{check_key, decode, encode, range_of};
use crate::watch::Watch;
use crate::watch::feed::Feed;

/// Values under keys: read, written, compared and watched. What [`Coord::config`](crate::Coord::config) gives.
///
/// A key is absolute: it begins with a slash, has at most 4 KiB, and is returned as it was given. A value is stored as JSON, of
/// at most 1 MiB; a `Secret` in it is stored as `***`, so its plain value must be given. The version of a value is the count
/// of changes of the whole store when it was written: it grows with each write, by one at least.
///
/// Each call takes at most [`request_timeout`](crate::CoordConfig::request_timeout); what it fails with besides what stands
/// there is [`CoordError::Unavailable`], [`CoordError::Timeout`], [`CoordError::Refused`] or [`CoordError::Closed`].
#[derive(Clone)]
pub struct ConfigCentre {
    shared: Arc<Shared>,
}

impl ConfigCentre {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Reads a value.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`CoordError::NotFound`]; [`CoordError::Decode`] when what is stored is no `T`; [`CoordError::Invalid`] for what is no
    /// key.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, CoordError> {
        self.get_with_version(key).await.map(|(value, _)| value)
    }

    /// Reads a value, and its version: for [`compare_and_set`](Self::compare_and_set).
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    pub async fn get_with_version<T: DeserializeOwned>(&self, key: &str) -> Result<(T, i64), CoordError> {
        check_key("key", key)?;
        match self.shared.backend.get(key).await? {
            Some(Entry { value, modified, .. }) => Ok((decode(key, &value)?, modified)),
            None => Err(CoordError::NotFound { key: key.to_owned() }),
        }
    }

    /// Writes a value, whatever was there, and gives its version.
    ///
    /// A dropped future leaves it done, not done, or still to be done.
    ///
    /// # Errors
    /// [`CoordError::Invalid`] for what is no key, or for a value that cannot be stored.
    pub async fn set<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<i64, CoordError> {
        check_key("key", key)?;
        let then = vec![Step::Put { key: key.to_owned(), value: encode(value)?, session: 0 }];
        let committed = self.shared.backend.commit("set", Txn { then, ..Txn::default() }).await?;
        Ok(committed.revision)
    }

    /// Writes a value if the stored one has the version that is expected, and gives the new version. With 0 expected, only if
    /// nothing is stored.
    ///
    /// A dropped future leaves it done, not done, or still to be done.
    ///
    /// # Errors
    /// [`CoordError::Conflict`] when the version is another one, and nothing was written. Where the outcome of an error is
    /// [`Unknown`](gone_kit::Outcome::Unknown), it may have been: read again before another try.
    pub async fn compare_and_set<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        expected: i64,
    ) -> Result<i64, CoordError> {
        check_key("key", key)?;
        let txn = Txn {
            compares: vec![Compare::Modified(key.to_owned(), expected)],
            then: vec![Step::Put { key: key.to_owned(), value: encode(value)?, session: 0 }],
            otherwise: vec![Step::Read(Range::Key(key.to_owned()))],
        };
        let committed = self.shared.backend.commit("compare_and_set", txn).await?;
        if committed.succeeded {
            return Ok(committed.revision);
        }
        let state = match committed.found.first().and_then(|found| found.first()) {
            Some(entry) => format!("has version {}, not {expected}", entry.modified),
            None => format!("is not stored, and was expected with version {expected}"),
        };
        Err(CoordError::Conflict { key: key.to_owned(), state })
    }

    /// Deletes a value.
    ///
    /// A dropped future leaves it done, not done, or still to be done.
    ///
    /// # Errors
    /// [`CoordError::NotFound`] when nothing is stored under the key.
    pub async fn delete(&self, key: &str) -> Result<(), CoordError> {
        check_key("key", key)?;
        let then = vec![Step::Delete(key.to_owned())];
        let committed = self.shared.backend.commit("delete", Txn { then, ..Txn::default() }).await?;
        match committed.found.first().is_some_and(|found| !found.is_empty()) {
            true => Ok(()),
            false => Err(CoordError::NotFound { key: key.to_owned() }),
        }
    }

    /// The keys that begin with a prefix, in their order. The prefix is taken as it stands: `/rules/` does not mean
    /// `/rules-old`, and `/rules` does.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`CoordError::Invalid`] for what is no absolute prefix; `/` is the whole store.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, CoordError> {
        check_key("prefix", prefix)?;
        let listing = self.shared.backend.list(&Range::Prefix(prefix.to_owned())).await?;
        Ok(listing.entries.into_iter().map(|entry| entry.key).collect())
    }

    /// Watches a key: the changes since the time at which this returns. A key that ends with a slash is a prefix, as in
    /// [`watch_prefix`](Self::watch_prefix).
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`CoordError::Invalid`] for what is no key; [`CoordError::Unavailable`] and its like when the store cannot be read now.
    /// Once it returns, the watch survives that.
    pub async fn watch<T: DeserializeOwned>(&self, key: &str) -> Result<Watch<T>, CoordError> {
        check_key("key", key)?;
        self.start(range_of(key)).await
    }

    /// Watches all keys that begin with a prefix, those to come too. The prefix is taken as it stands: end it with a slash, or
    /// siblings match.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// Those of [`watch`](Self::watch).
    pub async fn watch_prefix<T: DeserializeOwned>(&self, prefix: &str) -> Result<Watch<T>, CoordError> {
        check_key("prefix", prefix)?;
        self.start(Range::Prefix(prefix.to_owned())).await
    }

    /// Follows a value: it is read now, and again whenever it changes. Where nothing is stored, or at first something that is
    /// no `T`, it is the default; later, what is no `T` is refused, and the last good value stays.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// Those of [`watch`](Self::watch).
    pub async fn follow<T>(
        &self,
        key: &str,
        default: impl Fn() -> T + Send + 'static,
    ) -> Result<Followed<T>, CoordError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        check_key("key", key)?;
        let feed = self.feed(Range::Key(key.to_owned())).await?;
        let of = key.to_owned();
        let make = move |entries: Entries<'_>| match entries.get(&of) {
            Err(CoordError::NotFound { .. }) => Ok(default()),
            read => read,
        };
        let (first, refused) = match make(Entries(feed.known())) {
            Ok(first) => (first, None),
            Err(error) => (make(Entries(&BTreeMap::new()))?, Some(error)),
        };
        Ok(Followed::start(feed, self.shared.clock.clone(), key.to_owned(), first, refused, make))
    }

    /// Follows all that is stored under a prefix, as one value: it is made anew of all of it whenever any of it changes. What
    /// cannot be made is refused, and the last good value stays. The prefix is taken as it stands: end it with a slash, or
    /// siblings match.
    ///
    /// `make` checks all that it takes, and quotes no value in its error. It runs on a task of the runtime and should not block.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// Those of [`watch`](Self::watch), and that of `make` for what is stored now.
    pub async fn follow_prefix<T, E>(
        &self,
        prefix: &str,
        make: impl Fn(Entries<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Followed<T>, E>
    where
        T: Send + Sync + 'static,
        E: From<CoordError> + std::fmt::Display + 'static,
    {
        check_key("prefix", prefix)?;
        let feed = self.feed(Range::Prefix(prefix.to_owned())).await?;
        let first = make(Entries(feed.known()))?;
        Ok(Followed::start(feed, self.shared.clock.clone(), prefix.to_owned(), first, None, make))
    }

    async fn start<T>(&self, range: Range) -> Result<Watch<T>, CoordError> {
        Ok(Watch::start(self.feed(range).await?, self.shared.clock.clone()))
    }

    async fn feed(&self, range: Range) -> Result<Feed, CoordError> {
        let Shared { backend, clock, config, .. } = &*self.shared;
        Feed::open(Arc::clone(backend), range, clock.clone(), config.watch_relist).await
    }
}

impl std::fmt::Debug for ConfigCentre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConfigCentre")
    }
}
