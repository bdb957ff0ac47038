//! `claviger incident`.

mod bundle;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::Failure;
use super::client::{Call, Here, api_path, field, listed, table};
use super::stops::Scope;

#[derive(Debug, Subcommand)]
pub(super) enum Incident {
    /// Opens one. Its clocks run from the moment that it was known.
    Open(Open),
    /// Lists those that are open.
    List {
        /// Closed ones too.
        #[arg(long)]
        all: bool,
    },
    /// Shows one, with its clocks and its timeline.
    Show {
        /// The incident.
        id: String,
    },
    /// Shows the credentials that it touches, and the apps that may use them.
    Affected {
        /// The incident.
        id: String,
    },
    /// Adds to its timeline.
    Note {
        /// The incident.
        id: String,
        /// What was known, or what was done.
        #[arg(long, value_enum, default_value = "known")]
        kind: Kind,
        /// The text.
        text: String,
    },
    /// Stops everything that it touches, in one act.
    Contain(Contain),
    /// Tells the owners of everything that it touches, each once, what they are to do.
    Notify {
        /// The incident.
        id: String,
        /// What was affected, and what they are to do.
        #[arg(long)]
        text: String,
    },
    /// Lists the keys whose owners could not be told, and why.
    Unreached {
        /// The incident.
        id: String,
    },
    /// Has everybody read of it at `/incidents`.
    Publish {
        /// The incident.
        id: String,
        /// In place of the summary that it has.
        #[arg(long)]
        summary: Option<String>,
    },
    /// Notes that what a clock is about was done, or why it need not be.
    Clock {
        /// The incident.
        id: String,
        /// `publish`, `notify`, `dora-initial`, `dora-intermediate` or `dora-final`.
        clock: String,
        /// How, or why not.
        #[arg(long)]
        text: String,
    },
    /// Reviews it and closes it; whoever opened it does not.
    Close {
        /// The incident.
        id: String,
        /// Why it could happen. Everybody reads it if the incident is published.
        #[arg(long)]
        root_cause: String,
        /// What was changed, so that it does not happen again. As public as that.
        #[arg(long)]
        measures: String,
    },
    /// Writes the evidence to a new folder: the incident, its timeline, what it touches, and the audit log.
    Export {
        /// The incident.
        id: String,
        /// The folder; else one of the incident's name, here.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Open {
    /// How bad it is.
    #[arg(long, value_enum)]
    severity: Severity,
    /// What it is called; everybody reads it once it is published.
    #[arg(long)]
    title: String,
    /// What everybody reads once it is published.
    #[arg(long, default_value = "")]
    summary: String,
    /// When it was known, RFC 3339, if not just now.
    #[arg(long)]
    detected_at: Option<String>,
    #[command(flatten)]
    scope: Scope,
    /// A credential of the tenant.
    #[arg(long, group = "scope", requires = "tenant")]
    credential: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Contain {
    /// The incident.
    id: String,
    /// How far.
    #[arg(long, value_enum)]
    state: State,
    /// Why.
    #[arg(long)]
    reason: String,
    /// For `revoked`, which is for good: the id in the incident's scope.
    #[arg(long, default_value = "")]
    confirm: String,
}

/// How bad an incident is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// What an entry of a timeline is about.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Kind {
    Known,
    Done,
}

/// How far something is stopped.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum State {
    ReduceOnly,
    Frozen,
    Revoked,
}

/// A choice as the API calls it.
fn word(choice: &impl ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

impl Incident {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let post = |id: &str, what: &str, body: &Value| {
            let path = api_path(&["incidents", id, what]);
            here.call(Call::post(&path, body)).map(|answer| here.print(&answer.json(), head))
        };
        match self {
            Self::Open(open) => open.run(here),
            Self::List { all } => list(here, *all),
            Self::Show { id } => show(here, id),
            Self::Affected { id } => {
                let (touched, apps) = (every(here, &["incidents", id, "affected"])?, apps_of(here, id)?);
                let both: Vec<Value> = touched.into_iter().chain(apps).collect();
                let both = json!({ "data": both });
                here.print(&both, |all| table(all, &["kind", "id", "tenant", "owner", "venue", "state", "name"]));
                Ok(())
            }
            Self::Note { id, kind, text } => post(id, "timeline", &json!({ "kind": word(kind), "text": text })),
            Self::Contain(contain) => contain.run(here),
            Self::Notify { id, text } => post(id, "notify", &json!({ "text": text })),
            Self::Unreached { id } => {
                let rows = json!({ "data": every(here, &["incidents", id, "unreached"])? });
                here.print(&rows, |all| table(all, &["notice", "topic", "credential", "why"]));
                Ok(())
            }
            Self::Publish { id, summary } => post(id, "publish", &json!({ "summary": summary })),
            Self::Clock { id, clock, text } => post(id, "clocks", &json!({ "clock": clock, "text": text })),
            Self::Close { id, root_cause, measures } => {
                post(id, "close", &json!({ "root_cause": root_cause, "measures": measures }))
            }
            Self::Export { id, out } => bundle::export(here, id, out.as_deref()),
        }
    }
}

impl Open {
    fn run(&self, here: &Here) -> Result<(), Failure> {
        let scope = match &self.credential {
            Some(credential) => self.scope.of_credential(credential),
            None => self.scope.body()?,
        };
        let body = json!({
            "severity": word(&self.severity), "title": self.title, "summary": self.summary,
            "detected_at": self.detected_at, "scope": scope,
        });
        here.print(&here.call(Call::post("/api/v1/incidents", &body))?.json(), head);
        Ok(())
    }
}

impl Contain {
    fn run(&self, here: &Here) -> Result<(), Failure> {
        let body = json!({ "state": word(&self.state), "reason": self.reason, "confirm": self.confirm });
        let done = here.call(Call::post(&api_path(&["incidents", &self.id, "contain"]), &body))?.json();
        here.print(&done, |done| {
            let in_flight = done.get("in_flight").and_then(Value::as_array).map_or(0, Vec::len);
            let incident = done.get("incident").unwrap_or(&Value::Null);
            format!("{}\n  {in_flight} requests were on their way", head(incident))
        });
        Ok(())
    }
}

fn list(here: &Here, all: bool) -> Result<(), Failure> {
    let mut rows = every(here, &["incidents"])?;
    rows.retain(|row| all || field(row, "state") != "closed" || row.get("overdue") == Some(&Value::Bool(true)));
    let fields = ["id", "state", "severity", "overdue", "detected_at", "scope", "title"];
    here.print(&json!({ "data": rows }), |list| table(list, &fields));
    Ok(())
}

fn show(here: &Here, id: &str) -> Result<(), Failure> {
    let mut incident = here.call(Call::get(&api_path(&["incidents", id])))?.json();
    let timeline = every(here, &["incidents", id, "timeline"])?;
    if let Some(fields) = incident.as_object_mut() {
        fields.insert("timeline".to_owned(), Value::Array(timeline));
    }
    here.print(&incident, |incident| {
        let of = |name: &str| incident.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let clocks = of("clocks");
        let clocks = clocks.iter().map(|clock| {
            let met = field(clock, "met_at");
            let red = if clock.get("overdue") == Some(&Value::Bool(true)) { "  OVERDUE" } else { "" };
            let stands = if met.is_empty() { format!("runs{red}") } else { format!("met {met}") };
            format!("  {:<18} due {}  {stands}", field(clock, "clock"), field(clock, "due_at"))
        });
        let notes = of("timeline");
        let notes = notes.iter().map(|note| {
            let [at, by, kind, text] = ["at", "by", "kind", "text"].map(|name| field(note, name));
            format!("  {at}  {by}  {kind}: {text}")
        });
        let told = of("notices");
        let told = told.iter().map(|notice| {
            let count = |name: &str| notice.get(name).and_then(Value::as_u64).unwrap_or(0);
            let [sent, waiting, failed, unreached] = ["sent", "waiting", "failed", "unreached"].map(count);
            let (topic, state) = (field(notice, "topic"), field(notice, "state"));
            format!("  {topic}  {state}: {sent} sent, {waiting} waiting, {failed} failed, {unreached} keys without an address")
        });
        [head(incident)].into_iter().chain(clocks).chain(told).chain(notes).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

fn apps_of(here: &Here, id: &str) -> Result<Vec<Value>, Failure> {
    every(here, &["incidents", id, "affected", "apps"])
}

/// All rows of a list.
fn every(here: &Here, parts: &[&str]) -> Result<Vec<Value>, Failure> {
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let page = here.call(Call::get(&listed(parts, cursor.as_deref())))?.json();
        rows.extend(page.get("data").and_then(Value::as_array).cloned().unwrap_or_default());
        cursor = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}

/// An incident in two lines.
fn head(incident: &Value) -> String {
    let text = |name| field(incident, name);
    let contained = match text("containment") {
        "" => String::new(),
        stop => format!(", {stop}"),
    };
    let (id, severity, title) = (text("id"), text("severity"), text("title"));
    format!("{id}  {severity}  {title}\n  {}{contained}: {}", text("state"), text("scope"))
}
