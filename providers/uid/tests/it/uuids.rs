use std::sync::mpsc;

use gone_uid::{Uid, UidConfig, Uuid};

async fn uid() -> Uid {
    Uid::open(&UidConfig::default(), None).await.unwrap()
}

// UID-9
#[tokio::test]
async fn uuids_are_36_characters_and_differ() {
    let uid = uid().await;
    let (one, two) = (uid.uuid_v7_text(), uid.uuid_v7_text());
    assert_eq!((one.len(), two.len()), (36, 36));
    assert!(one < two, "also as text they are in order");
    let read = Uuid::parse_str(&one).unwrap();
    assert_eq!((read.get_version_num(), read.to_string()), (7, one));
}

// UID-10
#[test]
fn a_canonical_uuid_is_valid_and_junk_is_not() {
    for valid in [
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
        "017f22e279b07cc398c4dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
    ] {
        assert!(Uid::is_valid_uuid(valid), "{valid}");
    }
    for junk in ["", "junk", "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", " 017f22e2"]
    {
        assert!(!Uid::is_valid_uuid(junk), "{junk}");
    }
}

#[tokio::test]
async fn the_time_of_a_uuid_is_that_at_which_it_was_made() {
    let uid = uid().await;
    for _ in 0..1_000 {
        let before = crate::at::now_ms();
        let made = u64::try_from(uid.uuid_v7().as_u128() >> 80).unwrap();
        // Other tests of this process may have been faster than its clock.
        assert!((before..=crate::at::now_ms() + 1).contains(&made));
    }
}

/// Threads that make UUIDs at once, each rising, none twice.
fn many_threads(count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let uid = runtime.block_on(uid());
    let made: Vec<Vec<Uuid>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let uid = uid.clone();
                scope.spawn(move || (0..count).map(|_| uid.uuid_v7()).collect())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(made.iter().all(|of_one| of_one.is_sorted_by(|a, b| a < b)), "in the order in which a thread made them");
    let mut all: Vec<Uuid> = made.into_iter().flatten().collect();
    all.sort_unstable();
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
    assert_eq!(all.len(), 8 * count);
}

// UID-R7
#[test]
fn threads_make_different_uuids_each_in_its_order() {
    many_threads(100_000);
}

#[test]
#[ignore = "full size: cargo xtask soak"]
fn full_size_threads_make_different_uuids_each_in_its_order() {
    many_threads(1_000_000);
}

// UID-R7
#[tokio::test]
async fn what_one_thread_makes_after_another_is_greater() {
    let (one, two) = (uid().await, uid().await);
    let (there, came) = mpsc::channel();
    let (back, answered) = mpsc::channel();
    let other = std::thread::spawn(move || {
        while let Ok(first) = came.recv() {
            let second: Uuid = two.uuid_v7();
            assert!(second > first);
            back.send(second).unwrap();
        }
    });
    for _ in 0..10_000 {
        there.send(one.uuid_v7()).unwrap();
        let second = answered.recv().unwrap();
        assert!(one.uuid_v7() > second);
    }
    drop(there);
    other.join().unwrap();
}
