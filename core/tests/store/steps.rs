//! Random steps over a small world, and the verbs that they come to where the model stands.

use claviger_core::credential::State;
use claviger_core::store::{
    Change, Effect, ExecutionState, Expect, Intent, IntentKind, Key, Outcome, Range, Row, Scope, Stop, StoredAnswer,
};
use proptest::prelude::*;
use proptest::sample::select;

use super::fixtures::{
    START_MS, app, app_row, credential_key, credential_row, draft, every_scope, execution, intent, new_execution,
    owner, personal_draft, probe, tenant, tenant_row,
};
use super::model::Model;
use super::verbs::Verb;

/// A step before it is known what there is.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Intents(Vec<IntentStep>),
    Outcomes(Vec<(u64, ExecutionState)>),
    Revoke(u8, Scope, Stop),
    Put(Vec<ChangeStep>, usize),
    Append(usize),
    Checkpoint(u64),
    Expire(u64),
    Read(Verb),
}

#[derive(Clone, Debug)]
pub(crate) struct IntentStep {
    of: u8,
    kind: IntentKind,
    effect: Effect,
    nonce: bool,
    epoch: EpochStep,
    market: bool,
    /// The idempotency key, the request, and whether the id is one that is taken.
    order: Option<(u8, u8, bool)>,
}

#[derive(Clone, Copy, Debug)]
enum EpochStep {
    Right,
    Wrong,
    None,
}

#[derive(Clone, Debug)]
pub(crate) struct ChangeStep {
    key: Key,
    expect: ExpectStep,
    row: Option<Row>,
}

#[derive(Clone, Copy, Debug)]
enum ExpectStep {
    Absent,
    Current,
    Older,
    Any,
}

/// Every key that a step may name.
pub(crate) fn keys() -> Vec<Key> {
    let mut keys = Vec::new();
    for n in [0, 1] {
        keys.extend([
            Key::Tenant(tenant(n)),
            Key::App(app(n)),
            Key::TenantApp(tenant(n), app(n)),
            credential_key(n, n),
            credential_key(0, 2 + n),
        ]);
        keys.extend(every_scope(n).map(Key::Stopped));
    }
    keys
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![8 => write_step(), 1 => read().prop_map(Step::Read)]
}

pub(crate) fn write_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec(intent_step(), 1..4).prop_map(Step::Intents),
        5 => prop::collection::vec((0_u64..8, outcome_state()), 1..3).prop_map(Step::Outcomes),
        2 => (0_u8..2, scope(), select(vec![Stop::ReduceOnly, Stop::Frozen, Stop::Revoked]))
            .prop_map(|(of, scope, stop)| Step::Revoke(of, scope, stop)),
        6 => (prop::collection::vec(change_step(), 0..4), 0_usize..3).prop_map(|(changes, n)| Step::Put(changes, n)),
        1 => (0_usize..4).prop_map(Step::Append),
        1 => (0_u64..9).prop_map(Step::Checkpoint),
        1 => (0_u64..100).prop_map(Step::Expire),
    ]
}

/// What every run begins with: an active credential of each tenant.
pub(crate) fn world() -> Verb {
    let rows = [0, 1].map(|n| (credential_key(n, n), Row::Credential(credential_row(n, n, State::Active, 1))));
    Verb::Put(rows.map(|(key, row)| Change::create(key, row)).to_vec(), vec![draft(0, "world")])
}

/// How far the clock goes before a step, sometimes back.
pub(crate) fn tick() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0_i64..3, 1 => -20_i64..20]
}

impl Step {
    /// The verb that this step is, given what there is; `label` tells its entries from all others.
    pub(crate) fn verb(self, model: &Model, label: u64) -> Verb {
        let entry = |of: u8, n: usize| {
            let label = format!("{label}.{n}");
            if n.is_multiple_of(2) { personal_draft(of, &label, &owner(of)) } else { draft(of, &label) }
        };
        let entries = |count: usize| (0..count).map(|n| entry((n % 2) as u8, n)).collect();
        match self {
            Self::Intents(batch) => {
                let intents = batch.into_iter().enumerate();
                Verb::Intents(intents.map(|(n, step)| step.intent(model, label, n)).collect())
            }
            Self::Outcomes(batch) => {
                let outcomes = batch.into_iter().enumerate().map(|(n, (back, state))| Outcome {
                    intent: model.intents.saturating_sub(back),
                    state,
                    answer: (back != 1).then(|| StoredAnswer {
                        status: 200,
                        body: label.to_be_bytes().to_vec(),
                        question: None,
                    }),
                    valid_until_ms: None,
                    entry: entry(0, n),
                });
                Verb::Outcomes(outcomes.collect())
            }
            Self::Revoke(of, scope, stop) => Verb::Revoke(scope, stop, Box::new(entry(of, 0))),
            Self::Put(changes, count) => {
                Verb::Put(changes.into_iter().map(|step| step.change(model)).collect(), entries(count))
            }
            Self::Append(count) => Verb::Append(entries(count)),
            Self::Checkpoint(size) => Verb::Checkpoint(size, format!("checkpoint {label}")),
            Self::Expire(after) => Verb::Expire(START_MS + after),
            Self::Read(verb) => verb,
        }
    }
}

impl IntentStep {
    fn intent(self, model: &Model, label: u64, n: usize) -> Intent {
        let text = format!("{label}.{n}");
        let like = if self.kind == IntentKind::App { intent(self.of, &text) } else { probe(self.of, &text) };
        let right = match model.rows.get(&credential_key(self.of, self.of)) {
            Some((_, Row::Credential(row))) => Some(row.epoch),
            _ => None,
        };
        let epoch = match self.epoch {
            EpochStep::Right => right,
            EpochStep::Wrong => Some(99),
            EpochStep::None => None,
        };
        let execution = self.order.map(|(key, request, taken)| {
            let id = if taken { 0 } else { label * 8 + n as u64 };
            new_execution(id, &format!("key {key}"), request)
        });
        let mut scopes = like.scopes.clone();
        if self.market {
            (scopes.credential, scopes.owner) = (None, None);
        }
        Intent { kind: self.kind, effect: self.effect, nonce: self.nonce, epoch, execution, scopes, ..like }
    }
}

impl ChangeStep {
    fn change(self, model: &Model) -> Change {
        let current = model.rows.get(&self.key).map_or(0, |(version, _)| *version);
        let expect = match self.expect {
            ExpectStep::Absent => Expect::Absent,
            ExpectStep::Current => Expect::Version(current),
            ExpectStep::Older => Expect::Version(current.saturating_sub(1)),
            ExpectStep::Any => Expect::Any,
        };
        Change { key: self.key, expect, row: self.row }
    }
}

fn intent_step() -> impl Strategy<Value = IntentStep> {
    let order = prop::option::weighted(0.7, (0_u8..4, 0_u8..2, prop::bool::weighted(0.03)));
    let epoch = prop_oneof![12 => Just(EpochStep::Right), 1 => Just(EpochStep::Wrong), 1 => Just(EpochStep::None)];
    (0_u8..2, kind(), effect(), any::<bool>(), epoch, prop::bool::weighted(0.1), order).prop_map(
        |(of, kind, effect, nonce, epoch, market, order)| IntentStep { of, kind, effect, nonce, epoch, market, order },
    )
}

fn kind() -> impl Strategy<Value = IntentKind> {
    prop_oneof![4 => Just(IntentKind::App), 1 => Just(IntentKind::System)]
}

fn effect() -> impl Strategy<Value = Effect> {
    select(vec![Effect::Opens, Effect::Reduces, Effect::Reads])
}

fn outcome_state() -> impl Strategy<Value = ExecutionState> {
    prop_oneof![
        4 => Just(ExecutionState::Acked),
        1 => Just(ExecutionState::Rejected),
        1 => Just(ExecutionState::Failed),
        3 => Just(ExecutionState::Unknown),
        1 => Just(ExecutionState::Open),
    ]
}

fn scope() -> impl Strategy<Value = Scope> {
    (0_u8..2, 0_usize..7).prop_map(|(n, which)| every_scope(n)[which].clone())
}

fn change_step() -> impl Strategy<Value = ChangeStep> {
    let expect = prop_oneof![
        3 => Just(ExpectStep::Any),
        2 => Just(ExpectStep::Current),
        1 => Just(ExpectStep::Absent),
        1 => Just(ExpectStep::Older),
    ];
    let states = [State::Pending, State::Active, State::Active, State::ReduceOnly, State::Frozen, State::Revoked];
    let credential = (select(vec![(0, 0), (1, 1), (0, 2), (0, 3)]), select(states.to_vec()), 1_u64..3).prop_map(
        |((of, n), state, epoch)| (credential_key(of, n), Row::Credential(credential_row(of, n, state, epoch))),
    );
    let named = (0_u8..2, 0_usize..3, "[a-c]").prop_map(|(n, which, name)| match which {
        0 => (Key::Tenant(tenant(n)), tenant_row(n, &name)),
        1 => (Key::App(app(n)), app_row(n, n, &name)),
        _ => (Key::TenantApp(tenant(n), app(n)), Row::Mark),
    });
    let stopped = scope().prop_map(|scope| (Key::Stopped(scope), Row::Stopped(Stop::ReduceOnly)));
    let row = prop_oneof![
        (credential, prop::bool::weighted(0.9)),
        (named, prop::bool::weighted(0.8)),
        // Stops come from elsewhere; here they mostly end.
        (stopped, prop::bool::weighted(0.1)),
    ];
    (row, expect).prop_map(|(((key, row), stays), expect)| ChangeStep { key, expect, row: stays.then_some(row) })
}

fn read() -> impl Strategy<Value = Verb> {
    let ranges = (0_u8..2).prop_flat_map(|n| {
        let of = tenant(n);
        select(vec![Range::Tenants, Range::Apps(of), Range::Credentials(of), Range::Stopped, Range::Keks(of)])
    });
    prop_oneof![
        select(keys()).prop_map(Verb::Get),
        (ranges, 1_usize..4).prop_map(|(range, limit)| Verb::Scan(range, limit)),
        (0_u64..20).prop_map(|n| Verb::Execution(execution(n * 8))),
        (0_u8..2, 1_usize..5).prop_map(|(n, limit)| Verb::Executions(tenant(n), limit)),
        Just(Verb::Resolve),
    ]
}
