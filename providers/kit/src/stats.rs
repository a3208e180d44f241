//! A component's figures.

use serde::Serialize;

/// A component that can tell its figures.
///
/// Reading is meant to be cheap: loads of atomics, no I/O, no waiting for a lock that is held
/// across I/O. Whoever exports figures calls it once per export.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use gone_kit::{Stat, StatsReader};
///
/// #[derive(Default)]
/// struct Mailer {
///     sent: AtomicU64,
///     waiting: AtomicU64,
/// }
///
/// impl StatsReader for Mailer {
///     fn name(&self) -> &str {
///         "mailer"
///     }
///
///     fn stats(&self) -> Vec<Stat> {
///         vec![
///             Stat::counter("sent", self.sent.load(Ordering::Relaxed)),
///             Stat::gauge("waiting", self.waiting.load(Ordering::Relaxed)),
///         ]
///     }
/// }
///
/// let figures = Mailer::default().stats();
/// assert_eq!((figures[1].name, figures[1].value.as_f64()), ("waiting", 0.0));
/// ```
pub trait StatsReader: Send + Sync + 'static {
    /// The component whose figures these are, for instance `cache` or `db.orders`.
    fn name(&self) -> &str;

    /// The figures as they are now. Their names and kinds are the same in every answer.
    fn stats(&self) -> Vec<Stat>;
}

/// One figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stat {
    /// What is counted or measured, in `snake_case`, with the unit at the end where there is one
    /// (`wait_seconds`, `pool_size`).
    pub name: &'static str,
    /// How the figure moves.
    pub kind: StatKind,
    /// The figure.
    pub value: StatValue,
}

impl Stat {
    /// A figure that only grows while the component lives.
    pub fn counter(name: &'static str, value: impl Into<StatValue>) -> Self {
        Self { name, kind: StatKind::Counter, value: value.into() }
    }

    /// A figure that goes up and down.
    pub fn gauge(name: &'static str, value: impl Into<StatValue>) -> Self {
        Self { name, kind: StatKind::Gauge, value: value.into() }
    }
}

/// How a figure moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StatKind {
    /// Only grows while the component lives; begins at zero.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// The value of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum StatValue {
    /// A whole number.
    Integer(u64),
    /// A number with a fraction.
    Float(f64),
}

impl StatValue {
    /// The value as a float; whole numbers above 2^53 lose their last digits.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

impl From<u64> for StatValue {
    fn from(value: u64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for StatValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct Pool;

    impl StatsReader for Pool {
        fn name(&self) -> &str {
            "db"
        }

        fn stats(&self) -> Vec<Stat> {
            vec![Stat::counter("queries", 7), Stat::gauge("load", 0.5)]
        }
    }

    #[test]
    fn figures_are_read_through_a_trait_object() {
        let reader: Arc<dyn StatsReader> = Arc::new(Pool);
        let text = serde_json::to_string(&reader.stats()).unwrap();
        assert_eq!(
            text,
            r#"[{"name":"queries","kind":"counter","value":7},{"name":"load","kind":"gauge","value":0.5}]"#
        );
        assert_eq!(reader.name(), "db");
    }

    #[test]
    fn a_whole_number_reads_as_a_float() {
        assert_eq!(StatValue::Integer(3).as_f64(), 3.0);
        assert_eq!(StatValue::Float(0.25).as_f64(), 0.25);
    }
}
