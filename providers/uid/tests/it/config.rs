use std::time::{Duration, SystemTime};

use gone_config::{Section, SectionFault};
use gone_coord::{Coord, CoordConfig};
use gone_kit::ManualClock;
use gone_uid::{Uid, UidConfig, UidError};

#[test]
fn both_profiles_have_the_same_defaults_and_they_are_valid() {
    for profile in ["development", "production"] {
        let config = UidConfig::for_profile(profile).unwrap();
        assert_eq!(config, UidConfig::default());
        assert_eq!(config.validate(), Ok(()));
    }
    let config = UidConfig::default();
    assert_eq!((config.service_name.as_str(), config.max_instance_id), ("", 1023));
    assert_eq!(config.epoch_ms, 1_288_834_974_657);
    assert_eq!(format!("{:?}", config.epoch()), "Epoch(1288834974657 ms, expires 2080-07-10)");
    assert_eq!(config.rollback_tolerance, Duration::from_millis(50));
}

#[test]
fn an_unknown_profile_is_an_error_with_what_was_meant() {
    let error = UidConfig::for_profile("Produktion").unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"unknown profile "Produktion", did you mean `production`? Allowed: `development`, `production`"#
    );
}

// UID-1
// UID-3
#[test]
fn all_that_is_wrong_is_told_with_field_value_and_bounds() {
    let config = UidConfig {
        service_name: "a/b".into(),
        max_instance_id: 1024,
        epoch_ms: 4_102_444_800_001,
        rollback_tolerance: Duration::from_secs(11),
        floor_period: Duration::from_millis(999),
        floor_wait: Duration::from_secs(601),
    };
    let error = config.validate().unwrap_err();
    assert_eq!(error.faults().len(), 6);
    assert_eq!(
        error.to_string(),
        "`service_name` is \"a/b\": it must be at most 128 of the characters a-z, A-Z, 0-9, `.`, `_` and `-`; \
         `max_instance_id` is 1024; it must be 1 to 1023; `epoch_ms` is 4102444800001; it must be 0 to 4102444800000; \
         `rollback_tolerance` is 11s; it must be 0ns to 10s; `floor_period` is 999ms; it must be 1s to 3600s; \
         `floor_wait` is 601s; it must be 0ns to 600s"
    );
    let zero = UidConfig { max_instance_id: 0, ..UidConfig::default() };
    assert!(matches!(
        zero.validate().unwrap_err().faults(),
        [SectionFault::OutOfBounds { field: "max_instance_id", .. }]
    ));
}

#[tokio::test]
async fn with_coordination_a_service_name_must_be_set() {
    let coord = Coord::connect(&CoordConfig::default()).await.unwrap();
    let error = Uid::open(&UidConfig::default(), Some(&coord)).await.unwrap_err();
    let UidError::Config(error) = error else { panic!("{error}") };
    assert!(matches!(error.faults(), [SectionFault::Missing { field: "service_name", .. }]), "{error}");
}

#[test]
fn a_section_gives_durations_as_text_or_milliseconds_and_knows_its_keys() {
    let config: UidConfig =
        serde_json::from_str(r#"{"service_name": "orders", "floor_period": "1m", "rollback_tolerance": 20}"#).unwrap();
    assert_eq!(config.floor_period, Duration::from_secs(60));
    assert_eq!(config.rollback_tolerance, Duration::from_millis(20));
    let error = serde_json::from_str::<UidConfig>(r#"{"servce_name": "orders"}"#).unwrap_err();
    assert!(error.to_string().contains("servce_name"), "{error}");
}

#[tokio::test]
async fn the_clock_of_a_test_decides_the_time_of_ids() {
    let (clock, hand) = ManualClock::at(SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_000));
    let coord = Coord::connect_with_clock(&CoordConfig::default(), clock.clone()).await.unwrap();
    let config = UidConfig { service_name: "test".into(), ..UidConfig::default() };
    let uid = Uid::open_with_clock(&config, Some(&coord), clock).await.unwrap();
    hand.advance(Duration::from_millis(7));
    assert_eq!(uid.parse(uid.snowflake().await.unwrap()).unwrap().unix_ms(), 1_800_000_000_007);
    assert_eq!(uid.uuid_v7().as_u128() >> 80, 1_800_000_000_007);
}
