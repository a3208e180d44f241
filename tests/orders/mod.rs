//! A goner with two loggers whose levels change while it runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gone::clog::Level;
use gone::config::Settings;
use gone::prelude::*;

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Goner)]
pub(crate) struct Orders {
    #[gone]
    log: Logger,
    #[gone("*,stock")]
    stock: Logger,
    #[gone]
    pub(crate) settings: Arc<Settings>,
}

impl Orders {
    /// Which lines come through: `oi`, `od` of the orders at info and debug, `sd` of the stock at debug.
    pub(crate) fn enabled(&self) -> String {
        let lines = [
            ("oi", self.log.enabled(Level::Info)),
            ("od", self.log.enabled(Level::Debug)),
            ("sd", self.stock.enabled(Level::Debug)),
        ];
        lines.into_iter().filter_map(|(line, enabled)| enabled.then_some(line)).collect::<Vec<_>>().join(" ")
    }

    /// How long it takes until exactly these come through.
    pub(crate) async fn until(&self, wanted: &str) -> Duration {
        let begun = Instant::now();
        while self.enabled() != wanted {
            assert!(begun.elapsed() < PATIENCE, "{:?} and not {wanted:?}", self.enabled());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        begun.elapsed()
    }

    /// Waits until a change of the config was refused.
    pub(crate) async fn refused(&self) {
        let begun = Instant::now();
        while self.settings.handle().status().refused == 0 {
            assert!(begun.elapsed() < PATIENCE, "what does not hold was not looked at");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
