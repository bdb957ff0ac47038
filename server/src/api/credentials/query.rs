//! Which credentials of a list are wanted.

use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use claviger_core::credential::{Sought, WORD_CHARS_MAX, WORDS_MAX};
use claviger_core::id::RequestId;
use serde::Deserialize;

use super::super::body::PageQuery;
use super::super::problem::Problem;
use crate::auth::request_id;
use crate::front::Front;

/// `limit`, `cursor` and `needs` of a list of credentials.
#[derive(Debug)]
pub(in super::super) struct NeedsQuery {
    pub(super) page: PageQuery,
    /// Whether only those are wanted that wait for a new key.
    pub(super) reenroll: bool,
}

/// The same with `q`, for operators: a search costs the store more than an app may ask of it.
#[derive(Debug)]
pub(in super::super) struct SoughtQuery {
    pub(super) needs: NeedsQuery,
    /// Which ones are sought; all if none is said.
    pub(super) sought: Option<Sought>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNeeds {
    limit: Option<usize>,
    cursor: Option<String>,
    needs: Option<String>,
    q: Option<String>,
}

impl RawNeeds {
    async fn read(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let read = Query::<Self>::from_request_parts(parts, front).await;
        read.map(|Query(raw)| raw).map_err(|_| bad(request_id(parts, front)))
    }

    fn needs(&self, id: RequestId) -> Result<NeedsQuery, Problem> {
        let reenroll = match self.needs.as_deref() {
            None => false,
            Some("reenroll") => true,
            Some(_) => return Err(bad(id)),
        };
        let page = PageQuery::of(self.limit, self.cursor.as_deref()).ok_or_else(|| bad(id))?;
        Ok(NeedsQuery { page, reenroll })
    }
}

fn bad(id: RequestId) -> Problem {
    let text = "this list takes `limit` (1 to 200), `cursor` (from `next_cursor`) and `needs=reenroll`";
    Problem::new(StatusCode::BAD_REQUEST, "page_invalid", text, id)
}

impl FromRequestParts<Front> for NeedsQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let (id, raw) = (request_id(parts, front), RawNeeds::read(parts, front).await?);
        if raw.q.is_some() { Err(bad(id)) } else { raw.needs(id) }
    }
}

impl FromRequestParts<Front> for SoughtQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let (id, raw) = (request_id(parts, front), RawNeeds::read(parts, front).await?);
        let sought = raw.q.as_deref().filter(|q| !q.trim().is_empty()).map(|q| {
            Sought::of(q).ok_or_else(|| {
                let text = format!("`q` takes {WORDS_MAX} words of {WORD_CHARS_MAX} characters at most: use fewer");
                Problem::new(StatusCode::BAD_REQUEST, "page_invalid", text, id)
            })
        });
        Ok(Self { needs: raw.needs(id)?, sought: sought.transpose()? })
    }
}
