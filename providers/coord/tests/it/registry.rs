//! Services in an application.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gone_config::ConfigSource;
use gone_coord::{Coord, CoordConfig, Registration, RegistrationStatus, ServiceInfo};
use gone_core::{AppBuilder, Goner, Start, Stop, source};
use gone_kit::{HealthIndicator, StatValue, StatsReader, check_all};
use gone_macros::Goner;
use tokio::time::Instant;

/// A server that registers itself.
#[derive(Goner)]
#[goner(crate = gone_core)]
struct Server {
    #[gone]
    coord: Coord,
    #[gone]
    indicators: Vec<Arc<dyn HealthIndicator>>,
    #[gone]
    readers: Vec<Arc<dyn StatsReader>>,
    registration: Mutex<Option<Registration>>,
    /// How it stood when the server was to stop, and how many a peer still found.
    at_stop: Mutex<Option<(RegistrationStatus, usize)>>,
}

const URL: &str = "memory:registry-in-an-application";

impl Start for Server {
    async fn start(&self) -> gone_core::Result<()> {
        let info = ServiceInfo::new("users", "users-1", "10.0.0.7", 9000);
        let registration = self.coord.registry().register(info, Duration::from_secs(10)).await?;
        *self.registration.lock().unwrap() = Some(registration);
        Ok(())
    }
}

impl Stop for Server {
    async fn stop(&self) -> gone_core::Result<()> {
        let peer = Coord::connect(&CoordConfig { url: URL.into(), ..CoordConfig::default() }).await?;
        let found = peer.registry().discover("users").await?.len();
        let status = self.registration.lock().unwrap().as_ref().map(Registration::status);
        *self.at_stop.lock().unwrap() = status.map(|status| (status, found));
        Ok(())
    }
}

// REG-13
#[tokio::test(start_paused = true)]
async fn what_is_registered_is_withdrawn_before_the_servers_stop() {
    let config = ConfigSource::hermetic().set("coord.url", URL).set("coord.registry.drain_delay", "2s");
    let modules = AppBuilder::new().fallback(gone_config::module).fallback(gone_coord::module);
    let app = modules.load((Server::goner(), source(config))).boot().await.unwrap();
    let server = app.get::<Arc<Server>>().unwrap();
    let stats = server.readers.iter().find(|reader| reader.name() == "coord").expect("it has figures").stats();
    let figure = |name| stats.iter().find(|stat| stat.name == name).map(|stat| stat.value);
    assert_eq!(figure("registrations"), Some(StatValue::Integer(1)));
    assert_eq!(figure("registrations_missing"), Some(StatValue::Integer(0)));
    let health = check_all(&server.indicators).await;
    assert!(!health.entries()[0].detail.contains("missing"), "{health:?}");
    let began = Instant::now();
    app.stop().await.unwrap();
    assert_eq!(*server.at_stop.lock().unwrap(), Some((RegistrationStatus::Ended, 0)));
    assert_eq!(began.elapsed(), Duration::from_secs(2), "peers had their time to hear of it");
}

#[test]
fn what_is_out_of_its_bounds_is_a_problem_of_the_plan() {
    let config =
        ConfigSource::hermetic().set("coord.registry.drain_delay", "2m").set("coord.registry.hold_empty", "11m");
    let modules = AppBuilder::new().fallback(gone_config::module).fallback(gone_coord::module);
    let error = modules.load((Server::goner(), source(config))).check().unwrap_err().to_string();
    for told in [
        "config key `coord.registry.drain_delay`: bad value `2m`",
        "expected 0ns to 60s",
        "config key `coord.registry.hold_empty`: bad value `11m`",
        "expected 0ns to 600s",
    ] {
        assert!(error.contains(told), "{told}: {error}");
    }
}
