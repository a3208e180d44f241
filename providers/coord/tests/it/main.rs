//! The connection as a part of an application: its config section, its provider, and the config that comes over it.

mod config;
mod provider;
mod registry;
mod remote;
