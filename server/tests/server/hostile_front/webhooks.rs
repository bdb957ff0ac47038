//! `seal` and `sign_webhook`: a webhook's secret signs for that webhook, and for nothing else.

use claviger_core::clock::SystemClock;
use claviger_core::envelope::{Binding, Mode, Purpose};
use claviger_core::id::{CredentialId, DeliveryId, TenantId, WebhookId};
use claviger_core::keeper::KekRow;
use claviger_core::keeper::message::{Refused, Reply, Request, Seal, SealedSecret, SignWebhook};
use claviger_core::secret::Plaintext;
use claviger_core::webhook::BODY_BYTES_MAX;
use claviger_venues::{Ceiling, CeilingClass, Product, Products, SecretKind, VenueId};

use super::front::{Front, HMAC_SECRET, Home, refusal, trade};

const SECRET: [u8; 32] = [7; 32];

#[test]
fn a_webhooks_secret_signs_for_that_webhook_alone() {
    let home = Home::new("webhooks");
    let mut front = home.keeper();
    front.hello();
    let [tenant, other] = [TenantId::new(&SystemClock), TenantId::new(&SystemClock)];
    let (kek, foreign) = (front.kek(tenant, 1), front.kek(other, 1));
    let [mine, theirs] = [WebhookId::from_bytes([1; 16]), WebhookId::from_bytes([2; 16])];
    let sealed = sealed(seal(&mut front, binding(tenant, mine), &kek, &SECRET));
    let sign = |front: &mut Front, (tenant, webhook), sealed: &[u8], kek: &KekRow, body: usize| {
        let delivery = DeliveryId::new(&SystemClock);
        let secrets = vec![SealedSecret { sealed: sealed.to_vec(), kek: kek.clone() }];
        let body = vec![b'x'; body];
        front.ask(&Request::SignWebhook(Box::new(SignWebhook { tenant, webhook, delivery, body, secrets })))
    };

    let reply = sign(&mut front, (tenant, mine), &sealed, &kek, BODY_BYTES_MAX);
    assert!(matches!(&reply, Reply::Webhook(signed) if signed.macs.len() == 1), "{reply:?}");
    let long = refusal(sign(&mut front, (tenant, mine), &sealed, &kek, BODY_BYTES_MAX + 1));
    assert!(matches!(long, Refused::Parameters(_)), "{long:?}");
    for elsewhere in [(tenant, theirs), (other, mine)] {
        assert_eq!(refusal(sign(&mut front, elsewhere, &sealed, &kek, 9)), Refused::Relabelled);
    }
    assert_eq!(refusal(sign(&mut front, (tenant, mine), &sealed, &foreign, 9)), Refused::Tampered);
    let credential = front.enrolled();
    let of = (credential.scopes.tenant, mine);
    assert_eq!(refusal(sign(&mut front, of, &credential.sealed, &credential.kek, 9)), Refused::Relabelled);
    let mut flipped = sealed.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(refusal(sign(&mut front, (tenant, mine), &flipped, &kek, 9)), Refused::Tampered);
    // Nor does it sign an order.
    let mut order = front.order(&credential);
    (order.sealed, order.kek) = (sealed, kek);
    assert_eq!(front.refused(order), Refused::Relabelled);
}

#[test]
fn a_webhooks_secret_is_sealed_under_its_own_binding_alone() {
    let home = Home::new("webhook-secrets");
    let mut front = home.keeper();
    front.hello();
    let tenant = TenantId::new(&SystemClock);
    let kek = front.kek(tenant, 1);
    let own = binding(tenant, WebhookId::from_bytes([1; 16]));
    let bent = [
        Binding { venue: VenueId::Kraken, ..own.clone() },
        Binding { kind: SecretKind::Hmac, ..own.clone() },
        Binding { mode: Mode::Resident, ..own.clone() },
        Binding { ceiling: trade(Product::Spot), ..own.clone() },
        Binding { tenant: TenantId::OWN, ..own.clone() },
    ];
    for binding in bent {
        assert_eq!(refusal(seal(&mut front, binding.clone(), &kek, &SECRET)), Refused::Relabelled, "{binding:?}");
    }
    for other in [&SECRET[..31], HMAC_SECRET.as_bytes(), b""] {
        let refused = refusal(seal(&mut front, own.clone(), &kek, other));
        assert!(matches!(refused, Refused::Secret(_)), "{refused:?}");
    }
    sealed(seal(&mut front, own, &kek, &SECRET));
}

fn binding(tenant: TenantId, webhook: WebhookId) -> Binding {
    Binding {
        tenant,
        credential: CredentialId::from_bytes(*webhook.as_bytes()),
        version: 1,
        purpose: Purpose::Webhook,
        venue: VenueId::Binance,
        kind: SecretKind::Token,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Read, products: Products::NONE },
    }
}

fn seal(front: &mut Front, binding: Binding, kek: &KekRow, secret: &[u8]) -> Reply {
    let seal = Seal { binding, key_id: String::new(), kek: kek.clone() };
    front.ask_with(&Request::Seal(Box::new(seal)), Some(&Plaintext::copy_of(secret).unwrap()))
}

fn sealed(reply: Reply) -> Vec<u8> {
    let Reply::Sealed(sealed) = reply else { panic!("{reply:?}") };
    sealed
}
