//! Transports that log through the `log` crate, whose records have no callsite of their own. One test, for it has one receiver in a
//! process.

use gone_clog::{Clog, ClogConfig, Output};

#[test]
fn records_of_transports_are_warnings_alone_in_development() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let mut config = ClogConfig::default();
    config.output = Output::File(path.clone());
    config.filter = Some(String::new());
    Clog::open(config).unwrap().install();
    log::debug!(target: "rustls::client::hs", "a handshake");
    log::warn!(target: "rustls::client::hs", "an odd handshake");
    log::debug!(target: "rustls_platform_verifier", "of another crate");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(!text.contains("a handshake"), "{text}");
    assert!(text.contains("an odd handshake") && text.contains("of another crate"), "{text}");
}
