//! Eight goners that need nothing of each other, each of which takes 100 ms to initialise and 100 ms to stop: they start and stop
//! together. `cargo run -q --example startup`, with `-- --mermaid` to see the graph

use std::time::{Duration, Instant};

use gone::prelude::*;

const WORK: Duration = Duration::from_millis(100);

/// One of several connections that take their time.
#[derive(Goner)]
#[goner(hooks(Init, Stop))]
struct Connection<const N: usize>;

impl<const N: usize> Init for Connection<N> {
    async fn init(&mut self) -> gone::Result<()> {
        tokio::time::sleep(WORK).await;
        Ok(())
    }
}

impl<const N: usize> Stop for Connection<N> {
    async fn stop(&self) -> gone::Result<()> {
        tokio::time::sleep(WORK).await;
        Ok(())
    }
}

fn connections(loader: &mut Loader) {
    loader.load((
        Connection::<0>::goner(),
        Connection::<1>::goner(),
        Connection::<2>::goner(),
        Connection::<3>::goner(),
        Connection::<4>::goner(),
        Connection::<5>::goner(),
        Connection::<6>::goner(),
        Connection::<7>::goner(),
    ));
}

#[gone::main]
async fn main() -> gone::Result<()> {
    let begun = Instant::now();
    let app = Gone::load(connections).boot().await?;
    if std::env::args().any(|argument| argument == "--mermaid") {
        print!("{}", app.outline().to_mermaid());
    }
    println!("boot: {:.0?}, one after the other it would be {:.0?}", begun.elapsed(), 8 * WORK);
    let begun = Instant::now();
    app.stop().await?;
    println!("stop: {:.0?}, one after the other it would be {:.0?}", begun.elapsed(), 8 * WORK);
    Ok(())
}
