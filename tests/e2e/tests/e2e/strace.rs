//! The order of system calls, as the kernel saw it: no byte to a venue before its intent is on disk.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, Key, Namespace, Role, Server, Setup, Signal, VENUES};

/// The calls that can carry bytes to a socket or make them durable, and those that bring a request in.
const TRACED: &str = "trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,sendfile,splice,fsync,fdatasync";

const ORDERS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn the_intents_fsync_ends_before_the_first_byte_to_the_venue() -> Result<()> {
    // The processes hide from their own user, and so does what their descriptors are.
    if Namespace::to_read_memory()? != Namespace::Here {
        return Ok(());
    }
    let (home, sim, scratch) = Setup::default().on_disk().init().await?;
    let file = scratch.path().join("trace");
    let trace = file.to_str().context("a path that is text")?;
    let args = ["-f", "-yy", "-s", "0", "-e", TRACED, "-e", "signal=none", "-o", trace];
    let server = Server::start_under(&home, Path::new("strace"), &args).await?;
    let mut house = Setup::furnish(home, sim, scratch, server).await?;
    for venue in VENUES {
        let key = house.sim.knows(Key::of(venue)).await?;
        let credential = house.app.enrolled(&key).await?;
        for _ in 0..ORDERS {
            house.app.acked(&Call::limit_order(&credential, venue)).await?;
        }
    }

    let (api, venue) = (house.server.ready()?.api, house.sim.url().trim_start_matches("https://").to_owned());
    house.server.signal(Role::Supervisor, Signal::Terminate)?;
    house.server.ends().await?;
    let written = std::fs::read_to_string(&file)?;
    let story = Story::read(&written, &api, &venue);

    let written_to_venue = story.sent_after_fsync().with_context(|| format!("in {trace}"))?;
    ensure!(written_to_venue >= VENUES.len() * ORDERS, "{written_to_venue} writes to the venue were seen");
    // The same trace without its fsyncs would not have passed.
    assert!(story.without_fsyncs().sent_after_fsync().is_err());
    Ok(())
}

/// What the trace says, in its order.
struct Story {
    events: Vec<(usize, Event)>,
}

enum Event {
    /// Bytes of a request came in.
    Asked,
    /// An fsync of the store ended well; it began at that line.
    Synced { began: usize },
    /// Bytes went to the venue.
    Sent,
}

impl Story {
    /// Counts what went to the venue, if each of it, a first byte or a last, went after an fsync that began after the
    /// question and ended before.
    fn sent_after_fsync(&self) -> Result<usize> {
        let (mut asked, mut synced, mut sent) = (None, false, 0_usize);
        for (at, event) in &self.events {
            match event {
                Event::Asked => (asked, synced) = (Some(*at), false),
                Event::Synced { began } => synced |= asked.is_some_and(|asked| asked < *began),
                Event::Sent => {
                    ensure!(synced || asked.is_none(), "line {at} writes to the venue before an fsync ended");
                    sent = sent.saturating_add(1);
                }
            }
        }
        Ok(sent)
    }

    fn without_fsyncs(mut self) -> Self {
        self.events.retain(|(_, event)| !matches!(event, Event::Synced { .. }));
        self
    }

    /// Lines are `<pid> <call>(<fd><<what it is>>, …) = <result>`. A call that another one's line interrupts is written
    /// in two: `… <unfinished ...>` where it began, `<pid> <... call resumed>…` where it ended.
    fn read(trace: &str, api: &str, venue: &str) -> Self {
        let (from_app, to_venue) = (format!("TCP:[{api}->"), format!("->{venue}]"));
        let lines: Vec<&str> = trace.lines().collect();
        let mut events = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let Some((pid, call)) = line.split_once(' ').map(|(pid, call)| (pid, call.trim_start())) else { continue };
            let end = end_of(&lines, at, pid, call);
            let Some((end, result)) = end else { continue };
            let done = result.trim().parse::<i64>().unwrap_or(-1);
            let name = call.split('(').next().unwrap_or_default();
            match name {
                "fsync" | "fdatasync" if call.contains("claviger.redb>") && done == 0 => {
                    events.push((end, Event::Synced { began: at }));
                }
                "read" | "readv" | "recvfrom" | "recvmsg" if call.contains(&from_app) && done > 0 => {
                    events.push((end, Event::Asked));
                }
                "write" | "writev" | "sendto" | "sendmsg" | "sendfile" | "splice" if call.contains(&to_venue) => {
                    events.push((at, Event::Sent));
                }
                _ => {}
            }
        }
        events.sort_by_key(|(at, _)| *at);
        Self { events }
    }
}

/// The line on which a call ended, and what it returned.
fn end_of<'a>(lines: &[&'a str], at: usize, pid: &str, call: &'a str) -> Option<(usize, &'a str)> {
    if !call.ends_with("<unfinished ...>") {
        return Some((at, call.rsplit_once(" = ")?.1.split_whitespace().next()?));
    }
    let resumed = lines.iter().enumerate().skip(at.saturating_add(1)).find(|(_, line)| {
        line.strip_prefix(pid).is_some_and(|rest| rest.trim_start().starts_with("<... ") && rest.starts_with(' '))
    });
    let (end, line) = resumed?;
    Some((end, line.rsplit_once(" = ")?.1.split_whitespace().next()?))
}
