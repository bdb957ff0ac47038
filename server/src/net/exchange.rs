//! One request on its way to the router and back.

use std::{
    convert::Infallible,
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Request, Response, Version, header},
};
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Instant, timeout};
use tower::ServiceExt as _;

use super::{
    ClientAddr, CloseConnection, Peer, PeerCertificate, Streaming,
    activity::{Activity, Exchange, after},
    body::{BodyFault, Bounded},
    connection::Shared,
    problem::Problem,
};

/// Two years, for this name alone: others below it are not this service's to speak for. Every answer gets it here, and
/// nowhere else.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Answers one request; nothing that goes wrong below reaches hyper.
pub(super) async fn answer(
    request: Request<Incoming>,
    peer: Peer,
    shared: Arc<Shared>,
    activity: Arc<Activity>,
) -> Result<Response<Body>, Infallible> {
    let mut exchange = activity.begin();
    let version = request.version();
    let mut response = match admit(&request, peer.address, &shared) {
        Ok(client) => handle(request, client, peer.certificate, &shared).await,
        Err(problem) => refuse(problem),
    };

    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    if response.extensions().get::<CloseConnection>().is_some() {
        if version <= Version::HTTP_11 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        activity.close();
    }
    if response.extensions().get::<Streaming>().is_none() {
        exchange.answer_until(after(Instant::now(), shared.limits.answer));
    }
    Ok(response.map(|inner| Body::new(Answer { inner, _exchange: exchange })))
}

/// Refuses what two servers in a row could read as different requests, what is too long by its own account, and what
/// comes from nobody knows where.
fn admit(request: &Request<Incoming>, peer: IpAddr, shared: &Shared) -> Result<ClientAddr, Problem> {
    if !framing_is_plain(request.headers()) {
        return Err(Problem::TRANSFER_ENCODING);
    }
    let announced = request.body().size_hint().lower();
    if announced > u64::try_from(shared.limits.body_bytes_max).unwrap_or(u64::MAX) {
        return Err(Problem::BODY_TOO_LARGE);
    }
    shared.proxies.client(peer, request.headers()).map(ClientAddr).map_err(|_| Problem::FORWARDED_FOR)
}

/// No `Transfer-Encoding`, or one that is exactly `chunked` and stands without a `Content-Length`.
fn framing_is_plain(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (encodings.next(), encodings.next()) {
        (None, _) => true,
        (Some(only), None) => {
            only.as_bytes().eq_ignore_ascii_case(b"chunked") && !headers.contains_key(header::CONTENT_LENGTH)
        }
        (Some(_), Some(_)) => false,
    }
}

async fn handle(
    request: Request<Incoming>,
    client: ClientAddr,
    certificate: Option<PeerCertificate>,
    shared: &Shared,
) -> Response<Body> {
    let limits = &shared.limits;
    let (mut head, body) = request.into_parts();
    head.extensions.insert(client);
    if let Some(certificate) = certificate {
        head.extensions.insert(certificate);
    }
    let (body, verdict) = Bounded::new(body, limits.body_bytes_max, after(Instant::now(), limits.body));
    let handler = shared.router.clone().oneshot(Request::from_parts(head, Body::new(body)));

    let response = match timeout(limits.request, caught(handler)).await {
        Ok(Some(Ok(response))) => response,
        Ok(None) => {
            metrics::counter!("claviger_panics_total").increment(1);
            tracing::error!("a handler panicked");
            refuse(Problem::INTERNAL)
        }
        Err(_) => refuse(Problem::TOOK_TOO_LONG),
    };
    match verdict.fault() {
        None => response,
        Some(BodyFault::TooLarge) => refuse(Problem::BODY_TOO_LARGE),
        Some(BodyFault::TooSlow) => refuse(Problem::BODY_TOO_SLOW),
    }
}

/// The future's output, or `None` if it panicked. The payload may hold anything, so it is dropped unseen.
async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Some),
        Err(_payload) => Poll::Ready(None),
    })
    .await
}

/// A refusal leaves a request half read, so the connection ends with it.
fn refuse(problem: Problem) -> Response<Body> {
    let mut response = problem.into_response();
    response.extensions_mut().insert(CloseConnection);
    response
}

/// An answer's body; while it lives, the exchange does.
struct Answer {
    inner: Body,
    _exchange: Exchange,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exactly_chunked_passes() {
        let check = |values: &[&str], expected: bool| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::TRANSFER_ENCODING, value.parse().unwrap());
            }
            assert_eq!(framing_is_plain(&headers), expected, "{values:?}");
        };

        check(&[], true);
        check(&["chunked"], true);
        check(&["Chunked"], true);
        check(&["identity"], false);
        check(&["gzip, chunked"], false);
        check(&["chunked, chunked"], false);
        check(&["chunked", "chunked"], false);
        check(&["chunked;q=1"], false);
        check(&[""], false);
    }

    #[test]
    fn a_length_beside_chunked_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("3"));

        assert!(!framing_is_plain(&headers));
    }
}
