//! The goners that the build script writes.
#![allow(dead_code, reason = "their fields are filled and not read: they are there to be wired")]

include!(concat!(env!("OUT_DIR"), "/goners.rs"));
