//! What the binding cannot express: one mechanism id, and attributes that hold attributes.
//!
//! The only file of this crate with `unsafe` in it.

use std::mem::size_of;

use cryptoki::mechanism::MechanismType;
use cryptoki::object::{Attribute, AttributeType};
use cryptoki_sys::{CK_ATTRIBUTE, CK_MECHANISM_TYPE, CK_ULONG, CKA_UNWRAP_TEMPLATE, CKM_AES_KEY_WRAP_KWP};

/// `CKM_AES_KEY_WRAP_KWP` (PKCS #11 v3.1, section 6.13): RFC 5649 under the id that the specification gave it last.
#[expect(unsafe_code, reason = "the binding has no constructor for standard mechanisms it does not know")]
pub(crate) fn aes_key_wrap_kwp() -> MechanismType {
    const { assert!(size_of::<MechanismType>() == size_of::<CK_MECHANISM_TYPE>()) };
    // SAFETY: `MechanismType` is `repr(transparent)` over `CK_MECHANISM_TYPE`, an integer for which every bit pattern
    // is valid. The type only carries the number into `CK_MECHANISM` and into `CKA_ALLOWED_MECHANISMS`.
    unsafe { std::mem::transmute::<CK_MECHANISM_TYPE, MechanismType>(CKM_AES_KEY_WRAP_KWP) }
}

/// `CKA_UNWRAP_TEMPLATE` (PKCS #11 v3.1, section 4.10): the attributes that every key unwrapped by this one must have.
///
/// The attribute is an array of `CK_ATTRIBUTE`, which point to the values: they have to outlive each call that is
/// given [`UnwrapTemplate::attribute`], hence the borrow.
#[derive(Debug)]
pub(crate) struct UnwrapTemplate<'a> {
    attribute: Attribute,
    _values: &'a [Attribute],
}

impl<'a> UnwrapTemplate<'a> {
    /// A template that demands exactly `values`.
    pub(crate) fn new(values: &'a [Attribute]) -> Self {
        const { assert!(size_of::<CK_ATTRIBUTE>() == 2 * size_of::<CK_ULONG>() + size_of::<usize>()) };
        let mut array = Vec::with_capacity(size_of::<CK_ATTRIBUTE>().saturating_mul(values.len()));
        for value in values {
            let entry = CK_ATTRIBUTE::from(value);
            array.extend(entry.type_.to_ne_bytes());
            array.extend(entry.pValue.expose_provenance().to_ne_bytes());
            array.extend(entry.ulValueLen.to_ne_bytes());
        }
        let attribute = Attribute::VendorDefined((AttributeType::VendorDefined(CKA_UNWRAP_TEMPLATE), array));
        Self { attribute, _values: values }
    }

    /// The attribute as it goes into the template of the unwrapping key.
    pub(crate) fn attribute(&self) -> Attribute {
        self.attribute.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mechanism_keeps_its_number() {
        assert_eq!(CK_MECHANISM_TYPE::from(aes_key_wrap_kwp()), 0x210B);
    }

    #[test]
    fn an_unwrap_template_is_an_array_of_attributes() {
        let values = [Attribute::Token(false), Attribute::Sensitive(true)];
        let Attribute::VendorDefined((kind, bytes)) = UnwrapTemplate::new(&values).attribute() else {
            panic!("another kind of attribute");
        };
        assert_eq!(kind, AttributeType::VendorDefined(0x4000_0212));
        assert_eq!(bytes.len(), 2 * size_of::<CK_ATTRIBUTE>());
    }
}
