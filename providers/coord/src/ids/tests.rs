//! What befalls instance ids when the network does its worst.

use gone_kit::Outcome;
use gone_test_bench::drop_at_each_poll;
use tokio::time::sleep;

use super::*;
use crate::backend::unreliable::{Fault, Unreliable};

fn one(max: u32) -> (Arc<Unreliable>, InstanceIds) {
    let backend = Unreliable::open("");
    let ids = InstanceIds::new(Shared::over(backend.clone()), "orders", max).unwrap();
    (backend, ids)
}

async fn settle() {
    sleep(Duration::from_millis(500)).await;
}

#[tokio::test(start_paused = true)]
async fn an_id_whose_answer_was_lost_is_given_back() {
    let (backend, ids) = one(1);
    backend.fail("acquire_id", Fault::AnswerLost);
    assert_eq!(ids.acquire().await.unwrap_err().outcome(), Outcome::Unknown);
    settle().await;
    let id = ids.acquire().await.unwrap();
    // Closing may be tried again, whatever the first try came to.
    for (fault, outcome) in [(Fault::Refused, Outcome::NotApplied), (Fault::AnswerLost, Outcome::Unknown)] {
        backend.fail("release_id", fault);
        assert_eq!(id.release().await.unwrap_err().outcome(), outcome);
        assert!(!id.lease().is_held());
    }
    id.release().await.unwrap();
    id.release().await.unwrap();
    assert_eq!(backend.struck(), 3);
    drop(ids.acquire().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_taken_late_is_given_back_and_that_of_another_is_not() {
    let (backend, ids) = one(1);
    backend.fail("acquire_id", Fault::Late(Duration::from_secs(9)));
    ids.acquire().await.unwrap_err();
    sleep(Duration::from_secs(16)).await;
    assert_eq!(backend.commits(), ["acquire_id", "remove"], "it has arrived, and was removed");
    drop(ids.acquire().await.unwrap());
    settle().await;

    // Another takes the number first: the late one is too late.
    backend.fail("acquire_id", Fault::Late(Duration::from_secs(9)));
    ids.acquire().await.unwrap_err();
    let id = ids.acquire().await.unwrap();
    sleep(Duration::from_secs(60)).await;
    id.raise_floor(1).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dropped_future_leaves_no_id_wherever_it_is_dropped() {
    let (backend, ids) = one(1);
    let free_again = async |_| {
        settle().await;
        assert_eq!(backend.keys(&format!("{ROOT}orders/ids/")).await, Vec::<String>::new());
        ids.acquire().await.unwrap().release().await.unwrap();
    };
    let acquired = drop_at_each_poll(async |_| drop(ids.acquire().await.unwrap()), free_again).await;
    let closed = drop_at_each_poll(async |_| ids.acquire().await.unwrap().release().await.unwrap(), free_again).await;
    println!("polls: {acquired:?} {closed:?}");
    assert!(acquired.polls >= 3 && closed.polls >= 4);
}

#[tokio::test(start_paused = true)]
async fn a_floor_that_arrives_late_overwrites_no_later_one() {
    let (backend, ids) = one(1);
    let id = ids.acquire().await.unwrap();
    let mut highest = 0;
    let raised = drop_at_each_poll(
        async |round| id.raise_floor(10 * round as u64 + 10).await.unwrap(),
        async |round| {
            highest = 10 * round as u64 + 15;
            id.raise_floor(highest).await.unwrap();
            assert_eq!(id.floor(), highest);
        },
    )
    .await;
    assert!(raised.polls >= 2);
    backend.fail("raise_floor", Fault::Late(Duration::from_secs(9)));
    id.raise_floor(highest + 1).await.unwrap_err();
    id.raise_floor(highest + 2).await.unwrap();
    backend.fail("raise_floor", Fault::AnswerLost);
    id.raise_floor(highest + 3).await.unwrap_err();
    id.raise_floor(highest + 4).await.unwrap();
    sleep(Duration::from_secs(10)).await;
    id.release().await.unwrap();
    assert_eq!(ids.acquire().await.unwrap().floor(), highest + 4);
}
