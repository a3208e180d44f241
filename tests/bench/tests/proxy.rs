//! What the proxy does to a connection, each fault with its count.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use gone_test_bench::{Direction, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A server that answers what it is sent, until the client ends; then it says `bye`.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = [0; 4_096];
                while let Ok(read @ 1..) = stream.read(&mut bytes).await {
                    if stream.write_all(&bytes[..read]).await.is_err() {
                        return;
                    }
                }
                let _ = stream.write_all(b"bye").await;
            });
        }
    });
    address
}

async fn bench() -> (Proxy, TcpStream) {
    let proxy = Proxy::start(&echo().await).unwrap();
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut client, b"hello").await.unwrap(), b"hello");
    (proxy, client)
}

async fn ask(client: &mut TcpStream, words: &[u8]) -> std::io::Result<Vec<u8>> {
    client.write_all(words).await?;
    let mut answer = vec![0; words.len()];
    client.read_exact(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn a_cut_resets_and_refuses_until_it_is_healed() {
    let (proxy, mut client) = bench().await;
    proxy.cut();
    let error = ask(&mut client, b"x").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    let error = TcpStream::connect(proxy.address()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(proxy.struck().cut, 1);
    proxy.heal();
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut client, b"again").await.unwrap(), b"again");
}

#[tokio::test]
async fn a_cut_refuses_while_processes_are_being_started() {
    let proxy = Proxy::start(&echo().await).unwrap();
    // A process that is being started has copies of all that we have open, for a moment.
    let starting = std::thread::spawn(|| {
        for _ in 0..200 {
            std::process::Command::new("true").status().unwrap();
        }
    });
    while !starting.is_finished() {
        proxy.cut();
        assert!(TcpStream::connect(proxy.address()).await.is_err());
        proxy.heal();
    }
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut client, b"hello").await.unwrap(), b"hello");
}

#[tokio::test]
async fn a_reset_strikes_every_connection_and_lets_new_ones_in() {
    let (proxy, mut first) = bench().await;
    let mut second = TcpStream::connect(proxy.address()).await.unwrap();
    ask(&mut second, b"x").await.unwrap();
    proxy.reset();
    assert!(ask(&mut first, b"x").await.is_err());
    assert!(ask(&mut second, b"x").await.is_err());
    let mut third = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut third, b"again").await.unwrap(), b"again");
    assert_eq!((proxy.struck().cut, proxy.struck().accepted), (2, 3));
}

#[tokio::test]
async fn a_blackhole_holds_back_until_it_is_healed() {
    let (proxy, mut client) = bench().await;
    proxy.blackhole();
    let mut late = TcpStream::connect(proxy.address()).await.unwrap();
    for client in [&mut client, &mut late] {
        client.write_all(b"late").await.unwrap();
    }
    let mut byte = [0; 1];
    let silence = tokio::time::timeout(Duration::from_millis(200), client.read(&mut byte));
    assert!(silence.await.is_err());
    while proxy.struck().blackholed < 2 {
        tokio::task::yield_now().await;
    }
    proxy.heal();
    for client in [&mut client, &mut late] {
        let mut answer = [0; 4];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"late");
    }
}

#[tokio::test]
async fn what_the_server_says_is_delayed_and_not_slowed() {
    let (proxy, client) = bench().await;
    let delay = Duration::from_millis(200);
    proxy.delay(delay);
    let begun = Instant::now();
    let (mut read, mut write) = client.into_split();
    // Ten pieces, sent apart: each is late, and not by what the ones before it were.
    let sent = tokio::spawn(async move {
        for _ in 0..10 {
            write.write_all(b"x").await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        write
    });
    let mut answer = [0; 10];
    read.read_exact(&mut answer[..1]).await.unwrap();
    assert!(begun.elapsed() >= delay);
    read.read_exact(&mut answer[1..]).await.unwrap();
    assert!(begun.elapsed() < 9 * delay, "{:?}", begun.elapsed());
    assert!(proxy.struck().delayed >= 2);
    drop(sent.await);
}

#[tokio::test]
async fn a_throttle_lets_so_many_bytes_pass_in_a_second() {
    let (proxy, mut client) = bench().await;
    proxy.throttle(10_000);
    let begun = Instant::now();
    // The second has to wait for the pause after the first.
    for _ in 0..2 {
        assert_eq!(ask(&mut client, &[7; 2_000]).await.unwrap(), [7; 2_000]);
    }
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    assert!(proxy.struck().throttled >= 2);
}

#[tokio::test]
async fn a_split_breaks_what_is_sent_and_loses_none() {
    let (proxy, mut client) = bench().await;
    proxy.split(3);
    assert_eq!(ask(&mut client, b"ten bytes.").await.unwrap(), b"ten bytes.");
    assert!(proxy.struck().split >= 1);
}

#[tokio::test]
async fn what_is_garbled_is_all_other_bytes() {
    let (proxy, mut client) = bench().await;
    proxy.garble();
    let answer = ask(&mut client, b"sense").await.unwrap();
    assert!(answer.iter().zip(b"sense").all(|(answer, sent)| answer != sent), "{answer:?}");
    assert!(proxy.struck().garbled >= 1);
}

#[tokio::test]
async fn a_half_close_ends_one_way_and_leaves_the_other() {
    let (proxy, mut client) = bench().await;
    proxy.half_close(Direction::ToServer);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"bye");
    assert_eq!(proxy.struck().half_closed, 1);

    let (proxy, mut client) = bench().await;
    proxy.half_close(Direction::ToClient);
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
    // The way to the server is still there; what it answers is swallowed.
    client.write_all(b"anyone?").await.unwrap();
    assert_eq!(proxy.struck().half_closed, 1);
}

#[tokio::test]
async fn the_end_of_a_client_reaches_the_server() {
    let (_proxy, mut client) = bench().await;
    client.shutdown().await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"bye");
}

#[tokio::test]
async fn a_server_that_is_not_there_resets_the_client() {
    // Its port is kept, and nobody listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let proxy = Proxy::start(&socket.local_addr().unwrap().to_string()).unwrap();
    // The reset may be there before the connection is.
    if let Ok(mut client) = TcpStream::connect(proxy.address()).await {
        assert!(!matches!(client.read(&mut [0; 1]).await, Ok(1..)));
    }
    assert_eq!(proxy.struck().unreachable, 1);
}

#[tokio::test]
async fn one_connection_too_many_is_reset() {
    let proxy = Proxy::start(&echo().await).unwrap();
    let mut clients = Vec::new();
    for _ in 0..128 {
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        ask(&mut client, b"x").await.unwrap();
        clients.push(client);
    }
    // The reset may be there before the connection is.
    if let Ok(mut last) = TcpStream::connect(proxy.address()).await {
        assert!(ask(&mut last, b"x").await.is_err());
    }
    assert_eq!(proxy.struck().too_many, 1);
}

#[tokio::test]
async fn the_connections_end_with_the_handle() {
    let (proxy, mut client) = bench().await;
    let address = proxy.address();
    drop(proxy);
    assert!(ask(&mut client, b"x").await.is_err());
    assert!(TcpStream::connect(address).await.is_err());
}
