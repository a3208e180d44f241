//! What is known of a callsite before its first line.

use std::borrow::Cow;

use tracing::Metadata;

use crate::caller;
use crate::clog::Core;
use crate::emit;
use crate::fields::free_key;
use crate::level::Level;
use crate::place::namespace_of;

/// Who made an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A [`Logger`](crate::Logger).
    Logger,
    /// The `log` crate.
    Log,
    /// One of `tracing`'s macros, or a span.
    Macro,
}

/// What a field of a callsite is to the line.
#[derive(Debug)]
pub(crate) enum Role {
    Message,
    Namespace,
    Service,
    TraceId,
    Error,
    File,
    LineNumber,
    Target,
    /// Tells that a logger's line has fields, which come another way.
    HandedOver,
    /// Read in another way, or not at all.
    None,
    Field {
        /// As it is written, with what goes before the value.
        key: String,
        is_secret: bool,
    },
}

/// A callsite, with all of its lines that is always the same.
#[derive(Debug)]
pub(crate) struct Callsite {
    pub(crate) origin: Origin,
    pub(crate) level: Level,
    /// By the index of the field.
    pub(crate) roles: Box<[Role]>,
    /// The namespace of a line that names none.
    pub(crate) namespace: String,
    /// Whether an event may name one itself.
    pub(crate) may_name_namespace: bool,
    /// The caller, as it is written; empty where it is not known beforehand.
    pub(crate) caller: String,
    /// Namespace and service of a line that names none, as they are written.
    pub(crate) place: String,
}

/// How many callsites of a program a log keeps.
pub(crate) const MOST: usize = 2_048;

impl Callsite {
    pub(crate) fn new(metadata: &'static Metadata<'static>, is_log: bool, core: &Core) -> Self {
        let origin = match () {
            () if is_log => Origin::Log,
            () if emit::is_logger(metadata) => Origin::Logger,
            () => Origin::Macro,
        };
        let namespace = namespace_of(&core.service, metadata.target(), metadata.module_path());
        let mut caller = String::new();
        if let (Origin::Macro, Some(file)) = (origin, metadata.file()) {
            core.write_caller(&mut caller, caller::shown(file, &core.root_path), metadata.line().map(u64::from));
        }
        let mut place = String::new();
        core.write_place(&mut place, &namespace, "");
        Self {
            origin,
            level: emit::level_of(metadata),
            roles: roles(metadata, origin, core),
            may_name_namespace: metadata.fields().field("namespace").is_some(),
            namespace,
            caller,
            place,
        }
    }
}

fn roles(metadata: &'static Metadata<'static>, origin: Origin, core: &Core) -> Box<[Role]> {
    let mut keys: Vec<Cow<'static, str>> = Vec::new();
    let role = |name: &'static str| match (origin, name) {
        (_, "message") if metadata.is_event() => Role::Message,
        (_, "namespace") => Role::Namespace,
        (_, "trace_id") => Role::TraceId,
        (_, "error") if metadata.is_event() => Role::Error,
        (Origin::Logger, "service") => Role::Service,
        (Origin::Logger, "caller.file") | (Origin::Log, "log.file") => Role::File,
        (Origin::Logger, "caller.line") | (Origin::Log, "log.line") => Role::LineNumber,
        (Origin::Logger, "fields") => Role::HandedOver,
        (Origin::Log, "log.target") => Role::Target,
        (Origin::Logger | Origin::Log, _) => Role::None,
        (Origin::Macro, name) => {
            let name = name.strip_prefix("r#").unwrap_or(name);
            let free = free_key(name, |key| keys.iter().any(|taken| taken == key));
            let mut key = String::new();
            core.style().key(&mut key, &free);
            let is_secret = core.style().secrets.hides(name);
            keys.push(free);
            Role::Field { key, is_secret }
        }
    };
    metadata.fields().iter().map(|field| field.name()).map(role).collect()
}
