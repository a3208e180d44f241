//! One list of cases, made a test of for every backend.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// The name of a case with what no other run of it has: for the keys, tables and topics that a test keeps to.
pub fn unique(case: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("{case}-{}-{now}-{count}", std::process::id())
}

/// Makes a test of each case for each backend, in a module of the backend's name.
///
/// A case is an `async fn(At)`, in the file of its subject with the mark of its row above it; `At` is what the suite runs
/// against, and each backend says how one is made of the case's name. The attributes after a backend's name are those of its
/// tests; a `#[cfg(…)]` stands first.
///
/// ```
/// struct At(&'static str);
///
/// impl At {
///     async fn memory(case: &'static str) -> Self {
///         Self(case)
///     }
/// }
///
/// mod counting {
///     pub(crate) async fn a_counter_begins_at_zero(at: super::At) {
///         assert_eq!(at.0, "a_counter_begins_at_zero");
///     }
/// }
///
/// gone_test_bench::conformance! {
///     backends {
///         memory: #[tokio::test(start_paused = true)] At::memory;
///         redis: #[cfg(feature = "redis")] #[tokio::test] #[ignore = "needs redis: cargo xtask test"] At::redis;
///     }
///     cases {
///         counting: a_counter_begins_at_zero;
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
#[allow(clippy::crate_in_macro_def, reason = "the cases are those of the crate that calls it")]
macro_rules! conformance {
    (
        backends { $($backend:ident: $(#[$attribute:meta])+ $kind:ident::$open:ident;)+ }
        cases { $($subject:ident: $($case:ident),+ $(,)?;)+ }
    ) => {
        $crate::conformance! {
            @each { $($backend [$(#[$attribute])+] $kind $open;)+ }
            { $($($subject $case;)+)+ }
        }
    };
    (@each { $($backend:ident $attributes:tt $kind:ident $open:ident;)+ } $cases:tt) => {
        $(
            mod $backend {
                $crate::conformance! { @tests $attributes $kind $open $cases }
            }
        )+
    };
    (@tests $attributes:tt $kind:ident $open:ident { $($subject:ident $case:ident;)+ }) => {
        $($crate::conformance! { @test $attributes $kind $open $subject $case })+
    };
    (@test [$($attributes:tt)+] $kind:ident $open:ident $subject:ident $case:ident) => {
        $($attributes)+
        async fn $case() {
            crate::$subject::$case(crate::$kind::$open(stringify!($case)).await).await;
        }
    };
}
