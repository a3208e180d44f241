//! Other services find this one: its entry in the registry of coordination.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gone::config::Settings;
use gone::coord::{self, Coord, ServiceInfo};
use gone::uid::Uid;
use gone::{Code, Error, Goner, Start};
use serde::Deserialize;

use crate::http::Http;
use crate::message::Invalid;

/// Registers the service once it listens, under the name of `uid.service_name`, with the address that it is reached at as
/// the id of the instance: so an instance that comes back after a crash takes the place of its own entry.
///
/// While coordination is away the service goes on; the entry is put back afterwards. The provider of [`Coord`] takes it away
/// before anything stops, and waits until callers have heard of it.
#[derive(Goner)]
pub struct Registration {
    #[gone("config,server.advertise")]
    advertise: Option<Advertise>,
    #[gone("config,server.registration_ttl=10s")]
    ttl: Ttl,
    #[gone]
    http: Arc<Http>,
    #[gone]
    coord: Coord,
    #[gone]
    uid: Uid,
    #[gone]
    settings: Arc<Settings>,
    /// Held, because it is unregistered when it is dropped.
    entry: OnceLock<coord::Registration>,
}

impl Start for Registration {
    async fn start(&self) -> gone::Result<()> {
        let bound = self.http.local_addr().await.ok_or_else(|| Error::msg("the server does not listen"))?;
        let is_shared = self.coord.backend() != "memory";
        let (host, port) = match &self.advertise {
            Some(Advertise { host, port }) => (host.clone(), port.unwrap_or(bound.port())),
            None => (host_of(bound, is_shared && self.settings.profile() == "production")?, bound.port()),
        };
        if self.advertise.is_none() && bound.ip().is_loopback() && is_shared {
            tracing::warn!(%bound, "only this machine can connect to what is registered: see `server.advertise`");
        }
        let mut info = ServiceInfo::new(&self.uid.config().service_name, "", host, port);
        info.id = info.authority().to_string();
        let entry = self.coord.registry().register(info, self.ttl.0).await?;
        // It starts once, so nothing is there yet.
        let _ = self.entry.set(entry);
        Ok(())
    }
}

/// The host that others connect to, where the config does not say.
///
/// The name of the machine is a guess where all its addresses are listened on: in a container nobody else may know it.
fn host_of(bound: SocketAddr, no_guess: bool) -> gone::Result<String> {
    match bound.ip() {
        ip if !ip.is_unspecified() => Ok(ip.to_string()),
        _ if !no_guess => Ok(host_name()),
        _ => Err(Error::new(
            Code::Config,
            format_args!(
                "`server.addr` is {bound}, which is every address of this machine, and others need one to connect to: set \
                 `server.advertise` to the host, or `host:port`, of this instance"
            ),
        )),
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// How long the entry outlives a process that is gone without a word: whole seconds, 1 s to 1 h.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Duration")]
struct Ttl(Duration);

impl TryFrom<Duration> for Ttl {
    type Error = Invalid;

    fn try_from(ttl: Duration) -> Result<Self, Invalid> {
        if ttl.subsec_nanos() != 0 || !(1..=3_600).contains(&ttl.as_secs()) {
            return Err(Invalid::new("registration_ttl", "must be whole seconds, from 1s to 1h"));
        }
        Ok(Self(ttl))
    }
}

/// Where others reach the service: `host` or `host:port`, an IPv6 address in brackets where a port follows. Without a port it
/// is the one that is listened on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Advertise {
    host: String,
    port: Option<u16>,
}

impl TryFrom<String> for Advertise {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let unfit = || Invalid::new("advertise", "must be a host or host:port, without a scheme and a path");
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => match rest.split_once(']').ok_or_else(unfit)? {
                (host, "") => (host, None),
                (host, rest) => (host, Some(rest.strip_prefix(':').ok_or_else(unfit)?)),
            },
            None if text.parse::<IpAddr>().is_ok() => (text.as_str(), None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text.as_str(), None),
            },
        };
        let port = port.map(|port| port.parse().ok().filter(|port| *port > 0).ok_or_else(unfit)).transpose()?;
        // The rules for a host are those of what is registered.
        ServiceInfo::new("service", "instance", host, port.unwrap_or(1)).validate().map_err(|_| unfit())?;
        Ok(Self { host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_address_is_advertised_and_for_all_addresses_the_name_of_the_machine_or_none() {
        let bound = |text: &str| text.parse().expect("an address");
        assert_eq!(host_of(bound("10.0.0.7:80"), true).ok().as_deref(), Some("10.0.0.7"));
        assert_eq!(host_of(bound("[::1]:80"), true).ok().as_deref(), Some("::1"));
        for all in ["0.0.0.0:80", "[::]:80"] {
            assert_eq!(host_of(bound(all), false).ok(), Some(host_name()));
            let error = host_of(bound(all), true).expect_err("nobody said").to_string();
            assert!(error.contains("set `server.advertise`"), "{error}");
        }
    }

    #[test]
    fn what_is_advertised_is_a_host_with_or_without_a_port() {
        for (text, host, port) in [
            ("messages.internal", "messages.internal", None),
            ("messages.internal:80", "messages.internal", Some(80)),
            ("10.0.0.7", "10.0.0.7", None),
            ("10.0.0.7:9000", "10.0.0.7", Some(9_000)),
            ("fe80::1", "fe80::1", None),
            ("[fe80::1]", "fe80::1", None),
            ("[fe80::1]:9000", "fe80::1", Some(9_000)),
        ] {
            let expected = Advertise { host: host.to_owned(), port };
            assert_eq!(Advertise::try_from(text.to_owned()), Ok(expected), "{text}");
        }
        for text in [
            "",
            ":80",
            "host:",
            "host:0",
            "host:65536",
            "host:http",
            "a:1:2",
            "[fe80::1",
            "[fe80::1]80",
            "[]:80",
            "http://host",
            "host/path",
            "user@host",
            "a host",
        ] {
            assert!(Advertise::try_from(text.to_owned()).is_err(), "{text:?} was accepted");
        }
    }
}
