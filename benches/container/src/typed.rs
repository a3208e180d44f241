//! The graphs of types, which the build script writes: functions that wire them by hand and load them as goners.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use gone::Loader;
use graphs::Shape;

/// The floor of a look-up: a map of instances.
pub(crate) type Map = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// What the build script writes for each graph.
pub(crate) trait Components: 'static {
    const GRAPH: (Shape, usize);
    type Wired;
    type First: ?Sized + Send + Sync + 'static;
    type Middle: ?Sized + Send + Sync + 'static;
    fn load(loader: &mut Loader);
    fn wire() -> Self::Wired;
    #[cfg(feature = "peers")]
    fn first(wired: &Self::Wired) -> &Arc<Self::First>;
    /// All of them by type, if they are types.
    fn map(_wired: &Self::Wired) -> Option<Map> {
        None
    }
    /// The one in the middle.
    #[cfg(feature = "peers")]
    fn found(_map: &Map) -> Option<Arc<Self::Middle>> {
        None
    }
}

/// What a look-up by hand does.
pub(crate) fn found<T: Send + Sync + 'static>(map: &Map) -> Option<Arc<T>> {
    map.get(&black_box(TypeId::of::<T>())).and_then(|it| Arc::clone(it).downcast().ok())
}

pub(crate) mod generated {
    #![allow(dead_code, reason = "fields are filled and not read: they are there to be wired")]
    #![allow(clippy::too_many_arguments, reason = "the parts of a random graph need something of all before them")]

    use std::any::TypeId;
    use std::sync::Arc;

    use gone::{Goner, Loader};
    use graphs::Shape;
    #[cfg(feature = "peers")]
    use {
        crate::contained::{Goners, Hand},
        crate::typed,
        std::marker::PhantomData,
        work::Work,
    };

    use super::{Components, Map};

    include!(concat!(env!("OUT_DIR"), "/graphs.rs"));
}
