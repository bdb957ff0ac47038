//! What of a venue's answer comes in.

use claviger_core::execution::egress::{SendError, VenueAnswer};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{HeaderMap, Response, body::Incoming};

/// The headers that pass: what the body is, the venue's clock, and its rate budget.
const HEADERS: &[&str] = &["content-type", "date", "retry-after"];
const HEADER_PREFIXES: &[&str] = &["x-mbx-used-weight", "x-mbx-order-count", "x-sapi-used-"];

/// Reads an answer to its end.
///
/// # Errors
/// [`SendError::Unknown`]: the request is out, whatever becomes of the answer.
pub(super) async fn read(response: Response<Incoming>, bytes_max: usize) -> Result<VenueAnswer, SendError> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, bytes_max).collect().await.map_err(|error| {
        SendError::Unknown(if error.is::<LengthLimitError>() {
            format!("the answer is longer than {bytes_max} bytes")
        } else {
            "the answer broke off".to_owned()
        })
    })?;
    Ok(VenueAnswer { status: head.status.as_u16(), headers: permitted(&head.headers), body: body.to_bytes().into() })
}

/// What the head of an answer says; its body is not read.
pub(super) fn head(response: &Response<Incoming>) -> VenueAnswer {
    VenueAnswer { status: response.status().as_u16(), headers: permitted(response.headers()), body: Vec::new() }
}

fn permitted(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| {
            HEADERS.contains(&name.as_str()) || HEADER_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix))
        })
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_what_is_known_to_be_harmless_passes() {
        let mut headers = HeaderMap::new();
        for name in [
            "content-type",
            "date",
            "retry-after",
            "x-mbx-used-weight",
            "x-mbx-used-weight-1m",
            "x-mbx-order-count-10s",
            "x-sapi-used-ip-weight-1m",
            "set-cookie",
            "location",
            "x-mbx-uuid",
            "server",
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        }
        headers.insert("date", HeaderValue::from_bytes(b"\xff").unwrap());

        let mut names: Vec<_> = permitted(&headers).into_iter().map(|(name, _)| name).collect();
        names.sort();

        assert_eq!(
            names,
            [
                "content-type",
                "retry-after",
                "x-mbx-order-count-10s",
                "x-mbx-used-weight",
                "x-mbx-used-weight-1m",
                "x-sapi-used-ip-weight-1m"
            ]
        );
    }
}
