//! `#[gone::main]` and `#[gone::test]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Ident, ItemFn, LitInt, LitStr, Path, ReturnType, Token};

use crate::attributes::{Errors, private, unknown};

#[derive(Default)]
struct Arguments {
    current_thread: bool,
    worker_threads: Option<usize>,
    start_paused: bool,
    krate: Option<Path>,
}

impl Arguments {
    /// What makes the runtime.
    fn runtime(&self, private: &TokenStream) -> TokenStream {
        let one = self.current_thread;
        match (self.start_paused, self.worker_threads) {
            (true, _) => quote!(#private::paused_runtime()),
            (false, None) => quote!(#private::runtime(#one, #private::std::option::Option::None)),
            (false, Some(threads)) => quote!(#private::runtime(#one, #private::std::option::Option::Some(#threads))),
        }
    }
}

/// Reads the arguments, and what is wrong with them and with the function.
fn read(
    name: &str,
    keys: &[&str],
    defaults: Arguments,
    arguments: TokenStream,
    function: &ItemFn,
) -> (Arguments, Errors) {
    let mut errors = Errors::default();
    let mut read = defaults;
    let parsed =
        syn::parse::Parser::parse2(|input: ParseStream<'_>| parse(input, keys, &mut read, &mut errors), arguments);
    if let Err(error) = parsed {
        errors.push(error);
    }
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        errors.at(signature.fn_token.span(), format_args!("`#[gone::{name}]` is for an `async fn`"));
    }
    if let Some(parameter) = signature.inputs.first() {
        errors.at(
            parameter.span(),
            "this function takes no parameters: what is injected goes to the function that `run` is given",
        );
    }
    if !signature.generics.params.is_empty() {
        errors.at(signature.generics.span(), "this function is not generic");
    }
    (read, errors)
}

/// `#[gone::test]`: one thread unless said otherwise, as tokio's own.
pub(crate) fn expand_test(arguments: TokenStream, function: ItemFn) -> TokenStream {
    let keys = ["flavor", "worker_threads", "start_paused", "crate"];
    let defaults = Arguments { current_thread: true, ..Arguments::default() };
    let (read, mut errors) = read("test", &keys, defaults, arguments, &function);
    if read.start_paused && !read.current_thread {
        errors.at(function.sig.ident.span(), "paused time is for one thread: take `flavor` away");
    }
    let private = private(read.krate.as_ref());
    let (attributes, visibility, name, body) = (&function.attrs, &function.vis, &function.sig.ident, &function.block);
    let output = &function.sig.output;
    if let Some(errors) = errors.into_tokens() {
        return quote!(#errors #visibility fn #name() {});
    }
    let runtime = read.runtime(&private);
    quote! {
        #(#attributes)*
        #[::core::prelude::v1::test]
        #visibility fn #name() {
            async fn __gone_test() #output #body
            #private::test(#runtime, __gone_test())
        }
    }
}

pub(crate) fn expand(arguments: TokenStream, function: ItemFn) -> TokenStream {
    let keys = ["flavor", "worker_threads", "crate"];
    let (read, errors) = read("main", &keys, Arguments::default(), arguments, &function);
    let signature = &function.sig;
    let errors = errors.into_tokens();
    let private = private(read.krate.as_ref());
    let (attributes, visibility, name, body) = (&function.attrs, &function.vis, &signature.ident, &function.block);
    let output = &signature.output;
    let call = match output {
        ReturnType::Default => quote! {
            async {
                __gone_main().await;
                #private::std::result::Result::Ok::<(), #private::Error>(())
            }
        },
        ReturnType::Type(_, ty) => quote_spanned!(ty.span()=> __gone_main()),
    };
    let runtime = read.runtime(&private);
    if let Some(errors) = errors {
        return quote!(#errors #visibility fn #name() {});
    }
    quote! {
        #(#attributes)*
        #visibility fn #name() -> #private::std::process::ExitCode {
            async fn __gone_main() #output #body
            #private::main(#runtime, #call)
        }
    }
}

fn parse(input: ParseStream<'_>, keys: &[&str], read: &mut Arguments, errors: &mut Errors) -> syn::Result<()> {
    while !input.is_empty() {
        let key = input.call(<Ident as syn::ext::IdentExt>::parse_any)?;
        input.parse::<Token![=]>()?;
        match key.to_string().as_str() {
            "flavor" => {
                let flavor: LitStr = input.parse()?;
                match flavor.value().as_str() {
                    "current_thread" => read.current_thread = true,
                    "multi_thread" => read.current_thread = false,
                    other => errors.at(flavor.span(), unknown("flavor", other, &["current_thread", "multi_thread"])),
                }
            }
            "worker_threads" => {
                let threads: LitInt = input.parse()?;
                match threads.base10_parse::<usize>()? {
                    0 => errors.at(threads.span(), "at least one worker thread"),
                    some => read.worker_threads = Some(some),
                }
            }
            "start_paused" if keys.contains(&"start_paused") => {
                read.start_paused = input.parse::<syn::LitBool>()?.value;
            }
            "crate" => read.krate = Some(Path::parse_mod_style(input)?),
            other => {
                errors.at(key.span(), unknown("key", other, keys));
                input.parse::<syn::Expr>()?;
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}
