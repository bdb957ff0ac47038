//! Where a resident key's bytes are: nowhere in this process's readable memory, as far as it is this crate's, and not
//! even in a soft token's part of it, when that is `SoftHSM`.
//!
//! `SoftHSM` 2.6 keeps a session object's value encrypted, and wipes what it decrypts for one signature. Kryoptic does
//! not: after a signature copies of the key are found in memory that it freed. So the test is of `SoftHSM` alone: whose
//! a copy is cannot be told, but none is nobody's.
#![expect(clippy::arithmetic_side_effects, reason = "sums of addresses that the kernel gave")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use claviger_core::secret::Plaintext;
use claviger_core::token::{Forget, KeyKind, Token as _, TokenKey};
use claviger_hsm::{Device, Module};

use super::sign;
use crate::harness::{End, Home, in_children, open, provisioned, token_module};

#[test]
fn a_key_is_nowhere_in_memory_after_its_import_nor_between_its_signatures() {
    in_children(&[End::Well, End::Well, End::Well], |home, process| match process {
        // Each process knows less: this one makes the secrets, and lies about them all over its memory.
        0 => {
            provisioned(&token_module());
            let rsa = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
            let hmac = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, rsa.as_ref());
            let secrets = [masked(hmac.as_ref()), masked(rsa.as_ref())];
            fs::write(home.path("secrets"), serde_json::to_vec(&secrets).unwrap()).unwrap();
        }
        1 => {
            let hsm = open(&Module::load(&token_module()).unwrap()).unwrap();
            let mut session = hsm.session().unwrap();
            let secrets = secrets(home);
            let keys = [KeyKind::HmacSha256, KeyKind::RsaSha256].map(|kind| {
                let masked = &secrets[usize::from(kind == KeyKind::RsaSha256)];
                let mut secret = Plaintext::zeroed(masked.len()).unwrap();
                secret.fill(|slot| slot.iter_mut().zip(masked).for_each(|(byte, masked)| *byte = masked ^ MASK));
                session.import_key(kind, &secret).unwrap()
            });
            fs::write(home.path("keys"), serde_json::to_vec(&keys).unwrap()).unwrap();
            nowhere(hsm.device(), &secrets, "after the import");
        }
        _ => {
            let hsm = open(&Module::load(&token_module()).unwrap()).unwrap();
            let mut session = hsm.session().unwrap();
            let secrets = secrets(home);
            let keys: [TokenKey; 2] = serde_json::from_slice(&fs::read(home.path("keys")).unwrap()).unwrap();
            for key in &keys {
                sign(&mut session, key);
            }
            nowhere(hsm.device(), &secrets, "between signatures");
            session.forget(Forget::All);
            nowhere(hsm.device(), &secrets, "when forgotten");

            let copies = secrets.each_ref().map(|secret| masked(secret));
            assert!(secrets.iter().all(|masked| found(needle(masked)) > 0), "what is there is found");
            std::hint::black_box(copies);
        }
    });
}

fn nowhere(on: &Device, secrets: &[Vec<u8>; 2], when: &str) {
    if on.model.contains("SoftHSM") {
        assert_eq!(secrets.each_ref().map(|masked| found(needle(masked))), [0, 0], "HMAC and RSA, {when}");
    }
}

/// Secrets are kept so that they are not found themselves.
fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ MASK).collect()
}

fn secrets(home: &Home) -> [Vec<u8>; 2] {
    serde_json::from_slice(&fs::read(home.path("secrets")).unwrap()).unwrap()
}

/// What is looked for: the beginning of an HMAC key, or a part of an RSA key's first CRT exponent.
fn needle(masked: &[u8]) -> &[u8] {
    masked.get(900..924).unwrap_or(&masked[..24])
}

/// How often the memory holds these bytes, in this order or, as big numbers are kept, in the other.
fn found(masked: &[u8]) -> usize {
    let memory = File::open("/proc/self/mem").unwrap();
    let mut page = vec![0_u8; 1 << 20];
    let own = page.as_ptr().addr()..page.as_ptr().addr() + page.len();
    let (first, last) = (masked[0] ^ MASK, masked[masked.len() - 1] ^ MASK);
    let is_at = |window: &[u8]| {
        let same = |(byte, masked): (&u8, &u8)| *byte == *masked ^ MASK;
        window.iter().zip(masked).all(same) || window.iter().rev().zip(masked).all(same)
    };
    let mut found = 0;
    for map in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let (range, rights) = map.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let (mut at, end) = (usize::from_str_radix(start, 16).unwrap(), usize::from_str_radix(end, 16).unwrap());
        // The kernel's own pages cannot be read, nor can memfd_secret.
        while rights.starts_with('r') && at < end {
            let Ok(read) = memory.read_at(&mut page[..(1 << 20).min(end - at)], at.try_into().unwrap()) else { break };
            let starts = page[..read].iter().enumerate().filter(|(_, byte)| **byte == first || **byte == last);
            found += starts
                .filter(|(offset, _)| !own.contains(&(at + offset)))
                .filter_map(|(offset, _)| page[..read].get(offset..offset + masked.len()))
                .filter(|window| is_at(window))
                .count();
            // The next piece begins where a secret across the border would.
            at += if at + read < end { read - masked.len() } else { read };
        }
    }
    found
}

const MASK: u8 = 0x5A;
