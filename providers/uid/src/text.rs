//! A snowflake as text, for readers whose numbers are floating point: `#[serde(with = "gone_uid::text")]`.
//!
//! ```
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Order {
//! #[serde(with = "gone_uid::text")]
//! id: i64,
//! # }
//! # let order: Order = serde_json::from_str(r#"{"id":"1795000000000000001"}"#).unwrap();
//! # assert_eq!(order.id, 1_795_000_000_000_000_001);
//! # assert_eq!(serde_json::to_string(&order).unwrap(), r#"{"id":"1795000000000000001"}"#);
//! ```

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

/// Writes it as text.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer>(id: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// Reads text, or a number.
///
/// # Errors
///
/// What is neither, what does not fit, and those of the deserializer.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    deserializer.deserialize_any(Id)
}

struct Id;

impl Visitor<'_> for Id {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier as text or as a number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, F64Deserializer, StrDeserializer, U64Deserializer};

    use super::*;

    #[test]
    fn text_and_whole_numbers_are_read_and_nothing_else() {
        let text = |text| deserialize(StrDeserializer::<Error>::new(text));
        assert_eq!(text("9223372036854775807").unwrap(), i64::MAX);
        assert_eq!(deserialize(U64Deserializer::<Error>::new(7)).unwrap(), 7);
        for wrong in ["", "7.0", "9223372036854775808", "x"] {
            assert!(text(wrong).unwrap_err().to_string().contains("an identifier as text or as a number"));
        }
        assert!(deserialize(U64Deserializer::<Error>::new(u64::MAX)).is_err());
        assert!(deserialize(F64Deserializer::<Error>::new(7.0)).is_err());
    }
}
