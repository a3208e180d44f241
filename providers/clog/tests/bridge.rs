//! Records of the `log` crate. One test, for it has one receiver in a process.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use gone_clog::{Clog, ClogConfig, Format, Installed};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A writer that logs, by the very crate that is bridged: its line must not come back for ever.
        log::error!("from inside of the writer");
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn records_of_the_log_crate_are_lines_with_their_own_place_and_levels() {
    let written = Captured::default();
    let mut config = ClogConfig::default();
    config.format = Format::Json;
    config.service = "app".to_owned();
    config.filter = Some("info,noisy=warn,app.quiet=error,app.bridge=debug".to_owned());
    let clog = Clog::with_writer(config, written.clone()).unwrap();
    assert_eq!(clog.install(), Installed::AsDefault);

    let first = line!() + 1;
    log::debug!("debug of this target");
    log::info!(target: "rustls::client", "by hand {}", 1);
    log::info!(target: "noisy::part", "hidden");
    log::debug!(target: "other", "hidden");
    log::warn!(target: "quiet", "hidden by its namespace");
    log::trace!("hidden");
    log::error!(target: "two words\n", "an odd target");
    assert!(log::log_enabled!(log::Level::Debug) && !log::log_enabled!(target: "noisy", log::Level::Info));

    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    // The log tells itself that it lost what its writer logged.
    let lines: Vec<_> = lines.filter(|line| line["namespace"] != "app.clog").collect();
    let of = |key: &str| lines.iter().map(|line| line[key].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(of("msg"), ["debug of this target", "by hand 1", "an odd target"]);
    assert_eq!(of("level"), ["debug", "info", "error"]);
    assert_eq!(of("namespace"), ["app.bridge", "app.rustls.client", "app.two words\n"]);
    assert_eq!(of("service"), ["app"; 3]);
    assert_eq!(of("caller"), [first, first + 1, first + 6].map(|line| format!("{}:{line}", file!())));
    assert!(lines.iter().all(|line| !line.to_string().contains("log.")), "{text}");
}
