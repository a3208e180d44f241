//! `#[derive(Goner)]`: parse, check, expand; on a mistake the errors and an implementation that is never used, so that nothing
//! else complains.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, GenericParam, Type};

use crate::attributes::{Errors, OnField, OnStruct, private, tag};
use crate::expand::{expand, expand_bundle};

/// A struct that can be a goner.
pub(crate) struct Input {
    pub(crate) ast: DeriveInput,
    pub(crate) on: OnStruct,
    pub(crate) fields: Vec<Field>,
    pub(crate) unit: bool,
}

/// One field: a site if it has a tag.
pub(crate) struct Field {
    pub(crate) name: syn::Ident,
    pub(crate) ty: Type,
    pub(crate) tag: Option<OnField>,
}

impl Input {
    /// Whether detection cannot be trusted: constants and types that stand for others. Lifetimes are refused.
    pub(crate) fn is_generic(&self) -> bool {
        !self.ast.generics.params.is_empty()
    }
}

/// Reads the struct, collecting every mistake.
fn read(ast: DeriveInput, errors: &mut Errors) -> Input {
    let generic = !ast.generics.params.is_empty();
    let on = OnStruct::read(&ast.attrs, generic, errors);
    for parameter in &ast.generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            errors.at(lifetime.span(), "a goner lives as long as the application: hold `Arc`s, not references");
        }
    }
    let (fields, unit) = fields(&ast, errors);
    Input { ast, on, fields, unit }
}

/// `#[derive(Inject)]`: a bundle has sites and nothing else of a goner.
pub(crate) fn derive_bundle(ast: DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let input = read(ast, &mut errors);
    let OnStruct { name, offers, share, auto, hooks, form, krate: _ } = &input.on;
    let not_for_bundles = (name.as_ref().map(Spanned::span).into_iter())
        .chain(offers.iter().map(Spanned::span))
        .chain(share.iter().chain(auto).chain(hooks).chain(form).map(Spanned::span));
    for span in not_for_bundles {
        errors.at(
            span,
            "a bundle is no goner: it has sites, and neither name, offers, hooks nor provider, and is not discovered",
        );
    }
    errors.into_tokens().unwrap_or_else(|| expand_bundle(&input))
}

pub(crate) fn derive(ast: DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let input = read(ast, &mut errors);
    match errors.into_tokens() {
        None => expand(&input),
        // With a lifetime the implementation would only add to the errors.
        Some(errors) if input.ast.generics.lifetimes().next().is_some() => errors,
        Some(errors) => {
            let private = private(input.on.krate.as_ref());
            let name = &input.ast.ident;
            let (generics, arguments, bounds) = input.ast.generics.split_for_impl();
            quote! {
                #errors
                impl #generics #private::Goner for #name #arguments #bounds {
                    const TABLE: &'static #private::Table = #private::std::panic!("the goner has errors");
                    fn __construct(_: &mut #private::Slots<'_>) -> #private::Instance {
                        #private::std::panic!("the goner has errors")
                    }
                }
            }
        }
    }
}

fn fields(ast: &DeriveInput, errors: &mut Errors) -> (Vec<Field>, bool) {
    let data = match &ast.data {
        Data::Struct(data) => data,
        Data::Enum(data) => {
            errors.at(data.enum_token.span(), "a goner is a struct");
            return (Vec::new(), true);
        }
        Data::Union(data) => {
            errors.at(data.union_token.span(), "a goner is a struct");
            return (Vec::new(), true);
        }
    };
    match &data.fields {
        Fields::Unit => (Vec::new(), true),
        Fields::Unnamed(fields) => {
            errors.at(fields.span(), "a goner has named fields: the name of a field is what reports call it by");
            (Vec::new(), true)
        }
        Fields::Named(fields) => {
            let mut read = |field: &syn::Field| {
                let name = field.ident.clone()?;
                Some(Field { name, ty: field.ty.clone(), tag: tag(&field.attrs, errors) })
            };
            (fields.named.iter().filter_map(&mut read).collect(), false)
        }
    }
}
