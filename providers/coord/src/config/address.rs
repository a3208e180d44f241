//! The address: which backend, and where it is.

use gone_config::SectionFault;
use gone_kit::{BackendUrl, Scheme};

const SCHEMES: [Scheme; 3] = [
    Scheme::always("memory"),
    Scheme::feature("etcd", cfg!(feature = "etcd")),
    Scheme { name: "etcds", feature: "etcd", compiled: cfg!(feature = "etcd") },
];

/// The port of an etcd, where none is said.
const PORT: u16 = 2379;

/// The most endpoints of one cluster. A cluster has seven members at most.
const MAX_ENDPOINTS: usize = 64;

/// What `url` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// Within this process; those with the same name share a store.
    Memory { name: String },
    /// The members of a cluster, `host:port`, at least one.
    #[cfg_attr(not(feature = "etcd"), allow(dead_code, reason = "made and used by the backend"))]
    Etcd { endpoints: Vec<String>, tls: bool },
}

impl Address {
    pub(crate) fn parse(url: &BackendUrl) -> Result<Self, SectionFault> {
        let bad = |reason: &str| SectionFault::hidden("url", reason);
        let (scheme, rest) = url.choose(&SCHEMES).map_err(|error| SectionFault::Scheme { field: "url", error })?;
        if scheme == "memory" {
            return match rest.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
                true => Ok(Self::Memory { name: rest.to_owned() }),
                false => {
                    Err(bad("it has a name after `memory:` that holds more than letters, digits, `-`, `_` and `.`"))
                }
            };
        }
        let hosts = rest.strip_prefix("//").ok_or_else(|| bad("it needs two slashes: `etcd://host:2379`"))?;
        if hosts.contains('@') {
            return Err(bad("it holds credentials: they belong into `username` and `password`"));
        }
        if hosts.contains(['/', '?', '#', ' ']) {
            return Err(bad("it names more than hosts and ports; write `etcd://host:2379,host:2379`"));
        }
        let endpoints: Option<Vec<String>> = hosts.split(',').map(endpoint).collect();
        match endpoints {
            None => Err(bad("it has a host that is empty, or a port that is none; write `etcd://host:2379,host:2379`")),
            Some(endpoints) if endpoints.len() > MAX_ENDPOINTS => Err(bad("it names more than 64 hosts")),
            Some(endpoints) => Ok(Self::Etcd { endpoints, tls: scheme == "etcds" }),
        }
    }
}

/// `host:port` of a host with or without a port; IPv6 addresses stand in brackets.
fn endpoint(host: &str) -> Option<String> {
    let colon = match host.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')? + 2;
            (host.len() > end).then_some(end)
        }
        None => host.find(':'),
    };
    let Some(colon) = colon else {
        return (!host.is_empty()).then(|| format!("{host}:{PORT}"));
    };
    let port = host[colon..].strip_prefix(':')?.parse::<u16>().ok().filter(|port| *port > 0)?;
    (colon > 0).then(|| format!("{}:{port}", &host[..colon]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, SectionFault> {
        Address::parse(&url.into())
    }

    fn is_malformed(url: &str) -> bool {
        matches!(parse(url), Err(SectionFault::Unfit { field: "url", .. }))
    }

    #[test]
    fn memory_has_a_name_or_none() {
        assert_eq!(parse("memory:"), Ok(Address::Memory { name: String::new() }));
        assert_eq!(parse("memory:orders"), Ok(Address::Memory { name: "orders".to_owned() }));
        assert!(is_malformed("memory://orders"));
    }

    #[test]
    fn hosts_get_their_port() {
        for (host, wanted) in [
            ("a", Some("a:2379")),
            ("a:1", Some("a:1")),
            ("[::1]", Some("[::1]:2379")),
            ("[::1]:7", Some("[::1]:7")),
            ("", None),
            (":7", None),
            ("a:", None),
            ("a:x", None),
            ("a:0", None),
            ("a:70000", None),
            ("[::1", None),
            ("[::1]7", None),
        ] {
            assert_eq!(endpoint(host).as_deref(), wanted, "{host}");
        }
    }

    #[cfg(feature = "etcd")]
    #[test]
    fn a_cluster_is_a_list_of_hosts() {
        let endpoints = vec!["a:2379".to_owned(), "b:1".to_owned()];
        assert_eq!(parse("etcd://a,b:1"), Ok(Address::Etcd { endpoints: endpoints.clone(), tls: false }));
        assert_eq!(parse("ETCDS://a,b:1"), Ok(Address::Etcd { endpoints, tls: true }));
        for url in ["etcd:a", "etcd://", "etcd://a,", "etcd://a/b", "etcd://me:pw@a", "etcd://a?x=1"] {
            assert!(is_malformed(url), "{url}");
        }
    }

    #[cfg(not(feature = "etcd"))]
    #[test]
    fn a_scheme_that_is_not_compiled_in_names_its_feature() {
        for url in ["etcd://a", "etcds://a"] {
            let fault = parse(url).expect_err("it is not compiled in").to_string();
            assert!(fault.contains("turn on the cargo feature `etcd`"), "{fault}");
        }
    }
}
