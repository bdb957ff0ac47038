//! The history of incidents, for everybody: what was published, and nothing else. A page without scripts, or JSON.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use claviger_core::id::RequestId;
use claviger_core::view::{PublicIncidentView, PublicIncidentsView};

use super::super::problem::Problem;
use crate::front::Front;

const NONE: &str = "No incidents reported.";

/// The page shows text and runs nothing.
const GUARDS: &[(&str, &str)] = &[
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Published incidents, newest first, as a page; with `Accept: application/json` as JSON.
#[utoipa::path(get, path = "/incidents", tag = "page",
    responses((status = 200, body = PublicIncidentsView, content_type = "application/json"),
        (status = 200, body = String, content_type = "text/html")))]
pub(in super::super) async fn history(
    State(front): State<Front>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let told = front.service.public_incidents().await;
    let told = told.map_err(|error| Problem::of(&error, request))?;
    let note = told.incidents.is_empty().then(|| NONE.to_owned());
    let incidents = told.incidents.iter().map(PublicIncidentView::from).collect();
    let view = PublicIncidentsView { as_of: told.as_of.clone(), note, incidents };
    let mut response = if wants_json(&headers) { Json(view).into_response() } else { page(&view) };
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|one| one.split(';').next().unwrap_or_default().trim() == "application/json")
}

fn page(view: &PublicIncidentsView) -> Response {
    let mut response = html(view).into_response();
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    for (name, value) in GUARDS {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    response
}

fn html(view: &PublicIncidentsView) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Claviger: incidents</title>\n</head>\n\
         <body>\n<main>\n<h1>Incidents</h1>\n",
    );
    match &view.as_of {
        Some(time) => {
            let time = escaped(time);
            let _ =
                writeln!(page, "<p>As of <time datetime=\"{time}\">{time}</time>, the newest signed checkpoint.</p>");
        }
        None => page.push_str("<p>No checkpoint is signed yet.</p>\n"),
    }
    if let Some(note) = &view.note {
        let _ = writeln!(page, "<p>{}</p>", escaped(note));
    }
    for incident in &view.incidents {
        one(&mut page, incident);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn one(page: &mut String, incident: &PublicIncidentView) {
    let (id, title, detected) = (escaped(&incident.id), escaped(&incident.title), escaped(&incident.detected_at));
    let (published, severity) = (escaped(&incident.published_at), incident.severity.as_str());
    let _ = write!(
        page,
        "<article id=\"{id}\">\n<h2>{title}</h2>\n<p><time datetime=\"{detected}\">{detected}</time>, severity \
         {severity}; published <time datetime=\"{published}\">{published}</time></p>\n"
    );
    paragraphs(page, &incident.summary);
    if let Some(learned) = &incident.post_mortem {
        page.push_str("<h3>Root cause</h3>\n");
        paragraphs(page, &learned.root_cause);
        page.push_str("<h3>Measures</h3>\n");
        paragraphs(page, &learned.measures);
    }
    page.push_str("</article>\n");
}

fn paragraphs(page: &mut String, text: &str) {
    for paragraph in text.split('\n').filter(|paragraph| !paragraph.is_empty()) {
        let _ = writeln!(page, "<p>{}</p>", escaped(paragraph));
    }
}

/// A text that means nothing but itself, between tags and within quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use claviger_core::incident::Severity;

    use super::*;

    fn view(incidents: Vec<PublicIncidentView>) -> PublicIncidentsView {
        let note = incidents.is_empty().then(|| NONE.to_owned());
        PublicIncidentsView { as_of: Some("2026-11-22T08:00:00.000Z".to_owned()), note, incidents }
    }

    #[test]
    fn nothing_to_tell_is_told_with_its_date() {
        let page = html(&view(Vec::new()));
        assert!(page.contains("<p>No incidents reported.</p>"));
        assert!(page.contains("<time datetime=\"2026-11-22T08:00:00.000Z\">"));
    }

    #[test]
    fn a_text_is_never_markup() {
        let bad = "<script>alert(\"1\")</script>'&\n\nnext";
        let incident = PublicIncidentView {
            id: "inc_1".to_owned(),
            severity: Severity::High,
            title: bad.to_owned(),
            summary: bad.to_owned(),
            detected_at: String::new(),
            published_at: String::new(),
            post_mortem: None,
        };
        let page = html(&view(vec![incident]));
        assert!(!page.contains("<script"));
        assert!(page.contains("<h2>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;"));
        assert!(page.contains("<p>next</p>"));
    }

    #[test]
    fn json_is_asked_for_by_name() {
        let asks = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            wants_json(&headers)
        };
        assert!(asks("application/json") && asks("text/plain, application/json;q=0.9"));
        assert!(!asks("text/html,application/xhtml+xml,*/*;q=0.8") && !wants_json(&HeaderMap::new()));
    }
}
