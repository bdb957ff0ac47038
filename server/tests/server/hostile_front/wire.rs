//! Bytes that are no messages: the keeper ends, answers nothing, and its supervisor sees that it ended by itself.

use claviger_core::keeper::frame::{self, FRAME_BYTES_MAX};
use claviger_core::keeper::message::Request;
use claviger_core::secret::{Plaintext, SLOT_BYTES};

use super::front::Home;

/// The version that both sides speak.
const VERSION: u8 = 1;

/// What stands between the length and the message: version, id, length of the secret.
const HEAD_BYTES: usize = 11;

#[test]
fn bytes_that_are_no_message_end_the_keeper_without_an_answer() {
    let home = Home::new("garbage");
    let health = encoded(&Request::Health, None);
    let beyond = u32::try_from(FRAME_BYTES_MAX + 1).unwrap();
    let other_version = {
        let mut bytes = health.clone();
        bytes[4] = VERSION + 1;
        bytes
    };
    let cases: [(&str, Vec<u8>); 11] = [
        ("an oversize frame", [&beyond.to_be_bytes(), vec![VERSION; FRAME_BYTES_MAX].as_slice()].concat()),
        ("the largest length", u32::MAX.to_be_bytes().to_vec()),
        ("no length", [0; 32].to_vec()),
        ("another version", other_version),
        ("no such message", framed(0, &[0xee])),
        ("an empty message", framed(0, &[])),
        ("a message of noise", framed(0, &[0xff; 512])),
        ("a secret longer than the frame", framed(60_000, &[9])),
        ("a secret longer than its place", framed(u16::try_from(SLOT_BYTES + 1).unwrap(), &vec![b'x'; SLOT_BYTES + 9])),
        ("half a frame", health[..health.len() - 1].to_vec()),
        ("half a length", vec![0, 0]),
    ];
    for (what, bytes) in cases {
        let mut front = home.keeper();
        front.hello();
        front.write(&bytes);

        let (answered, status) = front.end();

        let log = front.log();
        assert!(answered.is_empty(), "{what}: answered with {} bytes", answered.len());
        assert!(!log.contains("panicked"), "{what}: {log}");
        assert_eq!(status.code(), Some(0), "{what}: {log}");
    }
}

#[test]
fn a_keeper_whose_front_is_gone_ends() {
    let home = Home::new("front-gone");
    let mut front = home.keeper();
    front.hello();

    let (answered, status) = front.end();

    assert!(answered.is_empty());
    assert_eq!(status.code(), Some(0), "{}", front.log());
}

fn encoded(request: &Request, secret: Option<&Plaintext>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, 1, request, secret).unwrap();
    bytes
}

/// A frame that says what it likes of its secret.
fn framed(secret_bytes: u16, rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEAD_BYTES + rest.len()).unwrap();
    [&length.to_be_bytes(), [VERSION].as_slice(), &1_u64.to_be_bytes(), &secret_bytes.to_be_bytes(), rest].concat()
}
