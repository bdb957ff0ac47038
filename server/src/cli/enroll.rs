//! `claviger enroll`, and how secrets reach the command line: from a file or standard input, never from an argument.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Failure;
use super::client::{Call, Here, api_path, field};
use super::contact::address;

#[derive(Debug, Args)]
pub(super) struct Enroll {
    /// The tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// The tenant's own id of the person it belongs to.
    #[arg(long)]
    owner: String,
    /// A name for people.
    #[arg(long, default_value = "")]
    label: String,
    /// The venue.
    #[arg(long)]
    venue: String,
    /// `hmac`, `private-key`, `bearer` or `login`.
    #[arg(long, default_value = "hmac")]
    kind: String,
    /// `read`, or `trade:` and products: `trade:spot,derivatives`.
    #[arg(long, default_value = "read")]
    ceiling: String,
    /// Where the secret is when it signs: `sealed`, `resident`, or `hsm_born` for a key that is made in the token.
    #[arg(long, default_value = "sealed")]
    mode: String,
    /// When the key is not to be used any more, RFC 3339; without it, never.
    #[arg(long)]
    expires_at: Option<String>,
    /// The venue's key id; not for `hsm_born`, which gets it by `claviger credential activate`.
    #[arg(long, required_unless_present = "key_type")]
    key_id: Option<String>,
    /// For `hsm_born`: `ed25519` or `rsa`.
    #[arg(long, conflicts_with_all = ["key_id", "secret_file", "kind"])]
    key_type: Option<String>,
    /// A file with the owner's e-mail address, to be told what happens to the key.
    #[arg(long)]
    contact_file: Option<PathBuf>,
    /// A file with the secret; else standard input. One of several parts is a JSON object of texts; `claviger venue`
    /// names them.
    #[arg(long)]
    secret_file: Option<PathBuf>,
}

impl Enroll {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let (class, products) = self.ceiling.split_once(':').unwrap_or((self.ceiling.as_str(), ""));
        let products: Vec<&str> = products.split(',').filter(|product| !product.is_empty()).collect();
        let common = json!({
            "owner": self.owner, "label": self.label, "venue": self.venue, "mode": self.mode,
            "ceiling": { "class": class, "products": products }, "expires_at": self.expires_at,
        });
        let common = match &self.contact_file {
            Some(file) => with(common, &[("contact", &address(Some(file))?)]),
            None => common,
        };
        let path = api_path(&["tenants", &self.tenant, "credentials"]);
        if let Some(key_type) = &self.key_type {
            let body = with(common, &[("key_type", key_type)]);
            here.print(&here.call(Call::post(&path, &body))?.json(), born);
            return Ok(());
        }
        let body = with(common, &[("kind", &self.kind), ("key_id", self.key_id.as_deref().unwrap_or_default())]);
        let mut call = Call::post(&path, &Value::Null);
        call.body = Some(with_secret(&body, self.secret_file.as_deref())?);
        let made = here.call(call)?.json();
        here.print(&made, |made| {
            format!("enrolled {} ({}, {})", field(made, "id"), field(made, "hint"), field(made, "state"))
        });
        Ok(())
    }
}

/// An object with further texts in it.
fn with(mut object: Value, texts: &[(&str, &str)]) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.extend(texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).into())));
    }
    object
}

/// What the owner of a key that was made in the token does next.
fn born(made: &Value) -> String {
    let steps = made.get("guide").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let steps: Vec<_> = steps.enumerate().map(|(at, step)| format!("{:>2}. {step}", at.saturating_add(1))).collect();
    let id = field(made, "id");
    format!(
        "made {id} ({})\n\n{}\n{}\n\nThen: claviger credential activate {id} --key-id KEY_ID",
        field(made, "state"),
        field(made, "public_key"),
        steps.join("\n")
    )
}

/// What stands in a file, or comes by standard input.
pub(super) fn read_file_or_input(file: Option<&Path>) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    match file {
        Some(file) => std::fs::File::open(file)?.read_to_string(&mut text)?,
        None => io::stdin().read_to_string(&mut text)?,
    };
    Ok(text)
}

/// A body with the secret put in by hand, so that no JSON value holds it.
pub(super) fn with_secret(body: &Value, file: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let secret = read_file_or_input(file);
    let secret = secret
        .map_err(|e| Failure::new(2, format!("no secret: {e}; name --secret-file, or give it on standard input")))?;
    // A secret of several parts is a JSON object of texts already.
    let several = serde_json::from_str::<std::collections::BTreeMap<&str, &serde_json::value::RawValue>>(secret.trim());
    let quoted = match several {
        Ok(_) => Zeroizing::new(secret.trim().to_owned()),
        Err(_) => Zeroizing::new(serde_json::to_string(secret.trim()).unwrap_or_default()),
    };
    let mut text = Zeroizing::new(body.to_string());
    text.pop();
    let mut out = Zeroizing::new(Vec::with_capacity(text.len().saturating_add(quoted.len()).saturating_add(16)));
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b",\"secret\":");
    out.extend_from_slice(quoted.as_bytes());
    out.push(b'}');
    Ok(out)
}
