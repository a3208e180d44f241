//! A network between a client and a server, to be broken on purpose.

mod link;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::port::HeldPort;

/// As many connections are open at once; one more is reset, and counted as `too_many`.
const MOST_CONNECTIONS: usize = 128;

/// How many connections wait to be accepted.
const BACKLOG: u32 = 1_024;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the server to the client.
    ToClient,
    /// From the client to the server.
    ToServer,
}

/// What is wrong with the network now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Faults {
    closed: bool,
    cut: bool,
    blackhole: bool,
    garble: bool,
    delay: Duration,
    /// Bytes per second; 0 for as many as there are.
    throttle: u64,
    /// Bytes per write; 0 for as many as there are.
    split: usize,
    /// Counts what happens once, to the connections that are there.
    resets: u64,
    half_closes_to_client: u64,
    half_closes_to_server: u64,
}

impl Faults {
    fn half_closes(&self, direction: Direction) -> u64 {
        match direction {
            Direction::ToClient => self.half_closes_to_client,
            Direction::ToServer => self.half_closes_to_server,
        }
    }
}

macro_rules! struck {
    ($($(#[$doc:meta])* $name:ident),*) => {
        /// How often each fault has struck so far.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Struck { $($(#[$doc])* pub $name: u64),* }

        #[derive(Debug, Default)]
        struct Counters { $($name: AtomicU64),* }

        impl Counters {
            fn read(&self) -> Struck {
                Struck { $($name: self.$name.load(Ordering::Relaxed)),* }
            }
        }
    };
}

struck! {
    /// Connections that were accepted.
    accepted,
    /// Connections that were reset: by [`Proxy::cut`], [`Proxy::reset`], or because they came while it was cut.
    cut,
    /// Connections that were reset because the server did not take them.
    unreachable,
    /// Connections that were reset because there were too many.
    too_many,
    /// Connections of which one way was ended.
    half_closed,
    /// Pieces that were held back until the network healed.
    blackholed,
    /// Pieces that were passed on later.
    delayed,
    /// Pieces after which there was a pause.
    throttled,
    /// Pieces that were broken into several.
    split,
    /// Pieces that were garbled.
    garbled
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A TCP proxy on loopback. It runs on a thread of its own, so that neither a paused clock nor a blocked runtime of the test
/// changes what the network does. Faults add up until [`heal`](Self::heal); dropping the handle closes everything.
///
/// Each connection holds at most a megabyte on its way in each direction.
pub struct Proxy {
    address: SocketAddr,
    faults: watch::Sender<Faults>,
    listening: watch::Receiver<bool>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy before a server, as `127.0.0.1:port`. The server need not be there yet.
    ///
    /// # Errors
    ///
    /// The address is none, or there is no free port.
    pub fn start(server: &str) -> io::Result<Self> {
        let server: SocketAddr = server.parse().map_err(io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let port = HeldPort::new()?;
        let address = port.address();
        let socket = port.socket()?;
        let listener = {
            let _within = runtime.enter();
            socket.listen(BACKLOG)?
        };
        let (faults, seen) = watch::channel(Faults::default());
        let (listens, listening) = watch::channel(true);
        let counters = Arc::new(Counters::default());
        let accepting = Accepting { port, server, faults: seen, listens, counters: Arc::clone(&counters) };
        let thread = std::thread::Builder::new().name("proxy".into()).spawn(move || {
            runtime.block_on(accepting.run(listener));
            // The connections that are left are dropped with the runtime.
        })?;
        Ok(Self { address, faults, listening, counters, thread: Some(thread) })
    }

    /// `127.0.0.1:port`: where clients connect.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// How often each fault has struck so far.
    pub fn struck(&self) -> Struck {
        self.counters.read()
    }

    /// Resets all connections, and refuses new ones until [`heal`](Self::heal). Returns when new ones are refused.
    pub fn cut(&self) {
        self.faults.send_modify(|faults| {
            faults.cut = true;
            faults.resets += 1;
        });
        self.await_listening(false);
    }

    /// Resets all connections, once; new ones are welcome.
    pub fn reset(&self) {
        self.faults.send_modify(|faults| faults.resets += 1);
    }

    /// Swallows everything: connections stay and are accepted, and no byte comes through until [`heal`](Self::heal), when
    /// those on the way arrive late, as on a network that is back.
    pub fn blackhole(&self) {
        self.faults.send_modify(|faults| faults.blackhole = true);
    }

    /// What the server sends arrives later by so much.
    pub fn delay(&self, by: Duration) {
        self.faults.send_modify(|faults| faults.delay = by);
    }

    /// So many bytes per second pass each way on each connection.
    pub fn throttle(&self, bytes_per_second: u64) {
        self.faults.send_modify(|faults| faults.throttle = bytes_per_second.max(1));
    }

    /// What is sent arrives in pieces of so many bytes.
    pub fn split(&self, bytes: usize) {
        self.faults.send_modify(|faults| faults.split = bytes.max(1));
    }

    /// Every byte that the server sends arrives as another one.
    pub fn garble(&self) {
        self.faults.send_modify(|faults| faults.garble = true);
    }

    /// Ends one way of all connections that are there, in order, once; the other way stays. What is still sent that way is
    /// swallowed.
    pub fn half_close(&self, direction: Direction) {
        self.faults.send_modify(|faults| match direction {
            Direction::ToClient => faults.half_closes_to_client += 1,
            Direction::ToServer => faults.half_closes_to_server += 1,
        });
    }

    /// Makes the network well again. Returns when new connections are taken.
    pub fn heal(&self) {
        self.faults.send_modify(|faults| {
            let Faults { resets, half_closes_to_client, half_closes_to_server, .. } = *faults;
            *faults = Faults { resets, half_closes_to_client, half_closes_to_server, ..Faults::default() };
        });
        self.await_listening(true);
    }

    fn await_listening(&self, wanted: bool) {
        let until = Instant::now() + Duration::from_secs(5);
        while *self.listening.borrow() != wanted {
            assert!(Instant::now() < until, "the proxy at {} does not do as it is told", self.address);
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.faults.send_modify(|faults| faults.closed = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What takes the connections.
struct Accepting {
    port: HeldPort,
    server: SocketAddr,
    faults: watch::Receiver<Faults>,
    listens: watch::Sender<bool>,
    counters: Arc<Counters>,
}

impl Accepting {
    async fn run(mut self, mut listener: TcpListener) {
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let Faults { closed, cut, .. } = *self.faults.borrow_and_update();
            if closed {
                return;
            }
            if cut {
                drop(listener);
                listener = match self.refuse().await {
                    Some(healed) => healed,
                    None => return,
                };
                continue;
            }
            self.listens.send_replace(true);
            tokio::select! {
                _ = self.faults.changed() => {}
                Ok((client, _)) = listener.accept() => {
                    count(&self.counters.accepted);
                    // As it is now: a reset that was before this one came is not for it.
                    let Faults { cut, resets, .. } = *self.faults.borrow();
                    if cut {
                        count(&self.counters.cut);
                        let _ = client.set_zero_linger();
                        continue;
                    }
                    let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
                        count(&self.counters.too_many);
                        let _ = client.set_zero_linger();
                        continue;
                    };
                    let (server, faults, counters) = (self.server, self.faults.clone(), Arc::clone(&self.counters));
                    tokio::spawn(async move {
                        connect(client, server, resets, faults, &counters).await;
                        drop(place);
                    });
                }
            }
        }
    }

    /// Nobody listens at the port, so the kernel refuses. `None` if the handle is dropped.
    async fn refuse(&mut self) -> Option<TcpListener> {
        self.port.refuses().await;
        self.listens.send_replace(false);
        let closed = self.faults.wait_for(|faults| !faults.cut || faults.closed).await.ok()?.closed;
        let listen = || self.port.socket()?.listen(BACKLOG);
        (!closed).then(|| listen().inspect_err(|error| eprintln!("proxy: {error}")).ok())?
    }
}

/// Connections that came before there were more `resets` are reset by the next.
async fn connect(
    client: TcpStream,
    server: SocketAddr,
    resets: u64,
    faults: watch::Receiver<Faults>,
    counters: &Counters,
) {
    let Ok(server) = TcpStream::connect(server).await else {
        count(&counters.unreachable);
        let _ = client.set_zero_linger();
        return;
    };
    link::carry(client, server, resets, faults, counters).await;
}
