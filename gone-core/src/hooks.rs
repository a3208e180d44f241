//! The hooks of a goner's life, and what goes with them. Each is a trait; it runs because the goner implements it.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::{Result, ShutdownToken};

/// Runs after the sites are filled and before [`Init`], while nobody else can see the goner.
///
/// A dropped boot drops this future at its next await; the goner is then dropped, and not closed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `before_init` hook",
    note = "write `impl BeforeInit for {Self} {{ async fn before_init(&mut self) -> gone::Result<()> {{ … }} }}`"
)]
pub trait BeforeInit: Send + Sync + 'static {
    /// Prepares the goner. An `Err` or a panic fails the boot.
    fn before_init(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// Makes the goner ready to be given to others: all that it needs is ready in full, and nobody else can see it yet.
///
/// Its pair is [`Close`]. A dropped boot drops this future at its next await; the goner is then dropped, and not closed,
/// so what it has acquired by then must be released by `Drop`.
///
/// ```
/// use gone::prelude::*;
/// # #[derive(Default)]
/// # struct Connection;
/// # impl Connection {
/// #     async fn open(_: &str) -> gone::Result<Self> { Ok(Connection) }
/// #     async fn end(&self) -> u64 { 0 }
/// # }
///
/// #[derive(Goner)]
/// struct Store {
///     #[gone]
///     url: String,
///     connection: Option<Connection>,
/// }
///
/// impl Init for Store {
///     async fn init(&mut self) -> gone::Result<()> {
///         self.connection = Some(Connection::open(&self.url).await?);
///         Ok(())
///     }
/// }
///
/// impl Close for Store {
///     async fn close(&self, deadline: Deadline) -> gone::Result<CloseReport> {
///         let Some(connection) = &self.connection else { return Ok(CloseReport::clean()) };
///         let unsent = tokio::time::timeout_at(deadline.instant(), connection.end()).await?;
///         Ok(CloseReport::clean().lost(unsent))
///     }
/// }
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// #     let app = Gone::load((Store::goner(), value("sqlite:".to_owned()))).boot().await?;
/// #     assert!(app.get::<std::sync::Arc<Store>>()?.connection.is_some());
/// #     app.stop().await
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `init` hook",
    note = "write `impl Init for {Self} {{ async fn init(&mut self) -> gone::Result<()> {{ … }} }}`"
)]
pub trait Init: Send + Sync + 'static {
    /// Initialises the goner. An `Err` or a panic fails the boot.
    fn init(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// Runs before any goner starts, in the order of the start.
///
/// If another goner's hook fails meanwhile, or the boot is dropped, this future is dropped at its next await. Nothing has started
/// then, so neither `before_stop` nor `stop` follows, but [`Close`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `before_start` hook",
    note = "write `impl BeforeStart for {Self} {{ async fn before_start(&self) -> gone::Result<()> {{ … }} }}`"
)]
pub trait BeforeStart: Send + Sync + 'static {
    /// An `Err` or a panic fails the boot.
    fn before_start(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Starts the goner's work, after everything that it needs has started. Must return once the goner is ready.
///
/// Its pair is [`Stop`]. If another goner's start fails meanwhile, or the boot is dropped, this future is dropped at its next await
/// and `stop` is not called, as its start did not come to an end.
///
/// ```
/// use gone::prelude::*;
/// # struct Listener;
/// # impl Listener {
/// #     async fn accept(&self) {}
/// #     async fn refuse(&self) {}
/// # }
///
/// #[derive(Goner)]
/// struct Server {
///     #[gone]
///     listener: std::sync::Arc<Listener>,
/// }
///
/// impl Start for Server {
///     async fn start(&self) -> gone::Result<()> {
///         self.listener.accept().await;
///         Ok(())
///     }
/// }
///
/// impl Stop for Server {
///     async fn stop(&self) -> gone::Result<()> {
///         self.listener.refuse().await;
///         Ok(())
///     }
/// }
///
/// /// Once every goner has started: by now the server takes requests.
/// impl AfterStart for Server {
///     async fn after_start(&self) -> gone::Result<()> {
///         println!("ready");
///         Ok(())
///     }
/// }
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// #     Gone::load((Server::goner(), value(std::sync::Arc::new(Listener)))).boot().await?.stop().await
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `start` hook",
    note = "write `impl Start for {Self} {{ async fn start(&self) -> gone::Result<()> {{ … }} }}`"
)]
pub trait Start: Send + Sync + 'static {
    /// Starts. An `Err` or a panic stops what has started, closes what was built, and is the boot's error.
    fn start(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Runs once every goner has started, in the order of the start.
///
/// If another goner's hook fails meanwhile, or the boot is dropped, this future is dropped at its next await. The goner has
/// started, so that its `before_stop` and `stop` follow.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `after_start` hook",
    note = "write `impl AfterStart for {Self} {{ async fn after_start(&self) -> gone::Result<()> {{ … }} }}`"
)]
pub trait AfterStart: Send + Sync + 'static {
    /// An `Err` or a panic fails the boot, and what has started is stopped.
    fn after_start(&self) -> impl Future<Output = Result<()>> + Send;
}

/// A background task: begins once every goner has started, is told when its goner's turn to stop has come, and is awaited before
/// the goner's own `stop`.
///
/// An `Err` or a panic takes the whole application down in order, and is what it ends with. Returning early with `Ok` ends the
/// task and nothing else. One that goes on past the stop budget after it was told is dropped at its next await, and named.
///
/// ```
/// use std::time::Duration;
///
/// use gone::prelude::*;
///
/// #[derive(Goner)]
/// struct Cleaner;
///
/// impl Run for Cleaner {
///     async fn run(&self, shutdown: ShutdownToken) -> gone::Result<()> {
///         while shutdown.run_until_cancelled(tokio::time::sleep(Duration::from_secs(60))).await.is_some() {
///             println!("cleaning");
///         }
///         Ok(())
///     }
/// }
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// #     Gone::load(Cleaner::goner()).boot().await?.stop().await
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no background task",
    note = "write `impl Run for {Self} {{ async fn run(&self, shutdown: ShutdownToken) -> gone::Result<()> {{ … }} }}`"
)]
pub trait Run: Send + Sync + 'static {
    /// Works until it is done or told to end.
    fn run(&self, shutdown: ShutdownToken) -> impl Future<Output = Result<()>> + Send;
}

/// Runs before any goner stops, in the reverse of the start's order, for goners that have started.
///
/// It has a budget; past it the future is dropped at its next await, the hook is reported by name, and the stop goes on.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `before_stop` hook",
    note = "write `impl BeforeStop for {Self} {{ async fn before_stop(&self) -> gone::Result<()> {{ … }} }}`"
)]
pub trait BeforeStop: Send + Sync + 'static {
    /// An `Err` or a panic is collected, and the others run all the same.
    fn before_stop(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Undoes [`Start`]: runs for goners whose turn to start came and went well, also those that have no `start`, before
/// anything that they need is stopped.
///
/// It has a budget; past it the future is dropped, the hook is reported by name, and the stop goes on below it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `stop` hook",
    note = "write `impl Stop for {Self} {{ async fn stop(&self) -> gone::Result<()> {{ … }} }}`"
)]
pub trait Stop: Send + Sync + 'static {
    /// Stops. An `Err` or a panic is collected, and the others are stopped all the same.
    fn stop(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Runs once every goner has stopped, in the reverse of the start's order, for goners that had started.
///
/// It has a budget; past it the future is dropped at its next await, the hook is reported by name, and the others run all the same.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `after_stop` hook",
    note = "write `impl AfterStop for {Self} {{ async fn after_stop(&self) -> gone::Result<()> {{ … }} }}`"
)]
pub trait AfterStop: Send + Sync + 'static {
    /// An `Err` or a panic is collected, and the others run all the same.
    fn after_stop(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Releases what construction and [`Init`] acquired: pools, clients, files.
///
/// Runs exactly once for every goner whose `init` succeeded (or that has none), after all stop hooks and before anything that the
/// goner needs is closed, so in the reverse of the order of construction; what is independent closes concurrently. Also when the
/// boot fails or is dropped. Past the deadline the future is dropped, the hook is reported by name, and the others are closed all
/// the same.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `close` hook",
    note = "write `impl Close for {Self} {{ async fn close(&self, deadline: Deadline) -> gone::Result<CloseReport> {{ … }} }}`"
)]
pub trait Close: Send + Sync + 'static {
    /// Closes by the deadline and says what came of what was still under way. An `Err` or a panic is collected, and the others are closed
    /// all the same.
    fn close(&self, deadline: Deadline) -> impl Future<Output = Result<CloseReport>> + Send;
}

/// The moment by which something must have ended, on the runtime's monotonic clock (so paused time governs it in tests).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that is `budget` from now.
    pub fn after(budget: Duration) -> Self {
        let now = Instant::now();
        Deadline(now.checked_add(budget).unwrap_or_else(|| now + Duration::from_secs(86_400 * 365)))
    }

    /// The moment itself.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// How long is left; zero once it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// What came of the work that was under way when a component was closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "it says what was lost and what still runs"]
#[non_exhaustive]
pub struct CloseReport {
    /// What was pending and has been brought to its end: lines written, messages sent, requests answered.
    pub flushed: u64,
    /// What was pending and is lost.
    pub lost: u64,
    /// What still runs and was left behind: borrowed connections, tasks.
    pub still_running: u64,
}

impl CloseReport {
    /// Nothing was pending.
    pub fn clean() -> Self {
        Self::default()
    }

    /// The same report with a count of what was brought to its end.
    pub fn flushed(mut self, count: u64) -> Self {
        self.flushed = count;
        self
    }

    /// The same report with a count of what is lost.
    pub fn lost(mut self, count: u64) -> Self {
        self.lost = count;
        self
    }

    /// The same report with a count of what still runs.
    pub fn still_running(mut self, count: u64) -> Self {
        self.still_running = count;
        self
    }

    /// Whether nothing was lost and nothing still runs.
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.still_running == 0
    }
}

impl fmt::Display for CloseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flushed {}, lost {}, still running {}", self.flushed, self.lost, self.still_running)
    }
}

/// A stage of a goner's life in which user code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Hook {
    /// Filling the sites and making the struct, with the defaults of its untagged fields.
    Construct,
    /// A provider that is asked for a value.
    Provide,
    /// [`BeforeInit`].
    BeforeInit,
    /// [`Init`].
    Init,
    /// [`BeforeStart`].
    BeforeStart,
    /// [`Start`].
    Start,
    /// [`AfterStart`].
    AfterStart,
    /// [`Run`], a background task.
    Run,
    /// [`BeforeStop`].
    BeforeStop,
    /// [`Stop`].
    Stop,
    /// [`AfterStop`].
    AfterStop,
    /// [`Close`].
    Close,
}

impl Hook {
    /// The name of the hook as its trait's method is spelled.
    pub const fn as_str(self) -> &'static str {
        match self {
            Hook::Construct => "construct",
            Hook::Provide => "provide",
            Hook::BeforeInit => "before_init",
            Hook::Init => "init",
            Hook::BeforeStart => "before_start",
            Hook::Start => "start",
            Hook::AfterStart => "after_start",
            Hook::Run => "run",
            Hook::BeforeStop => "before_stop",
            Hook::Stop => "stop",
            Hook::AfterStop => "after_stop",
            Hook::Close => "close",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
