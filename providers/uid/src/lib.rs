//! Identifiers for Gone.

mod config;
mod error;
mod generator;
mod instance;
mod keeper;
mod layout;
mod pace;
mod reserved;
#[cfg(test)]
mod tests;
mod timeline;
mod uid;
mod uuid;

pub use config::{ConfigError, UidConfig};
pub use error::UidError;
pub use layout::{Epoch, Parts};
pub use reserved::{MAX_RESERVED, Reserved};
pub use uid::Uid;
