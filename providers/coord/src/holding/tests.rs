use super::*;
use crate::backend::unreliable::Unreliable;
use crate::sessions::{Sessions, quoted};

async fn held(backend: &Arc<Unreliable>) -> Holding {
    let sessions = Sessions::new(backend.clone(), gone_kit::Clock::system());
    let put = |token: &str, session| {
        let (key, value) = ("a".to_owned(), quoted(token));
        (key.clone(), Txn { then: vec![Step::Put { key, value, session }], ..Txn::default() })
    };
    let (placed, committed) = sessions.put("put", Duration::from_secs(10), put).await.unwrap();
    Holding::new(placed, committed.revision, "a".to_owned()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_was_believed_lost_is_removed_though_its_session_lives() {
    let backend = Unreliable::open("");
    let holding = held(&backend).await;
    // A renewal that comes in the moment of the deadline may save the session and not this lease.
    holding.grant.finish(LeaseEnd::Expired);
    for _ in 0..2 {
        assert!(matches!(holding.release("release").await, Err(CoordError::Lost { .. })));
    }
    assert_eq!(backend.keys("").await, ["a"]);
    drop(holding);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(backend.keys("").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_compare_of_ones_own_is_not_a_loss() {
    let backend = Unreliable::open("");
    let holding = held(&backend).await;
    let (compare, read) = (Compare::Modified("b".to_owned(), 7), Step::Read(Range::Key("a".to_owned())));
    let committed = holding.guarded("test", vec![compare], Vec::new(), vec![read]).await.unwrap();
    assert_eq!((committed.succeeded, committed.found.len(), committed.found[0].len()), (false, 1, 1));
    holding.check().unwrap();
}
