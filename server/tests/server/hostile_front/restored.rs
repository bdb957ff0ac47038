//! A store in the place of a newer one: the token accepts one that says so itself, and no other.

use std::fs;

use super::front::Home;

#[test]
fn a_store_that_does_not_say_what_it_takes_the_place_of_is_not_accepted() {
    let home = Home::new("hostile-restored");
    let store = home.path().join("claviger.redb");
    fs::copy(&store, home.path().join("claviger.redb.restoring")).unwrap();

    let (ended, said) = home.once("accept-restored");

    assert!(!ended.success(), "{said}");
    assert!(said.contains("does not say what it takes the place of; the token was not changed"), "{said}");
}
