//! Request bodies with an end.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use hyper::body::{Body, Buf, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyFault {
    #[error("the body is over the limit")]
    TooLarge,
    #[error("the body did not arrive in time")]
    TooSlow,
}

/// Any error of the body, as the reader gets it.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error(transparent)]
    Fault(#[from] BodyFault),
    #[error("the body was cut off")]
    Cut(#[source] hyper::Error),
}

/// Says afterwards whether a body was refused, whatever the handler made of the error.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict(Arc<OnceLock<BodyFault>>);

impl Verdict {
    pub(super) fn fault(&self) -> Option<BodyFault> {
        self.0.get().copied()
    }
}

/// A request body that fails once it is longer or slower than allowed.
#[derive(Debug)]
pub(super) struct Bounded<B = Incoming> {
    inner: B,
    bytes_left: usize,
    deadline: Instant,
    /// Set up only for a body that is waited for; most arrive with their header.
    alarm: Option<Pin<Box<Sleep>>>,
    verdict: Verdict,
}

impl<B> Bounded<B> {
    pub(super) fn new(inner: B, bytes_max: usize, deadline: Instant) -> (Self, Verdict) {
        let verdict = Verdict::default();
        (Self { inner, bytes_left: bytes_max, deadline, alarm: None, verdict: verdict.clone() }, verdict)
    }

    fn fail<T>(&self, fault: BodyFault) -> Poll<Option<Result<T, BodyError>>> {
        let fault = *self.verdict.0.get_or_init(|| fault);
        Poll::Ready(Some(Err(fault.into())))
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Body for Bounded<B> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if let Some(fault) = this.verdict.fault() {
            return this.fail(fault);
        }
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) else {
            let alarm = this.alarm.get_or_insert_with(|| Box::pin(sleep_until(this.deadline)));
            ready!(alarm.as_mut().poll(cx));
            return this.fail(BodyFault::TooSlow);
        };
        let frame = match frame {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(BodyError::Cut(error)))),
            Some(Ok(frame)) => frame,
        };
        let length = frame.data_ref().map_or(0, Buf::remaining);
        match this.bytes_left.checked_sub(length) {
            Some(left) => this.bytes_left = left,
            None => return this.fail(BodyFault::TooLarge),
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
