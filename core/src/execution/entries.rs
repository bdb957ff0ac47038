//! The audit entries of intents and outcomes.

use super::Origin;
use crate::audit::{Draft, EntryOutcome, Personal};
use crate::id::ExecutionId;
use crate::policy::{Checked, CheckedStream};
use crate::store::{ExecutionState, IntentKind, OpenIntent, Outcome, Scopes, StoredAnswer};

/// The two audit entries of whatever is signed.
pub(super) struct Entries {
    pub(super) intent: Draft,
    pub(super) outcome: Draft,
}

impl Entries {
    pub(super) fn of(checked: &Checked, execution: Option<ExecutionId>, origin: &Origin) -> Self {
        let subject = match checked.kind() {
            IntentKind::App if checked.release() => "signature",
            IntentKind::App => "execution",
            IntentKind::System if checked.resolved().operation().is_login() => "login",
            IntentKind::System => "probe",
            IntentKind::Resolve => "lookup",
        };
        Self::about(subject, checked.resolved().operation().name, checked.scopes(), execution, origin)
    }

    pub(super) fn of_stream(checked: &CheckedStream, execution: ExecutionId, origin: &Origin) -> Self {
        Self::about("signature", &checked.operation(), checked.scopes(), Some(execution), origin)
    }

    fn about(subject: &str, operation: &str, scopes: &Scopes, execution: Option<ExecutionId>, origin: &Origin) -> Self {
        let draft = |verb: &str| {
            let mut draft = origin
                .draft(&format!("{subject}.{verb}"), EntryOutcome::Allowed)
                .tenant(scopes.tenant.to_string())
                .detail("venue", scopes.venue.as_str())
                .detail("operation", operation);
            draft = match (execution, scopes.credential) {
                (Some(id), _) => draft.on("execution", id.to_string()),
                (None, Some(id)) => draft.on("credential", id.to_string()),
                (None, None) => draft,
            };
            if let Some(credential) = scopes.credential {
                draft = draft.detail("credential", credential.to_string());
            }
            if let Some(grant) = scopes.grant {
                draft = draft.rule(format!("grant:{grant}"));
            }
            match &scopes.owner {
                Some(owner) => draft.personal(Personal { owner: owner.clone() }),
                None => draft,
            }
        };
        Self { intent: draft("intent"), outcome: draft("outcome") }
    }
}

/// The outcome of an intent that an earlier run of the service left open: nobody knows, unless it was to be released. Then
/// nothing left, because a signature is given out only once its outcome is durable.
pub fn left_open(open: &OpenIntent, origin: &Origin) -> Outcome {
    let (state, why) = if open.release {
        (ExecutionState::Failed, "the service ended before the signature was given out")
    } else {
        (ExecutionState::Unknown, "the service ended before the answer came")
    };
    concluded(open, state, None, why, origin)
}

/// An outcome that comes to light after the execution.
pub fn concluded(
    open: &OpenIntent,
    state: ExecutionState,
    answer: Option<StoredAnswer>,
    why: &str,
    origin: &Origin,
) -> Outcome {
    let Scopes { tenant, venue, credential, .. } = &open.scopes;
    let subject = match (open.execution, open.release) {
        (Some(_), true) => "signature",
        (Some(_), false) => "execution",
        (None, _) => "probe",
    };
    let mut entry = origin
        .draft(&format!("{subject}.outcome"), entry_outcome(state))
        .tenant(tenant.to_string())
        .detail("venue", venue.as_str())
        .detail("why", why);
    if let Some(id) = open.execution {
        entry = entry.on("execution", id.to_string());
    }
    if let Some(id) = credential {
        entry = entry.detail("credential", id.to_string());
    }
    if let Some(answer) = &answer {
        entry = entry.detail("status", answer.status.to_string());
    }
    Outcome { intent: open.intent, state, answer, valid_until_ms: None, entry }
}

/// How the audit log calls it.
pub(super) fn entry_outcome(state: ExecutionState) -> EntryOutcome {
    match state {
        ExecutionState::Acked => EntryOutcome::Acked,
        ExecutionState::Rejected => EntryOutcome::Rejected,
        ExecutionState::Failed => EntryOutcome::Failed,
        ExecutionState::Released => EntryOutcome::Released,
        ExecutionState::Open | ExecutionState::Unknown => EntryOutcome::Unknown,
    }
}
