//! The config centre.

use std::collections::BTreeMap;
use std::time::Duration;

use gone_coord::CoordError;
use gone_kit::Outcome;
use gone_test_bench::drop_at_each_poll;
use serde::{Deserialize, Serialize};

use crate::At;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Server {
    host: String,
    port: u16,
    labels: BTreeMap<String, String>,
    weight: Option<f64>,
}

// CRD-2
pub(crate) async fn a_string_comes_back(at: At) {
    let config = at.coord.config();
    for text in ["", "plain", "with \"quotes\" and\nlines", "日本語 ∑"] {
        config.set("/text", text).await.unwrap();
        assert_eq!(config.get::<String>("/text").await.unwrap(), text);
    }
}

// CRD-3
pub(crate) async fn a_struct_comes_back(at: At) {
    let config = at.coord.config();
    let labels = BTreeMap::from([("zone".to_owned(), "b".to_owned())]);
    let server = Server { host: "db1".to_owned(), port: 5432, labels, weight: Some(0.5) };
    config.set("/config/dev/global/db", &server).await.unwrap();
    assert_eq!(config.get::<Server>("/config/dev/global/db").await.unwrap(), server);
    let as_json: serde_json::Value = at.other().await.config().get("/config/dev/global/db").await.unwrap();
    assert_eq!(as_json["labels"]["zone"], "b");
}

// CRD-4
pub(crate) async fn what_was_deleted_is_not_found(at: At) {
    let config = at.coord.config();
    config.set("/a", &1).await.unwrap();
    config.delete("/a").await.unwrap();
    for error in [config.get::<u32>("/a").await.unwrap_err(), config.delete("/a").await.unwrap_err()] {
        assert!(matches!(&error, CoordError::NotFound { key } if key == "/a"), "{error:?}");
        assert_eq!(error.to_string(), "nothing is stored under `/a`");
    }
}

// CRD-7
pub(crate) async fn a_version_grows_and_a_value_is_set_by_its_own_version(at: At) {
    let config = at.coord.config();
    let first = config.set("/a", &1).await.unwrap();
    let (value, version) = config.get_with_version::<u32>("/a").await.unwrap();
    assert_eq!((value, version), (1, first));
    assert!(version > 0);
    let second = config.compare_and_set("/a", &2, version).await.unwrap();
    assert!(second > first);
    assert_eq!(config.get_with_version::<u32>("/a").await.unwrap(), (2, second));
}

// CRD-8
pub(crate) async fn a_stale_version_is_refused(at: At) {
    let config = at.coord.config();
    let first = config.set("/a", &1).await.unwrap();
    let second = config.compare_and_set("/a", &2, first).await.unwrap();
    let error = config.compare_and_set("/a", &3, first).await.unwrap_err();
    assert!(matches!(&error, CoordError::Conflict { key, .. } if key == "/a"), "{error:?}");
    assert_eq!(error.to_string(), format!("`/a` has version {second}, not {first}"));
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(config.get::<u32>("/a").await.unwrap(), 2);
    // Of many who start from one version, one wins.
    let mut tries = tokio::task::JoinSet::new();
    for value in 10..20 {
        let config = config.clone();
        tries.spawn(async move { config.compare_and_set("/a", &value, second).await.is_ok() });
    }
    let won = tries.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
}

pub(crate) async fn with_version_zero_a_value_is_only_created(at: At) {
    let config = at.coord.config();
    config.compare_and_set("/a", "mine", 0).await.unwrap();
    let error = config.compare_and_set("/a", "theirs", 0).await.unwrap_err();
    assert!(matches!(error, CoordError::Conflict { .. }), "{error:?}");
    assert_eq!(config.get::<String>("/a").await.unwrap(), "mine");
    let error = config.compare_and_set("/b", "later", 7).await.unwrap_err();
    assert_eq!(error.to_string(), "`/b` is not stored, and was expected with version 7");
}

pub(crate) async fn keys_are_listed_as_they_were_given_and_siblings_are_not(at: At) {
    let config = at.coord.config();
    for key in ["/rules/b", "/rules/a", "/rules/a/deep", "/rules-old/a", "/rules", "/rule"] {
        config.set(key, &0).await.unwrap();
    }
    assert_eq!(config.list("/rules/").await.unwrap(), ["/rules/a", "/rules/a/deep", "/rules/b"]);
    assert_eq!(
        config.list("/rules").await.unwrap(),
        ["/rules", "/rules-old/a", "/rules/a", "/rules/a/deep", "/rules/b"]
    );
    assert_eq!(config.list("/nothing/").await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn what_is_no_key_is_refused(at: At) {
    let config = at.coord.config();
    for key in ["", "a", "a/b"] {
        let error = config.set(key, &0).await.unwrap_err();
        assert!(matches!(error, CoordError::Invalid { argument: "key", .. }), "{error:?}");
        assert!(matches!(config.get::<u32>(key).await, Err(CoordError::Invalid { .. })));
        assert!(matches!(config.delete(key).await, Err(CoordError::Invalid { .. })));
        assert!(matches!(config.list(key).await, Err(CoordError::Invalid { .. })));
        assert!(matches!(config.compare_and_set(key, &0, 0).await, Err(CoordError::Invalid { .. })));
        assert!(matches!(config.watch::<u32>(key).await, Err(CoordError::Invalid { .. })));
    }
}

pub(crate) async fn a_value_of_another_type_is_an_error_that_does_not_quote_it(at: At) {
    let config = at.coord.config();
    config.set("/a", "hunter2").await.unwrap();
    let error = config.get::<u32>("/a").await.unwrap_err();
    assert!(matches!(error, CoordError::Decode { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

pub(crate) async fn a_dropped_future_leaves_a_whole_value_and_no_task(at: At) {
    let config = at.coord.config();
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    let no_task_is_left = async |poll: usize| {
        crate::at::soon(&format!("no task is left after poll {poll}"), async {
            while metrics.num_alive_tasks() > before {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await;
    };
    config.set("/n", &0).await.unwrap();
    let set = drop_at_each_poll(async |n| config.set("/n", &(n + 1)).await.unwrap(), no_task_is_left).await;
    assert!(config.get::<usize>("/n").await.unwrap() <= set.dropped + 1);
    let watch = drop_at_each_poll(async |_| drop(config.watch::<usize>("/n").await.unwrap()), no_task_is_left).await;
    let follow =
        drop_at_each_poll(async |_| drop(config.follow("/n", || 0_usize).await.unwrap()), no_task_is_left).await;
    println!("set: {set:?}, watch: {watch:?}, follow: {follow:?}");
}
