//! The section of a component: defaults by profile, bounds, and what is said of what is wrong.

use gone_config::{ConfigSource, ErrorKind, Faults, Section, SectionFault};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Cache {
    size: u32,
    level: String,
    token: String,
}

impl Default for Cache {
    fn default() -> Self {
        Self { size: 10, level: "low".into(), token: String::new() }
    }
}

impl Section for Cache {
    const NAME: &'static str = "cache";

    fn production() -> Self {
        Self { size: 100, level: "high".into(), ..Self::default() }
    }

    fn adjust(&mut self, settings: &gone_config::Settings) {
        if let Some(size) = settings.variable("CACHE_SIZE").and_then(|size| size.parse().ok()) {
            self.size = size;
        }
    }

    fn check(&self, faults: &mut Faults) {
        faults.within("size", self.size, 1..=1_000);
        faults.length("level", &self.level, 1..=4);
        if self.level.contains(' ') {
            faults.push(SectionFault::unfit("level", &self.level, "it must be one word"));
        }
        if self.token == "guess" {
            faults.push(SectionFault::hidden("token", "it is too easy"));
        }
    }
}

fn read(source: ConfigSource, name: &str) -> Result<Cache, Vec<String>> {
    let read = source.read().unwrap().instance(name);
    read.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

#[test]
fn the_defaults_are_those_of_the_profile_and_an_instance_has_the_same() {
    let source = |profile| ConfigSource::hermetic().profile(profile).set("cache.users.level", "some");
    assert_eq!(read(source("development"), "").unwrap(), Cache::default());
    assert_eq!(read(source("production"), "").unwrap(), Cache::production());
    let users = read(source("production"), "users").unwrap();
    assert_eq!((users.size, users.level.as_str()), (100, "some"));
    assert!(read(source("development"), "orders").unwrap_err()[0].starts_with("config key `cache.orders`: missing"));
}

#[test]
fn a_variable_of_its_own_name_lies_below_the_config() {
    let source = || ConfigSource::hermetic().environment([("CACHE_SIZE", "7")]);
    assert_eq!(read(source(), "").unwrap().size, 7);
    assert_eq!(read(source().set("cache.size", 8), "").unwrap().size, 8);
}

#[test]
fn another_profile_says_itself_what_the_known_ones_differ_in() {
    let staging = || ConfigSource::hermetic().profile("staging").set("cache.size", 50);
    let error = read(staging(), "").unwrap_err();
    assert_eq!(
        error,
        [
            "config key `cache`: unknown profile \"staging\". Allowed: `development`, `production`. A profile of another name has \
          to set `cache.level` in the config"
        ]
    );
    assert_eq!(read(staging().set("cache.level", "low"), "").unwrap().size, 50);
    let misspelt = read(ConfigSource::hermetic().profile("prodution"), "").unwrap_err().concat();
    assert!(misspelt.contains("did you mean `production`?"), "{misspelt}");
    assert!(misspelt.ends_with("has to set `cache.level`, `cache.size` in the config"), "{misspelt}");
}

#[test]
fn all_that_is_out_of_bounds_is_told_with_what_is_written_and_where() {
    let source = ConfigSource::hermetic().set("cache.users.level", "a b").set("cache.users.token", "guess");
    let source = source.environment([("GONE_CACHE__USERS__SIZE", "0")]);
    let settings = source.read().unwrap();
    let errors = settings.instance::<Cache>("users").unwrap_err();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "config key `cache.users.level`: bad value `a b`, set by the program, but it must be one word",
            "config key `cache.users.size`: bad value `0`, from environment variable GONE_CACHE__USERS__SIZE; \
             expected 1 to 1000",
            "config key `cache.users.token`: bad value, set by the program, but it is too easy",
        ]
    );
    assert!(errors.iter().all(|error| matches!(error.kind(), ErrorKind::Invalid { .. })));
}

#[test]
fn the_length_of_a_text_is_counted_in_characters() {
    for level in ["a", "äöüß"] {
        Cache { level: level.into(), ..Cache::default() }.validate().unwrap();
    }
    for (level, length) in [("", 0), ("lower", 5)] {
        let error = Cache { level: level.into(), ..Cache::default() }.validate().unwrap_err();
        assert_eq!(error.to_string(), format!("`level` is {length} characters long; it must be 1 to 4 characters"));
    }
    let error = read(ConfigSource::hermetic().set("cache.level", "lower"), "").unwrap_err();
    assert_eq!(error, ["config key `cache.level`: bad value `lower`, set by the program; expected 1 to 4 characters"]);
}

#[test]
fn a_section_made_by_hand_is_checked_in_the_same_way() {
    let cache = Cache { size: 0, token: "guess".into(), ..Cache::default() };
    let error = cache.validate().unwrap_err();
    assert_eq!(error.to_string(), "`size` is 0; it must be 1 to 1000; `token`: it is too easy");
    assert_eq!(error.faults().iter().map(SectionFault::field).collect::<Vec<_>>(), [Some("size"), Some("token")]);
    Cache::default().validate().unwrap();
}
