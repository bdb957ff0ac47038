//! Acts that are planned first: shown, agreed to, and done with the plan's digest.

use clap::Args;
use hyper::Method;
use serde_json::{Value, json};

use super::Failure;
use super::client::{Answer, Call, Here, field};

/// What an act is agreed to with.
#[derive(Debug, Args)]
pub(super) struct Consent {
    /// Why, in 10 to 200 characters.
    #[arg(long, default_value = "")]
    pub(super) reason: String,
    /// Agrees to the plan without being asked.
    #[arg(long)]
    pub(super) yes: bool,
    /// For what cannot be undone: its own name, as the plan gives it, instead of being asked for it.
    #[arg(long)]
    pub(super) confirm: Option<String>,
}

/// An act's route, and what goes there beside reason and confirmation.
#[derive(Debug)]
pub(super) struct Route<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) body: Value,
    pub(super) if_match: Option<String>,
    /// Whether it is confirmed by its own name.
    pub(super) irreversible: bool,
}

/// Plans an act, shows the plan, and does it once that is agreed to.
pub(super) fn perform(here: &Here, route: Route<'_>, consent: &Consent) -> Result<(), Failure> {
    let Route { method, path, mut body, if_match, irreversible } = route;
    let dry = format!("{path}?dry_run=true");
    let plan = here.call(Call { method: method.clone(), ..Call::post(&dry, &body) })?.json();
    eprintln!("{}", planned(&plan));
    let name = field(&plan, "name");
    agreed(name, irreversible, consent)?;
    if let Some(body) = body.as_object_mut() {
        body.insert("reason".to_owned(), json!(consent.reason));
        if irreversible {
            body.insert("confirm".to_owned(), json!(name));
        }
    }
    let plan_digest = Some(field(&plan, "digest").to_owned());
    let done = here.call(Call { method, if_match, plan_digest, ..Call::post(path, &body) })?;
    say(here, &done);
    Ok(())
}

/// The plan, for whoever has to agree to it.
fn planned(plan: &Value) -> String {
    let lines = plan.get("plan").and_then(Value::as_array).cloned().unwrap_or_default();
    let lines = lines.iter().filter_map(Value::as_str).map(|line| format!("  - {line}"));
    let hangs = plan.get("blast_radius").and_then(Value::as_object).cloned().unwrap_or_default();
    let hangs: Vec<String> = hangs.iter().map(|(name, count)| format!("{count} {}", name.replace('_', " "))).collect();
    let second = plan.get("second_operator") == Some(&Value::Bool(true));
    let hangs = (!hangs.is_empty()).then(|| format!("  on it hang {}", hangs.join(", ")));
    let second = second.then(|| "  it waits for a second operator".to_owned());
    std::iter::once("the plan:".to_owned()).chain(lines).chain(hangs).chain(second).collect::<Vec<_>>().join("\n")
}

fn agreed(name: &str, irreversible: bool, consent: &Consent) -> Result<(), Failure> {
    let typed = match (&consent.confirm, irreversible) {
        (Some(typed), true) => typed.clone(),
        (None, true) => asked(&format!("this cannot be undone. Type `{name}` to go on:")),
        (_, false) if consent.yes => return Ok(()),
        (_, false) => asked("go on? [y/N]"),
    };
    let wanted = if irreversible { name } else { "y" };
    if typed == wanted {
        return Ok(());
    }
    let way = if irreversible { "--confirm NAME" } else { "--yes" };
    Err(Failure::new(2, format!("nothing was done ({way} answers without being asked)")))
}

/// Asks on the error stream, and reads a line; nothing where nobody answers.
pub(super) fn asked(question: &str) -> String {
    heard(question).unwrap_or_default()
}

/// The same; none where nobody can answer any more.
pub(super) fn heard(question: &str) -> Option<String> {
    eprintln!("{question}");
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    read.is_ok_and(|bytes| bytes > 0).then(|| line.trim().to_owned())
}

fn say(here: &Here, done: &Answer) {
    if done.body.is_empty() {
        println!("done");
    } else {
        here.print(&done.json(), super::approvals::shown);
    }
}
