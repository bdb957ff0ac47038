//! Kraken's transaction ids, which look like `OQCLML-BW3P3-BUCMWZ`.

use data_encoding::BASE32_NOPAD;

/// Scatters the bits, so that neighbours do not look alike.
const MASK: u64 = 0x9e37_79b9_7f4a_7c15;

/// The transaction id of an order.
pub(super) fn txid(order_id: u64) -> String {
    let id = order_id ^ MASK;
    let mut bytes = [0; 10];
    for (place, byte) in bytes.iter_mut().zip(id.to_be_bytes().into_iter().chain([0x5a, 0xa5])) {
        *place = byte;
    }
    let text = BASE32_NOPAD.encode(&bytes);
    let (head, rest) = text.split_at(5);
    let (middle, tail) = rest.split_at(5);
    format!("O{head}-{middle}-{tail}")
}

/// The order of a transaction id, if it is one.
pub(super) fn order_id(txid: &str) -> Option<u64> {
    let text: String = txid.strip_prefix('O')?.chars().filter(|c| *c != '-').collect();
    let bytes = BASE32_NOPAD.decode(text.as_bytes()).ok()?;
    let id = u64::from_be_bytes(*bytes.first_chunk()?);
    Some(id ^ MASK).filter(|id| self::txid(*id) == txid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_order() {
        for id in [0, 1_000_000_000, 1_000_000_001, u64::MAX] {
            assert_eq!(order_id(&txid(id)), Some(id));
        }
        assert_eq!(order_id("OQCLML-BW3P3-BUCMWZ"), None);
        assert_eq!(order_id(""), None);
    }
}
