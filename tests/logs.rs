//! The log as a part of an application. One test alone in its process: the first log becomes the process's default.

use std::sync::Arc;

use gone::config::ConfigSource;
use gone::prelude::*;

#[derive(Goner)]
struct OrderService {
    #[gone]
    log: Logger,
    #[gone("*,orders.import")]
    import: Logger,
}

impl Init for OrderService {
    async fn init(&mut self) -> gone::Result<()> {
        self.log.info("in init");
        self.import.warn("named");
        tracing::info!(rows = 3, "of tracing");
        Ok(())
    }
}

#[test]
fn loggers_have_the_namespace_of_their_goner_and_all_lines_reach_the_configured_file() {
    let folder = std::env::temp_dir().join(format!("gone-logs-{}", std::process::id()));
    let file = folder.join("app.log");
    let config = ConfigSource::new()
        .folder(&folder)
        .environment([("GONE_CLOG__FORMAT", "json"), ("GONE_CLOG__SERVICE", "shop")])
        .set("clog.output", file.to_str().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime
        .block_on(Gone::load(OrderService::goner()).load(source(config)).run(
            async |log: Logger, it: Arc<OrderService>| {
                log.info(format_args!("running {}", it.log.path()));
                Ok(())
            },
        ))
        .unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find =
        |message: &str| lines.iter().find(|it| it["msg"] == message).unwrap_or_else(|| panic!("{message} in {text}"));
    assert_eq!(find("in init")["namespace"], "shop.order_service");
    assert_eq!(find("in init")["service"], "shop");
    assert!(find("in init")["caller"].as_str().unwrap().starts_with("tests/logs.rs:"), "{text}");
    assert_eq!(find("named")["namespace"], "shop.orders.import");
    assert_eq!(find("named")["level"], "warn");
    assert_eq!(find("of tracing")["namespace"], "shop");
    assert_eq!(find("of tracing")["rows"], 3);
    assert_eq!(find("running shop.order_service")["namespace"], "shop");
    let ready = lines.iter().position(|it| it["msg"].as_str().unwrap().starts_with("ready in ")).unwrap();
    assert_eq!(lines[ready]["namespace"], "shop.gone");
    assert!(lines[0]["msg"] == "in init" && ready > 0, "the log is there before any other goner is built: {text}");
    assert!(lines.last().unwrap()["msg"].as_str().unwrap().starts_with("stopped in "), "{text}");
    std::fs::remove_dir_all(folder).unwrap();
}
