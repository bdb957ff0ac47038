//! `claviger approval`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Failure;
use super::client::{Call, Here, api_path, field, listed, table};

#[derive(Debug, Subcommand)]
pub(super) enum Approval {
    /// Lists acts that were asked for.
    List {
        /// Where to go on: `next_cursor` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Shows one, with its plan.
    Show {
        /// The approval.
        id: String,
    },
    /// Approves what somebody else asked for; closes what was done in an emergency.
    Approve(Decide),
    /// Says no to what somebody else asked for.
    Deny(Decide),
    /// Calls off what was not done yet.
    Cancel(Decide),
}

#[derive(Debug, Args)]
pub(super) struct Decide {
    /// The approval.
    id: String,
    /// Why, in 10 to 200 characters.
    #[arg(long)]
    reason: String,
}

impl Decide {
    fn run(&self, here: &Here, verb: &str) -> Result<(), Failure> {
        let path = api_path(&["approvals", &self.id, verb]);
        here.print(&here.call(Call::post(&path, &json!({ "reason": self.reason })))?.json(), shown);
        Ok(())
    }
}

impl Approval {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::List { cursor } => {
                let list = here.call(Call::get(&listed(&["approvals"], cursor.as_deref())))?.json();
                let fields = ["id", "state", "danger", "act", "name", "requester", "created_at", "due_at"];
                here.print(&list, |list| table(list, &fields));
                Ok(())
            }
            Self::Show { id } => {
                here.print(&here.call(Call::get(&api_path(&["approvals", id])))?.json(), shown);
                Ok(())
            }
            Self::Approve(decide) => decide.run(here, "approve"),
            Self::Deny(decide) => decide.run(here, "deny"),
            Self::Cancel(decide) => decide.run(here, "cancel"),
        }
    }
}

/// An act that was asked for, and what is to be done about it.
pub(super) fn shown(value: &Value) -> String {
    let text = |name| field(value, name);
    let id = text("id");
    let head = format!("{id}  {} {} is {}", text("act"), text("name"), text("state"));
    let plan = value.get("plan").and_then(Value::as_array).cloned().unwrap_or_default();
    let plan = plan.iter().filter_map(Value::as_str).map(|line| format!("  - {line}"));
    let asked = format!("  {} asked for it: {}", text("requester"), text("reason"));
    let decided = ["approved", "closed"].into_iter().filter_map(|name| {
        let decision = value.get(name)?;
        Some(format!("  {} by {}: {}", name, field(decision, "by"), field(decision, "reason")))
    });
    let next = match text("state") {
        "waiting" => Some(format!(
            "  another operator decides until {}: claviger approval approve {id} --reason ...",
            text("expires_at")
        )),
        "approved" => Some(format!("  it is done at {}; until then: claviger approval cancel {id}", text("due_at"))),
        "to-review" => Some(format!("  another operator looks at it: claviger approval approve {id} --reason ...")),
        "failed" => Some(format!("  {}", text("why"))),
        _ => None,
    };
    let invitation = match text("invitation") {
        "" => None,
        invitation => Some(format!("  hand this half of an invitation to that person, it is shown once: {invitation}")),
    };
    let lines = std::iter::once(head).chain(plan).chain([asked]).chain(decided).chain(next).chain(invitation);
    lines.collect::<Vec<_>>().join("\n")
}
