//! `memory:`: flags of this process.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

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
