//! From what a caller gave to a call that can be prepared.

use serde::{Deserialize, Serialize};

use crate::{
    encoding::printable,
    grammar::Grammar,
    json,
    operation::{Operation, Param},
};

/// More than any call has: what is longer is not read on, for looking for a name that comes twice takes its square.
pub(crate) const PARAMS_MAX: usize = 256;
/// How much of an unknown parameter's name an error repeats.
const NAME_CHARS_SHOWN: usize = 64;

/// Parameters that belong to signing; Claviger sets them, whatever the venue.
const RESERVED: &[&str] = &["timestamp", "recvWindow", "signature", "nonce", "otp", "apiKey"];

/// An ordered list of names and values, exactly as the caller gave them.
///
/// Nothing is known about them until [`check`] has turned them into a [`Call`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Returns an empty list.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a parameter at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Iterates in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(given, _)| *given == name).map(|(_, value)| value)
    }

    /// Returns how many parameters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<(String, String)>> for Params {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// An operation with parameters that fit it: the only thing that can be prepared.
///
/// Every name is in the operation's list, none comes twice, nothing required is missing, and every value is within its
/// grammar. [`check`] is the only constructor.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    operation: &'static Operation,
    params: &'a Params,
}

impl<'a> Call<'a> {
    /// Returns what is called.
    pub const fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Returns the parameters in the order given.
    pub const fn params(&self) -> &'a Params {
        self.params
    }

    /// Returns the value of a parameter.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// Returns the items of a list among the parameters; none if it was not given.
    pub fn items(&self, name: &str) -> Vec<Params> {
        let list = self.operation.param(name).and_then(|param| param.grammar.list());
        let text = self.get(name);
        // INVARIANT: `check` has read the same text against the same list.
        list.zip(text).and_then(|(list, text)| json::items(text, list).ok()).unwrap_or_default()
    }
}

/// The parameters do not fit the operation. Names the parameter, never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamError {
    /// The operation has no such parameter.
    #[error("unknown parameter `{name}`")]
    Unknown {
        /// The name given, shortened to 64 characters, with anything but printable ASCII replaced.
        name: String,
    },
    /// The parameter belongs to signing.
    #[error("parameter `{name}` is set by Claviger and cannot be given")]
    Reserved {
        /// The parameter.
        name: &'static str,
    },
    /// The parameter comes more than once.
    #[error("parameter `{name}` is given twice")]
    Duplicate {
        /// The parameter.
        name: &'static str,
    },
    /// A required parameter is not there.
    #[error("parameter `{name}` is missing")]
    Missing {
        /// The parameter.
        name: &'static str,
    },
    /// None or several were given of parameters that exclude each other.
    #[error("exactly one of the parameters {} must be given", .names.join(", "))]
    NotExactlyOneOf {
        /// The parameters.
        names: &'static [&'static str],
    },
    /// A list is no JSON array, is empty or too long, or an item is not what the list holds.
    #[error("the list cannot be read: it is no JSON array, is empty or too long, or holds what it cannot")]
    List,
    /// An item of a list does not fit.
    #[error("an item of parameter `{name}`: {error}")]
    Item {
        /// The parameter.
        name: &'static str,
        /// What is wrong with the item.
        error: Box<ParamError>,
    },
    /// The value is outside the parameter's grammar.
    #[error("parameter `{name}` must be {grammar}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// What its value must be.
        grammar: Grammar,
    },
}

/// Checks the parameters against the operation's closed list.
///
/// # Errors
/// The first [`ParamError`], in the order of the parameters; what is missing is found last.
pub fn check<'a>(operation: &'static Operation, params: &'a Params) -> Result<Call<'a>, ParamError> {
    fits(operation.params, params)?;
    let given = |name: &str| params.get(name).is_some();
    let choice = operation.one_of;
    if !choice.is_empty() && choice.iter().filter(|name| given(name)).count() != 1 {
        return Err(ParamError::NotExactlyOneOf { names: choice });
    }
    Ok(Call { operation, params })
}

/// Holds parameters against a closed list of them.
pub(crate) fn fits(fields: &'static [Param], params: &Params) -> Result<(), ParamError> {
    let mut rest = params.iter();
    while let Some((given, value)) = rest.next() {
        let param = fields.iter().find(|param| param.name == given).ok_or_else(|| stranger(given))?;
        let name = param.name;
        if rest.clone().any(|(later, _)| later == name) {
            return Err(ParamError::Duplicate { name });
        }
        if let Some(list) = param.grammar.list() {
            json::items(value, list).map_err(|error| ParamError::Item { name, error: Box::new(error) })?;
        } else if !param.grammar.admits(value) {
            return Err(ParamError::Value { name, grammar: param.grammar });
        }
    }
    let given = |name: &str| params.get(name).is_some();
    let mut required = fields.iter().filter(|param| param.required);
    required.find(|param| !given(param.name)).map_or(Ok(()), |missing| Err(ParamError::Missing { name: missing.name }))
}

fn stranger(given: &str) -> ParamError {
    let reserved = RESERVED.iter().find(|name| name.eq_ignore_ascii_case(given));
    reserved.map_or_else(
        || ParamError::Unknown { name: printable(given, NAME_CHARS_SHOWN) },
        |name| ParamError::Reserved { name },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, catalogue, operation};

    const LIMIT: [(&str, &str); 6] = [
        ("symbol", "LTCBTC"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "GTC"),
        ("quantity", "1"),
        ("price", "0.1"),
    ];

    fn place(pairs: &[(&str, &str)]) -> Result<(), ParamError> {
        let place = operation(VenueId::Binance, "order.place").unwrap();
        check(place, &pairs.iter().copied().collect()).map(drop)
    }

    fn with(extra: (&'static str, &'static str)) -> Result<(), ParamError> {
        place(&[LIMIT.as_slice(), &[extra]].concat())
    }

    #[test]
    fn a_fitting_list_passes_in_any_order() {
        assert_eq!(place(&LIMIT), Ok(()));
        let reversed: Vec<_> = LIMIT.iter().rev().copied().collect();
        assert_eq!(place(&reversed), Ok(()));
    }

    #[test]
    fn each_misfit_has_its_own_reason() {
        let unknown = |name: &str| ParamError::Unknown { name: name.to_owned() };
        assert_eq!(with(("sideEffectType", "MARGIN_BUY")), Err(unknown("sideEffectType")));
        assert_eq!(with(("Symbol", "LTCBTC")), Err(unknown("Symbol")));
        assert_eq!(with(("symbol", "LTCBTC")), Err(ParamError::Duplicate { name: "symbol" }));
        assert_eq!(with(("symbol", "ETHBTC")), Err(ParamError::Duplicate { name: "symbol" }));
        assert_eq!(place(&LIMIT[1..]), Err(ParamError::Missing { name: "symbol" }));
        let names = ["quantity", "quoteOrderQty"].as_slice();
        assert_eq!(with(("quoteOrderQty", "5")), Err(ParamError::NotExactlyOneOf { names }));
        assert_eq!(place(&LIMIT[..4]), Err(ParamError::NotExactlyOneOf { names }));
        assert!(matches!(with(("stopPrice", "-1")), Err(ParamError::Value { name: "stopPrice", .. })));
        let moves = with(("selfTradePreventionMode", "TRANSFER"));
        assert!(matches!(moves, Err(ParamError::Value { name: "selfTradePreventionMode", .. })));
    }

    #[test]
    fn what_signing_sets_cannot_be_given_anywhere() {
        for op in VenueId::ALL.iter().flat_map(|venue| catalogue(*venue)) {
            for name in RESERVED {
                let params = Params::from_iter([(*name, "1")]);
                assert_eq!(check(op, &params).map(drop), Err(ParamError::Reserved { name }), "{op:?}");
            }
        }
        assert_eq!(with(("RECVWINDOW", "1")), Err(ParamError::Reserved { name: "recvWindow" }));
    }

    #[test]
    fn errors_are_short_and_printable_and_hold_no_value() {
        let hostile = "x\r\nHost: evil\0é".repeat(1_000);
        let op = operation(VenueId::Kraken, "order.place").unwrap();
        let params = Params::from_iter([(hostile.as_str(), "v")]);
        let text = check(op, &params).unwrap_err().to_string();
        assert!(text.len() < 100 && text.bytes().all(|b| (b' '..=b'~').contains(&b)), "{text}");

        let value = "my-private-value";
        let text = with(("price2", value)).unwrap_err().to_string();
        assert!(!text.contains(value));
        let text = with(("stopPrice", value)).unwrap_err().to_string();
        assert!(!text.contains(value));
    }
}
