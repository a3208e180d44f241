//! A request body that can be taken back as long as nobody has read of it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// Where a body lies until it is first read.
#[derive(Clone)]
pub(super) struct Untouched(Arc<Mutex<Option<Body>>>);

impl Untouched {
    /// The body, and a body to send in its place. An empty one is sent without being read, so it does not come back.
    pub(super) fn lend(body: Body) -> (Self, Body) {
        if body.is_end_stream() {
            return (Self(Arc::default()), body);
        }
        let untouched = Self(Arc::new(Mutex::new(Some(body))));
        let lent = Body::new(Lent { lender: untouched.clone(), body: None });
        (untouched, lent)
    }

    /// The body, if nothing was read of it: then nothing of the request was sent, as HTTP/2 sends the head and reads the body
    /// in one go.
    pub(super) fn take(&self) -> Option<Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

struct Lent {
    lender: Untouched,
    body: Option<Body>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.body.is_none() {
            self.body = self.lender.take();
        }
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            // It was taken back, so what is read here is sent to nobody.
            None => Poll::Ready(Some(Err(Status::cancelled("the request was given to another instance")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_some_and(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Text(Option<Bytes>);

    impl HttpBody for Text {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Ready(self.0.take().map(|data| Ok(Frame::data(data))))
        }
    }

    async fn read(mut body: Body) -> Result<Option<Bytes>, Status> {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        frame.transpose().map(|frame| frame.and_then(|frame| frame.into_data().ok()))
    }

    #[tokio::test]
    async fn a_body_that_nobody_read_comes_back_and_can_be_sent_again() {
        let (untouched, first) = Untouched::lend(Body::new(Text(Some("hello".into()))));
        drop(first);
        let body = untouched.take().expect("untouched");
        assert!(untouched.take().is_none());
        let (untouched, second) = Untouched::lend(body);
        assert_eq!(read(second).await.unwrap(), Some("hello".into()));
        assert!(untouched.take().is_none(), "it was read");
    }

    #[test]
    fn an_empty_body_does_not_come_back_as_nobody_reads_it() {
        let (untouched, lent) = Untouched::lend(Body::empty());
        assert!(lent.is_end_stream() && untouched.take().is_none());
    }

    #[tokio::test]
    async fn a_body_that_was_taken_back_gives_nothing() {
        let (untouched, lent) = Untouched::lend(Body::new(Text(Some("hello".into()))));
        assert!(untouched.take().is_some());
        assert_eq!(read(lent).await.unwrap_err().code(), tonic::Code::Cancelled);
    }
}
