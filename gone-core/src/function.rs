use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::Result;
use crate::slots::Sites;
use crate::table::BoxFuture;
use crate::target::{Arity, Made, Site, SiteType, Target};
use crate::unwind::catch;

/// A function whose parameters are injected by type: what `run` takes. Async functions and async closures of up to twelve
/// parameters are. A parameter asks for exactly its type; for optional ones, for all of a kind, or by name, use a field of a
/// goner.
#[diagnostic::on_unimplemented(
    message = "this function cannot be injected",
    note = "it must be an async function or async closure of at most twelve parameters that returns `gone::Result<()>`, such as `async |user: Arc<User>| {{ …; Ok(()) }}`"
)]
pub trait Injected<A> {
    /// What the function returns.
    type Output;
    #[doc(hidden)]
    fn sites() -> Cow<'static, [Site]>;
    #[doc(hidden)]
    fn call(self, arguments: &mut Sites<'_>) -> impl Future<Output = Self::Output> + use<Self, A>;
}

/// A function that can be a provider: `Fn(A, …) -> Future<Output = gone::Result<T>> + Send`, of up to twelve parameters.
#[diagnostic::on_unimplemented(
    message = "this function cannot be a provider",
    note = "write a function that returns a `Send` future of `gone::Result<T>`: `move |a: Arc<A>| {{ let url = url.clone(); async move {{ … }} }}`"
)]
pub trait ProviderFn<A>: Send + Sync + 'static {
    /// What it makes.
    type Output: Send + 'static;
    #[doc(hidden)]
    fn sites() -> Cow<'static, [Site]>;
    #[doc(hidden)]
    fn output() -> Target;
    #[doc(hidden)]
    fn call(&self, arguments: &mut Sites<'_>) -> BoxFuture<'static, Result<Made>>;
}

const PARAMETERS: [&str; 12] = [
    "parameter 1",
    "parameter 2",
    "parameter 3",
    "parameter 4",
    "parameter 5",
    "parameter 6",
    "parameter 7",
    "parameter 8",
    "parameter 9",
    "parameter 10",
    "parameter 11",
    "parameter 12",
];

/// A parameter has a type, takes one, and has no tag; its place is that of the function, which the caller fills in.
fn parameter<A: Send + 'static>(number: usize) -> Site {
    Site {
        field: Cow::Borrowed(PARAMETERS[number]),
        tag: Cow::Borrowed(""),
        ty: const { &SiteType { target: Target::of::<A>(), arity: Arity::One, bundle: None } },
        at: std::panic::Location::caller(),
    }
}

/// Marks what functions that are called in turn are injected with.
#[derive(Debug)]
pub struct InTurn<A>(PhantomData<A>);

/// Two functions in turn: the second is called when the first has returned `Ok`. Both are injected before. More of them nest:
/// `run((first, (second, third)))`.
impl<F, G, A, B> Injected<InTurn<(A, B)>> for (F, G)
where
    F: Injected<A, Output = Result<()>>,
    G: Injected<B, Output = Result<()>>,
{
    type Output = Result<()>;
    fn sites() -> Cow<'static, [Site]> {
        [F::sites(), G::sites()].concat().into()
    }
    fn call(self, arguments: &mut Sites<'_>) -> impl Future<Output = Result<()>> + use<F, G, A, B> {
        let first = self.0.call(arguments);
        let second = self.1.call(arguments);
        async {
            first.await?;
            second.await
        }
    }
}

/// A function that blocks its thread, as provider.
#[derive(Debug)]
pub struct Blocking<F>(Arc<F>);

/// Marks what [`Blocking`] is injected with.
#[derive(Debug)]
pub struct OnThread<A>(PhantomData<A>);

impl<F> Blocking<F> {
    pub(crate) fn new(function: F) -> Self {
        Blocking(Arc::new(function))
    }
}

async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<Made> {
    let made = tokio::task::spawn_blocking(|| catch(work)).await??;
    Ok(Box::new(made?))
}

macro_rules! functions {
    ($($A:ident $number:literal),*) => {
        impl<F, R, $($A),*> Injected<($($A,)*)> for F
        where
            F: AsyncFnOnce($($A),*) -> R,
            $($A: Send + 'static),*
        {
            type Output = R;
            fn sites() -> Cow<'static, [Site]> {
                Cow::Owned(vec![$(parameter::<$A>($number)),*])
            }
            #[allow(unused_variables, non_snake_case, reason = "one macro for all lengths")]
            fn call(self, arguments: &mut Sites<'_>) -> impl Future<Output = R> + use<F, R, $($A),*> {
                $(let $A = arguments.take::<$A>();)*
                self($($A),*)
            }
        }

        impl<F, Fut, T, $($A),*> ProviderFn<($($A,)*)> for F
        where
            F: Fn($($A),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<T>> + Send + 'static,
            T: Send + 'static,
            $($A: Send + 'static),*
        {
            type Output = T;
            fn sites() -> Cow<'static, [Site]> {
                Cow::Owned(vec![$(parameter::<$A>($number)),*])
            }
            fn output() -> Target {
                Target::of::<T>()
            }
            #[allow(unused_variables, non_snake_case, reason = "one macro for all lengths")]
            fn call(&self, arguments: &mut Sites<'_>) -> BoxFuture<'static, Result<Made>> {
                $(let $A = arguments.take::<$A>();)*
                let made = self($($A),*);
                Box::pin(async move { Ok(Box::new(made.await?) as Made) })
            }
        }

        impl<F, T, $($A),*> ProviderFn<OnThread<($($A,)*)>> for Blocking<F>
        where
            F: Fn($($A),*) -> Result<T> + Send + Sync + 'static,
            T: Send + 'static,
            $($A: Send + 'static),*
        {
            type Output = T;
            fn sites() -> Cow<'static, [Site]> {
                Cow::Owned(vec![$(parameter::<$A>($number)),*])
            }
            fn output() -> Target {
                Target::of::<T>()
            }
            #[allow(unused_variables, non_snake_case, reason = "one macro for all lengths")]
            fn call(&self, arguments: &mut Sites<'_>) -> BoxFuture<'static, Result<Made>> {
                $(let $A = arguments.take::<$A>();)*
                let function = Arc::clone(&self.0);
                Box::pin(on_thread(move || function($($A),*)))
            }
        }
    };
}
functions!();
functions!(A1 0);
functions!(A1 0, A2 1);
functions!(A1 0, A2 1, A3 2);
functions!(A1 0, A2 1, A3 2, A4 3);
functions!(A1 0, A2 1, A3 2, A4 3, A5 4);
functions!(A1 0, A2 1, A3 2, A4 3, A5 4, A6 5);
functions!(A1 0, A2 1, A3 2, A4 3, A5 4, A6 5, A7 6);
functions!(A1 0, A2 1, A3 2, A4 3, A5 4, A6 5, A7 6, A8 7);
functions!(A1 0, A2 1, A3 2, A4 3, A5 4, A6 5, A7 6, A8 7, A9 8);
functions!(A1 0, A2 1, A3 2, A4 3, A5 4, A6 5, A7 6, A8 7, A9 8, A10 9);
functions!(A1 0, A2 1, A3 2, A4 3, A5 4, A6 5, A7 6, A8 7, A9 8, A10 9, A11 10);
functions!(A1 0, A2 1, A3 2, A4 3, A5 4, A6 5, A7 6, A8 7, A9 8, A10 9, A11 10, A12 11);
