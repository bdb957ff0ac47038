//! What was asked lately, as policy saw it: in memory alone, and for each tenant by itself.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::id::TenantId;
use crate::policy::Request;

/// Requests of one tenant that are remembered at most, and as many that may be held at one time.
const REMEMBERED: usize = 1_000;

/// What tenants share, once they are more than ten.
const ALL: usize = 10_000;

/// What is left to each, however many they are.
const LEAST: usize = 10;

/// The rule that holds a request until an operator approves it.
const HOLDS: &str = "approval.needed";

/// What was asked lately. What one tenant's apps ask pushes out nothing of another's.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<HashMap<TenantId, Kept>>);

#[derive(Debug, Default)]
struct Kept {
    asked: VecDeque<Request>,
    /// The requests that are held, by their digests: however much else is asked, they wait.
    held: HashMap<[u8; 32], Request>,
}

impl Recorder {
    pub(super) fn keep(&self, tenant: TenantId, request: Request, refused_by: Option<&str>) {
        let request = Request { refused_by: refused_by.map(str::to_owned), ..request };
        let mut all = self.all();
        let room = ALL.checked_div(all.len()).unwrap_or(ALL).clamp(LEAST, REMEMBERED);
        let Kept { asked, held } = all.entry(tenant).or_default();
        if refused_by == Some(HOLDS) {
            held.insert(request.digest(), request.clone());
            while held.len() > room
                && let Some(oldest) = held.iter().min_by_key(|(_, held)| held.at_ms).map(|(digest, _)| *digest)
            {
                held.remove(&oldest);
            }
        } else if !held.is_empty() {
            held.remove(&request.digest());
        }
        asked.push_back(request);
        asked.drain(..asked.len().saturating_sub(room));
    }

    /// What a tenant's apps asked, oldest first.
    pub(super) fn of(&self, tenant: TenantId) -> Vec<Request> {
        self.all().get(&tenant).map(|kept| kept.asked.iter().cloned().collect()).unwrap_or_default()
    }

    /// What of it is held, in no order.
    pub(super) fn held(&self, tenant: TenantId) -> Vec<([u8; 32], Request)> {
        let all = self.all();
        let held = all.get(&tenant).into_iter().flat_map(|kept| &kept.held);
        held.map(|(digest, request)| (*digest, request.clone())).collect()
    }

    /// Forgets what a tenant's apps asked.
    pub(super) fn forget(&self, tenant: TenantId) {
        self.all().remove(&tenant);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<TenantId, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use claviger_venues::VenueId;

    use super::*;
    use crate::id::AppId;
    use crate::policy::Prices;

    fn request(number: usize) -> Request {
        Request {
            at_ms: u64::try_from(number).unwrap(),
            app: AppId::MIN,
            address: std::net::IpAddr::from([192, 0, 2, 1]),
            credential: None,
            owner: None,
            venue: VenueId::Binance,
            operation: format!("operation {number}"),
            params: Vec::new(),
            release: false,
            prices: Prices::default(),
            approved: false,
            refused_by: None,
        }
    }

    #[test]
    fn no_tenant_pushes_out_what_is_another_s() {
        let (one, other) = (TenantId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]));
        let recorder = Recorder::default();
        recorder.keep(one, request(0), Some(HOLDS));
        for number in 0..2 * REMEMBERED {
            recorder.keep(other, request(number), Some(HOLDS));
        }
        assert_eq!((recorder.held(one).len(), recorder.of(one).len()), (1, 1));
        assert_eq!((recorder.held(other).len(), recorder.of(other).len()), (REMEMBERED, REMEMBERED));
        let newest = request(2 * REMEMBERED - 1).digest();
        assert!(recorder.held(other).iter().any(|(digest, _)| *digest == newest));
    }

    #[test]
    fn many_tenants_share_the_room_and_none_is_left_without() {
        let recorder = Recorder::default();
        let tenant = |n: u16| TenantId::from_bytes([n.to_be_bytes(); 8].concat().try_into().unwrap());
        for n in 0..2_000 {
            for number in 0..=LEAST {
                recorder.keep(tenant(n), request(number), Some(HOLDS));
            }
        }
        for number in 0..REMEMBERED {
            recorder.keep(tenant(0), request(number), Some(HOLDS));
        }
        for n in [0, 1_999] {
            assert_eq!((recorder.held(tenant(n)).len(), recorder.of(tenant(n)).len()), (LEAST, LEAST));
        }
    }

    #[test]
    fn what_is_held_waits_however_much_else_is_asked_until_it_is_let_through() {
        let tenant = TenantId::MIN;
        let recorder = Recorder::default();
        recorder.keep(tenant, request(0), Some(HOLDS));
        for number in 1..=REMEMBERED {
            recorder.keep(tenant, request(number), None);
        }
        assert_eq!(recorder.held(tenant)[0].0, request(0).digest());
        recorder.keep(tenant, request(0), None);
        assert!(recorder.held(tenant).is_empty());
    }
}
