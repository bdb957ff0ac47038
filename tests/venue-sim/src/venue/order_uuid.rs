//! Order ids as the venues write them that use UUIDs.

use uuid::Uuid;

/// The half that says version 4, the same for every order.
const HEAD: u64 = 0x51a0_c0ff_ee00_4a5e;

/// Scatters the order's bits; its own highest two are what a UUID's variant wants.
const MASK: u64 = 0x9e37_79b9_7f4a_7c15;

/// The UUID of an order.
pub(super) fn order_uuid(order_id: u64) -> String {
    Uuid::from_u64_pair(HEAD, order_id ^ MASK).to_string()
}

/// The order of a UUID, if it is one.
pub(super) fn order_id(text: &str) -> Option<u64> {
    let (head, tail) = Uuid::try_parse(text).ok()?.as_u64_pair();
    (head == HEAD).then_some(tail ^ MASK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_order() {
        for id in [0, 1_000_000_000, 1_000_000_001, 5_000_000_000_000] {
            let text = order_uuid(id);
            assert_eq!(order_id(&text), Some(id), "{text}");
            assert_eq!(Uuid::try_parse(&text).unwrap().get_version_num(), 4, "{text}");
        }
        assert_eq!(order_id("6b8b0a9c-0000-4000-8000-000000000001"), None);
        assert_eq!(order_id("not an id"), None);
    }
}
