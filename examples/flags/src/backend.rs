//! Where flags are.

mod memory;
#[cfg(feature = "redis")]
mod redis;

use std::fmt;

use gone_config::{SectionError, async_trait};

use crate::config::SCHEMES;
use crate::{FlagsConfig, FlagsError};

/// What a store of flags can do. Who calls it limits the time.
#[async_trait]
pub(crate) trait Backend: fmt::Debug + Send + Sync + 'static {
    /// A dropped future leaves the flag set or not.
    async fn set(&self, name: &str, on: bool) -> Result<(), FlagsError>;
    async fn is_on(&self, name: &str) -> Result<bool, FlagsError>;
    async fn ping(&self) -> Result<(), FlagsError>;
}

/// The backend of a section that was checked.
pub(crate) async fn open(config: &FlagsConfig) -> Result<Box<dyn Backend>, FlagsError> {
    Ok(match config.url.choose(&SCHEMES).map_err(SectionError::from)? {
        #[cfg(feature = "redis")]
        ("redis", _) => Box::new(redis::Redis::connect(config).await?),
        _ => Box::new(memory::Memory::default()),
    })
}
