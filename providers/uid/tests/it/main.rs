//! The behaviour of `gone-uid`: over each backend of coordination, in an application, with many threads and processes.

mod at;
mod backends;
mod config;
mod container;
mod processes;
mod standstill;
mod threads;
mod uuids;

use at::At;
