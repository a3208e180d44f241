use std::fs;
use std::time::Duration;

use gone_clog::{Clog, ClogError, Colour, Output};

use crate::capture::{Object, console, json, logged};

#[test]
fn a_file_is_opened_with_its_folders_and_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/today/app.log");
    let mut config = json();
    config.output = Output::File(path.clone());
    for message in ["first run", "second run"] {
        let clog = Clog::open(config.clone()).unwrap();
        tracing::subscriber::with_default(clog.subscriber(), || clog.logger().info(message));
        assert_eq!(clog.close(Duration::from_secs(5)).written, 1);
    }
    let text = fs::read_to_string(path).unwrap();
    let messages: Vec<_> = text.lines().map(|line| Object::read(line).text("msg").to_owned()).collect();
    assert_eq!(messages, ["first run", "second run"]);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = json();
    config.output = Output::File(folder.path().to_owned());
    match Clog::open(config) {
        Err(error @ ClogError::Open { .. }) => {
            assert_eq!(error.to_string(), format!("cannot open the log file {}", folder.path().display()));
            assert!(std::error::Error::source(&error).is_some());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_configuration_that_does_not_validate_opens_no_log() {
    let mut config = json();
    config.service = "two words".to_owned();
    let error = Clog::open(config).unwrap_err();
    assert!(matches!(&error, ClogError::Config(error) if error.faults()[0].field() == Some("service")), "{error}");
}

#[test]
fn without_a_service_the_program_gives_its_name() {
    let mut config = json();
    config.service = String::new();
    let captured = logged(config, |clog| clog.logger().info("hello"));
    let program = std::env::current_exe().unwrap();
    assert_eq!(captured.object().text("service"), program.file_stem().unwrap().to_str().unwrap());
}

#[test]
fn colour_is_on_the_level_of_a_console_line_and_never_in_json() {
    for (colour, expected) in [(Colour::Always, true), (Colour::Never, false), (Colour::Auto, false)] {
        let mut config = console();
        config.colour = colour;
        let captured = logged(config, |clog| clog.logger().warn("hello"));
        assert_eq!(captured.text().contains("\u{1b}[33mWARN \u{1b}[0m"), expected, "{colour}");
        assert_eq!(captured.text().contains('\u{1b}'), expected, "{colour}");

        let mut config = json();
        config.colour = colour;
        let captured = logged(config, |clog| clog.logger().warn("hello"));
        assert!(!captured.text().contains('\u{1b}'), "{colour}");
    }
}

#[test]
fn a_closed_log_counts_what_it_loses() {
    let (clog, captured) = crate::capture::captured(json());
    tracing::subscriber::with_default(clog.subscriber(), || {
        clog.logger().info("kept");
        let report = clog.flush(Duration::from_secs(5));
        assert_eq!((report.written, report.lost), (1, 0));
        let report = clog.close(Duration::from_secs(5));
        assert_eq!((report.written, report.lost), (1, 0));
        clog.logger().info("too late");
    });
    let report = clog.close(Duration::from_secs(5));
    assert_eq!((report.written, report.lost), (1, 1));
    assert_eq!(captured.object().text("msg"), "kept");
}
