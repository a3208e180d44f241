//! How messages are written; what each kind says stands on its page in `docs/errors`.

use std::sync::Arc;

use gone::MessageKind;
use gone::prelude::*;

use crate::bare;

trait Store: Send + Sync {}

mod other {
    use gone::prelude::*;

    pub(super) trait Store: Send + Sync {}

    #[derive(Goner)]
    #[goner(offers(dyn Store))]
    pub(super) struct Elsewhere;
    impl Store for Elsewhere {}
}

#[derive(Goner)]
struct Wants {
    #[gone]
    _store: Arc<dyn Store>,
}

#[test]
fn two_types_of_one_short_name_are_told_apart() {
    let error = bare().load((Wants::goner(), other::Elsewhere::goner())).check().unwrap_err();
    let text = error.to_string().replace("\n           ", " ");
    let legend = "these are all called `Arc<dyn Store>`: `Arc<dyn container::messages::Store>` is wanted, \
                  `Arc<dyn container::messages::other::Store>` is at tests/container/messages.rs:";
    assert!(text.contains(legend), "{text}");
}

#[test]
fn the_field_is_marked_in_the_users_own_source_and_with_colour_where_that_is_wanted() {
    let error = bare().load(Wants::goner()).check().unwrap_err();
    let plain = error.render().to_string();
    let line = line_of(|asker| asker.goner() == "Wants", &error);
    let snippet = format!("{line} |     _store: Arc<dyn Store>,\n");
    assert!(plain.contains(&snippet) && plain.contains(" ^^^^^^^^^^^^^^ `Wants._store` asks for it"), "{plain}");
    assert!(!plain.contains('\x1b'));
    assert_eq!(plain, format!("{error:?}"));
    assert_eq!(plain, error.to_string());
    let colored = error.render().color(true).to_string();
    assert!(colored.contains("\x1b["), "{colored}");
    let bare_text = error.render().sources(false).to_string();
    assert!(bare_text.contains(&format!("--> tests/container/messages.rs:{line}:13\n")), "{bare_text}");
    assert!(!bare_text.contains("_store: Arc"), "{bare_text}");
}

fn line_of(who: impl Fn(&gone::Asker) -> bool, error: &gone::Error) -> u32 {
    let mut askers = error.report().unwrap().problems().iter().filter_map(|problem| problem.asker.as_ref());
    askers.find(|asker| who(asker)).and_then(gone::Asker::at).unwrap().line()
}

#[test]
fn a_report_is_data_too() {
    let error = bare().load(Wants::goner()).check().unwrap_err();
    let json: serde_json::Value = serde_json::from_str(&error.report().unwrap().to_json()).unwrap();
    let problem = &json[0];
    assert_eq!(problem["code"], "gone::missing");
    assert_eq!((&problem["kind"], &problem["page"]), (&"G0001".into(), &"docs/errors/G0001.md".into()));
    assert_eq!(problem["wanted"]["type"], "Arc<dyn Store>");
    assert_eq!(problem["asker"]["field"], "_store");
    assert_eq!(problem["asker"]["at"]["file"], "tests/container/messages.rs");
    assert_eq!(error.report().unwrap().problems()[0].kind, MessageKind::MissingType);
}

#[derive(Goner)]
struct Both {
    #[gone]
    _one: Arc<Both>,
    #[gone("spars")]
    _typo: Option<Arc<Spare>>,
    #[gone("spar")]
    _missing: Arc<Spare>,
    #[gone]
    _two: Arc<Spare>,
    #[gone]
    _nested: Vec<Option<Arc<Spare>>>,
    #[gone]
    #[allow(clippy::type_complexity, reason = "it is long on purpose")]
    _long: Arc<Repository<Repository<Repository<Repository<Repository<Repository<Repository<Spare>>>>>>>>,
}

#[derive(Goner)]
struct Spare;

struct Repository<T>(std::marker::PhantomData<fn() -> T>);

#[test]
fn a_report_is_the_same_bytes_over_a_hundred_orders_of_loading_and_no_line_is_too_long() {
    let parts: [fn(&mut Loader); 7] = [
        |it| _ = it.load(Both::goner()),
        |it| _ = it.load(Wants::goner()),
        |it| _ = it.load(other::Elsewhere::goner()),
        |it| _ = it.load(Spare::goner().named("spare")),
        |it| _ = it.load(Spare::goner()),
        |it| _ = it.load(value(1_u8).named("spare")),
        |it| _ = it.load(Spare::goner().named("sparse").only_for_name()),
    ];
    let mut dice = 0x5eed_u64;
    println!("seed {dice}");
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let report = |order: &[usize]| {
        let builder = order.iter().fold(bare(), |builder, part| builder.load(parts[*part]));
        builder.check().unwrap_err().to_string()
    };
    let expected = report(&order);
    for code in ["duplicate", "missing", "ambiguous", "mismatch", "cycle"] {
        assert!(expected.contains(&format!("error[gone::{code}]")), "no {code} in:\n{expected}");
    }
    let long = expected.lines().find(|line| line.chars().count() >= 100);
    assert_eq!(long, None);
    for _ in 0..100 {
        for at in (1..order.len()).rev() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(at, (dice >> 33) as usize % (at + 1));
        }
        assert_eq!(report(&order), expected, "{order:?}");
    }
}

#[test]
fn a_name_that_nothing_has_in_an_option_is_a_warning_where_one_is_close_to_it() {
    #[derive(Goner)]
    struct Careless {
        #[gone("spars")]
        _typo: Option<Arc<Spare>>,
        #[gone("nowhere-near")]
        _absent: Option<Arc<Spare>>,
    }
    let builder = || bare().load((Careless::goner().early(), Spare::goner().named("spare")));
    let plan = builder().plan().unwrap();
    let near: Vec<_> = plan.warnings().iter().filter(|it| it.kind == MessageKind::NearName).collect();
    let [warning] = near.as_slice() else { panic!("{near:?}") };
    assert_eq!(warning.message, "nothing is named `spars`, so this stays empty");
    assert_eq!(warning.asker.as_ref().unwrap().field(), "_typo");
    assert_eq!(warning.help, ["did you mean `spare`?"]);
    let denied = builder().options(|options| options.deny_warnings = true).check().unwrap_err();
    assert!(denied.to_string().contains("so this stays empty"), "{denied}");
}
