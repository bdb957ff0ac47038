use std::sync::Arc;

use hyper::HeaderMap;
use hyper::body::Bytes;
use rustls::RootCertStore;
use serde_json::json;

use super::*;

/// A client that reaches nobody.
fn client() -> Client {
    let line = Line::new(tls::Endpoint::parse("127.0.0.1:1").unwrap(), tls::believing(RootCertStore::empty()).unwrap());
    Client::on(line, Arc::new(|_| Err(String::new())), None)
}

fn login(operator: &str) -> Reply {
    let view = json!({"id": "login_1", "operator": operator, "kind": "password", "address": "::1", "device": "",
        "created_at": "", "expires_at": ""});
    let body = json!({"login": view, "bearer": format!("clv_login_{operator}")});
    Reply { status: 200, headers: HeaderMap::new(), body: Bytes::from(body.to_string()) }
}

#[tokio::test]
async fn a_login_that_nobody_waits_for_is_nobodys() {
    let client = client();
    let first = client.new_attempt();
    assert_eq!(client.ask(Ask::NoLogin, Typed::default()).await, None);
    let second = client.new_attempt();

    assert_eq!(client.log_in(first, Ok(login("ada"))).await, None);
    assert!(!client.has_login());

    assert_eq!(client.log_in(second, Ok(login("bo"))).await, Some(Answer::Login(Ok("bo".into()))));
    assert_eq!(client.log_in(first, Ok(login("ada"))).await, None);
    assert_eq!(client.bearer().unwrap().header, "Bearer clv_login_bo");
}
