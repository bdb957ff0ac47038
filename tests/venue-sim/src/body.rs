//! A response body that can break off.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

/// The error that ends a connection on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut on purpose")
    }
}

impl std::error::Error for Cut {}

/// A whole answer, or the first half of one followed by [`Cut`].
#[derive(Debug)]
pub(crate) struct AnswerBody {
    announced: u64,
    rest: Option<Bytes>,
    end: End,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Clean,
    /// Lets the connection write the first half out before it breaks.
    CutAfterFlush,
    Cut,
}

impl AnswerBody {
    /// All of `bytes`.
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        Self { announced: length(&bytes), rest: Some(bytes.into()), end: End::Clean }
    }

    /// Announces all of `bytes` and delivers half.
    pub(crate) fn half(bytes: Vec<u8>) -> Self {
        let announced = length(&bytes);
        let mut bytes = Bytes::from(bytes);
        bytes.truncate(bytes.len() / 2);
        Self { announced, rest: Some(bytes), end: End::CutAfterFlush }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(bytes) = self.rest.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match self.end {
            End::Clean => Poll::Ready(None),
            End::CutAfterFlush => {
                self.end = End::Cut;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Cut => Poll::Ready(Some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.end == End::Clean && self.rest.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
