//! Which answers of the API hold something that opens anything: a caller's own, shown once.

use std::collections::BTreeSet;

use claviger_server::api::openapi;
use serde_json::Value;

/// Fields by which secrets are called, in whatever answer they are.
const SECRET: &[&str] = &[
    "access_token",
    "bearer",
    "code",
    "codes",
    "device_code",
    "device_secret",
    "invitation",
    "passphrase",
    "password",
    "secret",
    "url",
    "user_code",
];

/// All that may show one. No secret of a venue's is among them: what `signatures` gives is a request, signed.
const SHOWN: &[(&str, &str)] = &[
    ("post /api/v1/approvals/{id}/approve", "invitation"),
    ("post /api/v1/factors", "bearer"),
    ("post /api/v1/factors", "device_secret"),
    ("post /api/v1/login", "bearer"),
    ("post /api/v1/login", "device_secret"),
    ("post /api/v1/login/browser", "device_code"),
    ("post /api/v1/login/browser", "url"),
    ("post /api/v1/login/browser", "user_code"),
    ("post /api/v1/login/browser/poll", "bearer"),
    ("post /api/v1/login/browser/poll", "device_secret"),
    ("post /api/v1/me/backup-codes", "codes"),
    ("post /api/v1/me/break-glass", "codes"),
    ("post /api/v1/me/passkeys", "device_code"),
    ("post /api/v1/me/passkeys", "url"),
    ("post /api/v1/me/passkeys", "user_code"),
    ("post /api/v1/me/proof/browser", "device_code"),
    ("post /api/v1/me/proof/browser", "url"),
    ("post /api/v1/me/proof/browser", "user_code"),
    ("post /api/v1/me/totp", "url"),
    ("post /api/v1/me/totp/confirm", "codes"),
    ("post /api/v1/operators", "invitation"),
    ("post /api/v1/operators/{id}/reset", "invitation"),
    ("post /api/v1/signatures", "url"),
    ("post /api/v1/tenants/{t}/apps", "secret"),
    ("post /api/v1/tenants/{t}/apps/{id}/secrets", "secret"),
    ("post /api/v1/tenants/{t}/decoys", "passphrase"),
    ("post /api/v1/tenants/{t}/decoys", "secret"),
    ("post /api/v1/tenants/{t}/virtual-keys", "passphrase"),
    ("post /api/v1/tenants/{t}/virtual-keys", "secret"),
    ("post /api/v1/tenants/{t}/webhooks", "secret"),
    ("post /api/v1/tenants/{t}/webhooks/{id}/rotate", "secret"),
    ("post /api/v1/token", "access_token"),
    ("post /api/v1/virtual-keys", "passphrase"),
    ("post /api/v1/virtual-keys", "secret"),
    ("put /api/v1/me/password", "bearer"),
    ("put /api/v1/me/password", "device_secret"),
];

#[test]
fn no_other_answer_of_the_document_can_carry_a_secret_out() {
    let document: Value = serde_json::from_str(&openapi::text()).unwrap();
    let mut found = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let mut fields = BTreeSet::new();
            // The `code` of a problem is a word of the documentation's.
            let mut seen = BTreeSet::from(["#/components/schemas/Problem"]);
            collect(&document, &operation["responses"], &mut seen, &mut fields);
            let secret = fields.into_iter().filter(|field| SECRET.contains(field));
            found.extend(secret.map(|field| (format!("{method} {path}"), field.to_owned())));
        }
    }
    let shown = SHOWN.iter().map(|(route, field)| ((*route).to_owned(), (*field).to_owned()));
    assert_eq!(found, shown.collect());
}

/// The names of all fields below a part of the document, through its references.
fn collect<'a>(document: &'a Value, part: &'a Value, seen: &mut BTreeSet<&'a str>, fields: &mut BTreeSet<&'a str>) {
    match part {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                fields.extend(properties.keys().map(String::as_str));
            }
            if let Some(Value::String(reference)) = members.get("$ref")
                && seen.insert(reference)
            {
                let target = document.pointer(reference.trim_start_matches('#')).expect("what is referred to");
                collect(document, target, seen, fields);
            }
            members.values().for_each(|member| collect(document, member, seen, fields));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(document, item, seen, fields)),
        _ => {}
    }
}
