use std::time::Duration;

use gone_config::{CallError, Outcome};
use gone_core::Deadline;
use gone_flags::FlagsError;

use crate::At;

pub(crate) async fn a_closed_handle_says_so_to_all_clones(at: At) {
    let clone = at.flags.clone();
    for _ in 0..2 {
        assert!(at.flags.close(Deadline::after(Duration::from_secs(5))).await.is_clean());
    }
    let error = clone.set("a", true).await.unwrap_err();
    assert!(matches!(error, FlagsError::Call(CallError::Closed)), "{error}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
}
