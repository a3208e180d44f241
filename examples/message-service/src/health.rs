//! Whether the service is alive and ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use gone::Goner;
use gone::kit::{HealthIndicator, Status, check_all};
use serde::Serialize;

/// Where the process stands between start and stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Phase {
    /// Not yet ready for requests.
    Starting,
    /// Ready for requests.
    Ready,
    /// On its way out: new requests should go elsewhere.
    Draining,
}

/// The health of the service: a phase that only moves forward, and the indicators of whatever it is built on.
#[derive(Goner)]
pub struct Health {
    #[gone]
    indicators: Vec<Arc<dyn HealthIndicator>>,
    phase: AtomicU8,
}

/// What [`Health::report`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthReport {
    /// The phase.
    pub phase: Phase,
    /// One for each indicator, by name.
    pub checks: Vec<Check>,
}

/// What one indicator said. Why it is down is for the log, not for clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The indicator's name.
    pub name: String,
    /// Whether it succeeded in time.
    pub up: bool,
}

impl HealthReport {
    /// Whether requests are welcome: the phase is [`Phase::Ready`] and every indicator is up.
    pub fn is_ready(&self) -> bool {
        self.phase == Phase::Ready && self.checks.iter().all(|check| check.up)
    }
}

impl Health {
    /// The health of a service that is starting.
    pub fn new(indicators: Vec<Arc<dyn HealthIndicator>>) -> Self {
        Self { indicators, phase: AtomicU8::default() }
    }

    /// Enters a phase. An earlier one than the present is ignored: what drains does not become ready again.
    pub fn enter(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel);
    }

    /// The present phase.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    /// Asks all indicators at once. One that takes longer than its own time-out, or panics, is down.
    ///
    /// A dropped future cancels the checks under way.
    pub async fn report(&self) -> HealthReport {
        let checks = check_all(&self.indicators).await;
        let check = |entry: &gone::kit::HealthEntry| {
            let up = entry.status == Status::Up;
            if !up {
                tracing::warn!(indicator = entry.name, detail = entry.detail, "health check failed");
            }
            Check { name: entry.name.clone(), up }
        };
        HealthReport { checks: checks.entries().iter().map(check).collect(), phase: self.phase() }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    struct Fake(&'static str, gone::kit::Health);

    #[async_trait]
    impl HealthIndicator for Fake {
        fn name(&self) -> &str {
            self.0
        }
        async fn check(&self) -> gone::kit::Health {
            self.1.clone()
        }
    }

    #[tokio::test]
    async fn an_indicator_that_is_down_makes_the_service_unready_and_the_others_stay_up() {
        let up = Fake("up", gone::kit::Health::up());
        let down = Fake("down", gone::kit::Health::down("connection to db.internal refused"));
        let health = Health::new(vec![Arc::new(up), Arc::new(down)]);
        health.enter(Phase::Ready);
        let report = health.report().await;
        let found: Vec<_> = report.checks.iter().map(|it| (it.name.as_str(), it.up)).collect();
        assert_eq!(found, [("down", false), ("up", true)]);
        assert!(!report.is_ready());
    }

    #[tokio::test]
    async fn only_the_middle_phase_is_ready() {
        let health = Health::new(vec![Arc::new(Fake("up", gone::kit::Health::up()))]);
        assert!(!health.report().await.is_ready());
        health.enter(Phase::Ready);
        assert!(health.report().await.is_ready());
        health.enter(Phase::Draining);
        assert!(!health.report().await.is_ready());
    }

    #[test]
    fn a_draining_service_does_not_become_ready_again() {
        let health = Health::new(Vec::new());
        health.enter(Phase::Draining);
        health.enter(Phase::Ready);
        assert_eq!(health.phase(), Phase::Draining);
    }
}
