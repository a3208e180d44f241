//! The link-time registry: which goners the program has, loaded or not. It serves discovery, and reports that miss something.

mod discover;
mod link;
mod not_loaded;

use std::sync::OnceLock;

pub use discover::discovered;
pub(crate) use discover::{give_way, leave_out};
#[cfg(feature = "linkme")]
pub use link::GONERS;
pub(crate) use not_loaded::explain;

use crate::Location;
use crate::table::Table;
use crate::type_name::short;

/// What a derive leaves in the registry.
pub enum Registered {
    /// A goner.
    Goner(&'static Table),
    /// A generic goner: what of it will be loaded, only the program knows, so that it has no table yet.
    Generic {
        /// The struct's name.
        name: &'static str,
        /// The path of the Rust module in which it is declared.
        module: &'static str,
        /// Where it is declared.
        at: Location,
    },
}

impl Registered {
    fn at(&self) -> Location {
        match self {
            Registered::Goner(table) => table.at,
            Registered::Generic { at, .. } => at,
        }
    }

    /// The crate, as `use` spells it.
    fn krate(&self) -> &'static str {
        let (Registered::Goner(Table { module, .. }) | Registered::Generic { module, .. }) = self;
        crate_of(module)
    }

    /// The type by its short name.
    fn label(&self) -> String {
        match self {
            Registered::Goner(table) => short((table.type_name)()),
            Registered::Generic { name, .. } => format!("{name}<…>"),
        }
    }
}

/// The first segment of a module's path.
fn crate_of(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

/// All entries of the program, by crate, file, line and column: nothing that the linker decides is seen outside.
fn all() -> &'static [&'static Registered] {
    static SORTED: OnceLock<Vec<&'static Registered>> = OnceLock::new();
    SORTED.get_or_init(|| {
        let mut entries: Vec<_> = link::entries().collect();
        entries.sort_by_cached_key(|entry| {
            let at = entry.at();
            // What one macro of the user's declares may share its place.
            (entry.krate(), at.file(), at.line(), at.column(), entry.label())
        });
        entries
    })
}

/// The crates that have goners in this program, sorted, and how many each.
fn crates() -> Vec<(&'static str, usize)> {
    let mut crates: Vec<(&'static str, usize)> = Vec::new();
    for entry in all() {
        match crates.last_mut() {
            Some((krate, count)) if *krate == entry.krate() => *count += 1,
            _ => crates.push((entry.krate(), 1)),
        }
    }
    crates
}
