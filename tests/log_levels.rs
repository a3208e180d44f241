//! The levels of the log follow the config. One test alone in its process: the first log becomes the process's default.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gone::config::{ConfigSource, Settings};
use gone::prelude::*;
use tempfile::TempDir;

#[derive(Goner)]
struct Orders {
    #[gone]
    log: Logger,
    #[gone("*,stock")]
    stock: Logger,
    #[gone]
    settings: Arc<Settings>,
}

impl Orders {
    /// Which of the lines come through: `oid` of the orders, `sd` of the stock.
    fn enabled(&self) -> String {
        let level = |log: &Logger, level| log.enabled(level);
        [
            ("oi", level(&self.log, gone::clog::Level::Info)),
            ("od", level(&self.log, gone::clog::Level::Debug)),
            ("sd", level(&self.stock, gone::clog::Level::Debug)),
        ]
        .into_iter()
        .filter_map(|(name, enabled)| enabled.then_some(name))
        .collect::<Vec<_>>()
        .join(" ")
    }

    /// How long it takes until these come through.
    async fn until(&self, wanted: &str) -> Duration {
        let begun = Instant::now();
        while self.enabled() != wanted {
            assert!(begun.elapsed() < Duration::from_secs(5), "{} and not {wanted}", self.enabled());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }
}

#[test]
fn the_levels_of_namespaces_follow_the_file_within_a_second_and_what_does_not_hold_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let write = |text: &str| {
        let text = format!("[clog]\noutput = 'app.log'\nformat = 'json'\nservice = 'shop'\n{text}");
        std::fs::write(folder.path().join("gone.toml"), text).unwrap();
    };
    write("level = 'warn'\n");
    let config = ConfigSource::new()
        .folder(folder.path())
        .environment(std::iter::empty::<(&str, &str)>())
        .set("clog.output", folder.path().join("app.log"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let ran = runtime.block_on(Gone::load(Orders::goner()).load(source(config)).run(async |orders: Arc<Orders>| {
        assert_eq!(orders.enabled(), "");
        tracing::debug!("too early");
        let steps = [
            ("level = 'info'\n", "oi"),
            ("level = 'warn'\n[clog.levels]\n'shop.stock' = 'debug'\n", "sd"),
            // A level that is none: refused as a whole, also the other change.
            ("level = 'debg'\nfilter = 'debug'\n", "sd"),
            ("level = 'debug'\n", "oi od sd"),
        ];
        let mut longest = Duration::ZERO;
        for (text, wanted) in steps {
            let version = orders.settings.handle().version();
            write(text);
            longest = longest.max(orders.until(wanted).await);
            if text.contains("debg") {
                let begun = Instant::now();
                while orders.settings.handle().status().refused == 0 {
                    assert!(begun.elapsed() < Duration::from_secs(5), "the bad file was not looked at");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                assert_eq!(orders.settings.handle().version(), version);
                assert_eq!(orders.enabled(), wanted);
            }
        }
        println!("the longest change took {longest:?}");
        tracing::debug!("now");
        // Without files: at once.
        orders.settings.handle().set("clog.level", "error")?;
        orders.until("").await;
        let error = orders.settings.handle().set("clog.levels", "shop").unwrap_err();
        assert!(error.to_string().contains("clog.levels"), "{error}");
        Ok(())
    }));
    ran.unwrap();
    let text = std::fs::read_to_string(folder.path().join("app.log")).unwrap();
    assert!(!text.contains("too early") && text.contains("\"now\""), "{text}");
    assert!(text.contains("unknown log level \\\"debg\\\""), "the refusal is told: {text}");
}
