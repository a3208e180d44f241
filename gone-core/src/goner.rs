use std::marker::PhantomData;

use crate::node::Node;
use crate::table::{Instance, Table};
use crate::{Sites, Spec};

/// A component that the container manages. Implemented by `#[derive(Goner)]` only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a goner",
    note = "put `#[derive(Goner)]` on it; or hand over a ready value with `gone::value(…)`"
)]
pub trait Goner: Sized + Send + Sync + 'static {
    #[doc(hidden)]
    const TABLE: &'static Table;

    #[doc(hidden)]
    fn __construct(sites: &mut Sites<'_>) -> Instance;

    /// What to load: this goner, with options.
    fn goner() -> Spec<Self> {
        Spec { node: Node::derived(Self::TABLE), of: PhantomData }
    }
}
