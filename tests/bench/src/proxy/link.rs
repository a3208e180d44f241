//! One connection through the proxy.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::{Counters, Direction, Faults, count};

/// What is read at once, and how many of these are on their way in each direction.
const PIECE: usize = 16 * 1_024;
const PIECES: usize = 64;

/// Passes on what either side sends, until both have ended, one fails, or there are other than so many resets.
pub(super) async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    resets: u64,
    mut faults: watch::Receiver<Faults>,
    counters: &Counters,
) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let well_ended = {
        let (from_client, into_client) = client.split();
        let (from_server, into_server) = server.split();
        let way = |direction| Way { direction, faults: faults.clone(), counters };
        let to_client = way(Direction::ToClient).pass(from_server, into_client);
        let to_server = way(Direction::ToServer).pass(from_client, into_server);
        tokio::select! {
            biased;
            _ = faults.wait_for(|faults| faults.resets != resets || faults.closed) => {
                count(&counters.cut);
                false
            }
            ended = async { tokio::try_join!(to_client, to_server) } => ended.is_ok(),
        }
    };
    if !well_ended {
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// One direction of a connection.
struct Way<'a> {
    direction: Direction,
    faults: watch::Receiver<Faults>,
    counters: &'a Counters,
}

/// What was read, and when it is due at the other end.
struct Piece {
    bytes: Vec<u8>,
    due: Instant,
}

impl Way<'_> {
    async fn pass(self, from: ReadHalf<'_>, into: WriteHalf<'_>) -> io::Result<()> {
        let (sender, pieces) = mpsc::channel(PIECES);
        let delay = self.faults.clone();
        let delayed = self.direction == Direction::ToClient;
        let read = read(from, sender, move || if delayed { delay.borrow().delay } else { Duration::ZERO });
        tokio::try_join!(read, self.write(pieces, into))?;
        Ok(())
    }

    async fn write(mut self, mut pieces: mpsc::Receiver<Piece>, mut into: WriteHalf<'_>) -> io::Result<()> {
        let direction = self.direction;
        let half_closes = self.faults.borrow().half_closes(direction);
        let mut half_closed = false;
        loop {
            tokio::select! {
                biased;
                () = half_closed_again(&mut self.faults, direction, half_closes), if !half_closed => {
                    count(&self.counters.half_closed);
                    half_closed = true;
                    into.shutdown().await?;
                }
                piece = pieces.recv() => match piece {
                    Some(_) if half_closed => {}
                    Some(piece) => self.deliver(piece, &mut into).await?,
                    None if half_closed => return Ok(()),
                    None => return into.shutdown().await,
                },
            }
        }
    }

    async fn deliver(&mut self, mut piece: Piece, into: &mut WriteHalf<'_>) -> io::Result<()> {
        if piece.due > Instant::now() {
            count(&self.counters.delayed);
            sleep_until(piece.due).await;
        }
        let Faults { garble, split, throttle, blackhole, .. } = *self.faults.borrow();
        if blackhole {
            count(&self.counters.blackholed);
            // An error is the end of the handle, which ends all of this.
            let _ = self.faults.wait_for(|faults| !faults.blackhole).await;
        }
        if garble && self.direction == Direction::ToClient {
            count(&self.counters.garbled);
            piece.bytes.iter_mut().for_each(|byte| *byte = !*byte);
        }
        let size = if split == 0 { piece.bytes.len() } else { split };
        if size < piece.bytes.len() {
            count(&self.counters.split);
        }
        for part in piece.bytes.chunks(size) {
            into.write_all(part).await?;
            if throttle > 0 {
                count(&self.counters.throttled);
                sleep(Duration::from_secs_f64(part.len() as f64 / throttle as f64)).await;
            } else if split > 0 {
                // The other end is given the time to see the part alone.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}

/// Waits until there are more half-closes than before.
async fn half_closed_again(faults: &mut watch::Receiver<Faults>, direction: Direction, before: u64) {
    // An error is the end of the handle, which ends all of this.
    let _ = faults.wait_for(|faults| faults.half_closes(direction) != before).await;
}

async fn read(mut from: ReadHalf<'_>, pieces: mpsc::Sender<Piece>, delay: impl Fn() -> Duration) -> io::Result<()> {
    loop {
        let mut bytes = Vec::with_capacity(PIECE);
        if from.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        let due = Instant::now() + delay();
        if pieces.send(Piece { bytes, due }).await.is_err() {
            return Ok(());
        }
    }
}
