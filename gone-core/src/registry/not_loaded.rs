//! What a report says that misses something which the program has.

use super::{Entry, Generic, all, crate_of, crates};
use crate::node::Node;
use crate::plan::{Place, Problem, glob};
use crate::table::Form;
use crate::type_name::short;
use crate::{Location, Target};

/// So many are shown of what fits and was not loaded.
const SHOWN: usize = 3;

/// A goner of the program that offers what is missing, and that nobody loaded.
struct NotLoaded {
    label: String,
    krate: &'static str,
    at: Location,
    /// What would load it.
    load: String,
    auto: bool,
}

/// Adds to a problem that misses `target`, or what is called `name`, which goners of the program would have it. Where nothing at all is
/// close, it says where goners come from. `asking` is the Rust module that asks.
pub(crate) fn explain(
    mut problem: Problem,
    nodes: &[Node],
    target: Target,
    name: Option<&str>,
    asking: &str,
) -> Problem {
    let found = not_loaded(nodes, target, name);
    for it in found.iter().take(SHOWN) {
        let what = format!("`{}` exists in this program (crate `{}`) and was not loaded", it.label, it.krate);
        problem.involved.push(Place::declaration(what, &it.label, it.at));
    }
    if !found.is_empty() {
        problem.help.push(what_to_load(&found, crate_of(asking)));
    } else if problem.involved.is_empty() {
        problem.help.push("load something that offers it: a goner, a provider, or `gone::value(…)`".to_owned());
        problem.notes.push(where_from());
    }
    problem
}

/// What fits, by crate and place.
fn not_loaded(nodes: &[Node], target: Target, name: Option<&str>) -> Vec<NotLoaded> {
    let fits = |it: &&Entry| match it {
        Entry::Goner(table) => name.is_none_or(|name| table.name.is_some_and(|own| glob(name, own))),
        Entry::Generic(_) => name.is_none(),
    };
    let offering = |it: &&Entry| offers(it, target);
    let entries = || all().iter().filter(|it| !is_known(nodes, it, target));
    let one = |it: &Entry, named: &str| NotLoaded {
        label: it.label(),
        krate: it.krate(),
        at: it.at(),
        load: format!("`.load({}::goner(){named})`", loaded_as(it, target)),
        auto: matches!(it, Entry::Goner(table) if table.auto),
    };
    let Some(name) = name else {
        return entries().filter(offering).map(|it| one(it, "")).collect();
    };
    // One name, whatever it offers: the type is the next question.
    let is_glob = name.contains(['*', '?']);
    let named: Vec<_> = entries().filter(fits).filter(|it| !is_glob || offering(it)).map(|it| one(it, "")).collect();
    match named.is_empty() && !is_glob {
        true => entries().filter(offering).map(|it| one(it, &format!(".named({name:?})"))).collect(),
        false => named,
    }
}

/// Whether it is among what was loaded, whatever became of it.
fn is_known(nodes: &[Node], entry: &Entry, target: Target) -> bool {
    let same = |node: &Node| match entry {
        Entry::Goner(table) => (node.type_name)() == (table.type_name)(),
        Entry::Generic(_) => inside(target) == Some((node.type_name)()),
    };
    nodes.iter().any(|node| node.declared == Some(entry.at()) && same(node))
}

fn offers(entry: &Entry, target: Target) -> bool {
    match entry {
        Entry::Goner(table) => {
            let made = match &table.provider {
                Some(Form::Typed { output, .. }) => Some(*output),
                _ => None,
            };
            table.offers.iter().map(|offer| offer.target).chain(made).any(|offered| offered == target)
        }
        // There is nothing to compare but the name: `app::repo::Repo` of `Arc<app::repo::Repo<app::User>>`. A struct inside a
        // function has the function between the module and itself.
        Entry::Generic(Generic { name, module, .. }) => {
            let path = inside(target).and_then(|inner| inner.split_once('<'));
            let path = path.and_then(|(path, _)| path.strip_prefix(module)?.strip_prefix("::"));
            path.is_some_and(|path| path.rsplit("::").next() == Some(name))
        }
    }
}

/// The `T` of an `Arc<T>`.
fn inside(target: Target) -> Option<&'static str> {
    target.full_name().strip_prefix("alloc::sync::Arc<")?.strip_suffix('>')
}

/// The type, as it is written before `::goner()`.
fn loaded_as(entry: &Entry, target: Target) -> String {
    match (entry, inside(target)) {
        (Entry::Generic(_), Some(inner)) => short(inner).replacen('<', "::<", 1),
        _ => entry.label(),
    }
}

fn what_to_load(found: &[NotLoaded], asking: &str) -> String {
    let mut help = String::from(if found.len() == 1 { "add " } else { "add one of " });
    let lines: Vec<_> = found.iter().take(SHOWN).map(|it| it.load.as_str()).collect();
    help.push_str(&lines.join(", "));
    if found.len() > SHOWN {
        help.push_str(&format!(" and {} more", found.len() - SHOWN));
    }
    if let [only] = found {
        if only.auto {
            help.push_str(", or begin with `Gone::discover()`");
        } else if only.krate != asking {
            help.push_str(&format!(", or the module of `{}` that loads it", only.krate));
        }
    }
    help
}

/// Which crates have goners, and why one may have none.
fn where_from() -> String {
    let crates = crates();
    if crates.is_empty() {
        return "no crate of this program has a goner".to_owned();
    }
    let crates: Vec<_> = crates.iter().map(|(krate, count)| format!("`{krate}` ({count})")).collect();
    format!(
        "this program has goners of {}; a crate that nothing names has none: name it with `use that_crate as _;`",
        crates.join(", ")
    )
}
