//! Under `test`, goners are discovered only on request.

use std::sync::Arc;

use gone::prelude::*;

use crate::{Ada, Host};

#[tokio::test]
async fn a_test_discovers_nothing_unless_it_says_so() {
    let running = Gone::discover().boot().await.unwrap();
    assert!(running.try_get::<Arc<Host>>().unwrap().is_some(), "outside of a test it is there");
    running.stop().await.unwrap();
    let nothing = async |handle: Handle| {
        assert!(handle.try_get::<Arc<Host>>()?.is_none());
        Ok(())
    };
    Gone::discover().test(nothing).await.unwrap();
    Gone::discover()
        .discover_in_tests()
        .test(async |host: Arc<Host>| {
            assert_eq!(host.guests.len(), 5);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_report_of_a_test_says_how_to_turn_it_on() {
    #[derive(Inject)]
    struct Wanted {
        #[gone]
        _host: Arc<Host>,
        #[gone("ada")]
        _ada: Arc<Ada>,
    }
    let error = Gone::discover().test_with(async |_: Wanted| Ok(())).await.unwrap_err();
    let problems = error.report().unwrap().problems();
    let said: Vec<_> = problems.iter().flat_map(|it| &it.involved).map(|it| it.what.as_str()).collect();
    let why = "was left out: goners are discovered in tests only with `.discover_in_tests()`";
    assert_eq!(said, [format!("`Host` {why}"), format!("`Ada` {why}")]);
}

#[test]
fn a_check_keeps_what_is_discovered() {
    #[derive(Goner)]
    struct WantsHost {
        #[gone]
        _host: Arc<Host>,
    }
    Gone::discover().load(WantsHost::goner()).check().unwrap();
}

#[tokio::test]
async fn what_replaces_a_goner_that_a_test_does_not_discover_takes_part() {
    let fake = value(Arc::new(Ada { visits: 4 })).replace();
    Gone::discover()
        .load(fake)
        .test(async |ada: Arc<Ada>| {
            assert_eq!(ada.visits, 4);
            Ok(())
        })
        .await
        .unwrap();
}
