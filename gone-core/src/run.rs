//! `run` and `serve`: from the first line of `main` to its last.

use std::borrow::Cow;
use std::panic::Location;
use std::pin::pin;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::builder::Discovery;
use crate::race::{First, race};
use crate::render::stderr_takes_color;
use crate::target::Site;
use crate::tasks::UnderWay;
use crate::{AppBuilder, Error, Inject, Injected, Result, Running, With, value};

impl AppBuilder {
    /// Boots, calls `function` with its parameters injected, and stops.
    ///
    /// The parameters are checked in the plan like any site. SIGINT, SIGTERM, a goner that asks for it, or a background task that
    /// fails, end the application: [`Shutdown`](crate::Shutdown), which the function may take as a parameter, says so; a function
    /// that has not returned within the shutdown budget is dropped; then everything is stopped in order. Before the application is
    /// ready, a signal rolls the boot back. A second signal ends the process at once with code 128 + n, saying what did not finish.
    ///
    /// A dropped future stops and closes in a detached task.
    ///
    /// # Errors
    /// The plan's report, the failure of the boot, or the function's own error, with those of stopping attached; a panic of the
    /// function is such an error.
    #[track_caller]
    pub fn run<F, A>(self, function: F) -> impl Future<Output = Result<()>>
    where
        F: Injected<A, Output = Result<()>>,
    {
        self.run_until(function, Signals::new, Then::Stop)
    }

    /// As [`run`](AppBuilder::run), and goes on after the function has returned `Ok`: until a signal, a goner that asks for a stop, or a
    /// background task that fails. A dropped future stops and closes in a detached task. (contract container A-127)
    ///
    /// # Errors
    /// The plan's report, the failure of the boot, of the function or of a background task, with those of stopping attached.
    #[track_caller]
    pub fn serve_after<F, A>(self, function: F) -> impl Future<Output = Result<()>>
    where
        F: Injected<A, Output = Result<()>>,
    {
        self.run_until(function, Signals::new, Then::Serve)
    }

    /// As [`run`](AppBuilder::run), for tests: goners may inject [`TestFlag`], signals end the process as they do any other, and goners that
    /// were [discovered](crate::discovered) are left out unless [`discover_in_tests`](AppBuilder::discover_in_tests) is said. With
    /// [`only_needed`](AppBuilder::only_needed) it builds what the function needs and no more. A dropped future stops and
    /// closes in a detached task. (contract container A-126)
    ///
    /// # Errors
    /// The plan's report, the failure of the boot, or the function's own error, with those of stopping attached.
    #[track_caller]
    pub fn test<F, A>(self, function: F) -> impl Future<Output = Result<()>>
    where
        F: Injected<A, Output = Result<()>>,
    {
        let mut flag = value(TestFlag(()));
        flag.node.built_in = true;
        let mut builder = self.load(flag);
        if builder.discovery == Discovery::OutsideTests {
            builder.discovery = Discovery::Off;
        }
        builder.run_until(function, || Ok(Signals::none()), Then::Stop)
    }

    /// As [`test`](AppBuilder::test), for a function whose one parameter is a [bundle](crate::Inject) of sites. A dropped future stops
    /// and closes in a detached task.
    ///
    /// # Errors
    /// The plan's report, the failure of the boot, or the function's own error, with those of stopping attached.
    #[track_caller]
    pub fn test_with<F, B>(self, function: F) -> impl Future<Output = Result<()>>
    where
        F: AsyncFnOnce(B) -> Result<()>,
        B: Inject,
    {
        self.test(With::new(function))
    }

    #[track_caller]
    fn run_until<F, A>(
        self,
        function: F,
        signals: fn() -> Result<Signals>,
        then: Then,
    ) -> impl Future<Output = Result<()>>
    where
        F: Injected<A, Output = Result<()>>,
    {
        let sites = located(F::sites(), Location::caller());
        async move {
            let mut signals = signals()?;
            let running = boot(self, Some(sites), &mut signals).await?;
            let mut call = pin!(running.call_planned(function));
            let result = match race(call.as_mut(), ended(&running, &mut signals)).await {
                First::Left(Ok(())) if then == Then::Serve => {
                    ended(&running, &mut signals).await;
                    Ok(())
                }
                First::Left(result) => result,
                // It was told, by the `Shutdown` that it may hold: it has the budget of the shutdown to return.
                First::Right(()) => {
                    let rest = tokio::time::timeout(running.shutdown_budget(), call);
                    match race(rest, signals.next()).await {
                        First::Left(returned) => returned.unwrap_or(Ok(())),
                        First::Right((number, name)) => match at_once(number, name, &running.under_way()) {},
                    }
                }
            };
            let stopped = stop(&running, &mut signals).await;
            outcome(&running, result, stopped)
        }
    }

    /// As [`run`](AppBuilder::run), for a function whose one parameter is a [bundle](crate::Inject) of sites. A dropped future stops
    /// and closes in a detached task.
    ///
    /// # Errors
    /// The plan's report, the failure of the boot, or the function's own error, with those of stopping attached.
    #[track_caller]
    pub fn run_with<F, B>(self, function: F) -> impl Future<Output = Result<()>>
    where
        F: AsyncFnOnce(B) -> Result<()>,
        B: Inject,
    {
        self.run(With::new(function))
    }

    /// Boots, waits for SIGINT, SIGTERM, a goner that asks for a stop or a background task that fails, and stops. A second signal
    /// ends the process at once with code 128 + n, saying what did not finish.
    ///
    /// A dropped future stops and closes in a detached task.
    ///
    /// # Errors
    /// The plan's report, the failure of the boot or of a background task, or what failed while stopping.
    pub async fn serve(self) -> Result<()> {
        let mut signals = Signals::new()?;
        let running = boot(self, None, &mut signals).await?;
        ended(&running, &mut signals).await;
        let stopped = stop(&running, &mut signals).await;
        outcome(&running, Ok(()), stopped)
    }
}

async fn boot(builder: AppBuilder, sites: Option<Cow<'static, [Site]>>, signals: &mut Signals) -> Result<Running> {
    let under_way = builder.under_way.clone();
    let (tell, told) = tokio::sync::oneshot::channel();
    let interrupt = async {
        match told.await {
            Ok(error) => error,
            Err(_) => std::future::pending().await,
        }
    };
    // The first signal rolls the boot back; the second does not wait for that.
    let watch = async {
        let (number, name) = signals.next().await;
        let _ = tell.send(Error::interrupted(number, name));
        let (number, name) = signals.next().await;
        at_once(number, name, &under_way)
    };
    match race(builder.boot_for(sites, interrupt), watch).await {
        First::Left(booted) => {
            if let Ok(running) = &booted {
                running.say_warnings();
            }
            booted
        }
        First::Right(never) => match never {},
    }
}

/// A signal more than is waited for.
fn at_once(number: i32, name: &str, under_way: &UnderWay) -> std::convert::Infallible {
    eprintln!("{name} again: ending at once; did not finish: {}", under_way.names().join(", "));
    std::process::exit(128 + number)
}

/// Waits for a signal, or for a goner that asks for a stop.
async fn ended(running: &Running, signals: &mut Signals) {
    let shutdown = running.shutdown();
    if let First::Left((_, name)) = race(signals.next(), shutdown.requested()).await {
        shutdown.request(name);
    }
    tracing::warn!(target: "gone", "stopping: {}", shutdown.reason().unwrap_or_default());
}

async fn stop(running: &Running, signals: &mut Signals) -> Result<()> {
    let begun = tokio::time::Instant::now();
    let stopped = match race(running.stop(), signals.next()).await {
        First::Left(stopped) => stopped,
        First::Right((number, name)) => match at_once(number, name, &running.under_way()) {},
    };
    tracing::info!(target: "gone", "stopped in {:.0?}", begun.elapsed());
    stopped
}

/// The function's own error comes first, then that of a background task; those of stopping are attached.
fn outcome(running: &Running, function: Result<()>, stopped: Result<()>) -> Result<()> {
    let errors = [function.err(), running.shutdown().failure(), stopped.err()];
    Error::first_of(errors.into_iter().flatten())
}

/// What comes when the function has returned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Stop,
    Serve,
}

/// Says that the application runs under [`AppBuilder::test`]: `#[gone] test: Option<TestFlag>`. Elsewhere nothing offers it.
#[derive(Clone, Copy, Debug)]
pub struct TestFlag(());

/// The signals that end an application.
struct Signals(Option<(Signal, Signal)>);

impl Signals {
    fn new() -> Result<Self> {
        Ok(Signals(Some((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))))
    }

    /// Of an application that leaves signals alone.
    fn none() -> Self {
        Signals(None)
    }

    async fn next(&mut self) -> (i32, &'static str) {
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        match race(interrupt.recv(), terminate.recv()).await {
            First::Left(_) => (2, "SIGINT"),
            First::Right(_) => (15, "SIGTERM"),
        }
    }
}

/// Parameters have no place of their own: theirs is where the function was given.
pub(crate) fn located(sites: Cow<'static, [Site]>, at: &'static Location<'static>) -> Cow<'static, [Site]> {
    Cow::Owned(sites.iter().map(|site| Site { at, ..site.clone() }).collect())
}

/// What `#[gone::main]` makes of `main`: a runtime, the function on it, its error printed whole, and the exit code.
pub fn main<E: Into<Error>>(
    runtime: std::io::Result<tokio::runtime::Runtime>,
    function: impl Future<Output = Result<(), E>>,
) -> ExitCode {
    let (runtime, result) = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(function).map_err(Into::into);
            (Some(runtime), result)
        }
        Err(error) => (None, Err(Error::from(error))),
    };
    let code = match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.render().color(stderr_takes_color()));
            ExitCode::from(error.exit_code())
        }
    };
    if let Some(runtime) = runtime {
        // A thread that an abandoned hook blocks must not keep the process.
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    }
    code
}

/// The runtime of `#[gone::main]`.
pub fn runtime(current_thread: bool, worker_threads: Option<usize>) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match current_thread {
        true => tokio::runtime::Builder::new_current_thread(),
        false => tokio::runtime::Builder::new_multi_thread(),
    };
    if let Some(threads) = worker_threads {
        builder.worker_threads(threads.max(1));
    }
    builder.enable_all().build()
}

/// The runtime of `#[gone::test(start_paused = true)]`.
#[cfg(feature = "test-util")]
pub fn paused_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()
}

/// What a test may return: nothing, or a `Result`.
#[diagnostic::on_unimplemented(
    message = "a test cannot return `{Self}`",
    note = "it returns nothing, or a `Result<(), E>` whose error becomes a `gone::Error`"
)]
pub trait TestResult {
    #[doc(hidden)]
    fn into_result(self) -> Result<()>;
}

impl TestResult for () {
    fn into_result(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Into<Error>> TestResult for Result<(), E> {
    fn into_result(self) -> Result<()> {
        self.map_err(Into::into)
    }
}

/// What `#[gone::test]` makes of a test: a runtime, the function on it, and a panic with its whole error.
pub fn test<R: TestResult>(runtime: std::io::Result<tokio::runtime::Runtime>, function: impl Future<Output = R>) {
    match runtime.map_err(Error::from).and_then(|runtime| runtime.block_on(function).into_result()) {
        Ok(()) => {}
        // A test fails by a panic; the container's own code has none.
        Err(error) => panic!("{error:?}"),
    }
}
