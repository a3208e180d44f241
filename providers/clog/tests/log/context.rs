use gone_clog::{Logger, TraceId, with_trace_id};
use tracing::instrument::WithSubscriber;

use crate::capture::{captured, json, logged};

// CLG-6
#[test]
fn namespaces_chain_below_the_root_to_any_depth() {
    let captured = logged(json(), |clog| {
        let root = clog.logger();
        let deep = root.namespace("a").namespace("b").namespace("c");
        deep.info("deep");
        root.info("root");
        assert_eq!(deep.path(), "app.a.b.c");
    });
    let objects = captured.objects();
    assert_eq!(objects[0].text("namespace"), "app.a.b.c");
    assert_eq!(objects[0].text("service"), "app");
    // The parent stays as it is.
    assert_eq!(objects[1].text("namespace"), "app");
    assert_eq!(objects[1].text("service"), "app");
}

#[test]
fn a_logger_of_its_own_root_names_that_root_as_the_service() {
    let captured = logged(json(), |_| Logger::root("im.gate").namespace("ws").namespace("").info("up"));
    assert_eq!(captured.object().text("namespace"), "im.gate.ws");
    assert_eq!(captured.object().text("service"), "im.gate");
}

// CLG-7
#[tokio::test]
async fn a_trace_id_is_on_every_line_inside_its_future() {
    let (clog, captured) = captured(json());
    let log = clog.logger();
    async {
        log.info("before");
        with_trace_id("4bf92f3577b34da6a3ce929d0e0e4736", async {
            log.info("inside");
            tokio::task::yield_now().await;
            log.namespace("store").info("after an await, below");
            tracing::info!("through a macro");
        })
        .await;
        log.info("after");
    }
    .with_subscriber(clog.subscriber())
    .await;
    let ids: Vec<_> = captured
        .objects()
        .iter()
        .map(|object| object.get("trace_id").map(|id| id.as_str().unwrap().to_owned()))
        .collect();
    let id = Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned());
    assert_eq!(ids, [None, id.clone(), id.clone(), id, None]);
    assert_eq!(captured.objects()[2].text("namespace"), "app.store");
}

// CLG-7
#[tokio::test]
async fn requests_at_the_same_time_keep_their_own_trace_ids() {
    let (clog, captured) = captured(json());
    let log = clog.logger();
    let request = |id: &'static str| {
        let log = log.clone();
        with_trace_id(id, async move {
            for _ in 0..10 {
                log.info(id);
                tokio::task::yield_now().await;
            }
        })
    };
    async { tokio::join!(request("one"), request("two")) }.with_subscriber(clog.subscriber()).await;
    let objects = captured.objects();
    assert_eq!(objects.len(), 20);
    assert!(objects.iter().all(|object| object.text("trace_id") == object.text("msg")));
    assert_eq!(objects[1].text("msg"), "two");
}

#[tokio::test]
async fn a_trace_id_of_a_span_goes_before_that_of_the_future() {
    let (clog, captured) = captured(json());
    let log = clog.logger();
    with_trace_id("of-the-future", async {
        let outer = tracing::info_span!("request", trace_id = %TraceId::from("of-the-span"), namespace = "app.web");
        outer.in_scope(|| {
            log.info("logger");
            tracing::info!("macro");
            tracing::info_span!("inner").in_scope(|| tracing::info!("inner"));
            tracing::info_span!("other", trace_id = "of-the-inner").in_scope(|| tracing::info!("other"));
            tracing::info!(trace_id = "of-the-line", "own");
        });
        tracing::info!("outside");
    })
    .with_subscriber(clog.subscriber())
    .await;
    let seen: Vec<_> = captured
        .objects()
        .iter()
        .map(|object| (object.text("trace_id").to_owned(), object.text("namespace").to_owned()))
        .collect();
    let expected = [
        ("of-the-span", "app"),
        ("of-the-span", "app.web"),
        ("of-the-span", "app.web"),
        ("of-the-inner", "app.web"),
        ("of-the-line", "app.web"),
        ("of-the-future", "app"),
    ];
    assert_eq!(seen, expected.map(|(id, namespace)| (id.to_owned(), namespace.to_owned())));
}

#[test]
fn a_trace_id_recorded_later_holds_for_spans_inside_too() {
    let captured = logged(json(), |_| {
        let outer = tracing::info_span!("request", trace_id = tracing::field::Empty);
        let inner = outer.in_scope(|| tracing::info_span!("inner"));
        outer.record("trace_id", "late");
        inner.in_scope(|| tracing::info!("line"));
    });
    assert_eq!(captured.object().text("trace_id"), "late");
}

#[test]
fn a_long_trace_id_is_cut() {
    let captured = logged(json(), |_| {
        let long = "x".repeat(5_000);
        tracing::info!(trace_id = long, "own");
        tracing::info_span!("s", trace_id = long).in_scope(|| tracing::info!("span"));
    });
    for object in captured.objects() {
        assert_eq!(object.text("trace_id"), "x".repeat(128));
    }
}
