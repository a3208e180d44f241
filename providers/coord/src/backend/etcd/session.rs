//! Sessions: leases of etcd, renewed on a thread of their own, so that an application that keeps its own threads busy does not
//! lose them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gone_core::{CloseReport, Deadline};
use gone_kit::{LeaseEnd, LeaseKeeper, Outcome};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::failure::{Failure, Kind};
use super::link::{Effect, Link, jittered};
use super::settings::Settings;
use crate::CoordError;
use crate::backend::{Session, margin};

/// Requests that wait for the thread.
const WAITING: usize = 64;
/// The shortest time that a renewal is given, and the longest that the end of the thread is.
const BRIEF: Duration = Duration::from_millis(100);

type Reply<T> = oneshot::Sender<Result<T, CoordError>>;

enum Command {
    Open { ttl: Duration, reply: Reply<Session> },
    Close { id: i64, reply: Reply<()> },
    Stop { deadline: Deadline, reply: oneshot::Sender<CloseReport> },
}

/// The thread, seen from outside.
pub(super) struct Supervisor {
    request_timeout: Duration,
    /// Gone when it was told to end.
    commands: Mutex<Option<mpsc::Sender<Command>>>,
    pub(super) thread: Mutex<Option<Thread>>,
}

pub(super) struct Thread {
    handle: JoinHandle<()>,
    /// An error when the thread is at its end.
    pub(super) ended: oneshot::Receiver<()>,
}

impl Supervisor {
    pub(super) fn start(settings: Arc<Settings>) -> Result<Self, CoordError> {
        let unavailable = |error: std::io::Error| CoordError::Unavailable {
            operation: "connect",
            reason: format!("no thread for the sessions: {error}"),
            outcome: Outcome::NotApplied,
            source: Some(Arc::new(error)),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unavailable)?;
        let (commands, received) = mpsc::channel(WAITING);
        let (end, ended) = oneshot::channel();
        let request_timeout = settings.request_timeout;
        let run = move || {
            runtime.block_on(supervise(settings, received));
            // A lookup of a name that hangs must not keep the thread.
            runtime.shutdown_background();
            drop::<oneshot::Sender<()>>(end);
        };
        let handle = std::thread::Builder::new().name("gone-coord".into()).spawn(run).map_err(unavailable)?;
        let thread = Mutex::new(Some(Thread { handle, ended }));
        Ok(Self { request_timeout, commands: Mutex::new(Some(commands)), thread })
    }

    pub(super) async fn open(&self, ttl: Duration) -> Result<Session, CoordError> {
        self.ask("open session", |reply| Command::Open { ttl, reply }).await
    }

    pub(super) async fn close_session(&self, session: &Session) -> Result<(), CoordError> {
        session.keeper.finish(LeaseEnd::Released);
        let id = session.id;
        self.ask("close session", |reply| Command::Close { id, reply }).await
    }

    async fn ask<T>(
        &self,
        operation: &'static str,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, CoordError> {
        let commands = lock(&self.commands).clone().ok_or(CoordError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let asked = async move {
            commands.send(command(reply)).await.map_err(|_| CoordError::Closed)?;
            drop(commands);
            answer.await.map_err(|_| CoordError::Closed)?
        };
        // The thread keeps the time itself, unless it is not there any more.
        let budget = self.request_timeout * 2;
        let late = || CoordError::Timeout { operation, after: budget, outcome: Outcome::Unknown };
        timeout(budget, asked).await.unwrap_or_else(|_| Err(late()))
    }

    /// Nothing is renewed any more, and nothing given back.
    pub(super) fn abandon(&self) {
        drop(lock(&self.commands).take());
    }

    /// Gives all sessions back and ends the thread. What is not done shortly before the deadline is left.
    pub(super) async fn stop(&self, deadline: Deadline) -> CloseReport {
        let commands = lock(&self.commands).take();
        let (reply, answer) = oneshot::channel();
        let mut report = CloseReport::clean();
        let remaining = deadline.remaining();
        let earlier = Deadline::after(remaining - (remaining / 10).min(BRIEF));
        let asked = async {
            if let Some(commands) = commands {
                let _ = commands.send(Command::Stop { deadline: earlier, reply }).await;
                drop(commands);
                return answer.await.ok();
            }
            None
        };
        if let Ok(Some(told)) = tokio::time::timeout_at(deadline.instant(), asked).await {
            report = told;
        }
        let thread = lock(&self.thread).take();
        if let Some(Thread { handle, ended }) = thread {
            match tokio::time::timeout_at(deadline.instant(), ended).await {
                // It is at its last line.
                Ok(_) if handle.join().is_ok() => {}
                _ => report.still_running += 1,
            }
        }
        report
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The sessions that are renewed.
type Kept = Arc<Mutex<BTreeMap<i64, Weak<LeaseKeeper>>>>;

async fn supervise(settings: Arc<Settings>, mut commands: mpsc::Receiver<Command>) {
    let link = Arc::new(Link::new(settings));
    let kept = Kept::default();
    // What runs here ends with it.
    let mut tasks = JoinSet::new();
    loop {
        let command = tokio::select! {
            command = commands.recv() => command,
            Some(_) = tasks.join_next() => continue,
        };
        match command {
            Some(Command::Open { ttl, reply }) => {
                let (link, kept) = (link.clone(), kept.clone());
                tasks.spawn(async move { open(&link, &kept, ttl, reply).await });
            }
            Some(Command::Close { id, reply }) => {
                let (link, kept) = (link.clone(), kept.clone());
                tasks.spawn(async move {
                    lock(&kept).remove(&id);
                    let _ = reply.send(revoke(&link, id).await.map_err(|failure| failure.into_error("close session")));
                });
            }
            Some(Command::Stop { deadline, reply }) => {
                let _ = reply.send(give_back(&link, &kept, deadline).await);
                return;
            }
            None => return,
        }
    }
}

/// Gives all sessions back, at once; what is not done by the deadline is lost.
async fn give_back(link: &Arc<Link>, kept: &Kept, deadline: Deadline) -> CloseReport {
    let sessions = std::mem::take(&mut *lock(kept));
    let mut revoking = JoinSet::new();
    let mut lost = 0;
    for (id, keeper) in sessions {
        let Some(keeper) = keeper.upgrade().filter(|keeper| keeper.session().is_held()) else { continue };
        keeper.finish(LeaseEnd::Released);
        lost += 1;
        let link = link.clone();
        revoking.spawn(async move { revoke(&link, id).await });
    }
    let mut flushed = 0;
    while let Ok(Some(revoked)) = tokio::time::timeout_at(deadline.instant(), revoking.join_next()).await {
        if let Ok(Ok(())) = revoked {
            flushed += 1;
            lost -= 1;
        }
    }
    CloseReport::clean().flushed(flushed).lost(lost)
}

/// A lease that nobody knows any more is given back as well.
async fn revoke(link: &Link, id: i64) -> Result<(), Failure> {
    match link.call(Effect::Repeatable, |live| async move { live.lease().revoke(id).await }).await {
        Ok(_) => Ok(()),
        Err(failure) if failure.kind == Kind::NoLease => Ok(()),
        // It may be given back twice, but whether it was once is not known.
        Err(failure) => Err(failure.of_a_write()),
    }
}

/// Opens a session, hands it over, and renews it for as long as somebody holds it.
async fn open(link: &Link, kept: &Kept, ttl: Duration, reply: Reply<Session>) {
    let clock = link.settings().clock.clone();
    // The server may keep it for longer than was asked for; nobody here relies on that.
    let seconds = i64::try_from(ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0)).unwrap_or(i64::MAX);
    // One that was granted twice runs out once.
    let granted = link
        .call(Effect::Repeatable, |live| {
            let sent = clock.now();
            async move { Ok((sent, live.lease().grant(seconds, None).await?)) }
        })
        .await;
    let (sent, granted) = match granted {
        Ok(granted) => granted,
        Err(failure) => {
            let _ = reply.send(Err(failure.into_error("open session")));
            return;
        }
    };
    let id = granted.id();
    let keeper = Arc::new(LeaseKeeper::new(&clock, believed(sent, ttl, granted.ttl())));
    let held = Arc::downgrade(&keeper);
    lock(kept).insert(id, held.clone());
    let session = Session { id, ttl, keeper };
    match reply.send(Ok(session)) {
        Ok(()) => keep(link, id, ttl, held).await,
        // Nobody waits for it any more.
        Err(_) => drop(revoke(link, id).await),
    }
    lock(kept).remove(&id);
}

/// Until when a session may be believed in.
fn believed(sent: Instant, ttl: Duration, granted: i64) -> Instant {
    let ttl = ttl.min(Duration::from_secs(u64::try_from(granted).unwrap_or(0)));
    sent + (ttl - margin(ttl))
}

/// A session that is no longer renewed, for whatever reason, is over.
struct Ending(Weak<LeaseKeeper>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(keeper) = self.0.upgrade() {
            keeper.finish(LeaseEnd::Lost("it is no longer renewed".into()));
        }
    }
}

/// Renews a session until it has ended: three times in its life, and more often when there is no answer.
async fn keep(link: &Link, id: i64, ttl: Duration, keeper: Weak<LeaseKeeper>) {
    let Some(lease) = keeper.upgrade().map(|keeper| keeper.session().clone()) else { return };
    let _ending = Ending(keeper.clone());
    let clock = &link.settings().clock;
    let regular = || ttl / 4 + jittered(ttl / 12);
    let mut pause = regular();
    loop {
        tokio::select! {
            _ = lease.lost() => return,
            () = sleep(pause) => {}
        }
        // Half of what is left, so that there is time for another connection.
        let patience = (lease.remaining() / 2).max(BRIEF);
        let renewing = link.call(Effect::Repeatable, |live| {
            let sent = clock.now();
            async move {
                let (_, stream) = live.lease().keep_alive(id).await?;
                drop(stream);
                Ok(sent)
            }
        });
        let renewed = tokio::select! {
            _ = lease.lost() => return,
            renewed = timeout(patience, renewing) => renewed,
        };
        let Some(keeper) = keeper.upgrade() else { return };
        pause = match renewed {
            Ok(Ok(sent)) if keeper.renew(sent + (ttl - margin(ttl))) => regular(),
            Ok(Ok(_)) => return,
            Ok(Err(failure)) if failure.kind == Kind::NoLease => {
                keeper.finish(LeaseEnd::Lost("etcd no longer knows its lease".into()));
                return;
            }
            Ok(Err(failure)) => {
                tracing::debug!(target: "gone_coord", reason = failure.reason(), "a session was not renewed");
                jittered(patience.min(Duration::from_millis(500)))
            }
            Err(_) => {
                link.give_up();
                Duration::ZERO
            }
        };
    }
}
