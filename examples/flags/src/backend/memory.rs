//! `memory:`: flags of this process.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use gone_config::async_trait;

use super::Backend;
use crate::FlagsError;

/// How many flags may be on.
const MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashSet<String>>);

#[async_trait]
impl Backend for Memory {
    async fn set(&self, name: &str, on: bool) -> Result<(), FlagsError> {
        let mut flags = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !on {
            flags.remove(name);
        } else if flags.len() < MAX || flags.contains(name) {
            flags.insert(name.to_owned());
        } else {
            return Err(FlagsError::Full { max: MAX });
        }
        Ok(())
    }

    async fn is_on(&self, name: &str) -> Result<bool, FlagsError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(name))
    }

    async fn ping(&self) -> Result<(), FlagsError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_is_a_limit_to_flags() {
        let memory = Memory::default();
        for number in 0..MAX {
            memory.set(&number.to_string(), true).await.unwrap();
        }
        assert!(matches!(memory.set("one more", true).await, Err(FlagsError::Full { max: MAX })));
        memory.set("0", true).await.unwrap();
        memory.set("0", false).await.unwrap();
        memory.set("one more", true).await.unwrap();
    }
}
