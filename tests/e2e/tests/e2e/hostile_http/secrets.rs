//! A secret in a body that is refused is a secret all the same: neither the answer nor the log repeats it.

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Key, Needle, Setup};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_a_malformed_enrollment_never_comes_back() -> Result<()> {
    let house = Setup::default().config("log.level", "trace").open().await?;
    let key = Key::binance()?;
    let secret = Needle::new("the secret", key.secret.as_bytes());
    let before = house.sim.all_requests().await?.len();
    let admin = format!("/api/v1/tenants/{}/credentials", house.tenant);
    let doors = [
        (house.app.client(), "/api/v1/credentials", &house.app.token),
        (house.operator.client(), admin.as_str(), &house.operator.bearer),
    ];

    let mut answers = Vec::new();
    for (client, path, bearer) in doors {
        for (content_type, body) in malformed(&key) {
            let request = Request::post(path).header("authorization", format!("Bearer {bearer}"));
            let request = request.header("content-type", content_type).body(Full::new(Bytes::from(body.clone())))?;
            let reply = client.send(request).await?;
            ensure!((400..500).contains(&reply.status), "{}: {body}", reply.status);
            reply.clone().problem(reply.status, &reply.code()).with_context(|| body.clone())?;
            answers.push(format!("{:?} {}", reply.headers, reply.text()));
        }
    }

    assert_eq!(secret.found_in(key.secret.as_bytes(), "a control").len(), 1);
    assert_eq!(secret.found_in(answers.concat().as_bytes(), "the answers"), []);
    let log = house.server.log()?;
    let noted = log.matches("\"request.id\":").count();
    assert!(noted >= answers.len(), "the log is at trace level and notes {noted} of {} requests", answers.len());
    assert_eq!(secret.found_in(log.as_bytes(), "the log"), []);
    let (export, _) = house.operator.export().await?;
    assert_eq!(secret.found_in(export.as_bytes(), "the audit log"), []);
    assert_eq!(house.app.get("/api/v1/credentials").await?.ids(), [""; 0]);
    assert_eq!(house.sim.all_requests().await?.len(), before);
    Ok(())
}

/// Bodies with the secret in each place where a careless error message would quote it.
fn malformed(key: &Key) -> Vec<(&'static str, String)> {
    let (good, secret) = (key.enrollment(), key.secret.as_str());
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        if let Some(field) = body.as_object_mut() {
            field.insert(name.to_owned(), value);
        }
        body.to_string()
    };
    let text = good.to_string();
    let twice = text.replacen('{', &format!("{{\"secret\":\"{secret}\","), 1);
    let mut bodies = vec![
        with("secret", json!({ "secret": secret })),
        with("secret", json!([secret])),
        with("kind", json!(secret)),
        with("venue", json!(secret)),
        with("ceiling", json!(secret)),
        with("ceiling", json!({ "class": secret })),
        with("ceiling", json!({ "class": "trade", "products": [secret] })),
        with("label", json!(secret.repeat(5))),
        with(secret, json!("its name")),
        with("colour", json!(secret)),
        twice,
        format!("{text}{secret}"),
        text.replace('"', "'"),
        json!(secret).to_string(),
        secret.to_owned(),
        format!("{{\"secret\":\"{secret}\",}}"),
        text.replace(secret, &format!("{secret}\\q")),
    ];
    // Cut after every field, and in the middle of the secret.
    bodies.extend(text.match_indices(',').map(|(at, _)| text.chars().take(at).collect()));
    bodies.extend(text.split_once(secret).map(|(head, _)| format!("{head}{secret}")));
    let mut cases: Vec<_> = bodies.into_iter().map(|body| ("application/json", body)).collect();
    cases.push(("text/plain", text.clone()));
    cases.push(("application/x-www-form-urlencoded", format!("secret={secret}")));
    cases.push(("application/json", with("label", json!(secret.repeat(1_200)))));
    cases
}
