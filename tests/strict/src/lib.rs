//! A user's crate with every strict setting, and Gone under another name.
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    rust_2018_idioms,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_pub,
    unused_lifetimes,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]

use ::std::clone::Clone;
use ::std::fmt::Debug;
use ::std::marker::{Send, Sync};
use ::std::option::Option;
use ::std::string::String;
use ::std::sync::Arc;
use ::std::vec::Vec;

use ::di::{Close, CloseReport, Deadline, Goner, Init, Inject, Lazy, NoneParamProvider};

/// Something to look at.
pub trait Shape: Debug + Send + Sync {
    /// How many corners it has.
    fn corners(&self) -> u32;
}

trait Hidden: Send + Sync {}

/// Private fields of private types in a public goner.
#[derive(Debug, Goner)]
#[goner(crate = ::di, name = "square", offers(dyn Shape, dyn Hidden))]
pub struct Square {
    /// Documented, and with other attributes.
    #[gone]
    #[doc(hidden)]
    inner: Arc<Inner>,
    #[cfg(any())]
    #[gone]
    never: Missing,
    #[gone("*,four")]
    r#type: u32,
    pub(crate) seen: ::std::sync::atomic::AtomicU32,
}

impl Shape for Square {
    fn corners(&self) -> u32 {
        self.r#type + self.inner.more + self.seen.load(::std::sync::atomic::Ordering::Relaxed)
    }
}

impl Hidden for Square {}

#[derive(Debug, Goner)]
#[goner(crate = ::di)]
struct Inner {
    more: u32,
}

impl Init for Inner {
    async fn init(&mut self) -> ::di::Result<()> {
        self.more += 1;
        ::di::Result::Ok(())
    }
}

impl Close for Inner {
    async fn close(&self, _: Deadline) -> ::di::Result<CloseReport> {
        ::di::Result::Ok(CloseReport::clean())
    }
}

#[derive(Goner)]
#[goner(crate = ::di)]
struct Numbers;

impl NoneParamProvider for Numbers {
    type Output = u32;

    async fn provide(&self) -> ::di::Result<u32> {
        ::di::Result::Ok(3)
    }
}

/// Parameters with bounds in all places.
#[derive(Debug, Goner)]
#[goner(crate = ::di, hooks(Init))]
pub struct Boxed<T, const N: usize = 2>
where
    T: Clone + Debug + Send + Sync + 'static,
{
    #[gone]
    shapes: Vec<Arc<dyn Shape>>,
    #[gone]
    value: Option<T>,
    size: usize,
}

impl<T, const N: usize> Init for Boxed<T, N>
where
    T: Clone + Debug + Send + Sync + 'static,
{
    async fn init(&mut self) -> ::di::Result<()> {
        self.size = self.shapes.len() + N;
        ::di::Result::Ok(())
    }
}

macro_rules! goner {
    ($(#[$attribute:meta])* $visibility:vis $name:ident { $($field:ident: $ty:ty),* }) => {
        $(#[$attribute])*
        #[derive(Debug, Goner)]
        #[goner(crate = ::di)]
        $visibility struct $name {
            $(#[gone] $field: $ty),*
        }
    };
}
goner! {
    /// Made by a macro.
    pub Made { square: Arc<Square>, shape: Arc<dyn Shape> }
}

/// Runs it all.
///
/// # Errors
/// What fails.
#[::di::main(flavor = "current_thread", crate = ::di)]
pub async fn run() -> ::di::Result<()> {
    #[derive(Debug, Goner)]
    #[goner(crate = ::di)]
    struct Local {
        #[gone]
        made: Arc<Made>,
    }

    /// Sites without a goner.
    #[derive(Debug, Inject)]
    #[goner(crate = ::di)]
    struct Wanted {
        #[gone]
        local: Arc<Local>,
        #[gone("square")]
        square: Arc<Square>,
        #[gone]
        later: Lazy<Boxed<String>>,
    }

    let corners = |local: &Local| local.made.square.corners() + local.made.shape.corners();
    ::di::AppBuilder::new()
        .load((Square::goner(), Inner::goner(), Numbers::goner(), Boxed::<String>::goner(), Made::goner()))
        .load(Local::goner())
        .run_with(async |wanted: Wanted| {
            let boxed = wanted.later.get()?;
            ::std::assert_eq!((boxed.size, boxed.shapes.len(), boxed.value.is_none()), (3, 1, true));
            ::std::assert_eq!((wanted.square.corners(), corners(&wanted.local)), (4, 8));
            ::di::Result::Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use ::std::process::ExitCode;
    use ::std::{assert_eq, format};

    #[test]
    fn what_the_strict_crate_derives_works() {
        assert_eq!(format!("{:?}", crate::run()), format!("{:?}", ExitCode::SUCCESS));
    }
}
