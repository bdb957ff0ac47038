//! Server-sent events, as they come: in pieces that end anywhere.
//!
//! Source: WHATWG HTML, "Interpreting an event stream". Whoever sends what does not fit is not listened to any longer, so
//! no server can fill the memory.

/// Reads a stream of events.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// What came of the line so far.
    line: Vec<u8>,
    /// Whether the last line ended with a carriage return, to which a line feed may belong.
    returned: bool,
    /// Whether a line was read: a byte order mark stands before the first only.
    begun: bool,
    name: String,
    data: Option<String>,
    id: Option<String>,
}

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name; empty if it has none.
    pub(super) name: String,
    /// What it says; none where it only tells how far the stream is.
    pub(super) data: Option<String>,
    /// The id to go on after, if it came with one.
    pub(super) id: Option<String>,
}

/// A line, an event or an id that is longer than any that the service sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Parser {
    /// Takes in a piece, and tells of each event that it completes.
    ///
    /// # Errors
    /// [`TooLong`]; what follows cannot be read any more.
    pub(super) fn feed(&mut self, piece: &[u8], mut tell: impl FnMut(Event)) -> Result<(), TooLong> {
        for &byte in piece {
            let belongs = std::mem::take(&mut self.returned) && byte == b'\n';
            match byte {
                _ if belongs => {}
                b'\r' | b'\n' => {
                    self.returned = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    self.read(&line, &mut tell)?;
                }
                _ if self.line.len() >= LINE_BYTES_MAX => return Err(TooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn read(&mut self, line: &[u8], tell: &mut impl FnMut(Event)) -> Result<(), TooLong> {
        let text = String::from_utf8_lossy(line);
        let text = if std::mem::replace(&mut self.begun, true) { &*text } else { text.trim_start_matches('\u{feff}') };
        if text.is_empty() {
            self.end(tell);
            return Ok(());
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                let data = self.data.get_or_insert_default();
                if data.len().saturating_add(value.len()) > DATA_BYTES_MAX {
                    return Err(TooLong);
                }
                data.push_str(value);
                data.push('\n');
            }
            "id" if value.len() > ID_BYTES_MAX => return Err(TooLong),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // A comment, or a field of another time.
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, tell: &mut impl FnMut(Event)) {
        let (name, id) = (std::mem::take(&mut self.name), self.id.take());
        let mut data = self.data.take();
        if let Some(data) = &mut data {
            data.pop();
        }
        if data.is_some() || id.is_some() {
            tell(Event { name, data, id });
        }
    }
}

/// No line that the service sends is longer than some hundred bytes.
const LINE_BYTES_MAX: usize = 4 * 1024;
/// Nor is what an event says.
const DATA_BYTES_MAX: usize = 16 * 1024;
/// An id is the number of an entry.
const ID_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<(String, Option<String>, Option<String>)> {
        let (mut parser, mut told) = (Parser::default(), Vec::new());
        for piece in pieces {
            parser.feed(piece, |event| told.push((event.name, event.data, event.id))).unwrap();
        }
        told
    }

    fn event(name: &str, data: Option<&str>, id: Option<&str>) -> (String, Option<String>, Option<String>) {
        (name.to_owned(), data.map(str::to_owned), id.map(str::to_owned))
    }

    #[test]
    fn reads_what_the_service_sends_however_it_is_cut() {
        let stream =
            b"\xef\xbb\xbf: from here\nretry: 250\n\nevent: credential\r\ndata: {\"id\":1}\r\ndata:two\r\n\r\n\
            event:audit\rdata: \xc3\xa9\rid: 41\r\r: alive\nid: 42\n\ndata\nodd field\n\nevent: lost\ndata: cut off";
        let expected = [
            event("credential", Some("{\"id\":1}\ntwo"), None),
            event("audit", Some("é"), Some("41")),
            event("", None, Some("42")),
            event("", Some(""), None),
        ];
        assert_eq!(events(&[stream]), expected);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(events(&bytes), expected);
        for cut in 0..stream.len() {
            let (head, tail) = stream.split_at(cut);
            assert_eq!(events(&[head, b"", tail]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn an_event_without_data_is_none() {
        assert_eq!(events(&[b"event: credential\n\ndata: x\n\n"]), [event("", Some("x"), None)]);
        assert_eq!(events(&[b"id: a\0b\n\n\n\n"]), []);
    }

    #[test]
    fn takes_no_more_than_fits() {
        let check = |bytes: &[u8], expected| {
            let mut parser = Parser::default();
            assert_eq!(parser.feed(bytes, drop), expected);
            assert!(parser.line.capacity() <= 2 * LINE_BYTES_MAX);
            assert!(parser.data.is_none_or(|data| data.capacity() <= 2 * DATA_BYTES_MAX));
        };
        check(&[b'x'; LINE_BYTES_MAX], Ok(()));
        check(&[b'x'; LINE_BYTES_MAX + 1], Err(TooLong));
        check(&b"data: 0123456789012345678901234567890123456789\n".repeat(1_000), Err(TooLong));
        check(format!("id: {}\n", "1".repeat(65)).as_bytes(), Err(TooLong));
        check(&b": comment\n".repeat(100_000), Ok(()));
        check(&b"event: x\n\n".repeat(100_000), Ok(()));
    }
}
