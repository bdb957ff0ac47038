mod reconnect;

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::Frame;

use super::*;
use crate::clean::Clean;

/// A body of these pieces, and then nothing more for ever, or the end.
struct Pieces {
    left: std::vec::IntoIter<Vec<u8>>,
    ends: bool,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.left.next() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(piece))))),
            None if self.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

fn pieces(pieces: Vec<Vec<u8>>, ends: bool) -> Pieces {
    Pieces { left: pieces.into_iter(), ends }
}

/// What is passed on of a stream, at most `count` of it, why it ended, and the last id.
fn heard(body: Pieces, count: usize) -> (Vec<Push>, Option<End>, Option<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (told, mut gathered) = (RefCell::new(Vec::new()), Gathered::default());
    let tell = |push| {
        told.borrow_mut().push(push);
        std::future::ready(told.borrow().len() < count)
    };
    let end = runtime.block_on(listen(body, &mut gathered, &tell));
    (told.into_inner(), end, gathered.last_id)
}

fn changed(name: &str) -> Push {
    Push::Changed(Clean::from(name))
}

#[test]
fn a_thousand_events_are_passed_on_as_one() {
    let flood = (0..1_000).map(|n| format!("event: credential\ndata: {{}}\nid: {n}\n\n").into_bytes()).collect();
    let (told, end, last_id) = heard(pieces(flood, true), 100);
    assert_eq!(told, [changed("credential")]);
    assert_eq!((end, last_id.as_deref()), (Some(End::Broken(s::EVENTS_ENDED.to_owned())), Some("999")));
}

#[test]
fn names_are_those_that_a_screen_waits_for() {
    let stream = |text: &str| heard(pieces(vec![text.as_bytes().to_vec()], true), 100).0;
    let many: String = "event: nothing-anybody-waits-for\ndata: x\n\n".repeat(10_000);
    assert_eq!(stream(&many), [Push::Beat], "what nobody waits for is not kept");
    assert_eq!(stream(": alive\nid: 7\n\n"), [Push::Beat]);
    let two = "event: stop\ndata: {}\n\nevent: status\ndata: {}\n\nevent: stop\ndata: {}\n\n";
    assert_eq!(stream(two), [changed("status"), changed("stop")]);
    assert_eq!(stream("event: app\ndata: {}\n\nevent: reset\ndata: {}\n\n"), [changed("")], "everything is one name");
}

#[test]
fn a_stream_with_a_line_too_long_is_left() {
    let (told, end, _) = heard(pieces(vec![vec![b'x'; 64 * 1024]; 100], false), 100);
    assert_eq!((told, end), (vec![Push::Beat], Some(End::Broken(s::EVENTS_TOO_LONG.to_owned()))));
}

#[test]
fn nobody_is_told_who_has_left() {
    let (told, end, _) = heard(pieces(vec![b": alive\n\n".to_vec()], false), 1);
    assert_eq!((told, end), (vec![Push::Beat], None));
}
