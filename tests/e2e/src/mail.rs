//! A relay that takes letters by SMTP (RFC 5321) and fails on schedule.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// When it fails: each so many letters, by their count; 0 for never.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The addressee is refused for now.
    pub not_now: u64,
    /// The connection ends before the letter was read to its end.
    pub cut_before: u64,
    /// The letter is taken, and the connection ends before anybody is told so.
    pub cut_after: u64,
}

/// A letter that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Who it is for.
    pub to: String,
    /// Its header and text, as they came.
    pub text: String,
    /// Its Message-ID.
    pub id: String,
    /// Whether whoever sent it may not know that it was taken.
    pub is_lost: bool,
}

/// A relay of its own. Dropped, it takes nothing more.
#[derive(Debug)]
pub struct MailSink {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    faults: Faults,
    refused: Vec<String>,
    begun: u64,
    taken: Vec<Mail>,
    is_closed: bool,
}

/// What becomes of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Taken,
    NotNow,
    CutBefore,
    CutAfter,
}

impl MailSink {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(faults: Faults) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State { faults, ..State::default() }));
        let kept = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = kept.clone();
                tokio::spawn(async move {
                    if lock(&state).is_closed {
                        return;
                    }
                    let mut last = None;
                    if !Session::new(stream, state.clone()).serve(&mut last).await.unwrap_or(false)
                        && let Some(last) = last
                    {
                        // Whoever goes without a word may not have read the last one.
                        lock(&state).taken.get_mut::<usize>(last).into_iter().for_each(|mail| mail.is_lost = true);
                    }
                });
            }
        });
        Ok(Self { address, state, task })
    }

    /// As the configuration writes it.
    pub fn config(&self) -> String {
        format!("plain:{}", self.address)
    }

    /// Refuses an address for good.
    pub fn refuse(&self, address: &str) {
        lock(&self.state).refused.push(address.to_owned());
    }

    /// Lets nobody in, or everybody again.
    pub fn close(&self, is_closed: bool) {
        lock(&self.state).is_closed = is_closed;
    }

    /// Fails in another way from now on.
    pub fn fail(&self, faults: Faults) {
        lock(&self.state).faults = faults;
    }

    /// How many letters were taken, copies among them.
    pub fn count(&self) -> usize {
        lock(&self.state).taken.len()
    }

    /// What was taken for an address.
    pub fn for_whom(&self, address: &str) -> Vec<Mail> {
        lock(&self.state).taken.iter().filter(|mail| mail.to == address).cloned().collect()
    }

    /// All letters with their copies, by Message-ID.
    pub fn by_id(&self) -> BTreeMap<String, Vec<Mail>> {
        let mut all: BTreeMap<String, Vec<Mail>> = BTreeMap::new();
        for mail in &lock(&self.state).taken {
            all.entry(mail.id.clone()).or_default().push(mail.clone());
        }
        all
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection.
struct Session {
    stream: BufReader<TcpStream>,
    state: Arc<Mutex<State>>,
}

impl Session {
    fn new(stream: TcpStream, state: Arc<Mutex<State>>) -> Self {
        Self { stream: BufReader::new(stream), state }
    }

    /// Serves until the end, and says whether that was a goodbye. `last` is the letter that was answered last.
    async fn serve(&mut self, last: &mut Option<usize>) -> Result<bool> {
        self.stream.get_ref().set_nodelay(true)?;
        self.say("220 sink").await?;
        let (mut to, mut fate) = (String::new(), Fate::Taken);
        loop {
            let Some(line) = self.line().await? else { return Ok(false) };
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => self.say("250-sink\r\n250 8BITMIME").await?,
                "MAIL" => {
                    fate = lock(&self.state).next();
                    self.say("250 ok").await?;
                }
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    let refused = lock(&self.state).refused.contains(&to);
                    let answer = match fate {
                        _ if refused => "550 no such user",
                        Fate::NotNow => "451 not now",
                        Fate::Taken | Fate::CutBefore | Fate::CutAfter => "250 ok",
                    };
                    self.say(answer).await?;
                }
                "DATA" => {
                    self.say("354 go on").await?;
                    let Some(text) = self.text().await? else { return Ok(false) };
                    if fate == Fate::CutBefore {
                        return Ok(true);
                    }
                    let is_lost = fate == Fate::CutAfter;
                    let at = lock(&self.state).take(&to, text, is_lost)?;
                    if is_lost {
                        return Ok(true);
                    }
                    *last = Some(at);
                    self.say("250 taken").await?;
                }
                "RSET" | "NOOP" => self.say("250 ok").await?,
                "QUIT" => {
                    self.say("221 bye").await?;
                    return Ok(true);
                }
                _ => self.say("500 what").await?,
            }
        }
    }

    async fn say(&mut self, answer: &str) -> Result<()> {
        Ok(self.stream.get_mut().write_all(format!("{answer}\r\n").as_bytes()).await?)
    }

    async fn line(&mut self) -> Result<Option<String>> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await?;
        Ok((read > 0).then(|| line.trim_end().to_owned()))
    }

    /// A letter's header and text, up to the line that ends it.
    async fn text(&mut self) -> Result<Option<String>> {
        let mut text = String::new();
        while let Some(line) = self.line().await? {
            if line == "." {
                return Ok(Some(text));
            }
            text.push_str(&line);
            text.push('\n');
        }
        Ok(None)
    }
}

impl State {
    fn next(&mut self) -> Fate {
        self.begun = self.begun.saturating_add(1);
        let Faults { not_now, cut_before, cut_after } = self.faults;
        let fates = [(not_now, Fate::NotNow), (cut_before, Fate::CutBefore), (cut_after, Fate::CutAfter)];
        let due = |every: u64| every > 0 && self.begun.is_multiple_of(every);
        fates.into_iter().find(|(every, _)| due(*every)).map_or(Fate::Taken, |(_, fate)| fate)
    }

    fn take(&mut self, to: &str, text: String, is_lost: bool) -> Result<usize> {
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).context("no Message-ID")?.to_owned();
        self.taken.push(Mail { to: to.to_owned(), text, id, is_lost });
        Ok(self.taken.len().saturating_sub(1))
    }
}
