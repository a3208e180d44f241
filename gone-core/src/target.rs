use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use crate::type_name::short;

/// A value that was made for a site and is on its way there.
pub(crate) type Made = Box<dyn Any + Send>;

pub(crate) type PlaceFn = fn(Made, &mut dyn Any) -> bool;
pub(crate) type DeserializeFn = fn(&mut dyn erased_serde::Deserializer<'_>) -> Result<Made, erased_serde::Error>;

/// A type that a site wants: the whole type of the field, as static data.
#[derive(Clone, Copy)]
pub struct Target {
    id: TypeId,
    name: fn() -> &'static str,
    place: PlaceFn,
    deserialize: Option<DeserializeFn>,
    absent: Option<Absent>,
}

/// What a site takes where a provider says that there is nothing.
#[derive(Clone, Copy)]
enum Absent {
    /// It is an `Option`.
    None(fn() -> Made),
    /// It has a default.
    Default(fn() -> Made),
}

impl Target {
    /// The target of a type of which nothing more is known than that it is sendable.
    pub const fn of<T: Send + 'static>() -> Self {
        Target {
            id: TypeId::of::<T>(),
            name: std::any::type_name::<T>,
            place: place::<T>,
            deserialize: None,
            absent: None,
        }
    }

    /// The target of what a goner itself offers: no provider makes it, so that it is never moved into its place.
    #[doc(hidden)]
    pub const fn offered<T: Send + 'static>() -> Self {
        Target {
            id: TypeId::of::<T>(),
            name: std::any::type_name::<T>,
            place: nowhere,
            deserialize: None,
            absent: None,
        }
    }

    pub(crate) const fn with(self, deserialize: Option<DeserializeFn>, absent: Option<fn() -> Made>) -> Self {
        let absent = match absent {
            Some(none) => Some(Absent::None(none)),
            None => None,
        };
        Target { deserialize, absent, ..self }
    }

    /// The same, of a site that has a default.
    #[doc(hidden)]
    pub const fn or(self, default: fn() -> Made) -> Self {
        Target { absent: Some(Absent::Default(default)), ..self }
    }

    /// Whether this is the type `T`.
    pub fn is<T: 'static>(&self) -> bool {
        self.id == TypeId::of::<T>()
    }

    /// The type's identity.
    pub fn id(&self) -> TypeId {
        self.id
    }

    /// The type's name without the paths of modules: `Option<Arc<dyn Store>>`.
    pub fn name(&self) -> String {
        short((self.name)())
    }

    /// The type's name as the compiler spells it.
    pub fn full_name(&self) -> &'static str {
        (self.name)()
    }

    /// Whether the type can be read by serde. Known for the sites of goners that ask by name.
    pub fn is_deserialize(&self) -> bool {
        self.deserialize.is_some()
    }

    /// Whether "absent" is an answer: the site is an `Option`, or has a default of its own.
    pub fn is_optional(&self) -> bool {
        self.absent.is_some()
    }

    /// Whether the site has a default: `#[gone("name", default = …)]`.
    pub fn has_default(&self) -> bool {
        matches!(self.absent, Some(Absent::Default(_)))
    }

    /// Reads a value of this type and drops it: for checks in the plan.
    ///
    /// # Errors
    /// The deserializer's; and one that names the type, if it is not `Deserialize`.
    pub fn check_deserialize(
        &self,
        deserializer: &mut dyn erased_serde::Deserializer<'_>,
    ) -> Result<(), erased_serde::Error> {
        self.deserialize(deserializer).map(drop)
    }

    pub(crate) fn deserialize(
        &self,
        deserializer: &mut dyn erased_serde::Deserializer<'_>,
    ) -> Result<Made, erased_serde::Error> {
        match self.deserialize {
            Some(deserialize) => deserialize(deserializer),
            None => Err(serde::de::Error::custom(format_args!("`{}` does not implement `Deserialize`", self.name()))),
        }
    }

    pub(crate) fn absent(&self) -> Option<Made> {
        self.absent.map(|(Absent::None(absent) | Absent::Default(absent))| absent())
    }

    /// Moves a value of this type into an `Option<T>`; false if the value is of another type.
    pub(crate) fn place(&self, made: Made, slot: &mut dyn Any) -> bool {
        (self.place)(made, slot)
    }
}

fn place<T: 'static>(made: Made, slot: &mut dyn Any) -> bool {
    match (made.downcast::<T>(), slot.downcast_mut::<Option<T>>()) {
        (Ok(value), Some(slot)) => {
            *slot = Some(*value);
            true
        }
        _ => false,
    }
}

fn nowhere(_: Made, _: &mut dyn Any) -> bool {
    false
}

pub(crate) fn deserialize<T>(deserializer: &mut dyn erased_serde::Deserializer<'_>) -> Result<Made, erased_serde::Error>
where
    T: serde::de::DeserializeOwned + Send + 'static,
{
    Ok(Box::new(erased_serde::deserialize::<T>(deserializer)?))
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Target {}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// How many offers a site takes, and how it holds them. Told by the type of the field, so aliases work.
#[derive(Clone, Copy, Debug)]
pub enum Arity {
    /// Exactly one.
    One,
    /// `Option<S>`: one or none.
    Optional(Element),
    /// `Vec<S>`: all, in order.
    Many(Element),
    /// `HashMap<String, S>`: all that have a name.
    Named(Element),
    /// `Lazy<T>`: the one `Arc<T>`, once everything is built.
    Lazy(LazyElement),
}

/// What is inside an `Option`, a `Vec` or a map.
#[derive(Clone, Copy, Debug)]
pub struct Element {
    pub(crate) target: Target,
    pub(crate) gather: GatherFn,
}

/// What a `Lazy` stands for.
#[derive(Clone, Copy, Debug)]
pub struct LazyElement {
    pub(crate) target: Target,
    pub(crate) make: fn(&mut dyn Any) -> Box<dyn crate::lazy::Fill>,
}

/// Takes elements, each with its name, until there are no more, and puts the collection into an `Option<Collection>`.
pub(crate) type GatherFn = fn(next: &mut dyn FnMut(&mut dyn Any) -> Option<String>, slot: &mut dyn Any);

impl Arity {
    /// What is asked of the offers that the wrapper takes; none if it is no wrapper.
    pub(crate) fn element(&self) -> Option<Target> {
        match self {
            Arity::One => None,
            Arity::Optional(element) | Arity::Many(element) | Arity::Named(element) => Some(element.target),
            Arity::Lazy(element) => Some(element.target),
        }
    }
}

impl Element {
    /// Whether the element is itself a wrapper: those do not nest unless somebody offers them exactly.
    pub(crate) fn nests(&self) -> bool {
        const WRAPPERS: [&str; 4] = [
            "core::option::Option<",
            "alloc::vec::Vec<",
            "gone_core::lazy::Lazy<",
            "std::collections::hash::map::HashMap<",
        ];
        let name = self.target.full_name();
        WRAPPERS.iter().any(|wrapper| name.starts_with(wrapper))
    }
}

type Next<'a> = &'a mut dyn FnMut(&mut dyn Any) -> Option<String>;

pub(crate) fn gather_option<S: 'static>(next: Next<'_>, slot: &mut dyn Any) {
    let mut element: Option<S> = None;
    next(&mut element);
    if let Some(slot) = slot.downcast_mut::<Option<Option<S>>>() {
        *slot = Some(element);
    }
}

pub(crate) fn gather_vec<S: 'static>(next: Next<'_>, slot: &mut dyn Any) {
    let mut all: Vec<S> = Vec::new();
    let mut element: Option<S> = None;
    while next(&mut element).is_some() {
        all.extend(element.take());
    }
    if let Some(slot) = slot.downcast_mut::<Option<Vec<S>>>() {
        *slot = Some(all);
    }
}

pub(crate) fn gather_map<S: 'static>(next: Next<'_>, slot: &mut dyn Any) {
    let mut all: HashMap<String, S> = HashMap::new();
    let mut element: Option<S> = None;
    while let Some(name) = next(&mut element) {
        all.extend(element.take().map(|element| (name, element)));
    }
    if let Some(slot) = slot.downcast_mut::<Option<HashMap<String, S>>>() {
        *slot = Some(all);
    }
}

/// The type of a site, made once per type by the derive macro.
#[derive(Debug)]
pub struct SiteType {
    /// The whole type.
    pub target: Target,
    /// How many offers it takes.
    pub arity: Arity,
    /// What it consists of, if it is a bundle.
    pub bundle: Option<crate::bundle::Bundle>,
}

/// A place that asks for something. The derive macro emits it as static data.
#[derive(Clone, Debug)]
pub struct Site {
    /// The field's name.
    pub field: Cow<'static, str>,
    /// The text of `#[gone("…")]`.
    pub tag: Cow<'static, str>,
    /// The field's type.
    pub ty: &'static SiteType,
    /// Where the field is declared.
    pub at: crate::Location,
}
