//! Awaiting whichever of two futures ends first. `tokio::select!` would do it, and bring a macro crate with a parser of its
//! own into every build of a hello program.

use std::pin::pin;
use std::task::Poll;

/// What ended first.
pub(crate) enum First<A, B> {
    Left(A),
    Right(B),
}

/// Awaits both; the one that has not ended is dropped. If both are ready at once, the left one counts.
pub(crate) async fn race<A, B>(left: impl Future<Output = A>, right: impl Future<Output = B>) -> First<A, B> {
    let (mut left, mut right) = (pin!(left), pin!(right));
    std::future::poll_fn(|context| {
        if let Poll::Ready(value) = left.as_mut().poll(context) {
            return Poll::Ready(First::Left(value));
        }
        right.as_mut().poll(context).map(First::Right)
    })
    .await
}
