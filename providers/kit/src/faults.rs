//! All that is wrong with a config section, at once.

use std::fmt;

/// A config section cannot be used: all that is wrong with it, not only the first.
///
/// A component names its own: `pub type ConfigError = Faults<ConfigFault>`.
///
/// ```
/// use gone_kit::Faults;
///
/// let faults: Faults<&str> = vec!["`a` is 0", "`b` is 9"].into();
/// assert_eq!(faults.to_string(), "`a` is 0; `b` is 9");
/// assert_eq!(faults.faults().len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults<F>(Vec<F>);

impl<F> Faults<F> {
    /// What is wrong, in the order of the fields; at least one.
    pub fn faults(&self) -> &[F] {
        &self.0
    }
}

impl<F> From<F> for Faults<F> {
    fn from(fault: F) -> Self {
        Self(vec![fault])
    }
}

impl<F> From<Vec<F>> for Faults<F> {
    fn from(faults: Vec<F>) -> Self {
        Self(faults)
    }
}

impl<F: fmt::Display> fmt::Display for Faults<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl<F: fmt::Debug + fmt::Display> std::error::Error for Faults<F> {}
