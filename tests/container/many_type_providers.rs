//! Providers that answer for many types under one name.

use std::sync::Arc;

use gone::Code;
use gone::prelude::*;

use crate::{bare, problems};

#[derive(Goner)]
#[goner(name = "settings")]
pub(crate) struct Settings;
impl NamedProvider for Settings {
    fn accepts(target: &Target, tag: &Tag, _: &Sources) -> gone::Result<()> {
        match target.is_deserialize() {
            true if tag.extend() == "refused" => gone::bail!("I do not like it"),
            true => Ok(()),
            false => gone::bail!("not deserializable"),
        }
    }
    async fn provide(&self, tag: &Tag, request: Request<'_>) -> gone::Result<Given> {
        match tag.extend() {
            "absent" => request.absent(),
            "number" => request.give(5_u16),
            text => {
                let value: serde_json::Value = serde_json::from_str(text)?;
                request.deserialize(value)
            }
        }
    }
}

// container A-70
#[tokio::test]
async fn a_many_type_provider_fills_any_type_that_it_accepts() {
    #[derive(serde::Deserialize, Debug, PartialEq)]
    struct Limits {
        burst: u32,
    }
    #[derive(Goner)]
    struct Wants {
        #[gone("settings,8080")]
        port: u16,
        #[gone(r#"settings,["a","b"]"#)]
        tags: Vec<String>,
        #[gone(r#"settings,{"burst":100}"#)]
        limits: Limits,
        #[gone("settings,absent")]
        absent: Option<u16>,
        #[gone("settings,7")]
        present: Option<u16>,
        #[gone("settings,number")]
        given: u16,
    }
    let app = bare().load((Wants::goner(), Settings::goner())).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.port, it.absent, it.present, it.given), (8080, None, Some(7), 5));
    assert_eq!(it.tags, ["a", "b"]);
    assert_eq!(it.limits, Limits { burst: 100 });
    app.stop().await.unwrap();
}

// container A-71
#[tokio::test]
async fn a_many_type_provider_is_told_the_tag_the_field_and_its_type() {
    #[derive(Goner)]
    #[goner(name = "injector")]
    struct Injector;
    impl NamedProvider for Injector {
        async fn provide(&self, tag: &Tag, request: Request<'_>) -> gone::Result<Given> {
            let told = format!("{} | {} | {}", tag.text(), tag.asker(), request.target().name());
            request.give(told)
        }
    }
    #[derive(Goner)]
    struct Filled {
        #[gone("injector,some text")]
        field: String,
    }
    let app = bare().load((Injector::goner(), Filled::goner())).boot().await.unwrap();
    let filled = app.get::<Arc<Filled>>().unwrap();
    assert_eq!(filled.field, "injector,some text | Filled.field | String");
    app.stop().await.unwrap();
}

// container A-72
#[tokio::test]
async fn what_a_many_type_provider_cannot_answer_names_the_asker_and_the_field() {
    #[derive(Goner)]
    struct Absent {
        #[gone("settings,absent")]
        _port: u16,
    }
    let error = bare().load((Absent::goner(), Settings::goner())).boot().await.err().unwrap();
    assert_eq!((error.code(), error.asker().unwrap().to_string().as_str()), (Code::Missing, "Absent._port"));
    #[derive(Goner)]
    struct Wrong {
        #[gone("settings,number")]
        _port: String,
    }
    let error = bare().load((Wrong::goner(), Settings::goner())).boot().await.err().unwrap();
    assert_eq!(error.code(), Code::Mismatch);
    assert!(error.to_string().contains("`String`") && error.to_string().contains("`u16`"), "{error}");
    assert_eq!(error.asker().unwrap().field(), "_port");
}

#[test]
fn what_a_provider_refuses_is_a_problem_of_the_plan() {
    #[derive(Goner)]
    struct Wants {
        #[gone("settings,refused")]
        _a: u16,
        #[gone("settings,1")]
        _b: Arc<std::sync::Mutex<std::fs::File>>,
    }
    let error = bare().load((Wants::goner(), Settings::goner())).plan().err().unwrap();
    let messages: Vec<_> = error.report().unwrap().problems().iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`Settings` cannot give `u16`: I do not like it",
            "`Settings` cannot give `Arc<Mutex<File>>`: not deserializable"
        ]
    );
}

// container A-68
#[test]
fn a_many_type_provider_offers_nothing_by_type_and_needs_a_name() {
    #[derive(Goner)]
    struct Wants {
        #[gone]
        _port: u16,
    }
    assert_eq!(problems(bare().load((Wants::goner(), Settings::goner()))), ["gone::missing: nothing offers `u16`"]);
    #[derive(Goner)]
    struct Nameless;
    impl NamedProvider for Nameless {
        async fn provide(&self, _: &Tag, request: Request<'_>) -> gone::Result<Given> {
            request.absent()
        }
    }
    assert_eq!(problems(bare().load(Nameless::goner())), ["gone::load: `Nameless` provides by name, and has none"]);
}

// container A-69
#[tokio::test]
async fn a_many_type_provider_offers_by_type_what_it_is_the_default_for() {
    #[derive(Goner)]
    #[goner(name = "numbers")]
    struct Numbers;
    impl NamedProvider for Numbers {
        async fn provide(&self, tag: &Tag, request: Request<'_>) -> gone::Result<Given> {
            let length = tag.name().len() as u16;
            request.give(40 + length)
        }
    }
    #[derive(Goner)]
    struct Wants {
        #[gone]
        port: u16,
    }
    let app = bare().load((Wants::goner(), Numbers::goner().default_for::<u16>())).boot().await.unwrap();
    assert_eq!(app.get::<Arc<Wants>>().unwrap().port, 40, "the name is empty");
    app.stop().await.unwrap();
}

#[test]
fn two_defaults_by_type_are_a_duplicate_also_of_many_type_providers_in_whatever_order() {
    #[derive(Goner)]
    struct Numbers;
    impl NamedProvider for Numbers {
        async fn provide(&self, _: &Tag, request: Request<'_>) -> gone::Result<Given> {
            request.give(1_u16)
        }
    }
    let many = |name: &'static str| Numbers::goner().named(name).default_for::<u16>();
    let expected = ["gone::duplicate: `u16` has 2 defaults"];
    assert_eq!(problems(bare().load((many("a"), many("b")))), expected);
    assert_eq!(problems(bare().load((many("a"), value(1_u16).default()))), expected);
    assert_eq!(problems(bare().load((value(1_u16).default(), many("a")))), expected);
}
