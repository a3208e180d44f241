//! Reading `#[goner(…)]` and `#[gone(…)]`. Every mistake is collected, each at the user's own token.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, LitStr, Path, Token, Type, parenthesized};

/// Collects errors so that several mistakes come out of one compile.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(syn::Error::new(span, message));
    }

    pub(crate) fn into_tokens(self) -> Option<TokenStream> {
        self.0.map(|errors| errors.to_compile_error())
    }
}

/// The hooks, by the names of their traits.
pub(crate) const HOOKS: [&str; 10] =
    ["BeforeInit", "Init", "BeforeStart", "Start", "AfterStart", "Run", "BeforeStop", "Stop", "AfterStop", "Close"];

/// The provider forms, as their keys and their traits.
pub(crate) const FORMS: [(&str, &str); 3] =
    [("provider", "Provider"), ("none_param_provider", "NoneParamProvider"), ("named_provider", "NamedProvider")];

/// `#[goner(…)]`.
#[derive(Default)]
pub(crate) struct OnStruct {
    pub(crate) name: Option<LitStr>,
    pub(crate) offers: Vec<Type>,
    pub(crate) share: Option<Ident>,
    pub(crate) auto: Option<Ident>,
    pub(crate) hooks: Vec<Ident>,
    pub(crate) form: Option<Ident>,
    pub(crate) krate: Option<Path>,
}

const STRUCT_KEYS: [&str; 9] =
    ["name", "offers", "share", "auto", "hooks", "provider", "none_param_provider", "named_provider", "crate"];

impl OnStruct {
    pub(crate) fn read(attributes: &[Attribute], generic: bool, errors: &mut Errors) -> Self {
        let mut it = OnStruct::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("goner")) {
            if !matches!(attribute.meta, syn::Meta::List(_)) {
                errors.at(attribute.path().span(), "write what is meant in parentheses: `#[goner(name = \"…\")]`");
                continue;
            }
            let keys = attribute.parse_args_with(|input: ParseStream<'_>| {
                while !input.is_empty() {
                    if let Err(error) = it.key(input, generic, errors) {
                        errors.push(error);
                        // The rest of this attribute cannot be told apart any more.
                        input.parse::<TokenStream>()?;
                        return Ok(());
                    }
                    if !input.is_empty() {
                        input.parse::<Token![,]>()?;
                    }
                }
                Ok(())
            });
            if let Err(error) = keys {
                errors.push(error);
            }
        }
        it
    }

    fn key(&mut self, input: ParseStream<'_>, generic: bool, errors: &mut Errors) -> syn::Result<()> {
        let key = input.call(<Ident as syn::ext::IdentExt>::parse_any);
        let key = written(key, "expected a key, such as `name = \"…\"` or `offers(dyn Trait)`")?;
        match key.to_string().as_str() {
            "name" => {
                let name = input.parse::<Token![=]>().and_then(|_| input.parse::<LitStr>());
                let name = written(name, "write `name = \"…\"`")?;
                if self.name.replace(name).is_some() {
                    errors.at(key.span(), "a goner has one name");
                }
            }
            "offers" => {
                let types = written(list::<Type>(input), "write `offers(dyn Trait)`")?;
                for ty in types {
                    // What a `macro_rules` passed on as `$t:ty` comes in a group.
                    let mut ty = ty;
                    while let Type::Group(syn::TypeGroup { elem, .. }) | Type::Paren(syn::TypeParen { elem, .. }) = ty {
                        ty = *elem;
                    }
                    match ty {
                        Type::TraitObject(_) => self.offers.push(ty),
                        other => errors.at(other.span(), "offer a trait object: `offers(dyn Trait)`"),
                    }
                }
            }
            "share" => self.share = Some(key),
            "auto" => {
                if generic {
                    errors.at(key.span(), "a generic goner is not discovered: load it, and say of which types");
                }
                self.auto = Some(key);
            }
            "hooks" => {
                let hooks = written(list::<Ident>(input), "write `hooks(Init, Close)`")?;
                if !generic {
                    errors.at(key.span(), "only a generic goner lists its hooks: of this one they are found");
                }
                for hook in hooks {
                    match HOOKS.contains(&hook.to_string().as_str()) {
                        true => self.hooks.push(hook),
                        false => errors.at(hook.span(), unknown("hook", &hook.to_string(), &HOOKS)),
                    }
                }
            }
            form if FORMS.iter().any(|(key, _)| *key == form) => {
                if !generic {
                    errors.at(key.span(), "only a generic goner says that it is a provider: of this one it is found");
                }
                if self.form.replace(key.clone()).is_some() {
                    errors.at(key.span(), "a goner has one provider form");
                }
            }
            "crate" => {
                let path = input.parse::<Token![=]>().and_then(|_| Path::parse_mod_style(input));
                self.krate = Some(written(path, "write `crate = path::to::gone`")?);
            }
            other => return Err(syn::Error::new(key.span(), unknown("key", other, &STRUCT_KEYS))),
        }
        Ok(())
    }
}

/// A list in parentheses.
fn list<T: Parse>(input: ParseStream<'_>) -> syn::Result<Punctuated<T, Token![,]>> {
    let inside;
    parenthesized!(inside in input);
    Punctuated::parse_terminated(&inside)
}

/// Says how it is to be written, where it is not.
fn written<T>(parsed: syn::Result<T>, how: &str) -> syn::Result<T> {
    parsed.map_err(|error| syn::Error::new(error.span(), how))
}

/// The path of what the macros emit paths through.
pub(crate) fn private(krate: Option<&Path>) -> TokenStream {
    match krate {
        Some(path) => quote!(#path::__private),
        None => quote!(::gone::__private),
    }
}

/// What stands in `#[gone("name,extend", default = expr)]`.
#[derive(Default)]
pub(crate) struct OnField {
    pub(crate) text: String,
    /// What the field takes where there is nothing.
    pub(crate) default: Option<Expr>,
}

impl OnField {
    /// Whether it asks by name, and not by type.
    pub(crate) fn asks_by_name(&self) -> bool {
        !matches!(self.text.split(',').next(), Some("" | "*") | None)
    }
}

impl Parse for OnField {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const ONE_TEXT: &str =
            "a tag is one text, and perhaps `default = …`: write what belongs to the text inside the quotes";
        if !input.peek(LitStr) {
            return Err(input.error("expected a text: `#[gone(\"name,extend\")]`, or `#[gone]` to ask by type"));
        }
        let text: LitStr = input.parse()?;
        let mut tag = OnField { text: text.value(), default: None };
        if input.is_empty() {
            return Ok(tag);
        }
        let key = input.parse::<Token![,]>().and_then(|_| input.parse::<Ident>());
        let key = written(key, ONE_TEXT)?;
        if key != "default" {
            return Err(syn::Error::new(key.span(), unknown("key", &key.to_string(), &["default"])));
        }
        let default = input.parse::<Token![=]>().and_then(|_| input.parse::<Expr>());
        let default = written(default, "write `default = …`, with an expression of the field's type")?;
        if !tag.asks_by_name() {
            let how = "a default is for a field that asks by name, such as `#[gone(\"config,key\", default = …)]`";
            return Err(syn::Error::new(default.span(), how));
        }
        tag.default = Some(default);
        input.parse::<Option<Token![,]>>()?;
        if input.is_empty() { Ok(tag) } else { Err(input.error(ONE_TEXT)) }
    }
}

/// `#[gone]` or `#[gone("name,extend")]` on a field: none if the field is not a site.
pub(crate) fn tag(attributes: &[Attribute], errors: &mut Errors) -> Option<OnField> {
    let mut found = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("gone")) {
        let text = match &attribute.meta {
            syn::Meta::Path(_) => Ok(OnField::default()),
            syn::Meta::List(_) => attribute.parse_args::<OnField>(),
            syn::Meta::NameValue(it) => Err(syn::Error::new(
                it.eq_token.span(),
                "write `#[gone(\"name,extend\")]`, with the text in parentheses",
            )),
        };
        let text = text.unwrap_or_else(|error| {
            errors.push(error);
            OnField::default()
        });
        if found.replace(text).is_some() {
            errors.at(attribute.span(), "a field has one tag");
        }
    }
    found
}

/// `unknown key `nam`: did you mean `name`?`
pub(crate) fn unknown(what: &str, given: &str, known: &[&str]) -> String {
    let near = known.iter().min_by_key(|it| distance(given, it)).filter(|it| distance(given, it) <= 3);
    match near {
        Some(near) => format!("unknown {what} `{given}`: did you mean `{near}`?"),
        None => format!("unknown {what} `{given}`: expected one of {}", known.join(", ")),
    }
}

fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.bytes().enumerate() {
            let next = if ca == cb { diagonal } else { 1 + diagonal.min(row[j]).min(row[j + 1]) };
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}
