//! `#[gone::main]`.

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
    krate: Option<Path>,
}

pub(crate) fn expand(arguments: TokenStream, function: ItemFn) -> TokenStream {
    let mut errors = Errors::default();
    let mut read = Arguments::default();
    let parsed = syn::parse::Parser::parse2(|input: ParseStream<'_>| keys(input, &mut read, &mut errors), arguments);
    if let Err(error) = parsed {
        errors.push(error);
    }
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        errors.at(signature.fn_token.span(), "`#[gone::main]` is for an `async fn`");
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
    let current_thread = read.current_thread;
    let workers = match read.worker_threads {
        Some(threads) => quote!(#private::std::option::Option::Some(#threads)),
        None => quote!(#private::std::option::Option::None),
    };
    if let Some(errors) = errors {
        return quote!(#errors #visibility fn #name() {});
    }
    quote! {
        #(#attributes)*
        #visibility fn #name() -> #private::std::process::ExitCode {
            async fn __gone_main() #output #body
            #private::main(#private::runtime(#current_thread, #workers), #call)
        }
    }
}

fn keys(input: ParseStream<'_>, read: &mut Arguments, errors: &mut Errors) -> syn::Result<()> {
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
            "crate" => read.krate = Some(Path::parse_mod_style(input)?),
            other => {
                errors.at(key.span(), unknown("key", other, &["flavor", "worker_threads", "crate"]));
                input.parse::<syn::Expr>()?;
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}
