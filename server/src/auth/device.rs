//! What a device says of itself: a name, and a secret that it is known by.

use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use claviger_core::identity::{Operator, hash_secret, same_hash};
use claviger_core::service::FromDevice;

/// The header with a device's own name; a device that sends it is remembered.
pub const DEVICE: &str = "claviger-device";

/// The header with the secret that a device was given.
pub const DEVICE_SECRET: &str = "claviger-device-secret";

/// The longest label, characters.
const LABEL: usize = 64;

/// The device that a request comes from.
pub fn device(parts: &Parts) -> FromDevice {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let named = header(DEVICE);
    let label = named.or_else(|| header(USER_AGENT.as_str())).unwrap_or_default();
    let label = label.chars().filter(|c| !c.is_control()).take(LABEL).collect();
    FromDevice { label, hash: header(DEVICE_SECRET).map(hash_secret), remember: named.is_some() }
}

/// The hash that the device is known by, if it is one of the operator's.
pub fn known(device: &FromDevice, operator: Option<&Operator>) -> Option<[u8; 32]> {
    let hash = device.hash?;
    let devices = operator.map_or(&[][..], |operator| &operator.factors.devices);
    devices.iter().any(|own| same_hash(&own.hash, &hash)).then_some(hash)
}
