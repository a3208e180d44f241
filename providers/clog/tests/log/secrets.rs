use gone_clog::{Level, Secret, Section, Value};

use crate::capture::{Captured, console, json, logged};

/// Says the same secret in every way that a line has.
fn say(clog: &gone_clog::Clog) {
    let log = clog.logger().with("db_password", "swordfish").with("nested", Value::json(&nested()));
    log.at(Level::Info).field("apiKey", "swordfish").field("list", vec![Value::json(&nested())]).write("logger");
    log.with("card", Secret::new("swordfish")).at(Level::Info).field("pin", Value::secret()).write("by type");
    let secret = Secret::new("swordfish");
    let _span = tracing::info_span!("s", refresh_token = "swordfish", cookie = Empty, of = %secret).entered();
    tracing::Span::current().record("cookie", "swordfish");
    tracing::info!(Authorization = "Bearer swordfish", secret = ?"swordfish", passwd = %"swordfish", "text");
    tracing::info!(
        token = 47_114_711,
        private_key = &b"swordfish"[..],
        jwt = &error() as &dyn std::error::Error,
        "others"
    );
    tracing::info!(%secret, of = ?secret, "by type");
    clog.logger().info("in a span");
}

use tracing::field::Empty;

fn nested() -> serde_json::Value {
    serde_json::json!({"user": "ann", "password": "swordfish", "deep": [{"client-secret": {"a": "swordfish"}}]})
}

fn error() -> std::io::Error {
    std::io::Error::other("swordfish")
}

fn check(captured: &Captured) {
    assert_eq!(captured.lines().len(), 6);
    let text = captured.text();
    assert!(!text.contains("swordfish") && !text.contains("47114711"), "{text}");
}

#[test]
fn a_secret_comes_into_no_line_by_key_or_by_type() {
    let captured = logged(json(), say);
    check(&captured);
    let objects = captured.objects();
    assert_eq!(objects[0].text("db_password"), "***");
    assert_eq!(objects[0].text("apiKey"), "***");
    assert_eq!(
        objects[0].get("nested"),
        Some(&serde_json::json!({"user": "ann", "password": "***", "deep": [{"client-secret": "***"}]}))
    );
    assert_eq!((objects[1].text("card"), objects[1].text("pin")), ("***", "***"));
    assert_eq!(
        (objects[2].text("refresh_token"), objects[2].text("cookie"), objects[2].text("of")),
        ("***", "***", "***")
    );
    check(&logged(console(), say));
}

#[test]
fn further_keys_are_hidden_for_loggers_spans_macros_and_within_json() {
    let mut config = json();
    config.redaction.keys = vec!["IBAN".to_owned(), "phone_number".to_owned()];
    let captured = logged(config, |clog| {
        let log = clog.logger().with("iban", "swordfish");
        log.at(Level::Info).field("user.iban", "swordfish").field("phoneNumber", 5).write("x");
        let _span = tracing::info_span!("s", iban = "swordfish").entered();
        tracing::info!(user.phone_number = "swordfish", "x");
        let account = serde_json::json!({"iban": "swordfish", "iban_country": "DE"});
        clog.logger().with("account", Value::json(&account)).info("x");
    });
    assert!(!captured.text().contains("swordfish"), "{}", captured.text());
    let objects = captured.objects();
    assert_eq!(objects[2].get("account"), Some(&serde_json::json!({"iban": "***", "iban_country": "DE"})));
    assert_eq!(objects[0].text("phoneNumber"), "***");
}

#[test]
fn a_further_key_without_a_letter_is_refused() {
    for key in ["", "_", "- ."] {
        let mut config = json();
        config.redaction.keys = vec!["iban".to_owned(), key.to_owned()];
        let error = config.validate().unwrap_err();
        assert_eq!(error.faults()[0].field(), Some("redaction"), "{key:?}");
    }
}

#[test]
fn other_layers_are_shown_no_secret_of_a_logger_either() {
    use tracing_subscriber::layer::SubscriberExt;
    let beside = Captured::default();
    let writer = beside.clone();
    let (clog, _) = crate::capture::captured(json());
    let fmt = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(clog.layer()).with(fmt), || {
        let log = clog.logger().with("password", "swordfish");
        log.at(Level::Info).field("token", "swordfish").field("n", 1).write("hello");
    });
    let text = beside.text();
    assert!(text.contains("password=*** token=*** n=1") && !text.contains("swordfish"), "{text}");
}
