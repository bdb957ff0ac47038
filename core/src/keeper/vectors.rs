//! The published examples, for tests.

use data_encoding::BASE64;
use serde_json::Value;

/// The example of that name.
pub(super) fn vector(id: &str) -> Value {
    let file: Value = serde_json::from_str(include_str!("../../../venues/testdata/vectors.json")).unwrap();
    file["vectors"].as_array().unwrap().iter().find(|vector| vector["id"] == id).unwrap().clone()
}

/// The bytes of a PEM block.
pub(super) fn der(pem: &str) -> Vec<u8> {
    let inner: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64.decode(inner.as_bytes()).unwrap()
}
