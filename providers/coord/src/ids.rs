//! Instance ids: small numbers, each held by one process at a time.

#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gone_kit::Lease;

use crate::CoordError;
use crate::backend::{Compare, Entry, Range, Revision, Step, Txn};
use crate::coord::Shared;
use crate::holding::Holding;
use crate::sessions::{check_ttl, quoted};
use crate::value::{decode, encode};

/// Before the name of each service.
const ROOT: &str = "/im-infra/allocators/";

/// How many ids a service may have.
const MAX: RangeInclusive<u32> = 1..=1_000_000;

/// Among how many free numbers is chosen at most.
const MAX_WIDTH: usize = 1024;

/// The longest name of a service.
const MAX_NAME: usize = 256;

/// The instance ids of one service: `coord.instance_ids("orders", 1023)`.
///
/// They are numbers from 1 to a highest one. What one process holds no other gets, until it gives it back or is not heard of
/// for the ttl. All who ask for the same service share its numbers, in this process and in others, whatever highest number
/// each of them says. On `memory:` they are those of this process alone, and another has the same.
#[derive(Clone)]
pub struct InstanceIds {
    shared: Arc<Shared>,
    service: String,
    max: u32,
    ttl: Duration,
}

impl InstanceIds {
    pub(crate) fn new(shared: Arc<Shared>, service: &str, max: u32) -> Result<Self, CoordError> {
        let invalid = |argument, reason| Err(CoordError::Invalid { argument, reason });
        if service.is_empty() || service.len() > MAX_NAME || service.contains('/') {
            return invalid("service", format!("{service:?} must be 1 to {MAX_NAME} bytes without a slash"));
        }
        if !MAX.contains(&max) {
            return invalid("max", format!("{max} must be {} to {}", MAX.start(), MAX.end()));
        }
        let ttl = shared.config.instance_id_ttl;
        Ok(Self { shared, service: service.to_owned(), max, ttl })
    }

    /// The same ids, held for another ttl than the config's `instance_id_ttl`: whole seconds from 1 s to 1 h.
    ///
    /// # Errors
    /// [`CoordError::Invalid`] for a ttl out of bounds.
    pub fn with_ttl(mut self, ttl: Duration) -> Result<Self, CoordError> {
        check_ttl(ttl)?;
        self.ttl = ttl;
        Ok(self)
    }

    /// Takes a number that nobody has: the first one, or, where several ask in the same moment, one near it. Contract rows
    /// CRD-11, CRD-12, CRD-15.
    ///
    /// A dropped future has taken none: if one was taken all the same, it is given back in the background.
    ///
    /// # Errors
    /// [`CoordError::Exhausted`] when all are taken; [`CoordError::Decode`] when the [`floor`](InstanceId::floor) of the
    /// number is not a number; [`CoordError::Closed`], [`CoordError::Unavailable`], [`CoordError::Timeout`] or
    /// [`CoordError::Refused`] when the store did not answer as it should. With none of them is a number held, or will be.
    pub async fn acquire(&self) -> Result<InstanceId, CoordError> {
        let taken = Range::Prefix(format!("{ROOT}{}/ids/", self.service));
        let mut entries = self.shared.backend.list(&taken).await?.entries;
        let mut width = 1;
        loop {
            let id = self.choose(&entries, width)?;
            let floor_key = format!("{ROOT}{}/floors/{id}", self.service);
            let take = |token: &str, session| {
                let key = format!("{ROOT}{}/ids/{id}", self.service);
                let put = Step::Put { key: key.clone(), value: quoted(token), session };
                let txn = Txn {
                    compares: vec![Compare::Created(key.clone(), 0)],
                    then: vec![put, Step::Read(Range::Key(floor_key.clone()))],
                    otherwise: vec![Step::Read(taken.clone())],
                };
                (key, txn)
            };
            let (placed, mut committed) = self.shared.sessions.put("acquire_id", self.ttl, take).await?;
            let found = committed.found.pop().unwrap_or_default();
            if committed.succeeded {
                let floor = Floor::read(&floor_key, found.first())?;
                let name = placed.key.clone();
                let holding = Holding::new(placed, committed.revision, name)?;
                let highest = AtomicU64::new(floor.value);
                return Ok(InstanceId { holding, id, floor_key, highest, floor: floor.into() });
            }
            // Another was faster: among twice as many it is less likely to be met again.
            entries = found;
            width = (width * 2).min(MAX_WIDTH);
        }
    }

    /// One of the first free numbers, as many as `width`.
    fn choose(&self, taken: &[Entry], width: usize) -> Result<u32, CoordError> {
        let number = |entry: &Entry| entry.key.rsplit('/').next().and_then(|number| number.parse().ok());
        let mut taken: Vec<u32> = taken.iter().filter_map(number).collect();
        taken.sort_unstable();
        let free: Vec<_> = (1..=self.max).filter(|id| taken.binary_search(id).is_err()).take(width).collect();
        if free.is_empty() {
            return Err(CoordError::Exhausted { service: self.service.clone(), max: self.max });
        }
        // A fresh state has random keys, and so its empty hash is a random number.
        let chance = RandomState::new().hash_one(0_u8) as usize;
        Ok(free[chance % free.len()])
    }
}

impl fmt::Debug for InstanceIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, max, ttl, .. } = self;
        f.debug_struct("InstanceIds").field("service", service).field("max", max).field("ttl", ttl).finish()
    }
}

/// An instance id that is held: until [`release`](Self::release), until it is dropped, or until it is lost.
///
/// Dropped, it is given back in the background; where its runtime has ended, it runs out. It does not keep its
/// [`Coord`](crate::Coord) alive: when the last clone of that is dropped, it is lost. One that is lost does not come back: its
/// holder stops using it by the lease's deadline, and takes another.
#[must_use = "dropping it gives the number back"]
pub struct InstanceId {
    holding: Holding,
    id: u32,
    floor_key: String,
    /// What is known to be written down. Only one writes at a time.
    floor: tokio::sync::Mutex<Floor>,
    /// Its value, for who only reads.
    highest: AtomicU64,
}

/// A value that is written down, and when it was.
#[derive(Clone, Copy)]
struct Floor {
    value: u64,
    modified: Revision,
}

impl Floor {
    fn read(key: &str, entry: Option<&Entry>) -> Result<Self, CoordError> {
        match entry {
            Some(entry) => Ok(Self { value: decode(key, &entry.value)?, modified: entry.modified }),
            None => Ok(Self { value: 0, modified: 0 }),
        }
    }
}

impl InstanceId {
    /// The number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The lease: what to ask before each use. Its fencing number grows with each holder of the number.
    pub fn lease(&self) -> &Lease {
        self.holding.lease()
    }

    /// The full key in the store.
    pub fn key(&self) -> &str {
        self.holding.key()
    }

    /// The highest value that a holder of this number has left behind, this one included; 0 if none has. What is made from
    /// the number, such as a time in an identifier, begins above it.
    pub fn floor(&self) -> u64 {
        self.highest.load(Ordering::Acquire)
    }

    /// Writes down a value for all later holders of this number. It outlives the number's lease, and never goes back: a
    /// value that is not higher than [`floor`](Self::floor) writes nothing.
    ///
    /// A dropped future leaves it written, not written, or still to be written if the number is held then.
    ///
    /// # Errors
    /// [`CoordError::Lost`] when the number is no longer held: nothing was written. The others say it by
    /// [`outcome`](CoordError::outcome).
    pub async fn raise_floor(&self, value: u64) -> Result<(), CoordError> {
        let mut floor = self.floor.lock().await;
        while value > floor.value {
            // A write whose answer was lost may still arrive: it must not overwrite a later one.
            let unchanged = Compare::Modified(self.floor_key.clone(), floor.modified);
            let put = Step::Put { key: self.floor_key.clone(), value: encode(&value)?, session: 0 };
            let read = Step::Read(Range::Key(self.floor_key.clone()));
            let committed = self.holding.guarded("raise_floor", vec![unchanged], vec![put], vec![read]).await?;
            *floor = match committed.succeeded {
                true => Floor { value, modified: committed.revision },
                false => Floor::read(&self.floor_key, committed.found.iter().flatten().next())?,
            };
            self.highest.fetch_max(floor.value, Ordering::AcqRel);
        }
        self.holding.check()
    }

    /// Gives the number back; doing so twice is harmless. The lease ends at once, whatever follows. Contract row CRD-11.
    ///
    /// A dropped future gives it back when the id is dropped, or by another call.
    ///
    /// # Errors
    /// [`CoordError::Lost`] when it was no longer held. Any other says by [`outcome`](CoordError::outcome) whether it was
    /// given back; another call tries again, and so does the background once the id is dropped.
    pub async fn release(&self) -> Result<(), CoordError> {
        self.holding.release("release_id").await
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceId")
            .field("key", &self.key())
            .field("floor", &self.floor())
            .field("lease", self.lease())
            .finish()
    }
}
