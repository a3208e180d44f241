//! Where a value comes from.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a config value was set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Origin {
    /// The defaults that a provider brings for its section.
    Defaults {
        /// The section, such as `cache`; empty for the root.
        section: String,
    },
    /// A config file.
    File {
        /// The file, as it was opened.
        path: Arc<Path>,
        /// The line of the key (of the element, in a list), counted from 1.
        line: usize,
        /// The column in characters, counted from 1.
        column: usize,
    },
    /// A config file, with environment variables that it refers to as `${NAME}`.
    Reference {
        /// The file, as it was opened.
        path: Arc<Path>,
        /// The line of the key (of the element, in a list), counted from 1.
        line: usize,
        /// The column in characters, counted from 1.
        column: usize,
        /// The variables whose values stand in it, in order.
        variables: Vec<String>,
    },
    /// An environment variable.
    Variable {
        /// The variable's name.
        name: String,
    },
    /// The program itself, through [`ConfigSource::set`](crate::ConfigSource::set).
    Program,
    /// The default in the tag that asks.
    Tag,
    /// A layer from elsewhere, such as a config centre: [`ConfigHandle::put`](crate::ConfigHandle::put).
    Elsewhere {
        /// The place there, in its own words.
        place: String,
    },
    /// Set while the application runs: [`ConfigHandle::set`](crate::ConfigHandle::set).
    Override,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults { section } if section.is_empty() => f.write_str("provider defaults"),
            Self::Defaults { section } => write!(f, "provider defaults of `{section}`"),
            Self::File { path, line, column } => {
                write!(f, "{}:{line}:{column}", path.display())
            }
            Self::Reference { path, line, column, variables } => {
                let plural = if variables.len() == 1 { "" } else { "s" };
                write!(
                    f,
                    "{}:{line}:{column} with environment variable{plural} {}",
                    path.display(),
                    variables.join(", ")
                )
            }
            Self::Variable { name } => write!(f, "environment variable {name}"),
            Self::Program => f.write_str("set by the program"),
            Self::Tag => f.write_str("default in the tag"),
            Self::Elsewhere { place } => f.write_str(place),
            Self::Override => f.write_str("set at run time"),
        }
    }
}
