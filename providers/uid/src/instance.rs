//! What is needed of coordination: a number that no other process has, and a mark that outlives its holder.

use async_trait::async_trait;
use gone_coord::CoordError;
use gone_kit::Lease;

/// Gives instance ids.
#[async_trait]
pub(crate) trait Instances: Send + Sync + 'static {
    /// Takes a free id. A dropped future leaves nothing, or an id that lapses.
    async fn acquire(&self) -> Result<Box<dyn Instance>, CoordError>;
}

/// An instance id that is held. Dropped, it is given back in the background or lapses.
#[async_trait]
pub(crate) trait Instance: Send + Sync + 'static {
    fn id(&self) -> u16;

    fn lease(&self) -> &Lease;

    /// The floor as it was when the id was acquired, in milliseconds since 1970; 0 if there is none. All ids of its earlier
    /// holders are of an earlier time.
    fn floor(&self) -> u64;

    /// Writes the floor, as long as the id is held, and for good. A dropped future leaves it written or not.
    async fn set_floor(&self, unix_ms: u64) -> Result<(), CoordError>;

    /// Gives the id back at once.
    async fn release(self: Box<Self>) -> Result<(), CoordError>;
}
