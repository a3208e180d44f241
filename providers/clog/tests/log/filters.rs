use gone_clog::{Clog, ClogConfig, ClogError, Level};

use crate::capture::{json, logged};

fn messages(config: ClogConfig, work: impl FnOnce(&Clog)) -> Vec<String> {
    logged(config, work).objects().iter().map(|object| object.text("msg").to_owned()).collect()
}

fn filtered(filter: &str) -> ClogConfig {
    let mut config = json();
    config.filter = Some(filter.to_owned());
    config
}

#[test]
fn a_filter_sets_levels_for_all_for_targets_and_for_namespaces() {
    let seen = messages(filtered("warn,hyper=error,sqlx::query=trace,app.db=debug,mine"), |clog| {
        let log = clog.logger();
        log.info("hidden");
        log.warn("root");
        log.namespace("db").namespace("pool").debug("db");
        log.namespace("db").trace("hidden");
        log.namespace("dbx").debug("hidden");
        tracing::info!("hidden");
        tracing::warn!(target: "hyper::client", "hidden");
        // By how the target begins, as elsewhere.
        tracing::warn!(target: "hyper_util", "hidden");
        tracing::error!(target: "hyper", "hyper");
        tracing::trace!(target: "sqlx::query::slow", "query");
        tracing::debug!(target: "sqlx::pool", "hidden");
        tracing::trace!(target: "mine::all", "mine");
    });
    assert_eq!(seen, ["root", "db", "hyper", "query", "mine"]);
}

#[test]
fn a_filter_goes_before_levels_and_level_and_the_longer_key_before_the_shorter() {
    let mut config = filtered("info,app.a=warn,app.b.c=error");
    config.level = Level::Error;
    config.levels =
        [("app.a", Level::Trace), ("app.b", Level::Debug), ("app.b.c", Level::Trace), ("app.a.long", Level::Debug)]
            .map(|(key, level)| (key.to_owned(), level))
            .into();
    let seen = messages(config, |clog| {
        let log = clog.logger();
        log.info("the filter's level, not the level");
        log.namespace("a").info("hidden");
        log.namespace("a").namespace("long").debug("the longer key");
        log.namespace("b").debug("of levels");
        log.namespace("b").namespace("c").warn("hidden");
    });
    assert_eq!(seen, ["the filter's level, not the level", "the longer key", "of levels"]);
}

#[test]
fn off_leaves_only_fatal_lines() {
    let seen = messages(filtered("off"), |clog| {
        clog.logger().error("hidden");
        tracing::error!("hidden");
        clog.logger().fatal("the end");
    });
    assert_eq!(seen, ["the end"]);
}

#[test]
fn a_trace_line_is_written_where_trace_is_on() {
    let captured = logged(filtered("trace"), |clog| {
        clog.logger().trace("logger");
        tracing::trace!("macro");
    });
    assert!(captured.objects().iter().all(|object| object.text("level") == "trace"));
    assert_eq!(captured.objects().len(), 2);
}

#[test]
fn a_bad_filter_opens_no_log_and_says_what_is_meant() {
    let error = Clog::with_writer(filtered("info,hyper=wran"), std::io::sink()).unwrap_err();
    assert!(matches!(&error, ClogError::Config(error) if error.faults()[0].field() == Some("filter")));
    assert_eq!(
        error.to_string(),
        "`filter`: it has a directive that is none, \"hyper=wran\": unknown level \"wran\", did you mean `warn`? \
         Allowed: `trace`, `debug`, `info`, `warn`, `error`, `fatal`, `off`"
    );
}

#[test]
fn a_target_that_was_given_by_hand_is_a_namespace_under_the_service() {
    let captured = logged(json(), |_| {
        tracing::info!(target: "audit", "x");
        tracing::info!(target: "sqlx::query", "x");
        tracing::info!(target: "gone_db", "x");
        tracing::info!(target: "gone_core::app", "x");
        tracing::info!("its own module");
    });
    let namespaces: Vec<_> = captured.objects().iter().map(|object| object.text("namespace").to_owned()).collect();
    assert_eq!(namespaces, ["app.audit", "app.sqlx.query", "app.db", "app.core", "app"]);
}

#[test]
fn a_verbose_target_leaves_the_callsites_of_others_off_until_a_span_may_name_it() {
    let captured = logged(filtered("info,mine=trace,app.audit=debug"), |_| {
        // The same callsite each time: what it was told once must not stay.
        let line = || tracing::debug!("of no target that is named");
        let is_on = || tracing::enabled!(target: "other::part", tracing::Level::TRACE);
        line();
        assert!(!is_on());
        assert!(tracing::enabled!(target: "mine::part", tracing::Level::TRACE));
        assert!(tracing::enabled!(target: "audit", tracing::Level::DEBUG));
        assert!(!tracing::enabled!(target: "audit", tracing::Level::TRACE));
        tracing::info_span!("elsewhere").in_scope(line);
        tracing::info_span!("audited", namespace = "app.audit").in_scope(line);
        assert!(is_on());
        line();
    });
    assert_eq!(captured.object().text("namespace"), "app.audit");
}
