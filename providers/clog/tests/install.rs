//! The process's default subscriber. One test, for there is one such subscriber in a process.

mod captured;

use gone_clog::{Clog, ClogConfig, Installed};

use crate::captured::Captured;

#[test]
fn the_first_log_becomes_the_default_and_a_second_one_joins_it() {
    let (first, second) = (Captured::default(), Captured::default());
    let default = Clog::with_writer(ClogConfig::default(), first.clone()).unwrap();
    assert_eq!(default.install(), Installed::AsDefault);
    let joining = Clog::with_writer(ClogConfig::default(), second.clone()).unwrap();
    assert_eq!(joining.install(), Installed::Joined);
    assert_eq!(default.install(), Installed::Joined);

    joining.logger().info("from the second");
    std::thread::spawn(|| tracing::info!("from a thread")).join().unwrap();

    let text = first.take();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("from the second") && text.contains("from a thread"), "{text}");
    assert!(second.take().is_empty());
}
