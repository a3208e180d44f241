//! The figures of a registry.

use gone_kit::Stat;

#[cfg(feature = "grpc")]
use super::ChannelStats;

/// What one connection has registered and follows, in figures: what [`Registry::stats`](super::Registry::stats) gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryStats {
    /// Instances that should be registered.
    pub registrations: u64,
    /// How many of them are not, at this moment.
    pub registrations_missing: u64,
    /// How often one went missing: its session has ended, or its key was deleted.
    pub registrations_lost: u64,
    /// How often one was put back.
    pub registrations_restored: u64,
    /// Services that are followed.
    pub services: u64,
    /// How many of them are shown as they were known last, because the registry is not heard.
    pub services_stale: u64,
    /// Keys of the services followed under which no instance can be read.
    pub undecodable: u64,
    /// The channels that are shared, together.
    #[cfg(feature = "grpc")]
    pub channels: ChannelStats,
}

impl RegistryStats {
    /// The figures of two registries together.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            registrations: self.registrations + other.registrations,
            registrations_missing: self.registrations_missing + other.registrations_missing,
            registrations_lost: self.registrations_lost + other.registrations_lost,
            registrations_restored: self.registrations_restored + other.registrations_restored,
            services: self.services + other.services,
            services_stale: self.services_stale + other.services_stale,
            undecodable: self.undecodable + other.undecodable,
            #[cfg(feature = "grpc")]
            channels: self.channels.and(other.channels),
        }
    }

    /// As they are exported.
    pub(crate) fn figures(self) -> Vec<Stat> {
        let figures = vec![
            Stat::gauge("registrations", self.registrations),
            Stat::gauge("registrations_missing", self.registrations_missing),
            Stat::counter("registrations_lost", self.registrations_lost),
            Stat::counter("registrations_restored", self.registrations_restored),
            Stat::gauge("services", self.services),
            Stat::gauge("services_stale", self.services_stale),
            Stat::gauge("undecodable_instances", self.undecodable),
        ];
        #[cfg(feature = "grpc")]
        let figures = [figures, self.channels.figures().to_vec()].concat();
        figures
    }
}
