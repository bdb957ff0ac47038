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

#[tokio::test]
async fn an_act_that_is_under_way_is_not_said_to_be_called_off() {
    let client = client();
    assert_eq!(client.ask(Ask::Forget { ticket: 7 }, Typed::default()).await, None, "its own answer tells of it");
}

#[tokio::test]
async fn a_passkey_login_that_was_called_off_leaves_the_next_one_its_device() {
    let client = client();
    let purpose = Purpose::Login { operator: "ada".to_owned() };

    let (answer, _) =
        tokio::join!(client.ask(Ask::Browser { purpose }, Typed::default()), async { client.new_attempt() });

    assert_eq!(answer, None);
}
