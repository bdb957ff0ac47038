//! `claviger webhook`.

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::Failure;
use super::client::{Call, Here, api_path, field, listed, table};

#[derive(Debug, Subcommand)]
pub(super) enum Webhook {
    /// Makes a webhook; its secret is shown once.
    Add {
        /// Where it is: `https://…`
        url: String,
        /// What it is called.
        #[arg(long)]
        label: String,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Lists a tenant's webhooks.
    List {
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Removes a webhook.
    Remove(One),
    /// Gives a webhook another secret, shown once; the one before signs along for 24 hours.
    Rotate(One),
    /// Sends a webhook `webhook.ping`; one that is disabled and takes it is enabled.
    Test(One),
    /// Lists what a webhook was and is to be sent, newest first.
    Deliveries(One),
    /// Sends a message once more.
    Redeliver {
        #[command(flatten)]
        webhook: One,
        /// The message, `msg_…`.
        delivery: String,
    },
}

/// One webhook.
#[derive(Debug, Args)]
pub(super) struct One {
    /// The webhook, `hook_…`.
    id: String,
    /// The tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
}

impl One {
    /// Its path, and what follows.
    fn path(&self, rest: &[&str]) -> String {
        api_path(&[&["tenants", &self.tenant, "webhooks", &self.id], rest].concat())
    }
}

impl Webhook {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::Add { url, label, tenant } => {
                let body = json!({ "url": url, "label": label });
                let made = here.call(Call::post(&api_path(&["tenants", tenant, "webhooks"]), &body))?.json();
                here.print(&made, shown);
            }
            Self::List { tenant } => {
                let list = here.call(Call::get(&listed(&["tenants", tenant, "webhooks"], None)))?.json();
                here.print(&list, |list| {
                    table(list, &["id", "label", "host", "state", "disabled_because", "last_taken_at"])
                });
            }
            Self::Remove(one) => {
                here.call(Call { method: Method::DELETE, ..Call::get(&one.path(&[])) })?;
                here.print(&json!({ "id": one.id, "state": "removed" }), |_| format!("removed {}", one.id));
            }
            Self::Rotate(one) => {
                let made = here.call(Call::post(&one.path(&["rotate"]), &json!({})))?.json();
                here.print(&made, shown);
            }
            Self::Test(one) => {
                let ping = here.call(Call::post(&one.path(&["test"]), &json!({})))?.json();
                here.print(&ping, |ping| queued(one, ping));
            }
            Self::Deliveries(One { id, tenant }) => {
                let path = listed(&["tenants", tenant, "webhooks", id, "deliveries"], None);
                let list = here.call(Call::get(&path))?.json();
                here.print(&list, |list| {
                    table(list, &["id", "type", "happened_at", "state", "attempts", "last_status", "last_fault"])
                });
            }
            Self::Redeliver { webhook, delivery } => {
                let path = webhook.path(&["deliveries", delivery, "redeliver"]);
                let again = here.call(Call::post(&path, &json!({})))?.json();
                here.print(&again, |again| queued(webhook, again));
            }
        }
        Ok(())
    }
}

fn shown(made: &Value) -> String {
    format!("{}\nsecret: {}\nit is shown once: give it to the receiver", field(made, "id"), field(made, "secret"))
}

fn queued(webhook: &One, delivery: &Value) -> String {
    format!(
        "{} is on its way; `claviger webhook deliveries {}` says what came of it",
        field(delivery, "id"),
        webhook.id
    )
}
