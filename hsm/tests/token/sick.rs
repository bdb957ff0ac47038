//! A sick token: every class of return value in every function ends in the error that a caller can act on.

use claviger_core::clock::BootTime;
use claviger_core::secret::Plaintext;
use claviger_core::token::{
    Holder, KekBlob, KeyKind, MacKey, SigningKey, Token as _, TokenError, TokenKey, WrappedDek,
};
use claviger_hsm::{Hsm, HsmSession};

use crate::harness::{Home, fault_module, in_child, opened};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fine,
    Tampered,
    Lost,
    PinRefused,
    Refused,
    Capacity,
}

/// A return value, and what becomes of it.
struct Row {
    code: &'static str,
    /// Of any function, when it stays; of those that open nothing also when it comes once, unless `once` says more.
    always: Kind,
    /// When it comes once.
    once: Kind,
    /// When it comes once, of a function that opens bytes from outside, and the token then gives its known answer.
    once_opening: Kind,
    /// When it stays, of a function that opens bytes from outside.
    always_opening: Kind,
}

const fn row(code: &'static str, always: Kind, once: Kind, once_opening: Kind, always_opening: Kind) -> Row {
    Row { code, always, once, once_opening, always_opening }
}

/// As PKCS #11 v3.1 section 5.1 lists them; the numbers are those of `pkcs11t.h`.
const ROWS: &[Row] = &[
    // GENERAL_ERROR, FUNCTION_FAILED, DEVICE_ERROR, a vendor's own
    row("0x05", Kind::Lost, Kind::Lost, Kind::Tampered, Kind::Lost),
    row("0x06", Kind::Lost, Kind::Lost, Kind::Tampered, Kind::Lost),
    row("0x30", Kind::Lost, Kind::Lost, Kind::Tampered, Kind::Lost),
    row("0x80000001", Kind::Lost, Kind::Lost, Kind::Tampered, Kind::Lost),
    // ENCRYPTED_DATA_INVALID and _LEN_RANGE, WRAPPED_KEY_INVALID and _LEN_RANGE, DATA_LEN_RANGE
    row("0x40", Kind::Refused, Kind::Refused, Kind::Tampered, Kind::Lost),
    row("0x41", Kind::Refused, Kind::Refused, Kind::Tampered, Kind::Lost),
    row("0x110", Kind::Refused, Kind::Refused, Kind::Tampered, Kind::Lost),
    row("0x112", Kind::Refused, Kind::Refused, Kind::Tampered, Kind::Lost),
    row("0x21", Kind::Refused, Kind::Refused, Kind::Tampered, Kind::Lost),
    // SESSION_HANDLE_INVALID, SESSION_CLOSED, OBJECT_, KEY_, WRAPPING_KEY_ and UNWRAPPING_KEY_HANDLE_INVALID,
    // USER_NOT_LOGGED_IN, OPERATION_ACTIVE, OPERATION_NOT_INITIALIZED
    row("0xB3", Kind::Lost, Kind::Fine, Kind::Fine, Kind::Lost),
    row("0xB0", Kind::Lost, Kind::Fine, Kind::Fine, Kind::Lost),
    row("0x82", Kind::Lost, Kind::Fine, Kind::Fine, Kind::Lost),
    row("0x60", Kind::Lost, Kind::Fine, Kind::Fine, Kind::Lost),
    row("0x113", Kind::Lost, Kind::Fine, Kind::Fine, Kind::Lost),
    row("0xF0", Kind::Lost, Kind::Fine, Kind::Fine, Kind::Lost),
    row("0x101", Kind::Lost, Kind::Fine, Kind::Fine, Kind::Lost),
    row("0x90", Kind::Lost, Kind::Fine, Kind::Fine, Kind::Lost),
    row("0x91", Kind::Lost, Kind::Fine, Kind::Fine, Kind::Lost),
    // DEVICE_REMOVED, TOKEN_NOT_PRESENT, TOKEN_NOT_RECOGNIZED, SLOT_ID_INVALID, CRYPTOKI_NOT_INITIALIZED
    row("0x32", Kind::Lost, Kind::Lost, Kind::Lost, Kind::Lost),
    row("0xE0", Kind::Lost, Kind::Lost, Kind::Lost, Kind::Lost),
    row("0xE1", Kind::Lost, Kind::Lost, Kind::Lost, Kind::Lost),
    row("0x03", Kind::Lost, Kind::Lost, Kind::Lost, Kind::Lost),
    row("0x190", Kind::Lost, Kind::Lost, Kind::Lost, Kind::Lost),
    // PIN_INCORRECT, PIN_EXPIRED, PIN_LOCKED
    row("0xA0", Kind::PinRefused, Kind::PinRefused, Kind::PinRefused, Kind::PinRefused),
    row("0xA3", Kind::PinRefused, Kind::PinRefused, Kind::PinRefused, Kind::PinRefused),
    row("0xA4", Kind::PinRefused, Kind::PinRefused, Kind::PinRefused, Kind::PinRefused),
    // SESSION_COUNT, HOST_MEMORY, DEVICE_MEMORY
    row("0xB1", Kind::Capacity, Kind::Capacity, Kind::Capacity, Kind::Capacity),
    row("0x02", Kind::Capacity, Kind::Capacity, Kind::Capacity, Kind::Capacity),
    row("0x31", Kind::Capacity, Kind::Capacity, Kind::Capacity, Kind::Capacity),
    // ARGUMENTS_BAD, FUNCTION_NOT_SUPPORTED, KEY_SIZE_RANGE, KEY_TYPE_INCONSISTENT, KEY_FUNCTION_NOT_PERMITTED,
    // KEY_UNEXTRACTABLE, MECHANISM_INVALID, MECHANISM_PARAM_INVALID, TEMPLATE_INCONSISTENT, SESSION_READ_ONLY
    row("0x07", Kind::Refused, Kind::Refused, Kind::Refused, Kind::Refused),
    row("0x54", Kind::Refused, Kind::Refused, Kind::Refused, Kind::Refused),
    row("0x62", Kind::Refused, Kind::Refused, Kind::Refused, Kind::Refused),
    row("0x63", Kind::Refused, Kind::Refused, Kind::Refused, Kind::Refused),
    row("0x68", Kind::Refused, Kind::Refused, Kind::Refused, Kind::Refused),
    row("0x6A", Kind::Refused, Kind::Refused, Kind::Refused, Kind::Refused),
    row("0x70", Kind::Refused, Kind::Refused, Kind::Refused, Kind::Refused),
    row("0x71", Kind::Refused, Kind::Refused, Kind::Refused, Kind::Refused),
    row("0xD1", Kind::Refused, Kind::Refused, Kind::Refused, Kind::Refused),
    row("0xB5", Kind::Refused, Kind::Refused, Kind::Refused, Kind::Refused),
];

/// What a caller does, and the function that fails while it does so.
struct Case {
    function: &'static str,
    act: fn(&Patient<'_>, &mut HsmSession) -> Result<(), TokenError>,
}

/// A token, with something made while it was well.
struct Patient<'a> {
    hsm: &'a Hsm,
    kek: KekBlob,
    wrapped: WrappedDek,
    key: TokenKey,
}

const CASES: &[Case] = &[
    Case { function: "C_GenerateRandom", act: |_, session| session.random(&mut [0; 12]) },
    Case { function: "C_GenerateKey", act: |_, session| session.generate_kek().map(drop) },
    Case { function: "C_WrapKey", act: |_, session| session.generate_kek().map(drop) },
    Case { function: "C_EncryptInit", act: |of, session| session.wrap_dek(&of.kek, &[7; 32], b"row").map(drop) },
    Case { function: "C_Encrypt", act: |of, session| session.wrap_dek(&of.kek, &[7; 32], b"row").map(drop) },
    Case { function: "C_DecryptInit", act: |of, session| of.unwrap(session) },
    Case { function: "C_SignInit", act: |_, session| session.mac(MacKey::Index, b"data").map(drop) },
    Case { function: "C_Sign", act: |_, session| session.mac(MacKey::Pepper, b"data").map(drop) },
    Case { function: "C_Sign", act: |_, session| session.sign(SigningKey::Api, b"data").map(drop) },
    Case { function: "C_Sign", act: |_, session| session.sign(SigningKey::Audit, b"data").map(drop) },
    Case { function: "C_Sign", act: |_, session| session.probe() },
    Case { function: "C_SignInit", act: |of, session| of.sign(session) },
    Case { function: "C_Sign", act: |of, session| of.sign(session) },
    Case { function: "C_WrapKey", act: |_, session| import(session).map(drop) },
    Case { function: "C_FindObjectsInit", act: |_, session| session.key_objects().map(drop) },
    Case { function: "C_FindObjectsInit", act: |_, session| session.checkpoints().map(drop) },
    Case { function: "C_FindObjects", act: |_, session| session.checkpoints().map(drop) },
];

/// The same for functions that open what came from outside.
const OPENING: &[Case] = &[
    Case { function: "C_Decrypt", act: |of, session| of.unwrap(session) },
    // A KEK that this session has not seen yet.
    Case { function: "C_UnwrapKey", act: |of, session| of.unwrap(session) },
    Case { function: "C_UnwrapKey", act: |of, session| of.sign(session) },
];

#[test]
fn a_fault_that_stays_ends_in_its_kind() {
    in_child(|home| {
        let (hsm, mut session) = opened(&fault_module());
        let patient = Patient::new(&hsm, &mut session);
        for row in ROWS {
            for case in CASES {
                patient.suffers(home, case, row.code, "", row.always);
            }
            for case in OPENING {
                patient.suffers(home, case, row.code, "", row.always_opening);
            }
        }
        patient.is_well();
    });
}

#[test]
fn a_fault_that_passes_is_retried_or_explained() {
    in_child(|home| {
        let (hsm, mut session) = opened(&fault_module());
        let patient = Patient::new(&hsm, &mut session);
        for row in ROWS {
            for case in CASES {
                patient.suffers(home, case, row.code, "count=1", row.once);
            }
            for case in OPENING {
                patient.suffers(home, case, row.code, "count=1", row.once_opening);
            }
        }
        patient.is_well();
    });
}

#[test]
fn a_session_that_cannot_be_opened_ends_in_its_kind() {
    in_child(|home| {
        let (hsm, _session) = opened(&fault_module());
        for row in ROWS {
            home.rules(&format!("C_OpenSession return={}", row.code));
            assert_eq!(kind(hsm.session().map(drop)), row.always, "{}", row.code);
        }
    });
}

#[test]
fn a_flipped_bit_does_not_pass_where_it_could_do_harm() {
    in_child(|home| {
        let (hsm, mut session) = opened(&fault_module());
        let patient = Patient::new(&hsm, &mut session);
        for rule in ["C_Decrypt flip-bit count=1", "C_Encrypt flip-bit count=1"] {
            home.rules(rule);
            assert_eq!(kind(session.generate_kek().map(drop)), Kind::Lost, "{rule}: the canary");
            home.rules(rule);
            let wrapped = session.wrap_dek(&patient.kek, &[7; 32], b"row");
            assert_eq!(kind(wrapped.map(drop)), Kind::Lost, "{rule}: what was sealed is opened once");
        }
        home.rules("C_Sign flip-bit count=1");
        assert_eq!(kind(session.probe()), Kind::Lost);

        // Here nothing is known to compare with; the wrong DEK then opens nothing.
        home.rules("C_Decrypt flip-bit count=1");
        assert_ne!(*session.unwrap_dek(&patient.kek, &patient.wrapped, b"row").unwrap(), [7; 32]);
        patient.is_well();
    });
}

#[test]
fn zeros_are_not_random() {
    in_child(|home| {
        let (hsm, mut session) = opened(&fault_module());
        let patient = Patient::new(&hsm, &mut session);
        home.rules("C_GenerateRandom zero");
        assert_eq!(kind(session.random(&mut [0; 1])), Kind::Refused);
        assert_eq!(kind(session.generate_kek().map(drop)), Kind::Refused);
        assert_eq!(kind(session.wrap_dek(&patient.kek, &[7; 32], b"row").map(drop)), Kind::Refused);
    });
}

#[test]
fn a_call_that_hangs_holds_up_no_other_session() {
    in_child(|home| {
        let (hsm, mut session) = opened(&fault_module());
        home.rules("C_Sign hang count=1");
        std::thread::spawn(move || session.probe());
        while !home.calls("C_Sign").iter().any(|call| call.ends_with("hang")) {
            std::thread::yield_now();
        }
        hsm.session().unwrap().probe().unwrap();
    });
}

#[test]
fn no_error_text_holds_what_was_worked_on() {
    in_child(|home| {
        let (hsm, mut session) = opened(&fault_module());
        let patient = Patient::new(&hsm, &mut session);
        home.rules("C_Decrypt return=0x05");
        let error = session.unwrap_dek(&patient.kek, &patient.wrapped, b"row").unwrap_err();
        assert_eq!(error.to_string(), "the token is gone: C_Decrypt returned CKR_GENERAL_ERROR");
    });
}

impl<'a> Patient<'a> {
    fn new(hsm: &'a Hsm, session: &mut HsmSession) -> Self {
        let kek = session.generate_kek().unwrap();
        let wrapped = session.wrap_dek(&kek, &[7; 32], b"row").unwrap();
        let key = import(session).unwrap();
        Self { hsm, kek, wrapped, key }
    }

    fn sign(&self, session: &mut HsmSession) -> Result<(), TokenError> {
        session.sign_with(&self.key, Holder(0), b"data", BootTime(0)).map(drop)
    }

    fn unwrap(&self, session: &mut HsmSession) -> Result<(), TokenError> {
        session.unwrap_dek(&self.kek, &self.wrapped, b"row").map(drop)
    }

    /// One function fails during one act on a fresh session: the kind is right, it is not called for ever, and nobody
    /// logs in again.
    fn suffers(&self, home: &Home, case: &Case, code: &str, limit: &str, expected: Kind) {
        home.well();
        let mut session = self.hsm.session().unwrap();
        if case.function != "C_UnwrapKey" {
            self.unwrap(&mut session).unwrap();
        }
        home.forget_calls();
        home.rules(&format!("{} return={code} {limit}", case.function));

        let outcome = (case.act)(self, &mut session);

        let what = format!("{} returns {code} {limit}: {outcome:?}", case.function);
        assert_eq!(kind(outcome), expected, "{what}");
        let value = u64::from_str_radix(code.trim_start_matches("0x"), 16).unwrap();
        let calls = home.calls(case.function);
        let struck = calls.iter().filter(|call| call.contains(&format!(" {value:#010x}"))).count();
        assert!((1..=3).contains(&struck), "{what}: {struck} calls");
        assert_eq!(home.calls("C_Login").len(), 0, "{what}");
        home.well();
    }

    fn is_well(&self) {
        let mut session = self.hsm.session().unwrap();
        session.probe().unwrap();
        self.unwrap(&mut session).unwrap();
    }
}

fn import(session: &mut HsmSession) -> Result<TokenKey, TokenError> {
    session.import_key(KeyKind::HmacSha256, &Plaintext::copy_of(b"secret").unwrap())
}

fn kind(outcome: Result<(), TokenError>) -> Kind {
    match outcome {
        Ok(()) => Kind::Fine,
        Err(TokenError::Tampered) => Kind::Tampered,
        Err(TokenError::Lost(_)) => Kind::Lost,
        Err(TokenError::PinRefused(_)) => Kind::PinRefused,
        Err(TokenError::Refused(_)) => Kind::Refused,
        Err(TokenError::Capacity(_)) => Kind::Capacity,
        Err(other) => panic!("{other}"),
    }
}
