use gone_clog::{Clog, Level, Value};
use tracing::field::Empty;
use tracing_subscriber::layer::SubscriberExt;

use crate::capture::{Captured, captured, console, json, logged};

fn keys_after_service(captured: &Captured) -> Vec<String> {
    captured.objects().iter().map(|object| object.keys()[6..].join(" ")).collect()
}

#[test]
fn the_fields_of_the_spans_around_a_line_follow_its_own_the_innermost_first() {
    let captured = logged(json(), |clog| {
        let outer = tracing::info_span!("request", method = "GET", user = 7, ratio = 0.5, ok = true, big = u128::MAX);
        let _outer = outer.enter();
        let inner = tracing::debug_span!("query", table = "orders", list = ?[1, 2]);
        let _inner = inner.enter();
        tracing::info!(rows = 3, "macro");
        clog.logger().with("bound", 1).at(Level::Info).field("own", 2).write("logger");
    });
    let spans = "table list method user ratio ok big";
    assert_eq!(keys_after_service(&captured), [format!("rows {spans}"), format!("bound own {spans}")]);
    for object in captured.objects() {
        assert_eq!(object.text("method"), "GET");
        assert_eq!(object.get("user"), Some(&7.into()));
        assert_eq!(object.get("ok"), Some(&true.into()));
        assert_eq!(object.text("list"), "[1, 2]");
    }
}

#[test]
fn a_field_of_the_line_hides_one_of_a_span_and_an_inner_span_one_of_an_outer() {
    let captured = logged(json(), |clog| {
        let _outer = tracing::info_span!("outer", a = "outer", b = "outer", c = "outer").entered();
        let _inner = tracing::info_span!("inner", b = "inner", c = "inner").entered();
        tracing::info!(c = "line", "macro");
        clog.logger().with("c", "bound").info("bound");
        clog.logger().with("c", "bound").at(Level::Info).field("c", "own").write("own");
    });
    let objects = captured.objects();
    assert_eq!(objects.len(), 3);
    for (object, c) in objects.iter().zip(["line", "bound", "own"]) {
        assert_eq!((object.text("a"), object.text("b"), object.text("c")), ("outer", "inner", c));
    }
}

#[test]
fn a_field_of_a_span_is_renamed_as_that_of_a_line_is() {
    let captured = logged(json(), |_| {
        let span = tracing::info_span!("s", level = 1, msg = 2, error = "e", message = "m", service = 3, time = 4);
        span.in_scope(|| tracing::info!(level = 5, "x"));
    });
    assert_eq!(keys_after_service(&captured), ["field.level field.msg field.error message field.service field.time"]);
    assert_eq!(captured.object().get("field.level"), Some(&5.into()));
}

#[test]
fn a_value_recorded_later_takes_the_place_of_the_one_before() {
    let captured = logged(json(), |_| {
        let span = tracing::info_span!("s", first = 1, later = Empty, last = 3);
        let _span = span.enter();
        tracing::info!("none");
        for step in 0..1_000 {
            span.record("later", step);
        }
        span.record("first", "text");
        tracing::info!("some");
    });
    assert_eq!(keys_after_service(&captured), ["first last", "first last later"]);
    let object = &captured.objects()[1];
    assert_eq!((object.text("first"), object.get("later")), ("text", Some(&999.into())));
}

#[test]
fn an_event_outside_of_every_span_or_under_one_that_it_names_has_the_fields_of_that_one() {
    let captured = logged(json(), |_| {
        let named = tracing::info_span!("named", of = "named");
        let _around = tracing::info_span!("around", of = "around").entered();
        tracing::info!(parent: &named, "named");
        tracing::info!(parent: None, "none");
    });
    assert_eq!(captured.objects()[0].text("of"), "named");
    assert_eq!(captured.objects()[1].get("of"), None);
}

#[test]
fn without_span_fields_only_trace_id_and_namespace_are_lent() {
    let mut config = json();
    config.span_fields = false;
    let captured = logged(config, |_| {
        let _span = tracing::info_span!("s", user = 7, trace_id = "t", namespace = "app.web").entered();
        tracing::info!("x");
    });
    let object = captured.object();
    assert_eq!((object.text("trace_id"), object.text("namespace"), object.get("user")), ("t", "app.web", None));
}

#[test]
fn on_a_console_the_fields_of_spans_stand_with_those_of_the_line() {
    let captured = logged(console(), |_| {
        tracing::info_span!("s", user = "ann b").in_scope(|| tracing::info!(rows = 3, "hello"));
    });
    assert!(captured.text().contains(r#"[app] hello rows=3 user="ann b" ("#), "{}", captured.text());
}

#[test]
fn two_logs_of_one_subscriber_write_the_fields_of_a_span_each_in_its_way() {
    let (first, as_json) = captured(json());
    let mut config = console();
    config.redaction.keys = vec!["user".to_owned()];
    let (second, as_text) = captured(config);
    let subscriber = tracing_subscriber::registry().with(first.layer()).with(second.layer());
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("s", user = "ann", step = Empty);
        span.record("step", 2);
        span.in_scope(|| tracing::info!("hello"));
    });
    assert_eq!(as_json.object().text("user"), "ann");
    assert!(as_text.text().contains("hello user=*** step=2 ("), "{}", as_text.text());
}

#[tokio::test]
async fn the_fields_of_a_span_hold_across_awaits_and_threads() {
    use tracing::Instrument;
    use tracing::instrument::WithSubscriber;
    let (clog, captured): (Clog, Captured) = captured(json());
    let work = |id: u64| {
        async move {
            for _ in 0..3 {
                tracing::info!(id, "step");
                tokio::task::yield_now().await;
            }
        }
        .instrument(tracing::info_span!("work", span = id))
    };
    async { tokio::join!(work(1), work(2)) }.with_subscriber(clog.subscriber()).await;
    let objects = captured.objects();
    assert_eq!(objects.len(), 6);
    assert!(objects.iter().all(|object| object.get("id") == object.get("span")));
}

#[test]
fn a_value_of_a_logger_that_is_the_same_key_as_the_callers_is_no_key_of_the_line_twice() {
    let captured = logged(json(), |clog| {
        let _span = tracing::info_span!("s", caller.line = 1, fields = 2, caller.file = "f").entered();
        clog.logger().with("caller.line", Value::from(3)).info("x");
    });
    let object = captured.object();
    assert_eq!((object.get("caller.line"), object.get("fields")), (Some(&3.into()), Some(&2.into())));
}
