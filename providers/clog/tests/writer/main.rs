//! The writer of the log under load, and when the output, the disk or the process fails.

mod crash;
mod disk;
mod load;
mod outputs;
mod pipe;
mod reopening;
mod rotation;
mod space;
