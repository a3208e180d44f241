use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{from_text, get, toml, value, variables, why_not};

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Limits {
    rate: u32,
    burst: Option<u32>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    ReadOnly,
    Weighted(u8),
    Range { low: i32, high: i32 },
}

#[derive(Debug, PartialEq, Deserialize)]
struct Port(u16);

// container A-94
#[test]
fn a_key_that_is_present_is_parsed_into_the_wanted_type() {
    let settings =
        variables([("GONE_NAME", "gone"), ("GONE_PORT", "8080"), ("GONE_LIMITS", r#"{"rate": 5, "burst": null}"#)]);
    assert_eq!(value::<String>(&settings, "name"), "gone");
    assert_eq!(value::<i64>(&settings, "port"), 8080);
    let limits = Limits { rate: 5, burst: None };
    assert_eq!(value::<Limits>(&settings, "limits"), limits);
}

// container A-94
#[test]
fn a_pointer_type_gets_a_pointer_to_the_value() {
    assert_eq!(*from_text::<Box<u16>>("8080").expect("sound"), 8080);
    assert_eq!(from_text::<Option<u16>>("8080").expect("sound"), Some(8080));
}

fn extremes<T: DeserializeOwned + PartialEq + Debug>(cases: [(&str, T); 2], beyond: [&str; 2]) {
    for (text, wanted) in cases {
        assert_eq!(from_text::<T>(text).expect(text), wanted);
    }
    let type_name = std::any::type_name::<T>();
    let low = why_not::<T>(beyond[0]);
    assert!(low == "it is too small" || low == "it is negative", "{type_name}: {low}");
    assert_eq!(why_not::<T>(beyond[1]), "it is too large", "{type_name}");
}

// container A-98
#[test]
fn integers_of_every_width_are_parsed_to_their_ends_and_refused_beyond() {
    extremes([("-128", i8::MIN), ("127", i8::MAX)], ["-129", "128"]);
    extremes([("-32768", i16::MIN), ("32767", i16::MAX)], ["-32769", "32768"]);
    extremes([("-2147483648", i32::MIN), ("2147483647", i32::MAX)], ["-2147483649", "2147483648"]);
    extremes(
        [("-9223372036854775808", i64::MIN), ("9223372036854775807", i64::MAX)],
        ["-9223372036854775809", "9223372036854775808"],
    );
    extremes(
        [
            ("-170141183460469231731687303715884105728", i128::MIN),
            ("170141183460469231731687303715884105727", i128::MAX),
        ],
        ["-170141183460469231731687303715884105729", "170141183460469231731687303715884105728"],
    );
    extremes([("0", u8::MIN), ("255", u8::MAX)], ["-1", "256"]);
    extremes([("0", u16::MIN), ("65535", u16::MAX)], ["-1", "65536"]);
    extremes([("0", u32::MIN), ("4294967295", u32::MAX)], ["-1", "4294967296"]);
    extremes([("0", u64::MIN), ("18446744073709551615", u64::MAX)], ["-1", "18446744073709551616"]);
    extremes(
        [("0", u128::MIN), ("340282366920938463463374607431768211455", u128::MAX)],
        ["-1", "340282366920938463463374607431768211456"],
    );
}

// container A-98
#[test]
fn pointer_sized_integers_are_parsed() {
    assert_eq!(from_text::<usize>("4096").expect("sound"), 4096);
    assert_eq!(from_text::<isize>("-4096").expect("sound"), -4096);
    assert_eq!(why_not::<usize>("-1"), "it is negative");
}

// container A-98
#[test]
fn text_that_is_no_integer_is_refused() {
    for text in ["80x", " 80", "80 ", "8_0", "0x10", "1.0", "1e3", "-", "eighty"] {
        assert_eq!(why_not::<u16>(text), "the text is not a whole number", "{text}");
        assert_eq!(why_not::<i32>(text), "the text is not a whole number", "{text}");
    }
}

// container A-98
#[test]
fn floats_are_parsed_and_refused_when_out_of_range_or_no_number() {
    assert_eq!(from_text::<f64>("-2.5e3").expect("sound"), -2500.0);
    assert_eq!(from_text::<f32>("0.25").expect("sound"), 0.25);
    assert_eq!(from_text::<f64>("3").expect("sound"), 3.0);
    assert_eq!(why_not::<f64>("1e999"), "it is out of range");
    assert_eq!(why_not::<f32>("1e39"), "it is out of range");
    assert_eq!(why_not::<f64>("NaN"), "it is out of range");
    assert_eq!(why_not::<f64>("1,5"), "the text is not a number");
}

// container A-98
#[test]
fn booleans_are_parsed_and_other_words_refused() {
    for text in ["true", "TRUE", "True", "1"] {
        assert!(from_text::<bool>(text).expect(text));
    }
    for text in ["false", "FALSE", "False", "0"] {
        assert!(!from_text::<bool>(text).expect(text));
    }
    for text in ["yes", "on", "2", " true"] {
        assert_eq!(why_not::<bool>(text), "the text is neither", "{text}");
    }
}

// container A-98
#[test]
fn a_duration_is_parsed_from_its_text_and_bad_text_is_refused() {
    for (text, millis) in [("1m", 60_000), ("250ms", 250), ("1h30m", 5_400_000), ("90", 90)] {
        let wanted = Duration::from_millis(millis);
        assert_eq!(from_text::<Duration>(text).expect(text), wanted);
    }
    for text in ["-5s", "5 minutes", "1h30", "soon", "99999999999999999999d"] {
        let error = from_text::<Duration>(text).expect_err(text);
        assert!(error.expected().is_some_and(|it| it.starts_with("a duration")), "{error}");
    }
}

// container A-99
#[test]
fn an_absent_key_is_absent_and_not_zero() {
    let settings = variables([]);
    assert_eq!(get::<u16>(&settings, "port").expect("no error"), None);
    assert_eq!(get::<bool>(&settings, "on").expect("no error"), None);
    assert_eq!(get::<Duration>(&settings, "wait").expect("no error"), None);
}

// container A-99
#[test]
fn empty_text_is_an_error_for_numbers_booleans_and_durations() {
    assert_eq!(why_not::<u16>(""), "the text is empty");
    assert_eq!(why_not::<i64>(""), "the text is empty");
    assert_eq!(why_not::<f64>(""), "the text is empty");
    assert_eq!(why_not::<bool>(""), "the text is empty");
    assert_eq!(why_not::<char>(""), "the text is empty");
    assert_eq!(why_not::<Duration>(""), "the text is empty");
    assert_eq!(why_not::<Option<u16>>(""), "the text is empty");
    assert_eq!(why_not::<Option<Duration>>(""), "the text is empty");
}

#[test]
fn empty_text_is_a_value_for_a_string() {
    assert_eq!(from_text::<String>("").expect("sound"), "");
    assert_eq!(from_text::<Option<String>>("").expect("sound"), Some(String::new()));
}

#[test]
fn a_string_is_taken_verbatim() {
    for text in [" padded ", "8080", "true", r#"["a"]"#, "a=b,c", "{}", "ünï"] {
        assert_eq!(from_text::<String>(text).expect(text), text);
    }
}

// container A-100
#[test]
fn lists_maps_and_structs_are_read_from_json_text() {
    assert_eq!(from_text::<Vec<String>>(r#"["a","b"]"#).expect("sound"), ["a", "b"]);
    assert_eq!(from_text::<(u8, bool)>("[7, true]").expect("sound"), (7, true));
    let map = from_text::<BTreeMap<String, u16>>(r#"{"a": 1, "b": 2}"#).expect("sound");
    assert_eq!(map, BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]));
    let limits = from_text::<Vec<Limits>>(r#"[{"rate": 5, "burst": 6}]"#).expect("sound");
    assert_eq!(limits, [Limits { rate: 5, burst: Some(6) }]);
}

// container A-100
#[test]
fn text_that_is_no_json_or_other_json_is_refused() {
    for text in ["", "a,b", "[1, 2", "[1] 2", r#"{"a": 1}"#, "7"] {
        let error = from_text::<Vec<u8>>(text).expect_err(text);
        assert_eq!(error.expected(), Some("a list as JSON text"), "{text}");
    }
    for text in ["", "rate=5", r#"{"rate": 5"#, "[5]"] {
        let error = from_text::<Limits>(text).expect_err(text);
        assert_eq!(error.expected(), Some("a table as JSON text"), "{text}");
    }
    assert!(from_text::<(u8, u8)>("[1, 2, 3]").is_err());
    assert!(from_text::<(u8, u8)>("[1]").is_err());
}

#[test]
fn text_inside_json_text_is_read_as_leniently() {
    let list = from_text::<Vec<u16>>(r#"["80", 81]"#).expect("sound");
    assert_eq!(list, [80, 81]);
    let waits = from_text::<HashMap<u16, Duration>>(r#"{"80": "1m"}"#).expect("sound");
    assert_eq!(waits, HashMap::from([(80, Duration::from_secs(60))]));
}

// container A-103
#[test]
fn any_type_that_serde_can_read_works() {
    assert_eq!(from_text::<Port>("8080").expect("sound"), Port(8080));
    assert_eq!(from_text::<char>("ü").expect("sound"), 'ü');
    assert_eq!(why_not::<char>("ab"), "the text is longer");
    assert_eq!(from_text::<Box<str>>("x").expect("sound"), "x".into());
    assert_eq!(from_text::<PathBuf>("/tmp").expect("sound"), PathBuf::from("/tmp"));
    let address: IpAddr = [127, 0, 0, 1].into();
    assert_eq!(from_text::<IpAddr>("127.0.0.1").expect("sound"), address);
    assert_eq!(from_text::<NonZeroU16>("7").expect("sound").get(), 7);
    assert!(from_text::<NonZeroU16>("0").is_err());
}

#[test]
fn an_enum_is_read_by_the_name_of_its_variant() {
    assert_eq!(from_text::<Mode>("read_only").expect("sound"), Mode::ReadOnly);
    assert_eq!(from_text::<Mode>(r#"{"weighted": 7}"#).expect("sound"), Mode::Weighted(7));
    let range = from_text::<Mode>(r#"{"range": {"low": "-1", "high": 1}}"#).expect("sound");
    assert_eq!(range, Mode::Range { low: -1, high: 1 });
    let error = from_text::<Mode>("write_only").expect_err("no such variant");
    assert_eq!(error.expected(), Some("one of `read_only`, `weighted`, `range`"));
    assert!(from_text::<Mode>("weighted").is_err());
}

#[test]
fn values_of_a_file_keep_their_toml_types() {
    let settings = toml(
        "port = 8080\nratio = 0.5\non = true\nname = 'x'\nlist = [1, 2]\nday = 2020-01-02\n\
         text_port = '80'\nwhole = 3\n[limits]\nrate = 5\n",
    );
    assert_eq!(value::<u16>(&settings, "port"), 8080);
    assert_eq!(value::<f64>(&settings, "ratio"), 0.5);
    assert_eq!(value::<f64>(&settings, "whole"), 3.0);
    assert!(value::<bool>(&settings, "on"));
    assert_eq!(value::<Vec<u8>>(&settings, "list"), [1, 2]);
    assert_eq!(value::<String>(&settings, "day"), "2020-01-02");
    assert_eq!(value::<u16>(&settings, "text_port"), 80);
    assert_eq!(value::<Limits>(&settings, "limits").rate, 5);
    assert!(get::<u8>(&settings, "port").is_err());
    assert!(get::<u8>(&settings, "ratio").is_err());
    assert!(get::<String>(&settings, "port").is_err());
    assert!(get::<u16>(&settings, "on").is_err());
}

#[test]
fn an_untyped_reader_gets_text_as_text() {
    let value = from_text::<serde_json::Value>("8080").expect("sound");
    assert_eq!(value, serde_json::json!("8080"));
    let settings = toml("a = [1, -1, 0.5, true, 'x', {b = 2}]");
    let wanted = serde_json::json!([1, -1, 0.5, true, "x", {"b": 2}]);
    assert_eq!(crate::value::<serde_json::Value>(&settings, "a"), wanted);
}
