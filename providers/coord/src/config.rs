//! The config section.

/// A value of the config section that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value is out of its bounds.
    #[error("`{field}` is {value}; it must be {bounds}")]
    OutOfBounds {
        /// The field.
        field: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        bounds: String,
    },
}
