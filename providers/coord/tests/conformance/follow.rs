//! Values that follow the config centre.

use std::collections::BTreeMap;
use std::time::Duration;

use gone_coord::{CoordError, Followed};
use gone_core::Deadline;
use tokio::time::Instant;

use crate::At;
use crate::at::{PATIENCE, soon};

/// Waits until the value is the one that is wanted.
async fn until<T: PartialEq + std::fmt::Debug>(followed: &Followed<T>, wanted: &T) {
    soon(&format!("{wanted:?}"), async {
        while *followed.get() != *wanted {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

pub(crate) async fn a_followed_value_is_the_stored_one_or_the_default(at: At) {
    let config = at.coord.config();
    let limit = config.follow("/limit", || 10_u32).await.unwrap();
    assert_eq!((*limit.get(), limit.version()), (10, 1));
    config.set("/limit", &20).await.unwrap();
    until(&limit, &20).await;
    config.delete("/limit").await.unwrap();
    until(&limit, &10).await;
    config.set("/limit", &30).await.unwrap();
    let from_the_start = config.follow("/limit", || 10_u32).await.unwrap();
    assert_eq!(*from_the_start.get(), 30);
}

// CRD-R7
pub(crate) async fn a_bad_push_keeps_the_last_good_value_and_says_so(at: At) {
    let config = at.coord.config();
    config.set("/limit", &20).await.unwrap();
    let limit = config.follow("/limit", || 10_u32).await.unwrap();
    config.set("/limit", "hunter2").await.unwrap();
    soon("the refusal", async {
        while limit.status().refused == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    assert_eq!((*limit.get(), limit.version()), (20, 1));
    let said = limit.status().last_error.expect("it was refused").message;
    assert!(said.contains("`/limit` cannot be read") && !said.contains("hunter2"), "{said}");
    assert_eq!(limit.stats()[2].name, "reloads_refused");
    config.set("/limit", &21).await.unwrap();
    until(&limit, &21).await;
    // Where a bad value was there at first, the default holds.
    config.set("/limit", "hunter2").await.unwrap();
    let late = config.follow("/limit", || 10_u32).await.unwrap();
    assert_eq!((*late.get(), late.status().refused), (10, 1));
}

// CRD-R7
pub(crate) async fn of_a_thousand_pushes_the_last_is_seen_at_once_and_nothing_piles_up(at: At) {
    let config = at.coord.config();
    let value = config.follow("/n", || 0_u32).await.unwrap();
    let watch = config.watch::<u32>("/n").await.unwrap();
    let writer = at.other().await.config();
    for push in 1..=1_000 {
        writer.set("/n", &push).await.unwrap();
        assert!(watch.waiting() <= 1, "{watch:?}");
    }
    let pushed = Instant::now();
    until(&value, &1_000).await;
    let took = pushed.elapsed();
    println!("the last of 1,000 pushes was seen after {took:?}, {} of them were taken up", value.version() - 1);
    assert!(took <= at.bound(Duration::from_millis(500)), "{took:?}");
    assert!(value.version() < 1_000, "pushes in quick succession are one");
}

pub(crate) async fn all_below_a_prefix_is_followed_as_one_value(at: At) {
    let config = at.coord.config();
    config.set("/rules/a", &1).await.unwrap();
    config.set("/rules-old/a", &1).await.unwrap();
    let make = |entries: gone_coord::Entries<'_>| -> Result<BTreeMap<String, u32>, CoordError> {
        entries.keys().map(|key| Ok((key.to_owned(), entries.get(key)?))).collect()
    };
    let rules = config.follow_prefix("/rules/", make).await.unwrap();
    let of = |pairs: &[(&str, u32)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
    assert_eq!(*rules.get(), of(&[("/rules/a", 1)]));
    config.set("/rules/b", &2).await.unwrap();
    until(&rules, &of(&[("/rules/a", 1), ("/rules/b", 2)])).await;
    // One bad rule refuses the set.
    config.set("/rules/c", "many").await.unwrap();
    config.delete("/rules/a").await.unwrap();
    soon("the refusal", async {
        while rules.status().refused == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    assert_eq!(*rules.get(), of(&[("/rules/a", 1), ("/rules/b", 2)]));
    config.set("/rules/c", &3).await.unwrap();
    until(&rules, &of(&[("/rules/b", 2), ("/rules/c", 3)])).await;
    config.set("/rules/c", "many").await.unwrap();
    assert!(matches!(config.follow_prefix("/rules/", make).await, Err(CoordError::Decode { .. })));
}

pub(crate) async fn a_followed_value_stays_when_the_connection_is_closed(at: At) {
    let other = at.other().await;
    let value = other.config().follow("/n", || 0_u32).await.unwrap();
    at.coord.config().set("/n", &5).await.unwrap();
    until(&value, &5).await;
    assert!(value.watch_status().connected);
    let _ = other.close(Deadline::after(PATIENCE)).await;
    soon("the break to be seen", async {
        while value.watch_status().connected {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    assert_eq!(*value.get(), 5);
}
