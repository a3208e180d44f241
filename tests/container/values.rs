//! Ready values.

use std::sync::Arc;

use gone::prelude::*;

use crate::{Journal, bare};

// container A-76
// container C-3
#[tokio::test]
async fn a_value_is_handed_out_as_clones_and_a_shared_one_is_that_very_instance() {
    let shared = Arc::new(5_u8);
    let app = bare().load((value(shared.clone()), value("text"))).boot().await.unwrap();
    assert!(Arc::ptr_eq(&app.get::<Arc<u8>>().unwrap(), &shared));
    assert_eq!(app.get::<&'static str>().unwrap(), "text");
    app.stop().await.unwrap();
}

#[tokio::test]
async fn what_borrows_from_the_program_is_a_value_like_any_other_by_name_too() {
    #[derive(Goner)]
    struct Wants {
        #[gone("motto")]
        motto: &'static str,
        #[gone("list")]
        list: Vec<&'static str>,
    }
    let app =
        bare().load((Wants::goner(), value("x").named("motto"), value(vec!["y"]).named("list"))).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.motto, it.list.as_slice()), ("x", ["y"].as_slice()));
    app.stop().await.unwrap();
}

// container C-4
#[tokio::test]
async fn the_close_of_a_value_is_not_the_containers_to_run() {
    struct Client(Journal);
    impl Close for Client {
        async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
            self.0.add("closed");
            Ok(CloseReport::clean())
        }
    }
    #[derive(Goner)]
    struct Owner {
        #[gone]
        client: Arc<Client>,
    }
    impl Close for Owner {
        async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
            self.client.0.add("owner closed");
            Ok(CloseReport::clean())
        }
    }
    let journal = Journal::default();
    let app = bare().load((value(Arc::new(Client(journal.clone()))), Owner::goner())).boot().await.unwrap();
    app.stop().await.unwrap();
    assert_eq!(journal.lines(), ["owner closed"]);
}
