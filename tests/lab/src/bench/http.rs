//! The client: one TLS connection for each caller, kept; the requests differ in their idempotency key alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};
use claviger_e2e::Client;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{HeaderMap, Request, Uri};
use hyper_util::rt::TokioIo;

use super::crowd::Caller;

/// What all callers of one service send.
#[derive(Debug)]
pub(crate) struct Order {
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    done: &'static str,
}

/// Numbers all orders of this run: under a key that was used before, Claviger would send nothing.
static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Order {
    /// A POST of `body` to `path` of `address`; in the answer stands `done` when the venue has the order.
    pub(crate) fn new(address: &str, path: &str, bearer: &str, body: String, done: &'static str) -> Result<Arc<Self>> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, address.parse()?);
        headers.insert(AUTHORIZATION, format!("Bearer {bearer}").parse()?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Arc::new(Self { uri: path.parse()?, headers, body: body.into(), done }))
    }

    /// The next one.
    fn next(&self) -> Result<Request<Full<Bytes>>> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = hyper::Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert("idempotency-key", format!("bench-{number}").parse()?);
        Ok(request)
    }
}

/// A caller with its connection.
#[derive(Debug)]
pub(crate) struct Customer {
    order: Arc<Order>,
    sender: SendRequest<Full<Bytes>>,
}

impl Customer {
    /// So many callers that send this order, each on a connection of its own.
    pub(crate) async fn connect(client: &Client, order: &Arc<Order>, count: usize) -> Result<Vec<Self>> {
        let mut customers = Vec::with_capacity(count);
        for _ in 0..count {
            let (sender, connection) = handshake(TokioIo::new(client.connect().await?)).await?;
            // Its end is seen by whoever waits for the answer.
            tokio::spawn(connection);
            customers.push(Self { order: Arc::clone(order), sender });
        }
        Ok(customers)
    }

    /// Sends another order from now on.
    pub(crate) fn sends(&mut self, order: &Arc<Order>) {
        self.order = Arc::clone(order);
    }
}

impl Caller for Customer {
    async fn call(&mut self) -> Result<()> {
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(self.order.next()?).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        let text = std::str::from_utf8(&body)?;
        ensure!(head.status == 200 && text.contains(self.order.done), "status {}: {text}", head.status);
        Ok(())
    }
}
