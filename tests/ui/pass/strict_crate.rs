//! A crate with every strict setting.
#![no_implicit_prelude]
#![deny(missing_docs, unused, unreachable_pub, clippy::pedantic)]
#![forbid(unsafe_code)]

use ::gone as di;
use di::prelude::*;

/// Raw names, aliases, where-clauses, a renamed crate.
#[derive(Goner)]
#[goner(crate = di, name = "strict")]
pub struct Strict<T>
where
    T: ::std::marker::Send + ::std::marker::Sync + ::std::default::Default + 'static,
{
    #[gone]
    r#type: ::std::option::Option<::std::sync::Arc<Unit>>,
    rest: T,
}

/// A unit struct.
#[derive(Goner)]
#[goner(crate = di)]
pub struct Unit;

/// Constants as parameters.
#[derive(Goner)]
#[goner(crate = di)]
pub struct Sized<const N: usize = 3>;

#[di::main(flavor = "current_thread", crate = di)]
async fn main() -> di::Result<()> {
    di::AppBuilder::new()
        .load((Strict::<u8>::goner(), Unit::goner(), Sized::<2>::goner()))
        .run(async |it: ::std::sync::Arc<Strict<u8>>| {
            ::std::assert!(it.r#type.is_some() && it.rest == 0);
            ::std::result::Result::Ok(())
        })
        .await
}
