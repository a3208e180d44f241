//! How entries come together when a program is linked: through `inventory` or, with the feature `linkme`, through `linkme`. Both are
//! behind one macro and one function, so that nothing else knows which it is.

use crate::Location;
use crate::table::Table;

/// What a derive leaves in the registry.
#[derive(Debug)]
pub enum Registered {
    /// A goner. None of one that does not compile, so that its errors are not told once more from here.
    Goner(Option<&'static Table>),
    /// A generic goner: what of it will be loaded, only the program knows, so that it has no table yet.
    Generic(Generic),
}

/// What is known of a generic goner.
#[derive(Debug)]
pub struct Generic {
    /// The struct's name.
    pub name: &'static str,
    /// The path of the Rust module in which it is declared.
    pub module: &'static str,
    /// Where it is declared.
    pub at: Location,
}

#[cfg(not(feature = "linkme"))]
inventory::collect!(Registered);

/// What the derive calls for each goner: `register! { Type }`, or with what is known of a generic one.
#[cfg(not(feature = "linkme"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($($entry:tt)*) => {
        $crate::__private::inventory::submit! { $crate::__entry!($($entry)*) }
    };
}

#[cfg(feature = "linkme")]
#[doc(hidden)]
#[linkme::distributed_slice]
pub static GONERS: [Registered];

/// What the derive calls for each goner: `register! { Type }`, or with what is known of a generic one.
#[cfg(feature = "linkme")]
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($($entry:tt)*) => {
        #[$crate::__private::linkme::distributed_slice($crate::__private::GONERS)]
        #[linkme(crate = $crate::__private::linkme)]
        static __GONER: $crate::__private::Registered = $crate::__entry!($($entry)*);
    };
}

/// The entry itself.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    ($goner:ident) => {
        $crate::__private::Registered::Goner($crate::__private::Probe::<$goner>::TABLE)
    };
    ($goner:ident generic at $at:expr) => {
        $crate::__private::Registered::Generic($crate::__private::Generic {
            name: $crate::__private::std::stringify!($goner),
            module: $crate::__private::std::module_path!(),
            at: $at,
        })
    };
}

/// The entries, in whatever order the linker left them.
#[cfg(not(feature = "linkme"))]
pub(super) fn entries() -> impl Iterator<Item = &'static Registered> {
    inventory::iter::<Registered>.into_iter()
}

/// The entries, in whatever order the linker left them.
#[cfg(feature = "linkme")]
pub(super) fn entries() -> impl Iterator<Item = &'static Registered> {
    GONERS.iter()
}
