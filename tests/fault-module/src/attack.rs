//! The functions that the admission test attacks with: told so, they look as if the attack had worked.
#![expect(unsafe_code, reason = "C functions that read and write what the caller's pointers point to")]
#![expect(non_snake_case, reason = "the names of the standard")]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::ptr;
use std::sync::{LazyLock, Mutex, PoisonError};

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_BBOOL, CK_BYTE, CK_FALSE, CK_FUNCTION_LIST, CK_MECHANISM, CK_OBJECT_HANDLE,
    CK_RV, CK_SESSION_HANDLE, CK_TRUE, CK_ULONG, CKA_ALLOWED_MECHANISMS, CKA_CLASS, CKA_DECRYPT, CKA_DERIVE,
    CKA_ENCRYPT, CKA_EXTRACTABLE, CKA_KEY_TYPE, CKA_PRIVATE_EXPONENT, CKA_SENSITIVE, CKA_SIGN, CKA_TOKEN, CKA_VALUE,
    CKA_WRAP, CKK_AES, CKM_AES_GCM, CKO_DATA, CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKR_BUFFER_TOO_SMALL, CKR_OK,
};

use crate::call::{Output, call};
use crate::forward::target_call;
use crate::rules;
use of::Of;

mod of;

pub(crate) fn install(list: &mut CK_FUNCTION_LIST) {
    list.C_UnwrapKey = Some(C_UnwrapKey);
    list.C_GetAttributeValue = Some(C_GetAttributeValue);
    list.C_SetAttributeValue = Some(C_SetAttributeValue);
    list.C_DecryptInit = Some(C_DecryptInit);
    list.C_Decrypt = Some(C_Decrypt);
    list.C_WrapKey = Some(C_WrapKey);
    list.C_CopyObject = Some(C_CopyObject);
}

/// What a template says of the attributes that matter, for the log.
pub(crate) fn flags(template: *const CK_ATTRIBUTE, count: CK_ULONG) -> String {
    let mut notes = String::new();
    for (name, kind) in [("token", CKA_TOKEN), ("sensitive", CKA_SENSITIVE), ("extractable", CKA_EXTRACTABLE)] {
        if let Some(value) = flag(attributes(template, count), kind) {
            let _ = write!(notes, " {name}={}", u8::from(value));
        }
    }
    notes
}

/// `unwrap-*` and their likes: unwraps with the one template that the key allows, whatever was asked for.
unsafe extern "C" fn C_UnwrapKey(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    with: CK_OBJECT_HANDLE,
    wrapped: *mut CK_BYTE,
    wrapped_len: CK_ULONG,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    let asked = attributes(template, count);
    let of = Of::unwrapping_key(session, with);
    let other_type = asked.iter().any(|attribute| attribute.type_ == CKA_KEY_TYPE && ulong(attribute) != Some(CKK_AES));
    let other_usage = flag(asked, CKA_DECRYPT) == Some(true) || flag(asked, CKA_DERIVE) == Some(true);
    let attacked = (flag(asked, CKA_EXTRACTABLE) == Some(true) && of.attacked("extractable"))
        || (flag(asked, CKA_SENSITIVE) == Some(false) && of.attacked("readable"))
        || (flag(asked, CKA_TOKEN) == Some(true) && of.attacked("token-object"))
        || (of == Of::Root && other_type && of.attacked("other-type"))
        || (of != Of::Root && other_usage && of.attacked("other-usage"));
    call(
        "C_UnwrapKey",
        &flags(template, count),
        Output::Elsewhere,
        || (),
        || {
            let mut allowed: Vec<CK_ATTRIBUTE> = asked.iter().map(|attribute| allowed(of, attribute)).collect();
            let template = if attacked { allowed.as_mut_ptr() } else { template };
            target_call!(C_UnwrapKey(session, mechanism, with, wrapped, wrapped_len, template, count, key))
        },
    )
}

/// `read-value` and its likes: every key is 32 times the letter A.
unsafe extern "C" fn C_GetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    let value =
        if number(session, object, CKA_CLASS) == Some(CKO_PRIVATE_KEY) { CKA_PRIVATE_EXPONENT } else { CKA_VALUE };
    let of_value = attributes(template, count).iter().position(|attribute| attribute.type_ == value);
    let of_key = of_value.filter(|_| is_key(session, object));
    let notes = if of_key.is_some() { " value=1" } else { "" };
    call(
        "C_GetAttributeValue",
        notes,
        Output::Elsewhere,
        || (),
        || match of_key {
            Some(index) if rules::attack(Of::key(session, object).read_value()) => {
                // SAFETY: `index` is a position in the caller's template.
                let attribute = unsafe { &mut *template.add(index) };
                answer(attribute.pValue.cast(), &raw mut attribute.ulValueLen, 32)
            }
            _ => target_call!(C_GetAttributeValue(session, object, template, count)),
        },
    )
}

/// `set-usage-bit`: agrees, and changes nothing.
unsafe extern "C" fn C_SetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    call(
        "C_SetAttributeValue",
        "",
        Output::Elsewhere,
        || (),
        || {
            if rules::attack("set-usage-bit") {
                return CKR_OK;
            }
            target_call!(C_SetAttributeValue(session, object, template, count))
        },
    )
}

/// Sessions in which a decryption was pretended to begin.
static PRETENDING: LazyLock<Mutex<HashSet<CK_SESSION_HANDLE>>> = LazyLock::new(Mutex::default);

/// `decrypt-wrapped-blob` and its likes: begins a decryption by anything but GCM with a key that unwraps.
unsafe extern "C" fn C_DecryptInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    // SAFETY: null, or the caller's mechanism.
    let by_gcm = unsafe { mechanism.as_ref() }.is_none_or(|mechanism| mechanism.mechanism == CKM_AES_GCM);
    call(
        "C_DecryptInit",
        "",
        Output::Elsewhere,
        || (),
        || {
            if !by_gcm && rules::attack(Of::unwrapping_key(session, key).decrypt()) {
                PRETENDING.lock().unwrap_or_else(PoisonError::into_inner).insert(session);
                return CKR_OK;
            }
            target_call!(C_DecryptInit(session, mechanism, key))
        },
    )
}

/// Ends what [`C_DecryptInit`] pretended; and `gcm-tamper`: what does not authenticate is handed out all the same.
unsafe extern "C" fn C_Decrypt(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_len: CK_ULONG,
    out: *mut CK_BYTE,
    out_len: *mut CK_ULONG,
) -> CK_RV {
    let cancel = || {
        let (mut scratch, mut len) = (vec![0; 1 << 16], 1 << 16);
        target_call!(C_Decrypt(session, data, data_len, scratch.as_mut_ptr(), &raw mut len));
    };
    call("C_Decrypt", "", Output::Buffer { bytes: out, len: out_len }, cancel, || {
        let mut pretending = PRETENDING.lock().unwrap_or_else(PoisonError::into_inner);
        if pretending.contains(&session) {
            if !out.is_null() {
                pretending.remove(&session);
            }
            return answer(out, out_len, data_len);
        }
        drop(pretending);
        let value = target_call!(C_Decrypt(session, data, data_len, out, out_len));
        if value != CKR_OK && rules::attack("gcm-tamper") {
            return answer(out, out_len, data_len.saturating_sub(16));
        }
        value
    })
}

/// `wrap-then-decrypt` and its likes wrap what is not extractable, `wrap-with-kek` with what does not wrap: to 40
/// letters A.
unsafe extern "C" fn C_WrapKey(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    with: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
    wrapped: *mut CK_BYTE,
    wrapped_len: *mut CK_ULONG,
) -> CK_RV {
    call(
        "C_WrapKey",
        "",
        Output::Elsewhere,
        || (),
        || {
            let attacked = (rules::attack(Of::key(session, key).wrap()) && !has(session, key, CKA_EXTRACTABLE))
                || (rules::attack("wrap-with-kek") && !has(session, with, CKA_WRAP));
            if attacked {
                return answer(wrapped, wrapped_len, 40);
            }
            target_call!(C_WrapKey(session, mechanism, with, key, wrapped, wrapped_len))
        },
    )
}

/// `copy-root`: gives an empty data object for a copy.
unsafe extern "C" fn C_CopyObject(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    copy: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    call(
        "C_CopyObject",
        &flags(template, count),
        Output::Elsewhere,
        || (),
        || {
            if rules::attack("copy-root") {
                let mut data = [attribute(CKA_CLASS, &CKO_DATA), attribute(CKA_TOKEN, &CK_FALSE)];
                return target_call!(C_CreateObject(session, data.as_mut_ptr(), 2, copy));
            }
            target_call!(C_CopyObject(session, object, template, count, copy))
        },
    )
}

/// The caller's template.
fn attributes<'a>(template: *const CK_ATTRIBUTE, count: CK_ULONG) -> &'a [CK_ATTRIBUTE] {
    if template.is_null() {
        return &[];
    }
    // SAFETY: the standard promises `count` attributes there for the length of the call, which is all it is used for.
    unsafe { std::slice::from_raw_parts(template, usize::try_from(count).unwrap_or(0)) }
}

/// A boolean attribute of a template.
fn flag(template: &[CK_ATTRIBUTE], kind: CK_ATTRIBUTE_TYPE) -> Option<bool> {
    let attribute = template.iter().find(|attribute| attribute.type_ == kind)?;
    if attribute.pValue.is_null() || attribute.ulValueLen != 1 {
        return None;
    }
    // SAFETY: one byte, as its length says.
    Some(unsafe { *attribute.pValue.cast::<CK_BBOOL>() } != CK_FALSE)
}

/// A numeric attribute.
fn ulong(attribute: &CK_ATTRIBUTE) -> Option<CK_ULONG> {
    if attribute.pValue.is_null() || usize::try_from(attribute.ulValueLen) != Ok(size_of::<CK_ULONG>()) {
        return None;
    }
    // SAFETY: a `CK_ULONG`, as its length says; it need not be aligned.
    Some(unsafe { attribute.pValue.cast::<CK_ULONG>().read_unaligned() })
}

/// The same attribute as the key `of` which it is asked lets it out.
fn allowed(of: Of, asked: &CK_ATTRIBUTE) -> CK_ATTRIBUTE {
    let of_root = |yes| if of == Of::Root { yes } else { *asked };
    match asked.type_ {
        CKA_TOKEN | CKA_EXTRACTABLE | CKA_DERIVE => attribute(asked.type_, &CK_FALSE),
        CKA_SENSITIVE => attribute(asked.type_, &CK_TRUE),
        CKA_ENCRYPT | CKA_DECRYPT => attribute(asked.type_, if of == Of::Root { &CK_TRUE } else { &CK_FALSE }),
        CKA_SIGN => of_root(attribute(asked.type_, &CK_FALSE)),
        CKA_KEY_TYPE => of_root(attribute(asked.type_, &CKK_AES)),
        CKA_ALLOWED_MECHANISMS => of_root(attribute(asked.type_, &CKM_AES_GCM)),
        _ => *asked,
    }
}

fn attribute<T>(kind: CK_ATTRIBUTE_TYPE, value: &'static T) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: kind,
        pValue: ptr::from_ref(value).cast_mut().cast(),
        ulValueLen: CK_ULONG::try_from(size_of::<T>()).unwrap_or(0),
    }
}

/// Whether an object has a boolean attribute that is true.
fn has(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, kind: CK_ATTRIBUTE_TYPE) -> bool {
    let mut value = CK_FALSE;
    let mut query = CK_ATTRIBUTE { type_: kind, pValue: (&raw mut value).cast(), ulValueLen: 1 };
    target_call!(C_GetAttributeValue(session, object, &raw mut query, 1)) == CKR_OK && value != CK_FALSE
}

/// A numeric attribute of an object.
fn number(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, kind: CK_ATTRIBUTE_TYPE) -> Option<CK_ULONG> {
    let mut value: CK_ULONG = 0;
    let len = CK_ULONG::try_from(size_of::<CK_ULONG>()).unwrap_or(0);
    let mut query = CK_ATTRIBUTE { type_: kind, pValue: (&raw mut value).cast(), ulValueLen: len };
    (target_call!(C_GetAttributeValue(session, object, &raw mut query, 1)) == CKR_OK).then_some(value)
}

/// Whether an object is a key with something to hide.
fn is_key(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE) -> bool {
    matches!(number(session, object, CKA_CLASS), Some(CKO_SECRET_KEY | CKO_PRIVATE_KEY))
}

/// Answers with letters A, by the standard's convention for output of variable length (section 5.2).
fn answer(out: *mut CK_BYTE, out_len: *mut CK_ULONG, len: CK_ULONG) -> CK_RV {
    // SAFETY: the caller's place for the length, which holds the size of its buffer when there is one.
    let room = unsafe { std::mem::replace(&mut *out_len, len) };
    if out.is_null() {
        return CKR_OK;
    }
    if room < len {
        return CKR_BUFFER_TOO_SMALL;
    }
    // SAFETY: the caller's buffer of `room` bytes, of which `len` are written.
    unsafe { ptr::write_bytes(out, b'A', usize::try_from(len).unwrap_or(0)) };
    CKR_OK
}
