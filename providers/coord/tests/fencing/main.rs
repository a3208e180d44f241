//! Holders that are stopped and wake: what they still believe, and what they can no longer do. With real processes.

#[cfg(feature = "etcd")]
mod etcd;
