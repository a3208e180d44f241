use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use gone_clog::{Level, Value};

use crate::capture::{captured, console, json};

/// A xorshift generator: the same texts for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn text(&mut self) -> String {
        let length = match self.below(12) {
            0 => 0,
            1 => self.below(20_000),
            _ => self.below(40),
        };
        (0..length).map(|_| self.char()).collect()
    }

    fn char(&mut self) -> char {
        const NASTY: [char; 16] = [
            '"', '\\', '\n', '\r', '\0', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{2028}', '\u{202e}', '\u{2066}',
            '{', '}', ',', '=',
        ];
        match self.below(4) {
            0 => NASTY[self.below(16) as usize],
            1 => char::from_u32(self.below(0x11_0000) as u32).unwrap_or('\u{fffd}'),
            _ => char::from(b' ' + self.below(95) as u8),
        }
    }

    fn key(&mut self) -> Cow<'static, str> {
        const KEYS: [&str; 14] = [
            "time",
            "level",
            "msg",
            "caller",
            "namespace",
            "service",
            "trace_id",
            "error",
            "error_chain",
            "suppressed",
            "cut_bytes",
            "a",
            "field.a",
            "password",
        ];
        match self.below(3) {
            0 => KEYS[self.below(14) as usize].into(),
            _ => self.text().into(),
        }
    }

    fn value(&mut self, depth: u32) -> Value {
        match self.below(if depth == 0 { 9 } else { 11 }) {
            0 => (self.next() as i64).into(),
            1 => f64::from_bits(self.next()).into(),
            2 => (self.below(2) == 0).into(),
            3 => None::<u8>.into(),
            4 => Duration::from_nanos(self.next()).into(),
            5 => SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_secs(self.next()))
                .unwrap_or(SystemTime::UNIX_EPOCH)
                .into(),
            6 => Value::bytes(self.text().as_bytes()),
            7 => Value::debug(&Odd(self.text())),
            8 => self.text().into(),
            9 => (0..self.below(5)).map(|_| self.value(depth - 1)).collect::<Vec<_>>().into(),
            _ => {
                let entries = (0..self.below(5)).map(|_| (self.text(), serde_json::Value::from(self.text())));
                Value::json(&entries.collect::<serde_json::Map<_, _>>())
            }
        }
    }
}

/// Shows its text in pieces, and fails at the end.
struct Odd(String);

impl fmt::Debug for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| fmt::Write::write_char(f, c))?;
        Err(fmt::Error)
    }
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.0, self.0)
    }
}

#[derive(Debug)]
struct Failure(String, Option<Box<Failure>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

const ROUNDS: u64 = 1_000;

/// The seed is a new one each time, or `CLOG_SEED`.
fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64);
    let seed = std::env::var("CLOG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(now | 1);
    println!("CLOG_SEED={seed}");
    seed
}

fn say(log: &gone_clog::Logger, random: &mut Random) {
    let level = [Level::Debug, Level::Info, Level::Warn, Level::Error][random.below(4) as usize];
    let (text, other) = (random.text(), Odd(random.text()));
    let failure = Failure(random.text(), Some(Box::new(Failure(random.text(), None))));
    match random.below(5) {
        0 => tracing::info!(a = ?other, field.a = %text, a = 1, password = text, time = %other, "{other}"),
        1 => {
            tracing::warn!(namespace = text, trace_id = ?other, error = &failure as &dyn std::error::Error, level = text, "{text}")
        }
        2 => tracing::error!(
            error = text,
            msg = random.next(),
            message = random.next(),
            f = f64::from_bits(random.next())
        ),
        _ => {
            let mut line = log.at(level);
            for _ in 0..random.below(8) {
                line = line.field(random.key(), random.value(2));
            }
            if random.below(3) == 0 {
                line = line.error(&failure);
            }
            line.write(&other);
        }
    }
}

#[test]
fn whatever_is_logged_is_one_line_of_json_with_each_key_once_and_within_its_limit() {
    let seed = seed();
    let mut random = Random(seed);
    for as_json in [true, false] {
        let mut config = if as_json { json() } else { console() };
        for limits in [(16_384, 8_192), (4_096, 64), (4_096, 4_096)] {
            (config.max_line, config.max_field) = limits;
            let (clog, captured) = captured(config.clone());
            let mut said = 0;
            tracing::subscriber::with_default(clog.subscriber(), || {
                for _ in 0..ROUNDS / 20 {
                    let text = random.text();
                    let mut log = clog.logger().namespace(random.text());
                    for _ in 0..random.below(5) {
                        log = log.with(random.key(), random.value(2));
                    }
                    let outer =
                        tracing::info_span!("outer", a = ?Odd(random.text()), time = text, trace_id = text, b = 1);
                    let inner = outer.in_scope(
                        || tracing::info_span!("inner", a = text, namespace = random.text(), b = ?Odd(random.text())),
                    );
                    for round in 0..10 {
                        let _span = [None, Some(&outer), Some(&inner)][round % 3].map(|span| span.enter());
                        say(&log, &mut random);
                        said += 1;
                    }
                }
            });
            // These read each line: broken JSON, a key twice and a line break are failures.
            let lines = if as_json { captured.objects().len() } else { captured.lines().len() };
            assert_eq!(lines, said, "seed {seed}");
            for line in captured.lines() {
                assert!(line.len() < limits.0, "seed {seed}: {} bytes", line.len());
            }
        }
    }
}
