//! What an app asks to have done.

use serde_json::{Map, Value, json};

/// The body of an execution.
#[derive(Clone, Debug)]
pub struct Call {
    subject: (&'static str, String),
    operation: String,
    params: Vec<(String, String)>,
    idempotency_key: Option<String>,
}

impl Call {
    /// An operation with a credential.
    pub fn with(credential: &str, operation: &str) -> Self {
        Self::new("credential", credential, operation)
    }

    /// An operation of class market, which needs no credential.
    pub fn at(venue: &str, operation: &str) -> Self {
        Self::new("venue", venue, operation)
    }

    /// A limit order far below the market: it rests until it is cancelled.
    pub fn limit_order(credential: &str, venue: &str) -> Self {
        let order = Self::with(credential, "order.place");
        if venue == "kraken" {
            let order = order.param("pair", "XBTUSD").param("type", "buy").param("ordertype", "limit");
            order.param("volume", "0.01").param("price", "30000")
        } else if venue == "bybit" {
            let order = order.param("category", "linear").param("symbol", "BTCUSDT").param("side", "Buy");
            order.param("orderType", "Limit").param("qty", "0.01").param("price", "30000")
        } else {
            let order = order.param("symbol", "BTCUSDT").param("side", "BUY").param("type", "LIMIT");
            order.param("timeInForce", "GTC").param("quantity", "0.01").param("price", "30000")
        }
    }

    /// The same order with the client's own name for it, in the venue's word.
    #[must_use]
    pub fn named(self, venue: &str, name: &str) -> Self {
        self.param(if venue == "kraken" { "cl_ord_id" } else { "newClientOrderId" }, name)
    }

    fn new(subject: &'static str, id: &str, operation: &str) -> Self {
        Self {
            subject: (subject, id.to_owned()),
            operation: operation.to_owned(),
            params: Vec::new(),
            idempotency_key: None,
        }
    }

    /// Adds a parameter, in the venue's own words.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the idempotency key; without one, each call gets a new one.
    #[must_use]
    pub fn once(mut self, idempotency_key: &str) -> Self {
        self.idempotency_key = Some(idempotency_key.to_owned());
        self
    }

    /// The idempotency key, if it was set.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// The body.
    pub fn body(&self) -> Value {
        let (subject, id) = &self.subject;
        let mut body = Map::new();
        body.insert((*subject).to_owned(), id.clone().into());
        body.insert("operation".to_owned(), self.operation.clone().into());
        body.insert("params".to_owned(), json!(self.params));
        body.into()
    }
}
