use super::counter::{Charge, Counter};
use super::{Limit, Scope};

const TAKEN: Charge = Charge::Taken;

const fn refused(banned: bool, retry_after_ms: u64) -> Charge {
    Charge::Refused { banned, retry_after_ms }
}

#[track_caller]
fn check(limit: &Limit, calls: &[(u64, u32, Charge)]) {
    let mut counter = Counter::default();
    for (at_ms, cost, expected) in calls {
        assert_eq!(counter.charge(limit, true, *cost, *at_ms), *expected, "at {at_ms} ms");
    }
}

#[test]
fn a_window_starts_anew_and_is_told_when() {
    check(
        &Limit::per(Scope::Address, 1_000, 10),
        &[
            (5_100, 4, TAKEN),
            (5_200, 6, TAKEN),
            (5_300, 1, refused(false, 700)),
            (5_999, 1, refused(false, 1)),
            (6_000, 10, TAKEN),
        ],
    );
}

#[test]
fn a_decaying_budget_drains_steadily() {
    check(
        &Limit::per(Scope::Key, 2_000, 4).decaying(),
        &[
            (9_000, 4, TAKEN),
            (9_000, 1, refused(false, 500)),
            (9_499, 1, refused(false, 1)),
            (9_500, 1, TAKEN),
            (9_500, 1, refused(false, 500)),
        ],
    );
}

#[test]
fn whoever_does_not_listen_is_banned() {
    check(
        &Limit::per(Scope::Address, 1_000, 1).ban(2, 3_000),
        &[
            (5_000, 1, TAKEN),
            (5_000, 1, refused(false, 1_000)),
            (5_100, 1, refused(true, 3_000)),
            (6_100, 1, refused(true, 2_000)),
            (8_100, 1, TAKEN),
        ],
    );
}

#[test]
fn what_is_not_enforced_is_counted_all_the_same() {
    let limit = Limit::per(Scope::Orders, 1_000, 1);
    let mut counter = Counter::default();
    for _ in 0..3 {
        assert_eq!(counter.charge(&limit, false, 2, 4_000), TAKEN);
    }
    assert_eq!(counter.used(&limit), 6);
}
