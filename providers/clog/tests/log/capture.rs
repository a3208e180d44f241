//! Lines as they were written, and read back.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use gone_clog::{Clog, ClogBuilder, ClogConfig, Format};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// A writer that keeps what it gets.
#[derive(Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines; each must have its line break, and nothing else that may be taken for one.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = self.text();
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
        let is_break = |c: char| matches!(c, '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
        assert!(!text.contains(is_break), "{text:?}");
        text.lines().map(str::to_owned).collect()
    }

    /// The lines as JSON objects.
    pub(crate) fn objects(&self) -> Vec<Object> {
        self.lines().iter().map(|line| Object::read(line)).collect()
    }

    /// The one line as a JSON object.
    pub(crate) fn object(&self) -> Object {
        let mut objects = self.objects();
        assert_eq!(objects.len(), 1, "{}", self.text());
        objects.remove(0)
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A JSON object with its keys in order; reading one with a key twice fails.
#[derive(Debug, PartialEq)]
pub(crate) struct Object(Vec<(String, Value)>);

impl Object {
    pub(crate) fn read(line: &str) -> Self {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    pub(crate) fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(key, _)| key.as_str()).collect()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(other, _)| other == key).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("no text `{key}`: {self:?}"))
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with each key once")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object(Vec::new());
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if object.get(&key).is_some() {
                        return Err(serde::de::Error::custom(format!("key `{key}` twice")));
                    }
                    object.0.push((key, value));
                }
                Ok(object)
            }
        }

        from.deserialize_map(Pairs)
    }
}

/// The settings of most tests: JSON, level debug, service `app`.
pub(crate) fn json() -> ClogConfig {
    let mut config = ClogConfig::default();
    config.format = Format::Json;
    config.service = "app".to_owned();
    // Whatever `RUST_LOG` says where the tests run.
    config.filter = Some(String::new());
    config
}

/// As [`json`], for a console.
pub(crate) fn console() -> ClogConfig {
    let mut config = json();
    config.format = Format::Console;
    config
}

/// A log that writes into memory, and what it has written.
pub(crate) fn captured(config: ClogConfig) -> (Clog, Captured) {
    open(Clog::builder(config))
}

pub(crate) fn open(builder: ClogBuilder) -> (Clog, Captured) {
    let captured = Captured::default();
    (builder.writer(captured.clone()).open().unwrap(), captured)
}

/// Runs `work` with a log as the subscriber, and gives what it has written.
pub(crate) fn logged(config: ClogConfig, work: impl FnOnce(&Clog)) -> Captured {
    let (clog, captured) = captured(config);
    tracing::subscriber::with_default(clog.subscriber(), || work(&clog));
    captured
}
