//! A log in a process whose subscriber is somebody else's. One test, for there is one such subscriber in a process.

mod captured;

use gone_clog::{Clog, ClogConfig, Format, Installed, Level, Logger};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};

use crate::captured::Captured;

#[test]
fn a_subscriber_that_is_there_stays_and_gets_the_lines_of_loggers() {
    // The user's own: a fmt layer at warn, and a log's layer at info beside it.
    let (theirs, beside) = (Captured::default(), Captured::default());
    let mut config = ClogConfig::default();
    config.format = Format::Json;
    config.service = "app".to_owned();
    config.filter = Some("info,noisy=off".to_owned());
    let layer = Clog::with_writer(config.clone(), beside.clone()).unwrap();
    let writer = theirs.clone();
    let fmt = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .with_filter(LevelFilter::WARN);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(fmt).with(layer.layer())).unwrap();
    tracing_log::LogTracer::init().unwrap();

    let ours = Captured::default();
    let clog = Clog::with_writer(config, ours.clone()).unwrap();
    assert_eq!(clog.install(), Installed::Joined);

    let log: Logger = clog.logger().namespace("db").with("rows", 3);
    log.info("at info");
    log.at(Level::Warn).field("more", "two words").write("at warn");
    log.debug("hidden from both");
    assert_eq!(ours.take(), "", "what is logged goes to the subscriber that is there");
    let text = theirs.take();
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in [" WARN ", "at warn", "namespace=\"app.db\"", "rows=3", "more=\"two words\"", "caller.line="] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let text = beside.take();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains(r#""namespace":"app.db","service":"app","rows":3,"more":"two words"}"#), "{text}");
    assert!(log.enabled(Level::Info));

    // The records of the `log` crate, which the user has bridged himself.
    log::info!(target: "rustls::client", "a record");
    log::error!(target: "noisy", "hidden");
    log::debug!("hidden");
    let text = beside.take();
    let line = line!() - 4;
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(&format!(r#""caller":"{}:{line}","namespace":"app.rustls.client""#, file!())), "{text}");
    // Theirs is at warn, and knows nothing of what the log's layer leaves out.
    assert!(theirs.take().contains("noisy"));
}
