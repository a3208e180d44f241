//! The figures of a channel.

use gone_kit::Stat;

/// The figures of a [`ServiceChannel`](super::ServiceChannel).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelStats {
    /// Instances that may be called.
    pub instances: usize,
    /// How many of them are left out at this moment.
    pub ejected: usize,
    /// Calls that were begun.
    pub calls: u64,
    /// Tries that failed: nobody was reached, the connection broke, or the answer was `UNAVAILABLE`.
    pub failures: u64,
    /// Calls that were given to another instance after the first was not reached.
    pub moved: u64,
    /// How often an instance was left out.
    pub ejections: u64,
}

impl ChannelStats {
    /// The figures of two channels together.
    #[must_use]
    pub(in crate::registry) fn and(self, other: Self) -> Self {
        Self {
            instances: self.instances + other.instances,
            ejected: self.ejected + other.ejected,
            calls: self.calls + other.calls,
            failures: self.failures + other.failures,
            moved: self.moved + other.moved,
            ejections: self.ejections + other.ejections,
        }
    }

    /// As they are exported.
    pub(in crate::registry) fn figures(self) -> [Stat; 6] {
        [
            Stat::gauge("channel_instances", self.instances as u64),
            Stat::gauge("channel_ejected", self.ejected as u64),
            Stat::counter("channel_calls", self.calls),
            Stat::counter("channel_failures", self.failures),
            Stat::counter("channel_moved", self.moved),
            Stat::counter("channel_ejections", self.ejections),
        ]
    }
}
