//! What is needed of coordination: a number that no other process has, and a mark that outlives its holder.

use std::sync::Arc;

use async_trait::async_trait;
use gone_config::{SectionError, SectionFault};
use gone_coord::{Coord, CoordError, InstanceId, InstanceIds};
use gone_kit::Lease;

use crate::mark::Mark;
use crate::{UidConfig, UidError};

impl UidConfig {
    /// The instance ids of these settings.
    pub(crate) fn instances(&self, coord: &Coord) -> Result<Arc<dyn Instances>, UidError> {
        if self.service_name.is_empty() {
            let expected = "the name of the service among whose processes snowflakes are unique".to_owned();
            return Err(SectionError::from(SectionFault::Missing { field: "service_name", expected }).into());
        }
        Ok(Arc::new(coord.instance_ids(&self.service_name, self.max_instance_id.into())?))
    }
}

/// Gives instance ids: coordination, or a test.
#[async_trait]
pub(crate) trait Instances: Send + Sync + 'static {
    /// Takes a free id. A dropped future has taken none, or one that is given back by itself.
    async fn acquire(&self) -> Result<Box<dyn Instance>, CoordError>;
}

/// An instance id that is held. Dropped, it is given back in the background or lapses.
#[async_trait]
pub(crate) trait Instance: Send + Sync + 'static {
    fn id(&self) -> u16;

    fn lease(&self) -> &Lease;

    /// The greatest mark of all holders so far.
    fn mark(&self) -> Mark;

    /// Writes a mark, as long as the id is held; it stays when the id is given back. One that is not greater changes
    /// nothing. A dropped future leaves it written or not.
    async fn raise(&self, mark: Mark) -> Result<(), CoordError>;

    /// Gives the id back at once.
    async fn give_back(&self) -> Result<(), CoordError>;
}

#[async_trait]
impl Instances for InstanceIds {
    async fn acquire(&self) -> Result<Box<dyn Instance>, CoordError> {
        Ok(Box::new(self.acquire().await?))
    }
}

#[async_trait]
impl Instance for InstanceId {
    fn id(&self) -> u16 {
        // The highest one that is asked for is 1023.
        self.id() as u16
    }

    fn lease(&self) -> &Lease {
        self.lease()
    }

    fn mark(&self) -> Mark {
        Mark::from_number(self.floor())
    }

    async fn raise(&self, mark: Mark) -> Result<(), CoordError> {
        self.raise_floor(mark.number()).await
    }

    async fn give_back(&self) -> Result<(), CoordError> {
        self.release().await
    }
}
