//! What is known of one instance of a service, and the key under which it stands.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::CoordError;

/// Where the instances of all services stand.
const ROOT: &str = "/services/";
/// The longest name or id, in bytes.
const LONGEST_NAME: usize = 255;
/// The most that the names and values of the metadata may have together, in bytes.
const MOST_METADATA: usize = 64 * 1024;

/// One instance of a service: who it is, and where it is reached.
///
/// It is stored as JSON under `/services/{name}/{id}`, with the keys `id`, `name`, `address`, `port` and `metadata`. Other keys
/// that somebody else wrote are passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceInfo {
    /// Tells the instances of a service apart.
    pub id: String,
    /// The service.
    pub name: String,
    /// A host name or an IP address, an IPv6 address without brackets.
    pub address: String,
    /// The port.
    pub port: u16,
    /// What else its peers should know: a version, a zone.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// Go writes a map that was never made as `null`.
fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl ServiceInfo {
    /// An instance without metadata.
    pub fn new(name: impl Into<String>, id: impl Into<String>, address: impl Into<String>, port: u16) -> Self {
        Self { id: id.into(), name: name.into(), address: address.into(), port, metadata: BTreeMap::new() }
    }

    /// The same instance with one more thing that its peers should know.
    #[must_use]
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// The address and the port as they stand in a URL: `10.0.0.7:9000`, `[::1]:9000`.
    pub fn authority(&self) -> Authority<'_> {
        Authority(self)
    }

    /// Whether it can be registered.
    ///
    /// # Errors
    ///
    /// [`CoordError::Invalid`]: a name or id that is empty, longer than 255 bytes, or has a slash or a control character; an
    /// address that is empty or cannot stand in a URL; port 0; metadata of more than 64 KiB.
    pub fn validate(&self) -> Result<(), CoordError> {
        check_name("name", &self.name)?;
        check_name("id", &self.id)?;
        let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '[' | ']' | '@' | '?' | '#');
        if self.address.is_empty() || self.address.len() > LONGEST_NAME || self.address.contains(bad) {
            return Err(invalid("address", format!("{:?} is neither a host name nor an IP address", self.address)));
        }
        if self.port == 0 {
            return Err(invalid("port", "0 cannot be reached; give the port that was bound".to_owned()));
        }
        let metadata: usize = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if metadata > MOST_METADATA {
            return Err(invalid("metadata", format!("{metadata} bytes; at most {MOST_METADATA} are kept")));
        }
        Ok(())
    }

    /// The key under which it stands.
    pub(super) fn key(&self) -> String {
        format!("{ROOT}{}/{}", self.name, self.id)
    }

    /// What is stored.
    pub(super) fn encode(&self) -> Vec<u8> {
        // Strings, a number and a map of strings: nothing that JSON could not have.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what is stored under a key.
    pub(super) fn decode(key: &str, value: &[u8]) -> Result<Self, CoordError> {
        let info: Self = crate::value::decode(key, value)?;
        match info.key() == key {
            true => Ok(info),
            false => {
                let reason = "it describes an instance of another key".to_owned();
                Err(CoordError::Decode { key: key.to_owned(), reason })
            }
        }
    }
}

/// The address and the port of an instance, as they stand in a URL.
#[derive(Clone, Copy, Debug)]
pub struct Authority<'a>(&'a ServiceInfo);

impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServiceInfo { address, port, .. } = self.0;
        // Only an IPv6 address has a colon.
        match address.contains(':') {
            true => write!(f, "[{address}]:{port}"),
            false => write!(f, "{address}:{port}"),
        }
    }
}

/// The prefix under which the instances of a service stand.
pub(super) fn prefix(name: &str) -> Result<String, CoordError> {
    check_name("name", name)?;
    Ok(format!("{ROOT}{name}/"))
}

fn check_name(argument: &'static str, name: &str) -> Result<(), CoordError> {
    if name.is_empty() {
        return Err(invalid(argument, "it is empty".to_owned()));
    }
    if name.len() > LONGEST_NAME {
        return Err(invalid(argument, format!("{} bytes; at most {LONGEST_NAME} are allowed", name.len())));
    }
    if name.contains(|c: char| c == '/' || c.is_control()) {
        return Err(invalid(argument, format!("{name:?} has a slash or a control character")));
    }
    Ok(())
}

fn invalid(argument: &'static str, reason: String) -> CoordError {
    CoordError::Invalid { argument, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> ServiceInfo {
        ServiceInfo::new("users", "users-1", "10.0.0.7", 9000).with_metadata("zone", "b")
    }

    #[test]
    fn an_instance_is_stored_under_its_service_and_id_and_read_back() {
        let key = info().key();
        assert_eq!(key, "/services/users/users-1");
        let stored = info().encode();
        assert_eq!(
            String::from_utf8_lossy(&stored),
            r#"{"id":"users-1","name":"users","address":"10.0.0.7","port":9000,"metadata":{"zone":"b"}}"#
        );
        assert_eq!(ServiceInfo::decode(&key, &stored).unwrap(), info());
        assert_eq!(prefix("users").unwrap(), "/services/users/");
    }

    #[test]
    fn what_the_go_original_wrote_is_read() {
        for metadata in ["", r#","metadata":null"#, r#","metadata":{},"weight":3"#] {
            let stored = format!(r#"{{"id":"a","name":"users","address":"h","port":1{metadata}}}"#);
            let read = ServiceInfo::decode("/services/users/a", stored.as_bytes()).unwrap();
            assert_eq!(read, ServiceInfo::new("users", "a", "h", 1));
        }
    }

    #[test]
    fn what_stands_under_the_key_of_another_is_refused() {
        let error = ServiceInfo::decode("/services/users/users-2", &info().encode()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the value under `/services/users/users-2` cannot be read: it describes an instance of another key"
        );
        assert!(ServiceInfo::decode("/services/users/users-1", b"10.0.0.7:9000").is_err());
    }

    #[test]
    fn what_could_not_be_found_or_reached_is_refused() {
        let faulty = [
            ServiceInfo::new("", "a", "h", 1),
            ServiceInfo::new("a/b", "a", "h", 1),
            ServiceInfo::new("users", "", "h", 1),
            ServiceInfo::new("users", "a\n", "h", 1),
            ServiceInfo::new("users", "a".repeat(256), "h", 1),
            ServiceInfo::new("users", "a", "", 1),
            ServiceInfo::new("users", "a", "http://h", 1),
            ServiceInfo::new("users", "a", "[::1]", 1),
            ServiceInfo::new("users", "a", "h", 0),
            info().with_metadata("big", "x".repeat(MOST_METADATA)),
        ];
        for info in faulty {
            assert!(matches!(info.validate(), Err(CoordError::Invalid { .. })), "{info:?}");
        }
        assert!(info().validate().is_ok());
        assert!(prefix("users/").is_err());
    }

    #[test]
    fn an_ipv6_address_gets_its_brackets() {
        assert_eq!(ServiceInfo::new("s", "a", "::1", 80).authority().to_string(), "[::1]:80");
        assert_eq!(ServiceInfo::new("s", "a", "host", 80).authority().to_string(), "host:80");
    }
}
