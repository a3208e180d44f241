//! What gives way to what the program loads itself.

use std::sync::Arc;

use gone::prelude::*;

use crate::many_type_providers::Settings;
use crate::{bare, problems};

#[tokio::test]
async fn a_fallback_gives_way_to_what_the_program_loads_in_its_place() {
    fn defaults(loader: &mut Loader) {
        loader.load((value(1_u8), provide(|| async { Ok(String::from("fallback")) }), Settings::goner()));
    }
    #[derive(Goner)]
    struct Wants {
        #[gone]
        number: u8,
        #[gone]
        text: String,
        #[gone("settings,3")]
        setting: u8,
    }
    let app = bare().fallback(defaults).load(Wants::goner()).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.number, it.text.as_str(), it.setting), (1, "fallback", 3));
    app.stop().await.unwrap();

    #[derive(Goner)]
    #[goner(name = "settings")]
    struct Own;
    impl NamedProvider for Own {
        async fn provide(&self, _: &Tag, request: Request<'_>) -> gone::Result<Given> {
            request.give(9_u8)
        }
    }
    let own = (value(2_u8), provide(|| async { Ok(String::from("own")) }), Own::goner(), Wants::goner());
    let app = bare().fallback(defaults).load(own).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.number, it.text.as_str(), it.setting), (2, "own", 9));
    app.stop().await.unwrap();
}

#[tokio::test]
async fn one_fallback_does_not_stand_in_for_another_and_loading_a_fallback_module_makes_it_ones_own() {
    fn defaults(loader: &mut Loader) {
        loader.load((value(1_u8).named("a"), value(2_u8).named("b")));
    }
    let app = bare().fallback(defaults).boot().await.unwrap();
    assert_eq!((app.get_named::<u8>("a").unwrap(), app.get_named::<u8>("b").unwrap()), (1, 2));
    app.stop().await.unwrap();
    fn one(loader: &mut Loader) {
        loader.load(provide(|| async { Ok(1_u8) }));
    }
    let own = provide(|| async { Ok(2_u8) });
    assert_eq!(problems(bare().fallback(one).load(own)), [""; 0]);
    let own = provide(|| async { Ok(2_u8) });
    assert_eq!(problems(bare().fallback(one).load((one, own))), ["gone::duplicate: `u8` has 2 providers"]);
}
