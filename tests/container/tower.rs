//! Goners that need each other one upon the other, and write every hook into the journal.

use std::sync::Arc;

use gone::prelude::*;

use crate::{Journal, bare};

/// A goner that writes every hook into the journal, and needs what its tag says.
macro_rules! goners {
    ($($name:ident { $($field:ident: $ty:ty),* })*) => {$(
        #[derive(Goner)]
        pub(crate) struct $name {
            #[gone]
            journal: Journal,
            $(#[gone] #[allow(dead_code, reason = "only needed")] $field: $ty,)*
        }
        impl BeforeInit for $name {
            async fn before_init(&mut self) -> gone::Result<()> {
                self.journal.add(concat!(stringify!($name), " before_init"));
                Ok(())
            }
        }
        impl Init for $name {
            async fn init(&mut self) -> gone::Result<()> {
                tokio::task::yield_now().await;
                self.journal.add(concat!(stringify!($name), " init"));
                Ok(())
            }
        }
        impl Start for $name {
            async fn start(&self) -> gone::Result<()> {
                tokio::task::yield_now().await;
                self.journal.add(concat!(stringify!($name), " start"));
                Ok(())
            }
        }
        impl Stop for $name {
            async fn stop(&self) -> gone::Result<()> {
                tokio::task::yield_now().await;
                self.journal.add(concat!(stringify!($name), " stop"));
                Ok(())
            }
        }
        impl Close for $name {
            async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
                tokio::task::yield_now().await;
                self.journal.add(concat!(stringify!($name), " close"));
                Ok(CloseReport::clean())
            }
        }
    )*};
}
goners! {
    Top { middle: Arc<Middle> }
    Middle { bottom: Arc<Bottom> }
    Bottom {}
    Alone {}
}

pub(crate) fn tower(journal: &Journal) -> AppBuilder {
    bare().load((value(journal.clone()), Top::goner(), Middle::goner(), Bottom::goner()))
}
