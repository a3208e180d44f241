//! What the derive macro emits: one constant table of data and erased function pointers.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::attributes::{FORMS, HOOKS, private};
use crate::goner::{Field, Input};

pub(crate) fn expand(input: &Input) -> TokenStream {
    let private = private(input.on.krate.as_ref());
    let ident = &input.ast.ident;
    let (generics, arguments, bounds) = input.ast.generics.split_for_impl();
    let (injectable, checks) = checks(input);
    let (free_checks, checks) = apart(input, checks);
    let guards = guards(input);
    let at = location(ident.span());
    let name = option(input.on.name.as_ref().map(|name| quote!(#name)));
    let sites = input.fields.iter().filter_map(site);
    let offers = offers(input);
    let made = filled(input);
    let hooks = hooks(input);
    let (form, provider) = provider(input);
    let auto = input.on.auto.is_some();
    let registered = registered(input, &at);
    quote! {
        const _: () = {
            use #private as __gone;
            #[allow(unused_imports)]
            use __gone::Fallback as _;
            #form
            #guards
            #[automatically_derived]
            impl #generics __gone::Goner for #ident #arguments #bounds #injectable {
                const TABLE: &'static __gone::Table = {
                    #checks
                    &__gone::Table {
                        id: __gone::std::any::TypeId::of::<Self>(),
                        type_name: __gone::std::any::type_name::<Self>,
                        at: #at,
                        module: __gone::std::module_path!(),
                        name: #name,
                        auto: #auto,
                        sites: &[#(#sites),*],
                        offers: &[#offers],
                        construct: <Self as __gone::Goner>::__construct,
                        hooks: __gone::Hooks { #hooks },
                        provider: #provider,
                    }
                };
                fn __construct(slots: &mut __gone::Slots<'_>) -> __gone::Instance {
                    let _ = &slots;
                    __gone::std::sync::Arc::new(#made)
                }
            }
            #free_checks
            #registered
        };
    }
}

/// The entry in the link-time registry.
fn registered(input: &Input, at: &TokenStream) -> TokenStream {
    let ident = &input.ast.ident;
    match input.is_generic() {
        true => quote!(__gone::register! { #ident generic at #at }),
        false => quote!(__gone::register! { #ident }),
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(__gone::std::option::Option::Some(#value)),
        None => quote!(__gone::std::option::Option::None),
    }
}

/// The place of a token of the user's, as data: with that very span, as one of the macro's would stand for the derive's. What such
/// spans are given to goes by names that no user has in scope, or he would be told of needless paths.
fn location(span: Span) -> TokenStream {
    quote_spanned!(span=> __gone::here())
}

/// Whatever is injected or offered must be able to cross threads: said once for each, and nothing else complains of it. As a bound
/// of the implementation it is told where it does not hold, and taken for granted within. With parameters such a bound would leave
/// out the implementation without a word; there it is asked within.
fn checks(input: &Input) -> (TokenStream, TokenStream) {
    let (sites, held): (Vec<_>, Vec<_>) = input.fields.iter().partition(|field| field.tag.is_some());
    let sites = sites.into_iter().map(|field| &field.ty).chain(&input.on.offers).map(|ty| (ty, "Injectable"));
    let held = held.into_iter().map(|field| (&field.ty, "Held"));
    let mut seen = HashSet::new();
    let types: Vec<_> = sites.chain(held).filter(|(ty, _)| seen.insert(quote!(#ty).to_string())).collect();
    let checks = types.iter().map(|(ty, bound)| {
        let check = format_ident!("{}", bound.to_lowercase());
        quote_spanned!(ty.span()=> __gone::#check::<#ty>();)
    });
    let checks = checks.collect();
    if input.is_generic() || types.is_empty() {
        return (TokenStream::new(), checks);
    }
    let bounds = types.iter().map(|(ty, bound)| {
        let bound = format_ident!("{bound}", span = ty.span());
        quote_spanned!(ty.span()=> #ty: __gone::#bound)
    });
    (quote!(where #(#bounds),*), checks)
}

/// The checks outside of the implementation, where its bounds do not hide what they find; with parameters, within.
fn apart(input: &Input, checks: TokenStream) -> (TokenStream, TokenStream) {
    match input.is_generic() || checks.is_empty() {
        true => (TokenStream::new(), checks),
        false => (checks, TokenStream::new()),
    }
}

fn site(field: &Field) -> Option<TokenStream> {
    let tag = field.tag.as_ref()?;
    let ty = &field.ty;
    let name = field.name.unraw().to_string();
    let at = location(ty.span());
    let asked_by_name = tag.asks_by_name();
    // Only a site that asks by name can reach a provider that reads its type by serde.
    // What borrows is `Deserialize` for one lifetime only, which the probe cannot see and rustc then refuses.
    let deserialize = match asked_by_name && !borrows(quote!(#ty)) {
        true => quote!(__gone::Probe::<#ty>::DESERIALIZE),
        false => quote!(__gone::std::option::Option::None),
    };
    let bundle = match asked_by_name {
        true => quote!(__gone::std::option::Option::None),
        false => quote!(__gone::Probe::<#ty>::BUNDLE),
    };
    let text = &tag.text;
    let default = tag.default.as_ref().map(|default| {
        quote_spanned!(ty.span()=> .or(|| {
            let default: #ty = #default;
            __gone::made(default)
        }))
    });
    Some(quote! {
        __gone::Site {
            field: __gone::std::borrow::Cow::Borrowed(#name),
            tag: __gone::std::borrow::Cow::Borrowed(#text),
            ty: &__gone::SiteType {
                target: __gone::target::<#ty>(#deserialize, __gone::Probe::<#ty>::ABSENT)#default,
                arity: __gone::Probe::<#ty>::ARITY,
                bundle: #bundle,
            },
            at: #at,
        }
    })
}

fn offers(input: &Input) -> TokenStream {
    let own = quote_spanned! {input.ast.ident.span()=>
        __gone::OfferEntry {
            target: __gone::Target::offered::<__gone::Offered<Self>>(),
            put: __gone::own::<Self>,
        },
    };
    let traits = input.on.offers.iter().map(|ty| {
        quote_spanned! {ty.span()=>
            __gone::OfferEntry {
                target: __gone::Target::offered::<__gone::Offered<#ty>>(),
                put: |instance, slot| {
                    __gone::offer::<Self, __gone::Offered<#ty>>(instance, slot, |it| it)
                },
            },
        }
    });
    quote!(#own #(#traits)*)
}

/// The struct with each site taken from what was gathered, in the order of the fields.
fn filled(input: &Input) -> TokenStream {
    let fields = input.fields.iter().map(|Field { name, ty, tag }| match tag {
        Some(_) => quote!(#name: slots.take::<#ty>()),
        None => {
            let default = quote_spanned!(ty.span()=> __gone::untagged::<#ty>());
            quote!(#name: #default)
        }
    });
    match input.unit {
        true => quote!(Self),
        false => quote!(Self { #(#fields),* }),
    }
}

/// `#[derive(Inject)]`.
pub(crate) fn expand_bundle(input: &Input) -> TokenStream {
    let private = private(input.on.krate.as_ref());
    let ident = &input.ast.ident;
    let (generics, arguments, bounds) = input.ast.generics.split_for_impl();
    let (injectable, checks) = checks(input);
    let (free_checks, checks) = apart(input, checks);
    let sites = input.fields.iter().filter_map(site);
    let made = filled(input);
    quote! {
        const _: () = {
            use #private as __gone;
            #[allow(unused_imports)]
            use __gone::Fallback as _;
            #[automatically_derived]
            impl #generics __gone::Inject for #ident #arguments #bounds #injectable {
                const SITES: &'static [__gone::Site] = {
                    #checks
                    &[#(#sites),*]
                };
                fn fill(slots: &mut __gone::Slots<'_>) -> Self {
                    let _ = &slots;
                    #made
                }
            }
            #free_checks
        };
    }
}

/// A hook's field and constant: `BeforeInit` is `before_init` and `BEFORE_INIT`.
fn snake(hook: &str) -> String {
    let mut out = String::new();
    for (index, c) in hook.char_indices() {
        if c.is_uppercase() && index > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn hooks(input: &Input) -> TokenStream {
    HOOKS
        .iter()
        .map(|hook| {
            let field = format_ident!("{}", snake(hook));
            if !input.is_generic() {
                let constant = format_ident!("{}", snake(hook).to_uppercase());
                return quote!(#field: __gone::Probe::<Self>::#constant,);
            }
            let listed = input.on.hooks.iter().find(|listed| *listed == hook);
            let value = option(listed.map(|listed| quote_spanned!(listed.span()=> __gone::#field::<Self>)));
            quote!(#field: #value,)
        })
        .collect()
}

/// The provider form, and where it is checked: a free constant for what is not generic, so that two forms are refused even if
/// nobody loads the goner.
fn provider(input: &Input) -> (TokenStream, TokenStream) {
    let span = input.ast.ident.span();
    if input.is_generic() {
        let constant =
            input.on.form.as_ref().map(|form| format_ident!("{}", form.to_string().to_uppercase(), span = form.span()));
        let form = match constant {
            Some(constant) => quote!(__gone::Probe::<Self>::#constant),
            None => option(None),
        };
        return (TokenStream::new(), shared(input, quote!(Self), form));
    }
    let ident = &input.ast.ident;
    let form = quote_spanned! {span=>
        __gone::one_form(
            __gone::Probe::<#ident>::PROVIDER,
            __gone::Probe::<#ident>::NONE_PARAM_PROVIDER,
            __gone::Probe::<#ident>::NAMED_PROVIDER,
        )
    };
    let form = shared(input, quote!(#ident), form);
    (quote!(const __FORM: __gone::std::option::Option<__gone::Form> = #form;), quote!(__FORM))
}

fn shared(input: &Input, of: TokenStream, form: TokenStream) -> TokenStream {
    match &input.on.share {
        Some(share) => quote_spanned! {share.span()=>
            __gone::shared(#form, __gone::Probe::<#of>::SHARE, __gone::Probe::<#of>::SHARE_NONE_PARAM)
        },
        None => form,
    }
}

/// Of a generic goner, detection would miss what is implemented under bounds that the struct does not have: so what is not
/// listed must not be implemented, and these implementations clash with it if it is.
fn guards(input: &Input) -> TokenStream {
    if !input.is_generic() {
        return TokenStream::new();
    }
    let ident = &input.ast.ident;
    let (generics, arguments, bounds) = input.ast.generics.split_for_impl();
    let hooks = HOOKS.iter().filter(|hook| !input.on.hooks.iter().any(|listed| listed == *hook));
    let hooks = hooks.map(|hook| format_ident!("{hook}MustBeListedInGonerHooks", span = ident.span()));
    let forms = FORMS.iter().filter(|(key, _)| input.on.form.as_ref().is_none_or(|form| form != key));
    let forms = forms.map(|(_, form)| format_ident!("{form}MustBeListedInGoner", span = ident.span()));
    hooks
        .chain(forms)
        .map(|guard| quote_spanned!(ident.span()=> impl #generics __gone::#guard for #ident #arguments #bounds {}))
        .collect()
}

fn borrows(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Punct(it) => matches!(it.as_char(), '&' | '\''),
        proc_macro2::TokenTree::Group(it) => borrows(it.stream()),
        _ => false,
    })
}
