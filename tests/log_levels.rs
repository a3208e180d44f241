//! The levels of the log follow the config. One test alone in its process: the first log becomes the process's default.

mod orders;

use std::sync::Arc;
use std::time::Duration;

use gone::config::ConfigSource;
use gone::prelude::*;
use tempfile::TempDir;

use crate::orders::Orders;

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
                orders.refused().await;
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
