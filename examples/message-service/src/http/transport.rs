//! A connection with what HTTP/1 servers leave open: a bound on stuck writes, and problem documents for what is not HTTP.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::problem::{PROBLEM_JSON, Problem};

/// A stream whose writes fail when the peer takes nothing for a while.
///
/// A request that cannot be parsed never reaches the routes: the protocol answers it alone, with a status and no body.
/// On its way out that answer is given its problem document.
pub(super) struct Transport<S> {
    stream: S,
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// Bytes in the place of what was written, not all of them out yet.
    pending: Vec<u8>,
}

impl<S: AsyncWrite + Unpin> Transport<S> {
    /// A stream whose writes may stand still for as long as `patience`.
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, timer: None, pending: Vec::new() }
    }

    fn poll_bounded<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(result) = write(Pin::new(&mut self.stream), cx) {
            self.timer = None;
            return Poll::Ready(result);
        }
        let patience = self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let bytes = std::mem::take(&mut self.pending);
            let written = self.poll_bounded(cx, |stream, cx| stream.poll_write(cx, &bytes));
            self.pending = bytes;
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => drop(self.pending.drain(..written)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Transport<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(cx))?;
        if let Some(answer) = with_problem(bytes) {
            self.pending = answer;
            // Whatever goes out later goes after it; an error shows in the next write or flush.
            let _ = self.poll_pending(cx);
            return Poll::Ready(Ok(bytes.len()));
        }
        self.poll_bounded(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(cx))?;
        match slices.iter().find(|slice| !slice.is_empty()) {
            Some(first) if with_problem(first).is_some() => self.poll_write(cx, first),
            _ => self.poll_bounded(cx, |stream, cx| stream.poll_write_vectored(cx, slices)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        self.poll_bounded(cx, |stream, cx| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        self.poll_bounded(cx, |stream, cx| stream.poll_shutdown(cx))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Transport<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

/// The head of an answer that has an error status and no body, with a problem document as its body.
///
/// Nothing else is taken for one: our own failures all have bodies, and JSON contains no line break that a client wrote.
fn with_problem(bytes: &[u8]) -> Option<Vec<u8>> {
    const LONGEST: usize = 512;
    const NO_BODY: &str = "content-length: 0\r\n";
    if bytes.len() > LONGEST || !bytes.starts_with(b"HTTP/1.") || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let status = StatusCode::from_u16(status).ok()?;
    if !status.is_client_error() || !head.contains(NO_BODY) {
        return None;
    }
    let detail = match status {
        StatusCode::URI_TOO_LONG => "uri must be shorter",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "header must be shorter and have fewer fields",
        _ => "request must be valid HTTP/1.1",
    };
    let body = Problem::new(status, detail).to_json();
    let length = body.len();
    let described = format!("content-type: {PROBLEM_JSON}\r\ncontent-length: {length}\r\n");
    let mut answer = head.replacen(NO_BODY, &described, 1).into_bytes();
    answer.extend_from_slice(&body);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const BARE: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

    #[tokio::test]
    async fn a_bare_failure_gets_a_problem_even_through_a_narrow_pipe() {
        let (near, mut far) = duplex(7);
        let writer = tokio::spawn(async move {
            let mut transport = Transport::new(near, Duration::from_secs(1));
            transport.write_all(BARE.as_bytes()).await?;
            transport.shutdown().await
        });
        let mut answer = String::new();
        far.read_to_string(&mut answer).await.expect("readable");
        writer.await.expect("no panic").expect("written");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains("content-type: application/problem+json"), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        assert!(body.contains("request must be valid HTTP/1.1"), "{body}");
    }

    #[test]
    fn other_writes_are_left_alone() {
        let with_body = "HTTP/1.1 400 Bad Request\r\ncontent-length: 10\r\n\r\n";
        let success = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        for bytes in [with_body, success, "{}", ""] {
            assert!(with_problem(bytes.as_bytes()).is_none(), "{bytes}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_makes_the_write_fail_in_time() {
        let (near, _far) = duplex(4);
        let mut transport = Transport::new(near, Duration::from_secs(3));
        let before = tokio::time::Instant::now();
        let error = transport.write_all(b"more than four").await.expect_err("stuck");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(before.elapsed(), Duration::from_secs(3));
    }
}
