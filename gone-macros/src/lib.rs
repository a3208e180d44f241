//! The macros of Gone. Use them through the crate `gone`, whose docs describe them.

mod attributes;
mod expand;
mod goner;
mod main_function;

use proc_macro::TokenStream;

/// Makes a struct a goner: a component that the container manages.
///
/// The struct has named fields or none. A field tagged `#[gone]` is a site, which the container fills; a field without a tag
/// takes its `Default`.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::AtomicU64;
/// use gone::prelude::*;
///
/// # trait Channel: Send + Sync {}
/// # struct Template;
/// # #[derive(Goner)]
/// # struct Audit;
/// #[derive(Goner)]
/// struct Mailer {
///     #[gone("config,mail.from=shop@example.org")]
///     from: String,
///     #[gone("welcome")]
///     template: Arc<Template>,
///     #[gone]
///     channels: Vec<Arc<dyn Channel>>,
///     #[gone]
///     audit: Option<Arc<Audit>>,
///     sent: AtomicU64,
/// }
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// #     let template = value(Arc::new(Template)).named("welcome");
/// #     Gone::load((Mailer::goner(), template)).run(async |mailer: Arc<Mailer>| {
/// #         assert_eq!((&*mailer.from, mailer.channels.len()), ("shop@example.org", 0));
/// #         assert!(mailer.audit.is_none() && Arc::strong_count(&mailer.template) > 0);
/// #         Ok(())
/// #     }).await
/// # }
/// ```
///
/// | tag | asks for |
/// |---|---|
/// | `#[gone]`, `#[gone("*")]`, `#[gone("")]` | the offer of the field's type |
/// | `#[gone("*,text")]` | the same; `text` goes to the provider, verbatim |
/// | `#[gone("name")]`, `#[gone("name,text")]` | the offer of that name |
/// | `#[gone("name,text", default = expr)]` | the same; where there is nothing, the field takes `expr` |
/// | `#[gone("pre-*")]` | offers whose names match; `*` is any text, `?` any character |
///
/// `Option<S>` takes one or none, `Vec<S>` all, `HashMap<String, S>` all that have a name, unless somebody offers exactly that
/// type. `Lazy<T>` is the `Arc<T>` once everything is built.
///
/// On the struct:
///
/// - `#[goner(name = "…")]`: its name.
/// - `#[goner(offers(dyn Trait, …))]`: offers it as these trait objects as well, checked by the compiler.
/// - `#[goner(share)]`: on a provider whose output is `Clone`: one value for each extension text, and clones of it.
/// - `#[goner(auto)]`: it is among what `Gone::discover()` loads. Not for a generic struct.
/// - `#[goner(crate = path)]`: where to find the crate `gone`, if it is renamed.
/// - `#[goner(hooks(Init, Close, …), provider)]`: on a **generic** struct only, which hooks and which provider form
///   (`provider`, `none_param_provider`, `named_provider`) it implements. Of other structs the macro finds them by
///   itself. One that is implemented and not listed does not compile.
#[proc_macro_derive(Goner, attributes(gone, goner))]
pub fn derive_goner(input: TokenStream) -> TokenStream {
    goner::derive(syn::parse_macro_input!(input as syn::DeriveInput)).into()
}

/// Makes a struct a bundle: a struct of sites that is no goner, for a field of a goner or for the one parameter of a function.
///
/// Fields are tagged as with [`Goner`](derive@Goner). On the struct, `#[goner(crate = path)]` says where the crate `gone` is.
///
/// ```
/// use std::sync::Arc;
/// use gone::prelude::*;
///
/// #[derive(Inject)]
/// struct Settings {
///     #[gone("config,port=8080")]
///     port: u16,
///     #[gone("config,host")]
///     host: Option<String>,
/// }
///
/// #[gone::main]
/// async fn main() -> gone::Result<()> {
///     Gone::builder()
///         .run_with(async |settings: Settings| {
///             assert_eq!((settings.port, settings.host), (8080, None));
///             Ok(())
///         })
///         .await
/// }
/// ```
#[proc_macro_derive(Inject, attributes(gone, goner))]
pub fn derive_inject(input: TokenStream) -> TokenStream {
    goner::derive_bundle(syn::parse_macro_input!(input as syn::DeriveInput)).into()
}

/// Runs an async `main` on a tokio runtime, prints its error whole, and makes its exit code.
///
/// The function takes no parameters and returns `gone::Result<()>` (or any `Result<(), E>` with `E: Into<gone::Error>`, or
/// nothing). Exit codes: 0 a clean end; 1 the plan, the configuration, the start or the function failed; 2 only stopping
/// failed; 128 + n a signal before the application was ready.
///
/// `#[gone::main(flavor = "current_thread")]` and `#[gone::main(worker_threads = 2)]` choose the runtime, as with tokio.
///
/// ```
/// use gone::prelude::*;
///
/// #[gone::main(flavor = "current_thread")]
/// async fn main() -> gone::Result<()> {
///     Gone::load(value(8080_u16))
///         .run(async |port: u16| {
///             println!("would listen on {port}");
///             Ok(())
///         })
///         .await
/// }
/// ```
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    main_function::expand(arguments.into(), syn::parse_macro_input!(item as syn::ItemFn)).into()
}

/// Runs an async test on a tokio runtime of one thread, and fails with its whole error.
///
/// The function takes no parameters and returns nothing or a `Result<(), E>` with `E: Into<gone::Error>`.
///
/// `#[gone::test(start_paused = true)]`, with the feature `test-util`, pauses the time: a sleep takes none.
/// `#[gone::test(flavor = "multi_thread", worker_threads = 2)]` chooses the runtime, as with tokio.
///
/// ```
/// use std::sync::Arc;
/// use gone::prelude::*;
///
/// #[derive(Goner)]
/// struct Greeter {
///     #[gone]
///     name: String,
/// }
///
/// #[gone::test]
/// async fn greets_by_name() -> gone::Result<()> {
///     Gone::load((Greeter::goner(), value("Ada".to_owned())))
///         .only_needed()
///         .test(async |greeter: Arc<Greeter>| {
///             assert_eq!(greeter.name, "Ada");
///             Ok(())
///         })
///         .await
/// }
/// ```
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    main_function::expand_test(arguments.into(), syn::parse_macro_input!(item as syn::ItemFn)).into()
}

/// The program of the README, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
