use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::Result;

/// Something read before the plan, such as configuration files, so that the plan can check what it holds.
///
/// A source has no needs and no hooks. It is loaded with [`source`](crate::source) and read once, in load order. What it
/// holds, its snapshot, is given to `accepts` of providers and to conditions, and is offered as `Arc<Snapshot>`.
/// After that the source is dropped: what changes later reaches live values only, through the goner that watches.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source",
    note = "write `impl Source for {Self} {{ type Snapshot = …; fn read(&self) -> gone::Result<…> {{ … }} }}`"
)]
pub trait Source: Send + Sync + 'static {
    /// What it holds.
    type Snapshot: Send + Sync + 'static;

    /// Reads what is at hand: files, environment, memory. No network: `plan` and `check` call this, too.
    ///
    /// # Errors
    /// Each error, and each one [attached](crate::Error::attach) to it, becomes a problem of the plan's report.
    fn read(&self) -> Result<Self::Snapshot>;

    /// Adds what is remote. Called by `run`, `serve` and `boot` only, within the boot's budget, after all sources were
    /// read; the sources that are loaded earlier are at hand, for its address and credentials.
    ///
    /// # Errors
    /// As for [`read`](Source::read).
    fn open(&self, local: Self::Snapshot, sources: &Sources) -> impl Future<Output = Result<Self::Snapshot>> + Send {
        let _ = sources;
        async { Ok(local) }
    }
}

/// The snapshots of all sources, by their type.
#[derive(Clone, Default)]
pub struct Sources {
    snapshots: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
}

impl Sources {
    /// The snapshot of type `S`; none if no source of it is loaded, or it could not be read.
    pub fn get<S: Send + Sync + 'static>(&self) -> Option<&S> {
        self.snapshots.get(&TypeId::of::<S>()).and_then(|snapshot| snapshot.downcast_ref())
    }

    /// False if there is one of that type already.
    pub(crate) fn insert(&mut self, id: TypeId, snapshot: Arc<dyn Any + Send + Sync>) -> bool {
        self.snapshots.insert(id, snapshot).is_none()
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sources({})", self.snapshots.len())
    }
}
