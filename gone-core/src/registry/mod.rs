//! The link-time registry: which goners the program has, loaded or not. It serves discovery, and reports that miss something.

mod discover;
mod link;
mod not_loaded;

use std::sync::OnceLock;

pub use discover::discovered;
pub(crate) use discover::{give_way, leave_out};
#[cfg(feature = "linkme")]
pub use link::GONERS;
pub use link::{Generic, Registered};
pub(crate) use not_loaded::explain;

use crate::Location;
use crate::table::Table;
use crate::type_name::short;

/// An entry of the registry.
#[derive(Clone, Copy)]
enum Entry {
    Goner(&'static Table),
    Generic(&'static Generic),
}

impl Entry {
    fn of(registered: &'static Registered) -> Option<Self> {
        match registered {
            Registered::Goner(table) => table.map(Entry::Goner),
            Registered::Generic(generic) => Some(Entry::Generic(generic)),
        }
    }

    fn at(&self) -> Location {
        match self {
            Entry::Goner(table) => table.at,
            Entry::Generic(generic) => generic.at,
        }
    }

    /// The crate, as `use` spells it.
    fn krate(&self) -> &'static str {
        crate_of(match self {
            Entry::Goner(table) => table.module,
            Entry::Generic(generic) => generic.module,
        })
    }

    /// The type by its short name.
    fn label(&self) -> String {
        match self {
            Entry::Goner(table) => short((table.type_name)()),
            Entry::Generic(generic) => format!("{}<…>", generic.name),
        }
    }
}

/// The first segment of a module's path.
fn crate_of(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

/// All entries of the program, by crate, file, line and column: nothing that the linker decides is seen outside.
fn all() -> &'static [Entry] {
    static SORTED: OnceLock<Vec<Entry>> = OnceLock::new();
    SORTED.get_or_init(|| {
        let mut entries: Vec<_> = link::entries().filter_map(Entry::of).collect();
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
