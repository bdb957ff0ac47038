//! Tenants' KEKs, the token's root keys, and their rotation, as they leave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::id::TenantId;
use crate::keeper::KekOrigin;
use crate::rotation::{Rotation, RotationState};
use crate::service::{KekUse, RootProgress, RootUse};
use crate::token::KekDoor;

/// A version of a tenant's KEK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KekView {
    /// Counts from 1.
    pub version: u32,
    /// The number of the token's root key that wraps it.
    pub root: u32,
    /// Rows that are sealed under it.
    pub rows: u64,
    /// Whether new rows are sealed under it.
    pub newest: bool,
    /// `generated` in the token, or `imported` by the tenant.
    pub origin: String,
    /// Whether the tenant has taken it away: what is under it waits for it.
    pub withdrawn: bool,
    /// Whether recovery wraps of what is under it are still being removed. The recovery file holds none of them.
    pub wraps_left: bool,
}

impl From<&KekUse> for KekView {
    fn from(kek: &KekUse) -> Self {
        Self {
            version: kek.version,
            root: kek.root,
            rows: kek.rows,
            newest: kek.is_newest,
            origin: match kek.origin {
                KekOrigin::Generated => "generated",
                KekOrigin::Imported => "imported",
            }
            .to_owned(),
            withdrawn: kek.is_withdrawn,
            wraps_left: kek.has_wraps_left,
        }
    }
}

/// What a tenant wraps its own KEK to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KekDoorView {
    /// `SubjectPublicKeyInfo`, PEM.
    pub public_key: String,
    /// The hash of RSA-OAEP and of its MGF1: `sha256` or `sha1`.
    pub hash: String,
    /// What wraps `kek.bin` to `kek.wrapped`, with the key in `import-key.pem`.
    pub command: String,
}

impl From<&KekDoor> for KekDoorView {
    fn from(door: &KekDoor) -> Self {
        let hash = door.hash.as_str();
        let command = format!(
            "openssl pkeyutl -encrypt -pubin -inkey import-key.pem -pkeyopt rsa_padding_mode:oaep -pkeyopt \
             rsa_oaep_md:{hash} -pkeyopt rsa_mgf1_md:{hash} -in kek.bin -out kek.wrapped"
        );
        Self { public_key: door.public_pem.clone(), hash: hash.to_owned(), command }
    }
}

/// A KEK that its tenant brought again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnedKekView {
    /// Its version.
    pub version: u32,
    /// Versions that have to come back, too, before anything is signed.
    pub missing: Vec<u32>,
}

/// What a rotation would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RotationPlanView {
    /// The version that would be made.
    pub to: u32,
    /// Rows that would move under it.
    pub rows: u64,
    /// How long that took at the last rotation's rate, seconds; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<u64>,
}

/// The newest rotation of a tenant's KEK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RotationView {
    /// The version that everything moves under.
    pub to: u32,
    /// How it stands.
    pub state: RotationState,
    /// Whether every payload is sealed anew under a fresh DEK, too.
    pub rekey: bool,
    /// Rows that have moved.
    pub done: u64,
    /// Rows under older versions.
    pub left: u64,
    /// Of these, rows that do not open: an alarm was raised for each.
    pub unopened: u64,
    /// Rows a second so far; absent before the first moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_per_second: Option<u64>,
    /// How many rows a second it may move at most; absent for as many as the token can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_per_second_max: Option<u32>,
    /// Seconds until nothing is left, at the rate so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<u64>,
    /// Who asked for it.
    pub by: String,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
}

impl RotationView {
    /// A rotation, and how many rows are left.
    pub fn of(rotation: &Rotation, left: u64) -> Self {
        let goes_on = rotation.state == RotationState::Running;
        Self {
            to: rotation.to,
            state: rotation.state,
            rekey: rotation.rekey,
            done: rotation.done,
            left,
            unopened: rotation.unopened,
            rows_per_second: rotation.rate(),
            rows_per_second_max: rotation.per_second,
            eta_seconds: rotation.seconds_for(left).filter(|_| goes_on),
            by: rotation.by.clone(),
            started_at: timestamp(rotation.started_ms),
            ended_at: rotation.ended_ms.map(timestamp),
        }
    }
}

/// A root key of the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RootView {
    /// Counts from 1.
    pub number: u32,
    /// KEKs that it wraps.
    pub keks: u64,
    /// Rows that are sealed under these.
    pub rows: u64,
    /// Whether it wraps new KEKs.
    pub newest: bool,
    /// Whether it is being destroyed: nothing hangs on it, and the keeper has not let it go yet.
    pub destroying: bool,
}

impl From<&RootUse> for RootView {
    fn from(root: &RootUse) -> Self {
        Self {
            number: root.number,
            keks: root.keks,
            rows: root.rows,
            newest: root.is_newest,
            destroying: root.is_going,
        }
    }
}

/// What a rotation of the root key would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RootPlanView {
    /// The root key that would be made.
    pub to: u32,
    /// Tenants that would get a new KEK, Claviger's own among them.
    pub tenants: u64,
    /// Rows that would move.
    pub rows: u64,
    /// How long that took at the last rotation's rate, seconds; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<u64>,
}

/// The newest rotation of the root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RootRotationView {
    /// The sum over all tenants; `to` is the root key's number.
    #[serde(flatten)]
    pub sum: RotationView,
    /// Tenants that it is behind.
    pub tenants_done: u64,
    /// Tenants that it is not behind.
    pub tenants_left: u64,
    /// The tenant whose rows move, or wait for an operator; absent where none do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
}

impl From<&RootProgress> for RootRotationView {
    fn from(RootProgress { rotation, left, tenants_left }: &RootProgress) -> Self {
        Self {
            sum: RotationView::of(&rotation.sum, *left),
            tenants_done: rotation.tenants,
            tenants_left: *tenants_left,
            tenant: rotation.at,
        }
    }
}
