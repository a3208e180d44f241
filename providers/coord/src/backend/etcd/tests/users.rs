//! Who is let in by name and password, and for how long.

use gone_kit::Secret;

use super::*;
use crate::CoordError;

const PASSWORD: &str = "hunter2";

fn user(name: &str, password: &str) -> Option<(String, Secret<String>)> {
    Some((name.to_owned(), Secret::new(password.to_owned())))
}

async fn server(flags: &[&str]) -> Server<gone_test_bench::Etcd> {
    let etcd = gone_test_bench::Etcd::new().root_password(PASSWORD);
    flags.iter().fold(etcd, |etcd, flag| etcd.flag(flag)).start().await.expect("etcd starts")
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn only_the_right_password_leads_in() {
    let server = server(&[]).await;
    let with = |user| Settings { user, ..settings([server.url()]) };
    let etcd = open(with(user("root", PASSWORD))).await;
    etcd.commit("put", put("/a", "1")).await.unwrap();
    let _ = close(&etcd).await;
    for (wrong, why) in [(user("root", "wrong-pass"), "authentication failed"), (None, "user name is empty")] {
        match Etcd::open(with(wrong)).await.map(drop) {
            Err(error @ CoordError::Refused { .. }) => {
                let text = format!("{error} {error:?}");
                assert!(text.contains(why), "{text}");
                assert!(!text.contains("wrong-pass"), "{text}");
            }
            other => panic!("{why}: {other:?}"),
        }
    }
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_user_where_there_are_none_is_refused() {
    let url = gone_test_bench::Etcd::shared().await.url();
    let refused = Etcd::open(Settings { user: user("root", PASSWORD), ..settings([url]) }).await.map(drop);
    assert!(
        matches!(&refused, Err(CoordError::Refused { reason, .. }) if reason.contains("not enabled")),
        "{refused:?}"
    );
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_user_without_the_permission_is_refused_and_answered() {
    let server = server(&[]).await;
    server.etcdctl(&["user", "add", "ann:secret"]).await.unwrap();
    server.etcdctl(&["role", "add", "mine"]).await.unwrap();
    server.etcdctl(&["role", "grant-permission", "mine", "--prefix=true", "readwrite", "/mine/"]).await.unwrap();
    server.etcdctl(&["user", "grant-role", "ann", "mine"]).await.unwrap();
    let etcd = open(Settings { user: user("ann", "secret"), ..settings([server.url()]) }).await;
    etcd.commit("put", put("/mine/a", "1")).await.unwrap();
    etcd.ping().await.expect("it was answered");
    let refused = etcd.commit("put", put("/other", "1")).await.expect_err("not hers");
    assert!(matches!(refused, CoordError::Refused { .. }), "{refused:?}");
    let refused = etcd.watch(Range::Key("/other".into()), 1).await.map(drop).expect_err("not hers");
    assert!(matches!(refused, CoordError::Refused { .. }), "{refused:?}");
    etcd.watch(Range::Prefix("/mine/".into()), 1).await.map(drop).unwrap();
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_token_that_has_expired_is_replaced() {
    let server = server(&["--auth-token=simple", "--auth-token-ttl=1"]).await;
    let etcd = open(Settings { user: user("root", PASSWORD), ..settings([server.url()]) }).await;
    let session = etcd.open_session(3 * SECOND).await.unwrap();
    etcd.commit("put", put_under("/held", "x", session.id)).await.unwrap();
    for round in 0..3 {
        // Nothing uses the token of this connection, so it runs out.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        match round {
            0 => drop(etcd.commit("put", put("/a", "1")).await.expect("a write")),
            1 => assert!(etcd.get("/held").await.expect("a read").is_some(), "the session lives"),
            _ => drop(etcd.watch(Range::Prefix("/".into()), 1).await.expect("a watch")),
        }
    }
    assert!(session.keeper.session().is_held());
    // What the users may do has changed: tokens from before are void.
    server.etcdctl(&["user", "add", "ben:secret"]).await.unwrap();
    etcd.commit("put", put("/a", "2")).await.expect("a write under the new rules");
    assert!(close(&etcd).await.is_clean());
}
