//! gRPC channels that follow the registry.

mod balance;
mod body;
mod options;
mod outlier;
mod stats;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use gone_kit::Clock;
use http::{Request, Response};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower_service::Service;

use self::balance::{Balance, InFlight, Instance};
use self::body::Untouched;
use super::{Discovery, Instances, ServiceInfo};
use crate::watch::Task;

pub use options::ChannelOptions;
pub use outlier::OutlierPolicy;
pub use stats::ChannelStats;

/// With how many instances a call is tried at most.
const MOST_TRIES: usize = 3;

/// A gRPC channel to a service, balanced over its live instances: what [`Registry::channel`](super::Registry::channel) gives.
/// Hand it to a generated client in the place of a [`tonic::transport::Channel`]: `UsersClient::new(channel)`.
///
/// - **Who is called.** The instances take turns; one with fewer calls under way is taken before one with more. Calls that are
///   under way on an instance that goes are not cut.
/// - **Who is not.** An instance that fails again and again is left out for a while: see [`OutlierPolicy`].
/// - **What is tried again.** A call that reached nobody, because the connection could not be made or was just gone, is tried
///   with two other instances. A call of which something was sent is never tried again: it may have been carried out.
/// - **No instance** is the status `UNAVAILABLE`, at once; so is a connection that breaks before the answer has come.
///
/// A clone is the same channel. A call takes as long as it takes, save for what the client sets as its timeout; a dropped call
/// is cancelled at the instance.
#[derive(Clone)]
pub struct ServiceChannel {
    shared: Arc<Shared>,
    _task: Arc<Task>,
}

struct Shared {
    service: String,
    balance: Balance,
    options: ChannelOptions,
    clock: Clock,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    failures: AtomicU64,
    moved: AtomicU64,
    ejections: AtomicU64,
}

impl ServiceChannel {
    pub(super) fn start(discovery: Discovery, options: ChannelOptions, clock: Clock) -> Self {
        let service = discovery.name().to_owned();
        let shared = Shared { service, balance: Balance::default(), options, clock, counts: Counts::default() };
        let shared = Arc::new(shared);
        let instances = discovery.instances();
        shared.follow(&instances);
        let task = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                let mut version = instances.version();
                while let Some(instances) = discovery.newer_than(version).await {
                    version = instances.version();
                    shared.follow(&instances);
                }
            }
        });
        Self { shared, _task: Arc::new(Task(task)) }
    }

    /// The service.
    pub fn service(&self) -> &str {
        &self.shared.service
    }

    /// Its figures.
    pub fn stats(&self) -> ChannelStats {
        let Shared { balance, clock, counts, .. } = &*self.shared;
        ChannelStats {
            instances: balance.instances().len(),
            ejected: balance.ejected(clock.now()),
            calls: counts.calls.load(Relaxed),
            failures: counts.failures.load(Relaxed),
            moved: counts.moved.load(Relaxed),
            ejections: counts.ejections.load(Relaxed),
        }
    }
}

impl Shared {
    /// Takes over a new picture: an instance that has not changed keeps its connection and its record.
    fn follow(&self, instances: &Instances) {
        let before = self.balance.instances();
        let now = self.clock.now();
        let instance = |info: &Arc<ServiceInfo>| {
            if let Some(same) = before.iter().find(|instance| instance.info == *info) {
                return Some(Arc::clone(same));
            }
            match (self.options.endpoint)(info) {
                Ok(endpoint) => Some(Arc::new(Instance::new(Arc::clone(info), endpoint.connect_lazy(), now))),
                Err(error) => {
                    let (service, id) = (&info.name, &info.id);
                    tracing::warn!(target: "gone_coord", service, id, %error, "an instance cannot be called");
                    None
                }
            }
        };
        self.balance.set(instances.list().iter().filter_map(instance).collect());
    }

    async fn call(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        self.counts.calls.fetch_add(1, Relaxed);
        let (head, mut body) = request.into_parts();
        let mut tried = Vec::new();
        loop {
            let Some(instance) = self.balance.choose(self.clock.now(), &tried) else {
                return Err(Status::unavailable(format!("no instance of `{}` is registered", self.service)));
            };
            let (untouched, lent) = Untouched::lend(body);
            let in_flight = InFlight::begin(&instance);
            let answer = send(instance.channel.clone(), Request::from_parts(head.clone(), lent)).await;
            drop(in_flight);
            let status = match answer {
                Ok(response) => {
                    // An error without a message comes with the head.
                    let status = Status::from_header_map(response.headers());
                    match status.is_some_and(|status| status.code() == Code::Unavailable) {
                        true => self.failed(&instance),
                        false => instance.record.succeeded(),
                    }
                    return Ok(response);
                }
                Err(error) => unreached(error),
            };
            // That the caller's own time ran out says nothing of the instance.
            if status.code() != Code::Cancelled {
                self.failed(&instance);
            }
            tried.push(instance);
            if tried.len() == MOST_TRIES || tried.len() >= self.balance.instances().len() {
                return Err(status);
            }
            match untouched.take() {
                Some(back) => body = back,
                None => return Err(status),
            }
            self.counts.moved.fetch_add(1, Relaxed);
        }
    }

    fn failed(&self, instance: &Instance) {
        self.counts.failures.fetch_add(1, Relaxed);
        let now = self.clock.now();
        let policy = &self.options.outliers;
        let allowed = || self.balance.ejected(now) < policy.most_ejected(self.balance.instances().len());
        if let Some(length) = instance.record.failed(policy, now, allowed) {
            self.counts.ejections.fetch_add(1, Relaxed);
            let ServiceInfo { name: service, id, .. } = &*instance.info;
            tracing::warn!(target: "gone_coord", service, id, ?length, "an instance fails, and is left out for a while");
        }
    }
}

/// What the caller is told when no answer came. A connection that breaks has no code of its own in tonic.
fn unreached(error: tonic::transport::Error) -> Status {
    let status = Status::from_error(Box::new(error));
    if status.code() != Code::Unknown {
        return status;
    }
    let mut broken = Status::unavailable("the connection broke before the answer came");
    broken.set_source(Arc::new(status));
    broken
}

async fn send(mut channel: Channel, request: Request<Body>) -> Result<Response<Body>, tonic::transport::Error> {
    poll_fn(|context| channel.poll_ready(context)).await?;
    channel.call(request).await
}

impl Service<Request<Body>> for ServiceChannel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { shared.call(request).await })
    }
}

impl fmt::Debug for ServiceChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceChannel").field("service", &self.shared.service).field("stats", &self.stats()).finish()
    }
}
