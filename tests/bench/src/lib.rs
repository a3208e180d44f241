//! Real servers, broken networks and dropped futures, for the tests of Gone.
//!
//! - [`Server`]: etcd, Redis, PostgreSQL or MariaDB on a port and in a folder of its own, to be paused, killed and started
//!   again. [`Software`] is what another kind of server is to say of itself.
//! - [`Proxy`]: a network between a client and a server that cuts, delays, swallows and garbles.
//! - [`conformance!`]: one list of cases, run against every backend.
//! - [`outage_matrix()`]: each way in which a server can be away, at each phase of its client's life.
//! - [`drop_at_each_poll()`]: a future dropped at every point where it waits.
//! - [`Role`]: a second process of the same test, to be paused and killed.
//!
//! A test that needs a server is ignored unless it is asked for, `cargo xtask test` asks for it and installs the server.

#![allow(missing_debug_implementations, reason = "servers and processes, which no test prints")]

mod conformance;
mod dropped;
mod error;
mod guarded;
mod outage;
mod port;
mod proxy;
mod role;
mod server;

pub use conformance::unique;
pub use dropped::{Dropped, drop_at_each_poll};
pub use error::{BenchError, Result};
pub use outage::{Cell, Client, Fault, Phase, Times, outage_matrix};
pub use proxy::{Direction, Proxy, Struck};
pub use role::Role;
pub use rustix::process::Signal;
pub use server::{Certificate, Certificates, Etcd, EtcdCluster, MariaDb, Place, Postgres, Redis, Server, Software};
