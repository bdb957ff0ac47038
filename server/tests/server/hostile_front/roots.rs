//! Root keys of the token: what destroys everything under one is refused while anything under it was used lately.

use claviger_core::clock::SystemClock;
use claviger_core::id::TenantId;
use claviger_core::keeper::message::{Refused, Reply, Request};

use super::front::{Front, Home, refusal};

#[test]
fn a_root_key_that_was_used_lately_is_not_destroyed() {
    let home = Home::new("roots");
    let mut front = home.keeper();
    front.hello();
    let credential = front.enrolled();
    refuses(&mut front, &Request::NewRoot { number: 3 }, "does not follow");
    refuses(&mut front, &Request::DestroyRoot { number: 1 }, "used lately");

    assert!(matches!(front.ask(&Request::NewRoot { number: 2 }), Reply::Done));

    // Nothing was used under it, in a process that has not run for long.
    refuses(&mut front, &Request::DestroyRoot { number: 2 }, "used lately");
    refuses(&mut front, &Request::DestroyRoot { number: 1 }, "used lately");
    let Reply::Roots(numbers) = front.ask(&Request::Roots) else { panic!("no list") };
    assert_eq!(numbers, [1, 2]);
    let order = front.order(&credential);
    front.signed(order);
    assert_eq!(front.kek(TenantId::new(&SystemClock), 1).blob.root, 2);
}

fn refuses(front: &mut Front, request: &Request, why: &str) {
    let refused = refusal(front.ask(request));
    assert!(matches!(&refused, Refused::Root(text) if text.contains(why)), "{refused:?}");
}
