//! The process's default subscriber. One test, for there is one such subscriber in a process.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use gone_clog::{Clog, ClogConfig, Installed};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

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

    let text = String::from_utf8(first.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("from the second") && text.contains("from a thread"), "{text}");
    assert!(second.0.lock().unwrap().is_empty());
}
