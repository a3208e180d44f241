//! A panic in user code is caught, and handled like that code's error.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use crate::{Code, Error, MessageKind, Result};

/// Runs a function; its panic becomes an error.
pub(crate) fn catch<T>(function: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(function)).map_err(panicked)
}

/// Awaits a future; its panic becomes an error.
pub(crate) async fn caught<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match catch(|| future.as_mut().poll(context)) {
        Ok(poll) => poll,
        Err(error) => Poll::Ready(Err(error)),
    })
    .await
}

fn panicked(payload: Box<dyn Any + Send>) -> Error {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "with something that is not a text".to_owned());
    Error::new(Code::Hook, format_args!("panicked: {text}")).of_kind(MessageKind::HookPanicked)
}
