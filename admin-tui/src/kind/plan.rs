//! Plans: what an act would do, however its route says so.

use claviger_core::view::{ForesightView, PlanView, RootPlanView, RotationPlanView};
use serde::Deserialize;

use super::read::span;

/// The answers to `dry_run`. What has more fields stands first, so that none is taken for less than it is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Act(PlanView),
    Foreseen(ForesightView),
    Root(RootPlanView),
    Kek(RotationPlanView),
}

/// Reads a plan. One that names no digest, because the act takes none, has an empty one.
///
/// # Errors
/// It is no plan.
pub fn read(bytes: &[u8]) -> Result<PlanView, serde_json::Error> {
    Ok(match serde_json::from_slice(bytes)? {
        Answer::Act(plan) => plan,
        Answer::Foreseen(ForesightView { name, plan, blast_radius }) => PlanView { blast_radius, ..said(name, plan) },
        Answer::Root(RootPlanView { to, tenants, rows, eta_seconds }) => {
            let moves = format!(
                "{tenants} tenants, Claviger's own among them, get a new KEK under it, one after the other; {rows} rows \
                 move, and stay in use meanwhile."
            );
            let made = format!("Root key {to} is made in the token.");
            said(format!("root/{to}"), [made, moves].into_iter().chain(eta_seconds.map(takes)).collect())
        }
        Answer::Kek(RotationPlanView { to, rows, eta_seconds }) => {
            let made = format!("Version {to} is made in the token.");
            let moves = format!("{rows} rows move under it, and stay in use meanwhile.");
            said(format!("version {to}"), [made, moves].into_iter().chain(eta_seconds.map(takes)).collect())
        }
    })
}

fn takes(seconds: u64) -> String {
    format!("That takes about {}, at the rate of the last rotation.", span(seconds))
}

fn said(name: String, plan: Vec<String>) -> PlanView {
    let (blast_radius, digest, expires_at) = <_>::default();
    PlanView { name, plan, blast_radius, second_operator: false, digest, expires_at }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plan(answer: &Value) -> PlanView {
        read(answer.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn each_answer_is_taken_for_what_it_is() {
        let act = json!({"name": "anna", "plan": ["It goes."], "blast_radius": {"apps": 2}, "second_operator": true,
            "digest": "sha256:ab", "expires_at": "2026-11-22T08:00:00.000Z"});
        let act = plan(&act);
        assert_eq!((act.name.as_str(), act.digest.as_str(), act.second_operator), ("anna", "sha256:ab", true));

        let foreseen = plan(&json!({"name": "bot", "plan": ["It stops."], "blast_radius": {"grants": 3}}));
        assert_eq!((foreseen.plan, foreseen.blast_radius["grants"]), (vec!["It stops.".to_owned()], 3));
        assert_eq!((foreseen.digest.as_str(), foreseen.second_operator), ("", false));

        let kek = plan(&json!({"to": 4, "rows": 812}));
        assert_eq!(kek.plan, ["Version 4 is made in the token.", "812 rows move under it, and stay in use meanwhile."]);

        let root = plan(&json!({"to": 2, "tenants": 7, "rows": 900, "eta_seconds": 7260}));
        assert_eq!(root.name, "root/2");
        assert_eq!(root.plan.last().unwrap(), "That takes about 2 h 1 min, at the rate of the last rotation.");

        assert!(read(b"{\"rows\": 1}").is_err());
    }
}
