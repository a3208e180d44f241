//! What can go wrong.

use std::sync::Arc;
use std::time::Duration;

use gone_config::SectionError;
use gone_coord::CoordError;
use gone_kit::LeaseEnd;

/// Why there is no id.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UidError {
    /// The application has no coordination, and so nobody who would give this process a number of its own. UUIDs need none.
    #[error(
        "snowflakes need an instance id, which coordination gives: load `gone::coord::module` too; UUIDs work without"
    )]
    NoCoord,
    /// The instance id may belong to somebody else by now. A new one is being acquired in the background; until then there
    /// are no ids.
    #[error("instance id {instance} is no longer held: {end}; a new one is being acquired")]
    Lost {
        /// The id that was held.
        instance: u16,
        /// Why it is not.
        end: LeaseEnd,
    },
    /// The wall clock has gone back further than the tolerance. There are ids again when it has come near enough to where
    /// it was.
    #[error("the clock went back: it is {behind:?} behind the last id, and {tolerance:?} are tolerated")]
    ClockBackwards {
        /// How far it is behind the time of the last id.
        behind: Duration,
        /// How far it may be.
        tolerance: Duration,
    },
    /// The wall clock is before the epoch, or after the last time that the layout has room for.
    #[error("the clock is out of the range of the epoch, which begins at {epoch_ms} ms and ends 2^41 ms later")]
    OutOfRange {
        /// The epoch, in milliseconds since 1970.
        epoch_ms: u64,
    },
    /// The floor, below which all ids of this instance lie, could not be raised in time: coordination does not answer. It
    /// is tried again in the background.
    #[error("instance id {instance}: coordination has not confirmed in time how far its ids may go")]
    Unconfirmed {
        /// The id that is held.
        instance: u16,
    },
    /// All ids of this millisecond are given out, and [`try_snowflake`](crate::Uid::try_snowflake) does not wait.
    #[error("the 4096 ids of this millisecond are given out")]
    SequenceFull,
    /// Every instance id that could be had was used by somebody whose clock is ahead of this one's.
    #[error(
        "ids of instance {instance} were given out up to {until_unix_ms} ms since 1970, which is {ahead:?} ahead of this clock"
    )]
    FloorAhead {
        /// The id with the least floor.
        instance: u16,
        /// Its floor, in milliseconds since 1970.
        until_unix_ms: u64,
        /// How far that is ahead.
        ahead: Duration,
    },
    /// More ids at once than [`MAX_RESERVED`](crate::MAX_RESERVED), or none.
    #[error("{count} ids cannot be reserved at once; it must be 1 to {max}", max = crate::MAX_RESERVED)]
    Count {
        /// How many were asked for.
        count: u32,
    },
    /// A negative number is no snowflake.
    #[error("{id} is no snowflake: it is negative")]
    NotASnowflake {
        /// The number.
        id: i64,
    },
    /// Coordination failed while an instance id was acquired.
    #[error("no instance id was to be had: {0}")]
    Coord(#[source] Arc<CoordError>),
    /// The handle was closed.
    #[error("uid is closed")]
    Closed,
    /// The config section cannot be used.
    #[error("{0}")]
    Config(#[from] SectionError),
}

impl From<CoordError> for UidError {
    fn from(error: CoordError) -> Self {
        Self::Coord(Arc::new(error))
    }
}
