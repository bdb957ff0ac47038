//! One byte of a request changed.

use claviger_e2e::{Message, Random};

/// A part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Method,
    Path,
    Query,
    Body,
    /// The value of a header, by its place among the request's own.
    Header(usize),
}

impl Part {
    /// Every part of the request.
    pub(super) fn all(message: &Message) -> Vec<Self> {
        let headers = (0..message.headers.len()).map(Self::Header);
        [Self::Method, Self::Path, Self::Query, Self::Body].into_iter().chain(headers).collect()
    }
}

/// Changes one byte of the part, at random; an empty one gets its first.
pub(super) fn bend(message: &mut Message, part: Part, random: &mut Random) {
    let (text, from) = match part {
        Part::Method => (&mut message.method, 0),
        // What is before the second byte divides the path from the venue's name.
        Part::Path => (&mut message.path, 1),
        Part::Query => (&mut message.query, 0),
        Part::Body => (&mut message.body, 0),
        Part::Header(at) => (&mut message.headers[at].1, 0),
    };
    let Some(span) = text.len().checked_sub(from).filter(|span| *span > 0) else {
        text.push('x');
        return;
    };
    let at = from + usize::try_from(random.below(u64::try_from(span).unwrap())).unwrap();
    let other = other(text.as_bytes()[at], random);
    text.replace_range(at..=at, other);
}

/// A letter or digit; never the same letter in the other case, for in hexadecimal and in escapes both mean the same.
fn other(byte: u8, random: &mut Random) -> &'static str {
    const OTHERS: [&str; 12] = ["0", "1", "5", "9", "a", "f", "x", "z", "B", "E", "K", "Z"];
    let mut others = std::iter::repeat_with(|| random.pick(&OTHERS).copied().unwrap());
    others.find(|other| !other.as_bytes()[0].eq_ignore_ascii_case(&byte)).unwrap()
}
