//! What a line allocates once the thread has logged one: nothing.

use allocation_counter::measure;
use gone_clog::{Clog, ClogConfig, Format, Level, Section, TraceId, with_trace_id};

fn each_is_free(what: &str, line: impl Fn()) {
    // The first line makes buffers, and its callsite is worked out.
    (0..3).for_each(|_| line());
    let allocated = measure(|| (0..100).for_each(|_| line())).count_total;
    assert_eq!(allocated, 0, "{what}");
}

#[test]
fn a_line_allocates_nothing() {
    for (format, levels) in
        [(Format::Json, &[][..]), (Format::Json, &[("orders.db", Level::Debug)]), (Format::Console, &[])]
    {
        let mut config = ClogConfig::for_profile("production").unwrap();
        config.format = format;
        config.service = "orders".to_owned();
        config.filter = Some(String::new());
        config.levels = levels.iter().map(|(key, level)| ((*key).to_owned(), *level)).collect();
        let clog = Clog::with_writer(config, std::io::sink()).unwrap();
        let log = clog.logger().namespace("store");
        let bound = log.with("shard", 3).with("zone", "a long text that is bound to the logger once");
        tracing::subscriber::with_default(clog.subscriber(), || {
            let all = |place: &str| {
                each_is_free(&format!("{format}, a macro {place}"), || {
                    tracing::info!(user = 7, ratio = 0.5, ok = true, who = "ann", list = ?[1, 2], at = %"there", "order {} saved", 7);
                });
                each_is_free(&format!("{format}, a logger {place}"), || log.info("order saved"));
                each_is_free(&format!("{format}, a logger with fields {place}"), || {
                    bound.warn(format_args!("order {} saved", 7))
                });
                each_is_free(&format!("{format}, a line with fields {place}"), || {
                    bound.at(Level::Info).field("user", 7).field("who", "ann").field("ratio", 0.5).write("order saved");
                });
                each_is_free(&format!("{format}, below the level {place}"), || {
                    log.debug("hidden");
                    log.at(Level::Debug).field("who", "ann").write("hidden");
                    tracing::debug!(user = 7, "hidden");
                });
            };
            all("outside");
            let request =
                tracing::info_span!("request", trace_id = %TraceId::random(), method = "GET", path = "/orders");
            let query = request.in_scope(|| tracing::info_span!("query", table = "orders", namespace = "orders.db"));
            request.in_scope(|| query.in_scope(|| all("in spans")));
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(with_trace_id(TraceId::random(), async { all("in a traced future") }));
        });
        assert_eq!(clog.lines().lost, 0);
    }
}
