//! Sources: read before the plan, opened by a boot.

use std::sync::Arc;

use gone::prelude::*;

use crate::{Journal, bare, problems};

struct Numbers(Journal, gone::Result<u32>);
impl gone::Source for Numbers {
    type Snapshot = u32;
    fn read(&self) -> gone::Result<u32> {
        self.0.add("read");
        self.1.clone()
    }
    async fn open(&self, local: u32, _: &Sources) -> gone::Result<u32> {
        self.0.add("open");
        Ok(local + 1)
    }
}

#[derive(Goner)]
struct Checked {
    #[gone]
    snapshot: Arc<u32>,
}
impl Provider for Checked {
    type Output = u8;
    fn accepts(_: &Tag, sources: &Sources) -> gone::Result<()> {
        match sources.get::<u32>() {
            Some(5 | 6) => Ok(()),
            other => gone::bail!("the source holds {other:?}"),
        }
    }
    async fn provide(&self, _: &Tag) -> gone::Result<u8> {
        Ok(*self.snapshot as u8)
    }
}

#[derive(Goner)]
struct WantsChecked {
    #[gone]
    it: u8,
}

#[tokio::test]
async fn a_source_is_read_once_before_the_plan_and_opened_only_by_a_boot() {
    let journal = Journal::default();
    let loaded = || (source(Numbers(journal.clone(), Ok(5))), Checked::goner(), WantsChecked::goner());
    bare().load(loaded()).check().unwrap();
    assert_eq!(journal.lines(), ["read"]);
    let app = bare().load(loaded()).boot().await.unwrap();
    assert_eq!(journal.lines(), ["read", "read", "open"]);
    assert_eq!(app.get::<Arc<WantsChecked>>().unwrap().it, 6);
    app.stop().await.unwrap();
}

#[test]
fn what_a_source_cannot_read_and_what_a_provider_refuses_of_it_stand_in_the_report() {
    let loaded = |it| (source(Numbers(Journal::default(), it)), Checked::goner(), WantsChecked::goner());
    let broken = gone::Error::msg("line 3").attach([gone::Error::msg("line 9")]);
    let found = problems(bare().load(loaded(Err(broken))));
    assert!(
        found.contains(&"gone::config: line 3".into()) && found.contains(&"gone::config: line 9".into()),
        "{found:?}"
    );
    let found = problems(bare().load(loaded(Ok(4))));
    assert_eq!(found, ["gone::mismatch: `Checked` cannot give `u8`: the source holds Some(4)"]);
}

#[test]
fn two_sources_of_one_snapshot_are_a_duplicate_and_a_replaced_one_is_not_read() {
    let two = || (source(Numbers(Journal::default(), Ok(5))), source(Numbers(Journal::default(), Ok(6))));
    let found = problems(bare().load(two()));
    assert_eq!(found, ["gone::duplicate: two sources give `Arc<u32>`"]);
    let journal = Journal::default();
    let replaced = (source(Numbers(journal.clone(), Ok(5))), source(Numbers(Journal::default(), Ok(6))).replace());
    assert_eq!(problems(bare().load(replaced)), [""; 0]);
    assert!(journal.lines().is_empty());
}
