//! Orders whose answer was lost: the venue is asked for them by their client order id, until it says.
//!
//! Each question is a read under an intent of Claviger's own. An order that is there is acknowledged. One that is not has
//! failed, but only once no venue could still take the request; then the same request may be made again under its key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claviger_venues::{Found, Lapse, VenueId, found, lapse};

use super::directory::KnownCredential;
use super::execute::BUDGET_PATIENCE;
use super::{Service, ServiceError};
use crate::clock::BootTime;
use crate::execution::budget::Share;
use crate::execution::egress::VenueAnswer;
use crate::execution::{INTENT_DEADLINE, Origin, concluded};
use crate::keeper::VALID_MS;
use crate::policy::{Own, Resolved, Stored, check_own};
use crate::store::{ANSWER_BYTES_MAX, Execution, ExecutionState, OpenIntent, Question, StoredAnswer};

/// Lost orders that are read from the store at a time.
const PAGE: usize = 256;

/// Lost orders that are asked for at the same time, and of one venue.
const AT_ONCE: usize = 16;
const AT_ONE_VENUE: usize = 4;

/// An order is asked for again when a quarter of the time has passed that it has been lost for, within these.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(10);

/// What is added to the time in which a venue could still take a request: for clocks that differ, and for an order to
/// show where it is read.
const MARGIN: Duration = Duration::from_secs(5);

/// How long a request may still be on its way to a venue at which nothing ends it. Its connection is closed by then, and
/// nobody repeats it.
const ON_ITS_WAY: Duration = Duration::from_mins(1);

/// What is asked for, and when it was.
#[derive(Debug, Default)]
pub(super) struct Searches(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The last intent of the page that was read.
    cursor: u64,
    searches: HashMap<u64, Search>,
}

#[derive(Clone, Copy, Debug)]
struct Search {
    /// When this process first saw that it is lost; its request was signed before.
    since: BootTime,
    asked: BootTime,
    /// Where it is being asked for.
    at: Option<VenueId>,
}

/// How soon an order is asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// With growing pauses, a few at a time.
    Growing,
    /// Its owner waits.
    Prompt,
}

impl Searches {
    /// Begins a search, if it is time.
    fn begin(self: &Arc<Self>, intent: OpenIntent, pace: Pace, now: BootTime) -> Option<Lost> {
        let since = self.try_begin(&intent, pace, now)?;
        Some(Lost { since, under_way: UnderWay { searches: self.clone(), intent: intent.intent }, intent })
    }

    fn try_begin(&self, lost: &OpenIntent, pace: Pace, now: BootTime) -> Option<BootTime> {
        let mut state = self.lock();
        let under_way = |venue: Option<VenueId>| {
            let at = state.searches.values().filter_map(|search| search.at);
            at.filter(|at| venue.is_none_or(|venue| venue == *at)).count()
        };
        let crowded = under_way(None) >= AT_ONCE || under_way(Some(lost.scopes.venue)) >= AT_ONE_VENUE;
        if lost.questions.is_empty() || crowded && pace == Pace::Growing {
            return None;
        }
        let since = match state.searches.get(&lost.intent) {
            Some(Search { at: Some(_), .. }) => return None,
            Some(search) => {
                let growing = search.since.until(now).checked_div(4).unwrap_or(PAUSE_MAX).clamp(PAUSE_MIN, PAUSE_MAX);
                let pause = if pace == Pace::Prompt { PAUSE_MIN } else { growing };
                if search.asked.until(now) < pause {
                    return None;
                }
                search.since
            }
            None => now,
        };
        state.searches.insert(lost.intent, Search { since, asked: now, at: Some(lost.scopes.venue) });
        Some(since)
    }

    fn end(&self, intent: u64) {
        if let Some(search) = self.lock().searches.get_mut(&intent) {
            search.at = None;
        }
    }

    fn cursor(&self) -> u64 {
        self.lock().cursor
    }

    /// Goes on after a page. After the last one nothing is known any more of orders that were not among them for long.
    fn turn(&self, page: &[OpenIntent], now: BootTime) {
        let mut state = self.lock();
        state.cursor = page.last().filter(|_| page.len() == PAGE).map_or(0, |lost| lost.intent);
        if state.cursor == 0 {
            let kept = PAUSE_MAX.saturating_mul(2);
            state.searches.retain(|_, search| search.at.is_some() || search.asked.until(now) < kept);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An order to be asked for by [`Service::look_for`].
#[derive(Debug)]
#[must_use]
pub struct Lost {
    intent: OpenIntent,
    /// When it was first seen to be lost.
    since: BootTime,
    under_way: UnderWay,
}

/// A search, until it is dropped.
#[derive(Debug)]
struct UnderWay {
    searches: Arc<Searches>,
    intent: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.searches.end(self.intent);
    }
}

impl Service {
    /// Lost orders that it is time to ask for: a few, and others the next time.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn lost(&self) -> Result<Vec<Lost>, ServiceError> {
        let page = self.store.lost(self.searches.cursor(), PAGE).await?;
        let now = self.clock.boot();
        self.searches.turn(&page, now);
        Ok(page.into_iter().filter_map(|intent| self.searches.begin(intent, Pace::Growing, now)).collect())
    }

    /// Asks the venue for a lost order, and records what that shows.
    pub async fn look_for(&self, lost: Lost) {
        let Lost { intent, since, under_way } = lost;
        if let Err(error) = self.ask_for(&intent, since).await {
            tracing::debug!(%error, intent = intent.intent, "a lost order could not be asked for");
        }
        drop(under_way);
    }

    /// Asks at once for an execution that is unknown, and says how it stands then.
    pub(super) async fn resolved(&self, unknown: Execution) -> Result<Execution, ServiceError> {
        let lost = self.store.lost(unknown.intent.saturating_sub(1), 1).await?;
        let Some(intent) = lost.into_iter().find(|lost| lost.intent == unknown.intent) else { return Ok(unknown) };
        let Some(lost) = self.searches.begin(intent, Pace::Prompt, self.clock.boot()) else { return Ok(unknown) };
        self.look_for(lost).await;
        Ok(self.store.execution(unknown.id).await?.unwrap_or(unknown))
    }

    async fn ask_for(&self, lost: &OpenIntent, since: BootTime) -> Result<(), ServiceError> {
        let Some(credential) = lost.scopes.credential else { return Ok(()) };
        let gone = since.until(self.clock.boot()) >= taken_within(lapse(lost.scopes.venue));
        let known = self.fresh_credential(lost.scopes.tenant, credential).await?;
        for question in &lost.questions {
            let Some(answer) = self.put_question(&known, question).await? else { return Ok(()) };
            match found(known.row.venue, answer.status, &answer.body) {
                Found::Yes => return self.found(lost, question, &answer).await,
                Found::No => {}
                Found::Unclear => return Ok(()),
            }
        }
        // A key that came since may be another account's, and has nonces of its own: what it does not see proves nothing.
        let rotated = known.row.version > 1 && known.row.changed_ms >= lost.at_ms;
        if gone && !rotated {
            let why = "the venue has no such order, and the request is too old to be taken";
            let origin = Origin::system(self.clock());
            self.record_outcome(concluded(lost, ExecutionState::Failed, None, why, &origin)).await?;
        }
        Ok(())
    }

    async fn found(&self, lost: &OpenIntent, question: &Question, answer: &VenueAnswer) -> Result<(), ServiceError> {
        let kept = answer.body.get(..ANSWER_BYTES_MAX).unwrap_or(&answer.body).to_vec();
        let stored = StoredAnswer { status: answer.status, body: kept, question: Some(question.operation.clone()) };
        let why = format!("found later by {}", question.operation);
        let origin = Origin::system(self.clock());
        let outcome = concluded(lost, ExecutionState::Acked, Some(stored), &why, &origin);
        Ok(self.record_outcome(outcome).await?)
    }

    /// One read, with all that every request walks through; `None` if no answer came.
    async fn put_question(
        &self,
        known: &KnownCredential,
        question: &Question,
    ) -> Result<Option<VenueAnswer>, ServiceError> {
        let row = &known.row;
        let resolved = Resolved::new(row.venue, &question.operation, question.params.clone())
            .map_err(|error| ServiceError::invalid("params_invalid", error.to_string()))?;
        let effect = resolved.effect();
        let _room = self.room(effect)?;
        self.budgets.take(Share::of(&resolved, Some(row.id)), self.clock(), BUDGET_PATIENCE).await?;
        let _turn = self.turn(&resolved, Some(known), effect).await?;
        let enabled = self.venues.enabled.contains(&row.venue);
        let checked = check_own(Own::Resolve, enabled, (row, Stored::Yes), resolved)?;
        let using = self.using(row, Stored::Yes, &known.material).await?;
        let settled = self.asked_venue(checked, using.material(), &row.hint, &Origin::system(self.clock())).await?;
        if let Some(dead) = using.dead(settled.meaning.as_ref()) {
            self.token_anew(row, Stored::Yes, &known.material, dead).await?;
            return Ok(None);
        }
        Ok(settled.answer)
    }
}

/// The time after which a request that was signed is certainly not taken any more.
///
/// Where nonces rise, the question itself has a higher one than the order. A key may still have a window in which lower
/// ones are taken, so what is on its way is given its time there, too.
fn taken_within(lapse: Lapse) -> Duration {
    let valid = match lapse {
        Lapse::Window | Lapse::Fixed(_) => Duration::from_millis(lapse.after_ms(VALID_MS).unwrap_or(VALID_MS).into()),
        Lapse::Nonce | Lapse::Never => ON_ITS_WAY,
    };
    INTENT_DEADLINE.saturating_add(valid).saturating_add(MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CredentialId, ExecutionId, TenantId};
    use crate::store::Scopes;

    const NOW: BootTime = BootTime(1_000_000_000_000);

    fn lost(intent: u64, venue: VenueId) -> OpenIntent {
        let scopes = Scopes {
            tenant: TenantId::MIN,
            owner: None,
            venue,
            app: None,
            grant: None,
            credential: Some(CredentialId::MIN),
            virtual_key: None,
        };
        let questions = vec![Question { operation: "order.get".to_owned(), params: claviger_venues::Params::new() }];
        let execution = Some(ExecutionId::MIN);
        OpenIntent { intent, execution, scopes, at_ms: 0, release: false, valid_until_ms: None, questions }
    }

    #[test]
    fn pauses_grow_and_whoever_waits_is_not_kept_waiting() {
        let searches = Searches::default();
        let order = lost(1, VenueId::Binance);
        let mut now = NOW;
        let mut tries = 0;
        while NOW.until(now) < Duration::from_hours(2) {
            if let Some(since) = searches.try_begin(&order, Pace::Growing, now) {
                assert_eq!(since, NOW);
                assert_eq!(searches.try_begin(&order, Pace::Prompt, now.after(PAUSE_MAX)), None, "it is under way");
                searches.end(1);
                tries += 1;
            }
            now = now.after(PAUSE_MIN);
        }
        assert!((25..50).contains(&tries), "{tries}");
        assert_eq!(searches.try_begin(&order, Pace::Growing, now), None);
        assert_eq!(searches.try_begin(&order, Pace::Prompt, now.after(PAUSE_MIN)), Some(NOW));
    }

    #[test]
    fn a_few_are_asked_for_at_a_time_and_no_venue_takes_all() {
        let searches = Searches::default();
        let begun = |from: u64, venue| {
            (from..from + 100).filter(|n| searches.try_begin(&lost(*n, venue), Pace::Growing, NOW).is_some()).count()
        };
        assert_eq!(begun(100, VenueId::Binance), AT_ONE_VENUE);
        assert_eq!(begun(200, VenueId::Kraken), AT_ONE_VENUE);
        assert!(searches.try_begin(&lost(300, VenueId::Binance), Pace::Prompt, NOW).is_some());
        searches.end(100);
        assert_eq!(begun(100, VenueId::Binance), 0, "the one that waits counts, too");
        searches.end(101);
        assert_eq!(begun(102, VenueId::Binance), 1);
    }

    #[test]
    fn what_cannot_be_asked_for_is_not() {
        let order = OpenIntent { questions: Vec::new(), ..lost(1, VenueId::Binance) };
        assert_eq!(Searches::default().try_begin(&order, Pace::Prompt, NOW), None);
    }

    #[test]
    fn after_the_last_page_old_searches_are_forgotten() {
        let searches = Searches::default();
        for n in 1..=2 {
            searches.try_begin(&lost(n, VenueId::Binance), Pace::Growing, NOW).unwrap();
        }
        searches.end(1);
        let full: Vec<_> = (1..=256).map(|n| lost(n, VenueId::Binance)).collect();
        let later = NOW.after(PAUSE_MAX * 3);
        searches.turn(&full, later);
        assert_eq!((searches.cursor(), searches.lock().searches.len()), (256, 2));
        searches.turn(&full[..3], later);
        assert_eq!((searches.cursor(), searches.lock().searches.len()), (0, 1), "the one under way stays");
    }

    #[test]
    fn no_order_is_given_up_while_a_venue_could_take_it() {
        let valid = Duration::from_millis(VALID_MS.into());
        assert!(taken_within(Lapse::Window) > INTENT_DEADLINE + valid);
        assert!(taken_within(Lapse::Fixed(30_000)) > Duration::from_secs(30) + INTENT_DEADLINE);
        assert!(taken_within(Lapse::Nonce) > ON_ITS_WAY);
        assert!(taken_within(Lapse::Never) > ON_ITS_WAY);
    }
}
