//! The connection as a part of an application: its config section, its provider, and the config that comes over it.

mod config;
#[cfg(feature = "etcd")]
mod etcd;
mod provider;
mod registry;
mod remote;
